// POST, PUT, PATCH and DELETE: from the body to what the registry is asked, and its answer back.
#pragma once

#include <memory>

#include "discovery/api/negotiation.hpp"
#include "discovery/api/request.hpp"
#include "discovery/api/route.hpp"
#include "discovery/api/table.hpp"
#include "discovery/registry/registry.hpp"

namespace signpost::api {

/// One object in the shape asked for.
[[nodiscard]] Reply object_reply(int status, model::Kind kind, const registry::Stored& object, const Encoding& encoding,
                                 IncludeObject include = IncludeObject::metadata);

/// `done` is called once, perhaps from the store's thread.
void write_object(registry::Registry& registry, const Route& route, std::shared_ptr<const Request> request,
                  const Encoding& encoding, ReplyCallback done);

/// DELETE, of one object or of a collection.
void delete_object(registry::Registry& registry, const Route& route, std::shared_ptr<const Request> request,
                   const Encoding& encoding, bool dry_run, ReplyCallback done);

} // namespace signpost::api
