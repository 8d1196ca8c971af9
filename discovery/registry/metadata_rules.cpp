#include "discovery/registry/metadata_rules.hpp"

#include <algorithm>

namespace signpost::registry {
namespace {

constexpr std::size_t annotations_limit = 256 * 1024; // bytes of all keys and values together

void complain(FieldErrors& errors, const std::string& field, std::string_view value, const Complaints& complaints) {
  for (const std::string& complaint : complaints) errors.invalid_text(field, value, complaint);
}

// A prefix of generated names may end in a dash: what follows makes it a name.
std::string without_trailing_dashes(std::string text) {
  if (text.size() > 1 && text.back() == '-') text.back() = 'a';
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
}

void check_owner_references(const std::vector<model::OwnerReference>& owners, FieldErrors& errors) {
  for (std::size_t i = 0; i < owners.size(); ++i) {
    const model::OwnerReference& owner = owners[i];
    const auto need = [&](const std::string& value, std::string_view child, std::string_view what) {
      if (value.empty()) {
        errors.invalid_text(item("metadata.ownerReferences", i, child), value,
                            std::string(what) + " must not be empty");
      }
    };
    need(owner.api_version, "apiVersion", "version");
    need(owner.kind, "kind", "kind");
    need(owner.name, "name", "name");
    need(owner.uid, "uid", "uid");
  }
}

} // namespace

void check_labels(const std::map<std::string, std::string>& labels, std::string_view field, FieldErrors& errors) {
  for (const auto& [key, value] : labels) {
    complain(errors, std::string(field), key, check_qualified_name(key));
    complain(errors, std::string(field), value, check_label_value(value));
  }
}

void check_metadata(const model::ObjectMeta& metadata, NameCheck check_name, FieldErrors& errors) {
  if (!metadata.generate_name.empty()) {
    complain(errors, "metadata.generateName", metadata.generate_name,
             check_name(without_trailing_dashes(metadata.generate_name)));
  }
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
  if (wanted.creation_timestamp.empty()) wanted.creation_timestamp = current.creation_timestamp;
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
  same(wanted.creation_timestamp, current.creation_timestamp, "metadata.creationTimestamp");
  same(wanted.deletion_timestamp, current.deletion_timestamp, "metadata.deletionTimestamp");
  if (current.deletion_timestamp.empty()) return;
  std::vector<std::string> fresh;
  for (const std::string& finalizer : wanted.finalizers) {
    if (std::find(current.finalizers.begin(), current.finalizers.end(), finalizer) == current.finalizers.end()) {
      fresh.push_back(finalizer);
    }
  }
  if (!fresh.empty()) {
    errors.forbidden("metadata.finalizers",
                     "no new finalizers can be added if the object is being deleted, found new finalizers " +
                         quoted(fresh));
  }
}

} // namespace signpost::registry
