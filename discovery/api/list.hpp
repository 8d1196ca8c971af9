// GET of a collection: options, pages, and the list made while it is sent.
//
// A list is never a document in memory: objects are taken from the registry some thousands at a time, at the revision
// of the first, and their stored texts are appended as they are. They are decoded only when a selector or a Table asks.
//
// Threads: any; the registry is read from the calling one.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "discovery/api/negotiation.hpp"
#include "discovery/api/request.hpp"
#include "discovery/api/route.hpp"
#include "discovery/api/selector.hpp"
#include "discovery/api/table.hpp"
#include "discovery/registry/registry.hpp"

namespace signpost::api {

/// Goes through objects that a selector lets through, page by page, all at one revision.
class ItemSource {
public:
  /// `first` is what the request gave; if it is not complete and `request.limit` is the page's, the rest follows.
  ItemSource(registry::Registry& registry, registry::ListRequest request, registry::Listing first, Selector selector,
             bool all_pages);

  /// nullptr: there are no more, or (failed() says) they could not be read.
  [[nodiscard]] const registry::Stored* next();
  [[nodiscard]] bool failed() const { return failed_; }

private:
  registry::Registry& registry_;
  registry::ListRequest request_;
  registry::Listing page_;
  Selector selector_;
  bool all_pages_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

/// Objects a page holds when the client wants all.
inline constexpr std::size_t page_objects = 10'000;

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
