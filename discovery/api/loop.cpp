#include <boost/asio/post.hpp>

#include "discovery/api/session.hpp"

namespace signpost::api {
namespace {

namespace asio = boost::asio;
constexpr std::chrono::milliseconds sweep_every{200};

} // namespace

Loop::Loop(std::shared_ptr<Shared> all) : shared(std::move(all)), work_(io.get_executor()), sweeper_(io) {}

void Loop::run() {
  asio::post(io, [this] { sweep(); });
  thread_ = std::thread([this] { io.run(); });
}

void Loop::join() {
  work_.reset();
  io.stop();
  if (thread_.joinable()) thread_.join();
}

void Loop::adopt(asio::ip::tcp::socket socket) { std::make_shared<Session>(*this, std::move(socket))->start(); }

void Loop::sweep() {
  const Clock::time_point now = Clock::now();
  for (auto at = sessions_.begin(); at != sessions_.end();) {
    const auto session = (at++)->lock();
    if (session && session->deadline() <= now) session->close();
  }
  sweeper_.expires_after(sweep_every);
  sweeper_.async_wait([this](const boost::system::error_code& error) {
    if (!error) sweep();
  });
}

void Loop::wake() {
  if (waking_.exchange(true)) return;
  asio::post(io, [this] {
    waking_.store(false);
    for (const auto& weak : sessions_)
      if (const auto session = weak.lock()) session->wake_watch();
  });
}

std::future<void> Loop::drain() {
  std::promise<void> done;
  auto future = done.get_future();
  asio::post(io, [this, promise = std::move(done)]() mutable {
    for (auto at = sessions_.begin(); at != sessions_.end();)
      if (const auto session = (at++)->lock()) session->drain();
    promise.set_value();
  });
  return future;
}

void Loop::cut() {
  asio::post(io, [this] {
    for (auto at = sessions_.begin(); at != sessions_.end();)
      if (const auto session = (at++)->lock()) session->close();
  });
}

} // namespace signpost::api
