// GET of a collection: options, pages, and the list made while it is sent.
//
// A list is never a document in memory: objects are taken from the registry as the reader takes them from us, at the
// revision of the first, and their stored texts are appended as they are. They are decoded only when a selector or a
// Table asks.
//
// Threads: any; the registry is read from the calling one.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "discovery/api/item_source.hpp"
#include "discovery/api/negotiation.hpp"
#include "discovery/api/request.hpp"
#include "discovery/api/route.hpp"
#include "discovery/api/selector.hpp"
#include "discovery/api/table.hpp"
#include "discovery/registry/registry.hpp"

namespace signpost::api {

/// labelSelector and fieldSelector; 400 when they cannot be read.
[[nodiscard]] registry::Result<Selector> parse_selector(const Query& query, model::Kind kind);
/// includeObject of Tables.
[[nodiscard]] registry::Result<IncludeObject> parse_include(const Query& query);
/// A decimal number of the query; absent: 0. 400 when it is none.
[[nodiscard]] registry::Result<std::int64_t> parse_number(const Query& query, std::string_view name);
/// A decimal revision; nullopt: not one.
[[nodiscard]] std::optional<store::Revision> parse_revision(std::string_view text);

/// Where a paged list goes on; opaque to clients.
struct ContinueToken {
  store::Revision revision = 0; // -1: whatever is newest
  std::string from;
};
[[nodiscard]] std::string encode_continue(const ContinueToken& token);
[[nodiscard]] std::optional<ContinueToken> decode_continue(std::string_view text);

/// Answers a list request.
[[nodiscard]] Reply list_collection(registry::Registry& registry, const Route& route, const Query& query,
                                    const Encoding& encoding);

} // namespace signpost::api
