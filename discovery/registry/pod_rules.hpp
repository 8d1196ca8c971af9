// The rules of Pods and Nodes, as far as discovery depends on them: names, addresses, ports. What is kept unread is not
// judged.
// Pure functions, any thread.
#pragma once

#include "discovery/model/node.hpp"
#include "discovery/model/pod.hpp"
#include "discovery/registry/field_errors.hpp"

namespace signpost::registry {

void set_defaults(model::Pod& pod);
/// A new Pod is Pending, whatever its writer says: status has a resource of its own.
void prepare_create(model::Pod& pod);
void check_pod(const model::Pod& pod, FieldErrors& errors);
void check_pod_update(const model::Pod& pod, const model::Pod& current, FieldErrors& errors);
void check_pod_status(const model::Pod& pod, FieldErrors& errors);

void set_defaults(model::Node& node);
void check_node(const model::Node& node, FieldErrors& errors);
void check_node_update(const model::Node& node, const model::Node& current, FieldErrors& errors);

} // namespace signpost::registry
