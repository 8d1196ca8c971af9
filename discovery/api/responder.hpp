// Who answers the requests of an HTTP server: the registry's API (handler.hpp), or pages alone (pages.hpp).
//
// Threads: any. A reply may come before handle() returns, on the calling thread, or later on another.
#pragma once

#include <memory>

#include "discovery/api/request.hpp"

namespace signpost::api {

class Responder {
public:
  virtual ~Responder() = default;

  /// Works at length: better not asked on an event loop.
  [[nodiscard]] virtual bool is_long(const Request& request) const = 0;

  /// Answers. The request is kept until the reply has come.
  virtual void handle(std::shared_ptr<const Request> request, ReplyCallback done) = 0;
};

} // namespace signpost::api
