#include <malloc.h>

#include <boost/asio/post.hpp>

#include "discovery/api/session.hpp"

namespace signpost::api {
namespace {

namespace asio = boost::asio;
constexpr std::chrono::milliseconds sweep_every{200};
constexpr std::size_t connection_bytes = 4 << 10; // roughly
constexpr std::size_t worth_a_trim = 1 << 20;

} // namespace

void Shared::give_back() {
  const std::size_t taken = crowd.held() + crowd.size() * connection_bytes;
  std::size_t most = most_taken_.load();
  while (taken > most)
    if (most_taken_.compare_exchange_weak(most, taken)) return;
  if (most < worth_a_trim || taken > most / 2 || !most_taken_.compare_exchange_strong(most, taken)) return;
  readers.post([] { malloc_trim(0); }); // takes milliseconds
}

Loop::Loop(std::shared_ptr<Shared> all) : shared(std::move(all)), work_(io.get_executor()), sweeper_(io) {}

void Loop::run() {
  asio::post(io, [this] { sweep(); });
  thread_ = std::thread([this] { work(); });
}

/// What fails for lack of memory ends what it was for; the loop goes on.
void Loop::work() noexcept {
  while (true) {
    try {
      io.run();
      return;
    } catch (const std::exception&) {
      sweeper_.expires_after(sweep_every); // there is one sweep to come, whatever was lost
      while (!io.stopped()) {
        try {
          asio::post(io, [this] { sweep(); });
          break;
        } catch (const std::bad_alloc&) {
          std::this_thread::sleep_for(sweep_every);
        }
      }
    }
  }
}

void Loop::join() {
  work_.reset();
  io.stop();
  if (thread_.joinable()) thread_.join();
}

void Loop::adopt(asio::ip::tcp::socket socket, const Crowd::Source& source) {
  auto session = std::make_shared<Session>(*this, std::move(socket));
  session->join(source);
  asio::post(io, [session = std::move(session)] { session->start(); });
}

void Loop::sweep() {
  const Clock::time_point now = Clock::now();
  for (auto at = sessions_.begin(); at != sessions_.end();)
    if (const auto session = (at++)->lock()) session->tick(now);
  shared->crowd.relieve();
  shared->give_back();
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
