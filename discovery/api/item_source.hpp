// The objects of a collection, in order and all at one revision, for those who send them at the pace of a reader.
//
// A page of them is held at a time. Pages begin small and grow while they are used up fast; a reader that has stopped
// makes the source let go of its page, which is then read again. So a list that nobody reads holds next to nothing.
//
// Threads: one at a time; the registry is read from it.
#pragma once

#include "discovery/api/selector.hpp"
#include "discovery/registry/registry.hpp"

namespace signpost::api {

class ItemSource {
public:
  /// Objects of `request` that the selector lets through, `most` of them (0: all). `request` says which revision, and
  /// where to begin, never how many. Fails as the registry does.
  [[nodiscard]] static registry::Result<ItemSource> open(registry::Registry& registry, registry::ListRequest request,
                                                         Selector selector, std::size_t most = 0);

  /// Of the page that has been read; nullptr: it is used up.
  [[nodiscard]] const registry::Stored* next();
  enum class Page : std::uint8_t {
    read,   // though perhaps with nothing that the selector lets through
    end,    // there are no more
    failed, // the history no longer reaches back that far, or the database cannot be read
  };
  [[nodiscard]] Page read_page();

  /// The reader has stopped: lets go of what can be read again.
  void rest();
  /// Octets of what is held.
  [[nodiscard]] std::size_t held() const { return held_; }
  [[nodiscard]] store::Revision revision() const { return request_.revision; }

  /// Where another source would go on behind the last object of this one; before any has been taken.
  struct Rest {
    std::string from;          // empty: there are no more
    std::size_t remaining = 0; // objects from there on; 0: not known, because of a selector
  };
  [[nodiscard]] registry::Result<Rest> behind() const;

private:
  ItemSource(registry::Registry& registry, registry::ListRequest request, Selector selector, std::size_t most);
  [[nodiscard]] registry::Result<void> fetch();
  [[nodiscard]] bool lets_through(const registry::Stored& item) const;
  [[nodiscard]] std::string key_of(const registry::Stored& item) const;
  void release();

  registry::Registry* registry_;
  registry::ListRequest request_; // of the next page
  registry::Listing page_;
  Selector selector_;
  bool limited_;
  std::size_t left_; // objects that may still be given, if limited
  std::size_t at_ = 0;
  std::size_t held_ = 0;
  std::size_t taken_ = 0; // octets read since the reader last rested
};

} // namespace signpost::api
