// The addresses of `prometheus`, `health` and `ready`: read-only pages for whoever reaches them.
//
// Threads: open(), update() and stop() from one; the pages are asked from the servers' own.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "discovery/api/server.hpp"
#include "server/config/settings.hpp"

namespace signpost::server {

class PageServers {
public:
  /// Makes the page's text; called on the servers' threads.
  using Text = std::function<api::PageText(PageAddress::Page)>;
  explicit PageServers(Text text) : text_(std::move(text)) {}

  /// Opens what is wanted and not open, closes what is open and not wanted. An error: one could not be opened, and all
  /// is as before.
  [[nodiscard]] tl::expected<void, std::string> update(const std::vector<PageAddress>& wanted);
  void stop();

private:
  /// Which pages an address has; one that every address covers is a part of it.
  using Wanted = std::map<Endpoint, std::vector<PageAddress::Page>>;
  [[nodiscard]] tl::expected<std::unique_ptr<api::Server>, std::string>
  open(const Endpoint& endpoint, const std::vector<PageAddress::Page>& pages) const;

  Text text_;
  Wanted wanted_;
  std::map<Endpoint, std::unique_ptr<api::Server>> servers_;
};

} // namespace signpost::server
