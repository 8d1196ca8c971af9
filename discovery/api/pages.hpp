// Pages by their path, and nothing else: what a server without a registry answers. GET and HEAD.
#pragma once

#include <optional>

#include "discovery/api/responder.hpp"
#include "discovery/api/server.hpp"

namespace signpost::api {

/// The page of a request's path, 405 for other methods than GET and HEAD; nullopt: there is none.
[[nodiscard]] std::optional<Reply> page_reply(const Pages& pages, const Request& request);

class PageResponder final : public Responder {
public:
  explicit PageResponder(const Pages& pages) : pages_(pages) {}

  [[nodiscard]] bool is_long(const Request&) const override { return false; }
  void handle(std::shared_ptr<const Request> request, ReplyCallback done) override;

private:
  const Pages& pages_;
};

} // namespace signpost::api
