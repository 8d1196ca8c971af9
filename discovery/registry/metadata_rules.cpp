#include "discovery/registry/metadata_rules.hpp"

#include <algorithm>
#include <set>

#include "discovery/registry/registry.hpp"

namespace signpost::registry {
namespace {

constexpr std::size_t annotations_limit = 256 * 1024; // bytes of all keys and values together

void complain(FieldErrors& errors, const std::string& field, std::string_view value, const Complaints& complaints) {
  for (const std::string& complaint : complaints) errors.invalid_text(field, value, complaint);
}

/// A prefix of generated names may end in a dash, what follows makes it a name. Upstream looks away from the character
/// before it, too.
std::string mask_trailing_dash(std::string text) {
  if (text.size() > 1 && text.back() == '-') text.replace(text.size() - 2, 2, "a");
  return text;
}

void check_annotations(const std::map<std::string, std::string>& annotations, FieldErrors& errors) {
  std::size_t size = 0;
  for (const auto& [key, value] : annotations) {
    std::string lower = key;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    complain(errors, "metadata.annotations", key, check_qualified_name(lower));
    size += key.size() + value.size();
  }
  if (size > annotations_limit) errors.too_long("metadata.annotations", annotations_limit);
}

void check_finalizers(const std::vector<std::string>& finalizers, FieldErrors& errors) {
  for (const std::string& finalizer : finalizers) {
    complain(errors, "metadata.finalizers", finalizer, check_qualified_name(finalizer));
  }
  for (std::size_t i = 0; i < finalizers.size(); ++i) {
    const std::string& finalizer = finalizers[i];
    if (finalizer.find('/') == std::string::npos && finalizer != orphan_finalizer &&
        finalizer != foreground_finalizer && finalizer != "kubernetes") {
      errors.invalid_text(item("metadata.finalizers", i), finalizer,
                          "name is neither a standard finalizer name nor is it fully qualified");
    }
  }
}

/// As the API writes it.
std::string json_list(const std::vector<model::OwnerReference>& owners) {
  std::string out = "[";
  for (const model::OwnerReference& owner : owners) {
    out.append(out.size() > 1 ? "," : "").append("{\"apiVersion\":").append(quoted(owner.api_version));
    out.append(",\"kind\":").append(quoted(owner.kind)).append(",\"name\":").append(quoted(owner.name));
    out.append(",\"uid\":").append(quoted(owner.uid));
    if (owner.controller) out.append(",\"controller\":").append(*owner.controller ? "true" : "false");
    if (owner.block_owner_deletion)
      out.append(",\"blockOwnerDeletion\":").append(*owner.block_owner_deletion ? "true" : "false");
    out += '}';
  }
  return out + "]";
}

void check_owner_references(const std::vector<model::OwnerReference>& owners, FieldErrors& errors) {
  std::string controller;
  for (const model::OwnerReference& owner : owners) {
    const auto need = [&](const std::string& value, const char* child, std::string_view complaint) {
      if (value.empty()) errors.invalid_text(std::string("metadata.ownerReferences.") + child, value, complaint);
    };
    need(owner.api_version, "apiVersion", "version must not be empty");
    need(owner.kind, "kind", "must not be empty");
    need(owner.name, "name", "must not be empty");
    need(owner.uid, "uid", "must not be empty");
    if (!owner.controller.value_or(false)) continue;
    std::string name = owner.kind + "/" + owner.name;
    if (controller.empty()) {
      controller = std::move(name);
      continue;
    }
    errors.invalid("metadata.ownerReferences", json_list(owners),
                   "Only one reference can have Controller set to true. Found \"true\" in references for " +
                       controller + " and " + name);
    break; // as many again would say the same
  }
}

/// As Go prints it with %#v.
std::string go_list(const std::vector<std::string>& texts) {
  std::string out = "[]string{";
  for (const std::string& text : texts) out += (out.back() == '{' ? "" : ", ") + quoted(text);
  return out + "}";
}

} // namespace

void check_labels(const std::map<std::string, std::string>& labels, std::string_view field, FieldErrors& errors) {
  for (const auto& [key, value] : labels) {
    complain(errors, std::string(field), key, check_qualified_name(key));
    complain(errors, std::string(field), value, check_label_value(value));
  }
}

void check_generate_name(const model::ObjectMeta& metadata, NameCheck check_name, FieldErrors& errors) {
  if (metadata.generate_name.empty()) return;
  complain(errors, "metadata.generateName", metadata.generate_name,
           check_name(mask_trailing_dash(metadata.generate_name)));
}

void check_metadata(const model::ObjectMeta& metadata, NameCheck check_name, FieldErrors& errors) {
  check_generate_name(metadata, check_name, errors);
  if (metadata.name.empty()) {
    errors.required("metadata.name", "name or generateName is required");
  } else {
    complain(errors, "metadata.name", metadata.name, check_name(metadata.name));
  }
  check_labels(metadata.labels, "metadata.labels", errors);
  check_annotations(metadata.annotations, errors);
  check_owner_references(metadata.owner_references, errors);
  check_finalizers(metadata.finalizers, errors);
}

void complete_metadata(model::ObjectMeta& wanted, const model::ObjectMeta& current) {
  if (wanted.name.empty()) wanted.name = current.name;
  if (wanted.name_space.empty()) wanted.name_space = current.name_space;
  if (wanted.uid.empty()) wanted.uid = current.uid;
  wanted.creation_timestamp = current.creation_timestamp;
  if (wanted.deletion_timestamp.empty()) wanted.deletion_timestamp = current.deletion_timestamp;
  if (!wanted.deletion_grace_period_seconds) {
    wanted.deletion_grace_period_seconds = current.deletion_grace_period_seconds;
  }
  wanted.generation = current.generation;
}

void check_metadata_update(const model::ObjectMeta& wanted, const model::ObjectMeta& current, FieldErrors& errors) {
  constexpr std::string_view immutable = "field is immutable";
  const auto same = [&](const std::string& now, const std::string& before, const char* field) {
    if (now != before) errors.invalid_text(field, now, immutable);
  };
  same(wanted.name, current.name, "metadata.name");
  same(wanted.name_space, current.name_space, "metadata.namespace");
  same(wanted.uid, current.uid, "metadata.uid");
  same(wanted.deletion_timestamp, current.deletion_timestamp, "metadata.deletionTimestamp");
  if (current.deletion_timestamp.empty()) return;
  const std::set<std::string_view> known(current.finalizers.begin(), current.finalizers.end());
  std::vector<std::string> fresh;
  for (const std::string& finalizer : wanted.finalizers) {
    if (!known.contains(finalizer)) fresh.push_back(finalizer);
  }
  if (!fresh.empty()) {
    errors.forbidden("metadata.finalizers",
                     "no new finalizers can be added if the object is being deleted, found new finalizers " +
                         go_list(fresh));
  }
}

} // namespace signpost::registry
