#include "discovery/registry/namespace_rules.hpp"

#include <algorithm>

#include "discovery/registry/metadata_rules.hpp"

namespace signpost::registry {

using model::Namespace;

bool is_permanent_namespace(std::string_view name) {
  return std::find(std::begin(permanent_namespaces), std::end(permanent_namespaces), name) !=
         std::end(permanent_namespaces);
}

void set_defaults(Namespace& name_space) {
  // A generated name is not known yet; the label is set when it is.
  if (!name_space.metadata.name.empty()) {
    name_space.metadata.labels["kubernetes.io/metadata.name"] = name_space.metadata.name;
  }
  if (name_space.status.phase.empty()) name_space.status.phase = "Active";
}

void prepare_create(Namespace& name_space) {
  name_space.status = {};
  name_space.status.phase = "Active";
  auto& finalizers = name_space.spec.finalizers;
  if (std::find(finalizers.begin(), finalizers.end(), "kubernetes") == finalizers.end()) {
    finalizers.emplace_back("kubernetes");
  }
}

void check_namespace(const Namespace& name_space, FieldErrors& errors) {
  check_metadata(name_space.metadata, check_dns1123_label, errors);
  for (const std::string& finalizer : name_space.spec.finalizers) {
    for (const std::string& complaint : check_qualified_name(finalizer)) {
      errors.invalid_text("spec.finalizers", finalizer, complaint);
    }
  }
}

void check_namespace_status(const Namespace& name_space, FieldErrors& errors) {
  const bool going = !name_space.metadata.deletion_timestamp.empty();
  const std::string& phase = name_space.status.phase;
  if (phase != (going ? "Terminating" : "Active")) {
    errors.invalid_text("status.Phase", phase,
                        going ? "may only be 'Terminating' if `deletionTimestamp` is not empty"
                              : "may only be 'Active' if `deletionTimestamp` is empty");
  }
}

void check_namespace_update(const Namespace& name_space, const Namespace& current, FieldErrors& errors) {
  check_metadata_update(name_space.metadata, current.metadata, errors);
  check_metadata(name_space.metadata, check_dns1123_label, errors);
}

} // namespace signpost::registry
