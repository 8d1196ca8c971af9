// From a request to a reply: the API's rules, without sockets.
//
// Threads: any. A reply may come before handle() returns, on the calling thread, or later on the store's.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "discovery/api/channel.hpp"
#include "discovery/api/responder.hpp"
#include "discovery/api/route.hpp"
#include "discovery/api/server.hpp"

namespace signpost::api {

class Handler final : public Responder {
public:
  Handler(registry::Registry& registry, Hub& hub, const Settings& settings, const Callbacks& callbacks);

  /// Reads the registry at length: lists, watches, Tables. Better not taken on an event loop.
  [[nodiscard]] bool is_long(const Request& request) const override;

  void handle(std::shared_ptr<const Request> request, ReplyCallback done) override;

private:
  [[nodiscard]] Reply page(const Request& request) const;
  [[nodiscard]] Reply document(const Route& route, std::string_view accept) const;

  registry::Registry& registry_;
  Hub& hub_;
  const Settings& settings_;
  const Callbacks& callbacks_;
};

} // namespace signpost::api
