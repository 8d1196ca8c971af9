#include "discovery/api/readers.hpp"

#include <boost/asio/post.hpp>

namespace signpost::api {

void Readers::start() {
  thread_ = std::thread([this] { io_.run(); });
}

void Readers::post(std::function<void()> task) { boost::asio::post(io_, std::move(task)); }

void Readers::stop() {
  io_.stop();
  if (thread_.joinable()) thread_.join();
}

} // namespace signpost::api
