#include <arpa/inet.h>
#include <array>
#include <condition_variable>
#include <cstring>
#include <net/if.h>
#include <netinet/in.h>

#include "client/resolver/engine.hpp"

namespace signpost {

namespace {

class Category final : public std::error_category {
public:
  [[nodiscard]] const char* name() const noexcept override { return "signpost"; }
  [[nodiscard]] std::string message(int code) const override {
    switch (static_cast<Errc>(code)) {
    case Errc::not_found: return "no such service: the server knows no such name";
    case Errc::no_data: return "the name exists, but has no address of the wanted kind";
    case Errc::timed_out: return "no DNS server answered in time";
    case Errc::unreachable: return "no DNS server could be reached";
    case Errc::server_failure: return "the DNS server failed; it may be starting up";
    case Errc::refused: return "the DNS server refuses to answer this name";
    case Errc::bad_reply: return "the DNS server sent something that is no valid reply";
    case Errc::bad_name: return "the name, port or protocol is not valid in DNS";
    case Errc::bad_options: return "the client was opened with options that make no sense";
    case Errc::cancelled: return "the lookup was cancelled";
    case Errc::no_resources: return "out of file descriptors, threads or memory";
    case Errc::in_callback: return "a callback must not block on its own client";
    case Errc::no_port: return "the service exists, but has no port of that name and protocol";
    case Errc::dead_alias: return "the name is an alias that leads nowhere";
    case Errc::forked: return "the client belongs to the parent process; open a new one after fork";
    }
    return code == 0 ? "success" : "unknown error " + std::to_string(code);
  }
};

} // namespace

const std::error_category& category() noexcept {
  static const Category instance;
  return instance;
}

std::string_view version() noexcept { return SIGNPOST_VERSION; }

std::string Address::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(family == Family::ipv6 ? AF_INET6 : AF_INET, bytes.data(), text.data(), text.size());
  if (zone == 0) return text.data();
  std::array<char, IF_NAMESIZE> interface {};
  const bool named = if_indextoname(zone, interface.data()) != nullptr;
  return std::string(text.data()) + '%' + (named ? interface.data() : std::to_string(zone));
}

socklen_t Endpoint::to_sockaddr(sockaddr_storage& out) const noexcept {
  out = {};
  if (address.family == Family::ipv6) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    v6.sin6_scope_id = address.zone;
    std::memcpy(&v6.sin6_addr, address.bytes.data(), 16);
    std::memcpy(&out, &v6, sizeof v6);
    return sizeof v6;
  }
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  std::memcpy(&v4.sin_addr, address.bytes.data(), 4);
  std::memcpy(&out, &v4, sizeof v4);
  return sizeof v4;
}

bool Request::cancel() const {
  const auto engine = engine_.lock();
  return engine && engine->cancel(id_);
}

Client::Client(const Options& options) : engine_(std::make_shared<detail::Engine>(options)) {}

Client::Client(Client&&) noexcept = default;

Client& Client::operator=(Client&& other) noexcept {
  if (this == &other) return *this;
  if (engine_) engine_->close();
  engine_ = std::move(other.engine_);
  return *this;
}

Client::~Client() {
  if (engine_) engine_->close();
}

std::error_code Client::error() const { return options_error().empty() ? std::error_code() : Errc::bad_options; }

const std::string& Client::options_error() const { return engine_->error(); }

std::vector<std::string> Client::warnings() const { return engine_->current_settings()->notes; }

int Client::fd() const { return engine_->fd(); }

std::size_t Client::process() {
  const auto engine = engine_; // a callback may destroy the client
  return engine->process();
}

std::vector<std::string> Client::servers() const {
  std::vector<std::string> out;
  for (const auto& server : engine_->current_settings()->servers) out.push_back(server.to_string());
  return out;
}

Result Client::resolve(const Query& query) {
  if (engine_->on_own_thread()) return resolver::Lookup::failure(query.name, Errc::in_callback);
  struct Waiter {
    std::mutex mutex;
    std::condition_variable arrived;
    bool done = false;
    Result result;
  };
  const auto waiter = std::make_shared<Waiter>();
  engine_->submit(
      query,
      [waiter](Result result) {
        {
          const std::scoped_lock lock(waiter->mutex);
          waiter->result = std::move(result);
          waiter->done = true;
        }
        waiter->arrived.notify_one();
      },
      detail::Engine::Via::thread);
  std::unique_lock lock(waiter->mutex);
  waiter->arrived.wait(lock, [&] { return waiter->done; });
  return std::move(waiter->result);
}

Request Client::resolve_async(const Query& query, Callback callback) {
  const auto id = engine_->submit(query, std::move(callback));
  return {engine_, id};
}

std::future<Result> Client::resolve_future(const Query& query) {
  const auto promise = std::make_shared<std::promise<Result>>();
  auto future = promise->get_future();
  engine_->submit(
      query, [promise](Result result) { promise->set_value(std::move(result)); }, detail::Engine::Via::thread);
  return future;
}

} // namespace signpost
