#include "client/resolver/exchange.hpp"

#include <algorithm>
#include <ares.h>
#include <cstring>
#include <mutex>
#include <netinet/in.h>
#include <sys/random.h>
#include <unistd.h>

namespace signpost::resolver {

namespace {

std::uint16_t random_id() {
  std::uint16_t id = 0;
  while (getrandom(&id, sizeof id, 0) < 0 && errno == EINTR) {
  }
  return id;
}

Errc errc_of(int status) {
  switch (status) {
  case ARES_ECONNREFUSED: return Errc::unreachable;
  case ARES_ETIMEOUT: return Errc::timed_out;
  case ARES_ENOMEM: return Errc::no_resources;
  case ARES_EBADQUERY:
  case ARES_EBADNAME: return Errc::bad_name;
  default: return Errc::bad_reply;
  }
}

ares_addr_port_node node_of(const Server& server) {
  ares_addr_port_node node{};
  const bool v4 = server.address.family == Family::ipv4;
  node.family = v4 ? AF_INET : AF_INET6;
  std::memcpy(&node.addr, server.address.bytes.data(), v4 ? 4 : 16);
  node.udp_port = node.tcp_port = server.port;
  return node;
}

} // namespace

bool start_transport() {
  static std::once_flag once;
  static bool started = false;
  std::call_once(once, [] { started = ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS; });
  return started;
}

struct Exchange::Try {
  explicit Try(Watcher& w) : watcher(w) {}
  ~Try() {
    if (channel != nullptr) ares_destroy(channel);
  }
  Try(const Try&) = delete;
  Try& operator=(const Try&) = delete;

  bool open(const Server& server) {
    ares_options options{};
    char lookups[] = "b";
    options.flags = ARES_FLAG_NOCHECKRESP | ARES_FLAG_EDNS | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES;
    options.ednspsz = udp_payload;
    options.timeout = 1000 * 3600; // ours come first
    options.tries = 1;
    options.lookups = lookups;
    options.sock_state_cb = &Try::state_changed;
    options.sock_state_cb_data = this;
    // Every option that c-ares would else read resolv.conf for is set, so that no file is opened for a packet.
    const int mask = ARES_OPT_FLAGS | ARES_OPT_EDNSPSZ | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
                     ARES_OPT_SOCK_STATE_CB | ARES_OPT_NDOTS | ARES_OPT_DOMAINS | ARES_OPT_SORTLIST | ARES_OPT_SERVERS |
                     ARES_OPT_NOROTATE;
    if (ares_init_options(&channel, &options, mask) != ARES_SUCCESS) {
      channel = nullptr;
      return false;
    }
    // c-ares 1.18 knows no zone ids; a socket that is bound to the interface needs none.
    zone = server.address.zone;
    if (zone != 0) ares_set_socket_configure_callback(channel, &Try::bind_to_interface, this);
    auto node = node_of(server);
    return ares_set_servers_ports(channel, &node) == ARES_SUCCESS;
  }

  static int bind_to_interface(ares_socket_t fd, int, void* data) {
    const int index = static_cast<int>(static_cast<Try*>(data)->zone);
    return setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &index, sizeof index);
  }

  static void state_changed(void* data, ares_socket_t fd, int readable, int writable) {
    auto& self = *static_cast<Try*>(data);
    if (readable == 0 && writable == 0)
      std::erase(self.descriptors, fd);
    else if (std::ranges::find(self.descriptors, fd) == self.descriptors.end())
      self.descriptors.push_back(fd);
    self.watcher.watch(fd, readable != 0, writable != 0);
  }

  // May run inside ares_send, so it only notes what came.
  static void answered(void* data, int code, int, unsigned char* bytes, int size) {
    auto& self = *static_cast<Try*>(data);
    self.finished = true;
    self.status = code;
    if (bytes != nullptr && size > 0) self.message.assign(bytes, bytes + size);
  }

  Watcher& watcher;
  ares_channel channel = nullptr;
  std::uint32_t zone = 0; // of the server's address
  std::vector<int> descriptors;
  bool finished = false, judged = false;
  int status = ARES_SUCCESS;
  std::vector<std::uint8_t> message;
};

Exchange::Exchange(const Settings& settings, Watcher& watcher, std::string name, std::uint16_t qtype)
    : settings_(settings), watcher_(watcher), name_(std::move(name)), qtype_(qtype) {}

Exchange::~Exchange() = default;

bool Exchange::ready(int fd, bool readable, bool writable) {
  for (const auto& a_try : tries_) {
    if (std::ranges::find(a_try->descriptors, fd) == a_try->descriptors.end()) continue;
    ares_process_fd(a_try->channel, readable ? fd : ARES_SOCKET_BAD, writable ? fd : ARES_SOCKET_BAD);
    return true;
  }
  return false;
}

void Exchange::advance(Clock::time_point now) {
  for (std::size_t i = 0; i < tries_.size() && !done_; ++i)
    if (tries_[i]->finished && !tries_[i]->judged) judge(*tries_[i], now);
  while (!done_ && now >= next_send_) {
    if (tries_.size() >= std::size_t{settings_.tries} * settings_.servers.size())
      return finish(worst_ ? worst_ : make_error_code(Errc::timed_out));
    send(now);
    if (tries_.back()->finished) judge(*tries_.back(), now);
  }
}

void Exchange::send(Clock::time_point now) {
  const std::size_t servers = settings_.servers.size();
  const std::size_t round = tries_.size() / servers;
  next_send_ = now + first_retry * (1u << std::min<std::size_t>(round, 4));
  auto& a_try = *tries_.emplace_back(std::make_unique<Try>(watcher_));
  const auto query = write_query(name_, qtype_, random_id());
  if (query.empty()) return finish(make_error_code(Errc::bad_name));
  if (!a_try.open(settings_.servers[(tries_.size() - 1) % servers])) {
    a_try.finished = true;
    a_try.status = ARES_ENOMEM;
    return;
  }
  ares_send(a_try.channel, query.data(), static_cast<int>(query.size()), &Try::answered, &a_try);
}

void Exchange::judge(Try& a_try, Clock::time_point now) {
  a_try.judged = true;
  if (a_try.status != ARES_SUCCESS) return fail(errc_of(a_try.status), now);
  auto reply = read_reply(a_try.message);
  if (!reply || reply->qname != name_ || reply->qtype != qtype_) return fail(Errc::bad_reply, now);
  if (reply->rcode == 5) return fail(Errc::refused, now);
  if (reply->rcode != 0 && reply->rcode != 3) return fail(Errc::server_failure, now);
  reply_ = std::move(*reply);
  message_ = std::move(a_try.message);
  finish({});
}

// A server that fails is asked once more, 250 ms later; until then it is the others' turn.
void Exchange::fail(Errc why, Clock::time_point now) {
  const std::size_t servers = settings_.servers.size();
  if (!worst_ || why == Errc::server_failure || worst_ == make_error_code(Errc::unreachable))
    worst_ = make_error_code(why);
  ++failures_;
  if (failures_ >= 2 * servers || why == Errc::bad_name)
    finish(worst_);
  else if (tries_.size() % servers != 0)
    next_send_ = now;
  else
    next_send_ = std::min(next_send_, now + first_retry);
}

void Exchange::finish(std::error_code error) {
  if (done_) return;
  done_ = true;
  error_ = error;
  for (const auto& a_try : tries_) {
    if (a_try->channel != nullptr) ares_destroy(a_try->channel);
    a_try->channel = nullptr;
  }
}

} // namespace signpost::resolver
