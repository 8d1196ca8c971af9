#include "server/daemon/pages.hpp"

#include <algorithm>

#include "server/admin/metrics.hpp"

namespace signpost::server {
namespace {

constexpr std::string_view plain_text = "text/plain; charset=utf-8";

std::string path_of(PageAddress::Page page) {
  switch (page) {
  case PageAddress::Page::metrics: return "/metrics";
  case PageAddress::Page::health: return "/health";
  case PageAddress::Page::ready: break;
  }
  return "/ready";
}

/// The address among `all` that stands for this one, too: itself, or every address with its port.
Endpoint covering(const Endpoint& endpoint, const std::vector<PageAddress>& all) {
  for (const PageAddress& other : all)
    if (other.endpoint.port == endpoint.port && other.endpoint.address.is_unspecified() &&
        (!other.endpoint.address.is_v4() || endpoint.address.is_v4()))
      return other.endpoint;
  return endpoint;
}

} // namespace

tl::expected<std::unique_ptr<api::Server>, std::string>
PageServers::open(const Endpoint& endpoint, const std::vector<PageAddress::Page>& pages) const {
  api::Pages all;
  for (const PageAddress::Page page : pages)
    all[path_of(page)] = {std::string(page == PageAddress::Page::metrics ? metrics_content_type : plain_text),
                          [text = text_, page] { return text(page); }};
  auto server = std::make_unique<api::Server>(api::Settings{.address = endpoint.address,
                                                            .local_only = false,
                                                            .port = endpoint.port,
                                                            .loops = 1,
                                                            .max_connections = 256,
                                                            .max_body_bytes = 1024,
                                                            .drain = std::chrono::milliseconds(500)},
                                              std::move(all));
  if (auto started = server->start(); !started) return tl::unexpected(started.error());
  return server;
}

tl::expected<void, std::string> PageServers::update(const std::vector<PageAddress>& wanted) {
  Wanted now;
  for (const PageAddress& one : wanted) {
    auto& pages = now[covering(one.endpoint, wanted)];
    if (std::find(pages.begin(), pages.end(), one.page) == pages.end()) pages.push_back(one.page);
  }
  for (auto& [endpoint, pages] : now) std::sort(pages.begin(), pages.end());
  // An address that gets other pages is opened again: the same one cannot be open twice.
  std::map<Endpoint, std::unique_ptr<api::Server>> opened;
  std::string failed;
  for (const auto& [endpoint, pages] : now) {
    const auto before = wanted_.find(endpoint);
    if (before != wanted_.end() && before->second == pages) continue;
    std::erase_if(servers_, [&](const auto& one) {
      return one.first == endpoint || (one.first.port == endpoint.port && !now.contains(one.first));
    });
    auto server = open(endpoint, pages);
    if (!server) {
      failed = server.error();
      break;
    }
    opened[endpoint] = std::move(*server);
  }
  if (!failed.empty()) {
    opened.clear();
    for (const auto& [endpoint, pages] : wanted_)
      if (!servers_.contains(endpoint))
        if (auto server = open(endpoint, pages)) servers_[endpoint] = std::move(*server);
    return tl::unexpected(std::move(failed));
  }
  std::erase_if(servers_, [&](const auto& one) { return !now.contains(one.first); });
  for (auto& [endpoint, server] : opened) servers_[endpoint] = std::move(server);
  wanted_ = std::move(now);
  return {};
}

void PageServers::stop() { servers_.clear(); }

} // namespace signpost::server
