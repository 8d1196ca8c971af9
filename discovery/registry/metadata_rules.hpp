// What metadata every object must have, whatever its kind: names, labels, annotations, finalizers, what never changes.
// Pure functions, any thread.
#pragma once

#include "discovery/model/object_meta.hpp"
#include "discovery/registry/field_errors.hpp"
#include "discovery/registry/names.hpp"

namespace signpost::registry {

using NameCheck = Complaints (*)(std::string_view);

/// Of objects whose name is not judged otherwise.
void check_generate_name(const model::ObjectMeta& metadata, NameCheck check_name, FieldErrors& errors);
void check_metadata(const model::ObjectMeta& metadata, NameCheck check_name, FieldErrors& errors);

/// Takes over what the client left out (uid, creation, deletion) before the comparison: a client need not send it.
void complete_metadata(model::ObjectMeta& wanted, const model::ObjectMeta& current);
void check_metadata_update(const model::ObjectMeta& wanted, const model::ObjectMeta& current, FieldErrors& errors);

void check_labels(const std::map<std::string, std::string>& labels, std::string_view field, FieldErrors& errors);

} // namespace signpost::registry
