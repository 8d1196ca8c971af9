#include "discovery/api/item_source.hpp"

#include <algorithm>

#include "discovery/api/request.hpp"

namespace signpost::api {
namespace {

// What is computed comes in pages of objects, each computed anew.
constexpr std::size_t page_objects = 10'000;
constexpr std::size_t first_page_bytes = piece_bytes;
constexpr std::size_t last_page_bytes = 16 * piece_bytes; // a list in 1 MiB pages costs 2 % more than in one

bool is_computed(model::Kind kind) { return kind == model::Kind::endpoints; }

} // namespace

ItemSource::ItemSource(registry::Registry& registry, registry::ListRequest request, Selector selector, std::size_t most)
    : registry_(&registry), request_(std::move(request)), selector_(std::move(selector)), limited_(most != 0),
      left_(most) {
  request_.limit = limited_ && selector_.empty() ? std::min(most, page_objects) : page_objects;
  request_.bytes = first_page_bytes;
}

registry::Result<ItemSource> ItemSource::open(registry::Registry& registry, registry::ListRequest request,
                                              Selector selector, std::size_t most) {
  ItemSource source(registry, std::move(request), std::move(selector), most);
  if (auto read = source.fetch(); !read) return tl::make_unexpected(std::move(read.error()));
  return source;
}

registry::Result<void> ItemSource::fetch() {
  auto page = registry_->list(request_);
  if (!page) return tl::make_unexpected(std::move(page.error()));
  page_ = std::move(*page);
  request_.revision = page_.revision;
  at_ = 0;
  held_ = page_.items.capacity() * sizeof(registry::Stored);
  for (const registry::Stored& item : page_.items) held_ += item.text->size();
  taken_ += held_;
  request_.bytes = std::clamp(taken_ / 4, first_page_bytes, last_page_bytes);
  return {};
}

bool ItemSource::lets_through(const registry::Stored& item) const {
  return selector_.empty() || selector_.matches(selector_.summarize(*item.text));
}

const registry::Stored* ItemSource::next() {
  while (at_ < page_.items.size() && (!limited_ || left_ != 0)) {
    const registry::Stored& item = page_.items[at_++];
    if (!lets_through(item)) continue;
    if (limited_) --left_;
    return &item;
  }
  return nullptr;
}

ItemSource::Page ItemSource::read_page() {
  const bool enough = limited_ && left_ == 0;
  if (enough || page_.next.empty()) {
    release();
    return Page::end;
  }
  request_.from = std::move(page_.next);
  release(); // before the next one comes
  return fetch() ? Page::read : Page::failed;
}

void ItemSource::release() {
  page_.items = {};
  at_ = held_ = 0;
}

void ItemSource::rest() {
  if (is_computed(request_.kind)) return; // the whole would be computed again
  if (at_ < page_.items.size()) page_.next = key_of(page_.items[at_]);
  release();
  taken_ = 0;
  request_.bytes = first_page_bytes;
}

/// Where a page that begins with the item begins.
std::string ItemSource::key_of(const registry::Stored& item) const {
  const ObjectSummary summary = read_summary(*item.text);
  const bool with_namespace =
      model::info(request_.kind).namespaced && (request_.name_space.empty() || is_computed(request_.kind));
  return with_namespace ? summary.name_space + "/" + summary.name : summary.name;
}

registry::Result<ItemSource::Rest> ItemSource::behind() const {
  Rest rest;
  if (!limited_) return rest;
  ItemSource ahead(*this); // shares the page
  while (true) {
    const registry::Stored* last = nullptr;
    while (const registry::Stored* item = ahead.next()) last = item;
    const bool more = ahead.at_ < ahead.page_.items.size() || !ahead.page_.next.empty();
    if (ahead.left_ == 0 && more && last != nullptr) {
      rest.from = key_of(*last) + '\0';
      break;
    }
    if (ahead.left_ == 0 || !more) return rest;
    ahead.request_.from = std::move(ahead.page_.next);
    if (auto read = ahead.fetch(); !read) return tl::make_unexpected(std::move(read.error()));
  }
  if (!selector_.empty()) return rest;
  const auto first = registry_->list({.kind = request_.kind,
                                      .name_space = request_.name_space,
                                      .limit = 1,
                                      .from = rest.from,
                                      .revision = request_.revision});
  if (!first) return tl::make_unexpected(first.error());
  rest.remaining = first->items.size() + first->remaining;
  return rest;
}

} // namespace signpost::api
