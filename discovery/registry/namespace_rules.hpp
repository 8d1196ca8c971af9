// The rules of Namespaces: their own label, their phase, which of them stay.
// Pure functions, any thread.
#pragma once

#include "discovery/model/namespace.hpp"
#include "discovery/registry/field_errors.hpp"

namespace signpost::registry {

/// Exists from the start and cannot be deleted: default, kube-system.
[[nodiscard]] bool is_permanent_namespace(std::string_view name);
inline constexpr std::string_view permanent_namespaces[] = {"default", "kube-system"};

void set_defaults(model::Namespace& name_space);
void prepare_create(model::Namespace& name_space);
void check_namespace(const model::Namespace& name_space, FieldErrors& errors);
void check_namespace_status(const model::Namespace& name_space, FieldErrors& errors);
void check_namespace_update(const model::Namespace& name_space, const model::Namespace& current, FieldErrors& errors);

} // namespace signpost::registry
