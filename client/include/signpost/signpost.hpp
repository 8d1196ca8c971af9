// libsignpost: turns the name of a service into addresses and ports. This is the C++ interface; signpost.h is the same
// in C.
//
//   signpost::Client client;                               // SIGNPOST_DNS, else /etc/resolv.conf
//   auto web = client.resolve({.name = "web", .port = "http"});
//   if (!web) {
//     std::cerr << "web: " << web.error.message() << '\n'; // "no such service" …
//     return 1;
//   }
//   for (const signpost::Endpoint& e : web.endpoints)
//     std::cout << e.address.to_string() << ' ' << e.port << '\n';
//
//   auto request = client.resolve_async({.name = "db.shop"}, [](signpost::Result db) { … });  // or resolve_future
//   request.cancel();
//
// How a name is read: "web" is the service web of the own namespace, "web.shop" the service web of the namespace shop,
// "web.shop.svc" and "web.shop.svc.cluster.local" say it in full. What the servers do not know so is read another way:
// "db-0.db" as an endpoint of the service db, "db-0.db.shop" as one in the namespace shop, then "github.com" and
// "www.github.com" as names outside, in the search domains that resolv.conf has beside the cluster's, too. What belongs
// to a service or namespace that exists is never asked outside. Names with more labels are outside, names that end in a
// dot are asked for as they are. localhost is the loopback address; what is below invalid, test and onion does not
// exist; nobody is asked for either. In most lookups that is one question for each address family, or one for SRV.
//
// Threads: every function may be called from any thread. A client has one thread of its own, started by the first
// lookup; callbacks run on it, or, with Delivery::process, on the one that calls process(): one at a time, never while
// a lock of the library is held, exactly once each.
//
// fork: a client that was used before fork() is dead in the child; calls there return Errc::forked. Open a new one, or
// fork before the first lookup.
//
// Nothing here throws, but for std::bad_alloc.
#pragma once

#include <array>
#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <sys/socket.h>

#define SIGNPOST_API __attribute__((visibility("default")))

namespace signpost {

/// Why a lookup has no endpoints. The numbers are those of signpost_error in signpost.h and never change.
enum class Errc : int {
  not_found = 1,      ///< no such service: the server says that there is no such name (NXDOMAIN)
  no_data = 2,        ///< the name exists, but has no address of the wanted family
  timed_out = 3,      ///< no server answered in time
  unreachable = 4,    ///< no server could be reached: nothing listens there, or there is no route
  server_failure = 5, ///< every server failed (SERVFAIL, NOTIMP, FORMERR); a server that is starting up does this
  refused = 6,        ///< every server refused to answer this name (REFUSED)
  bad_reply = 7,      ///< what the servers sent is not a valid DNS message
  bad_name = 8,       ///< the name, port or protocol asked for cannot be a DNS name
  bad_options = 9,    ///< the client was opened with options that make no sense, such as a server without address
  cancelled = 10,     ///< Request::cancel() was called, or the client was destroyed
  no_resources = 11,  ///< out of file descriptors, threads or memory
  in_callback = 12,   ///< the blocking resolve() was called from a callback, where it would wait for itself
  forked = 13,        ///< the client belongs to the parent process
  no_port = 14,       ///< the service exists, but has no port of that name and protocol
  dead_alias = 15,    ///< the name is an alias (CNAME) that leads nowhere: no such name, a circle, or over 64 links
};

SIGNPOST_API const std::error_category& category() noexcept;
inline std::error_code make_error_code(Errc e) noexcept { return {static_cast<int>(e), category()}; }

enum class Family : std::uint8_t { any = 0, ipv4 = 4, ipv6 = 6 };

/// An IPv4 or IPv6 address.
struct Address {
  Family family = Family::ipv4;               ///< never `any`
  std::array<std::uint8_t, 16> bytes{};       ///< network order; of IPv4 the first four, the rest zero
  std::uint32_t zone = 0;                     ///< interface of a link-local address (sin6_scope_id), else 0
  SIGNPOST_API std::string to_string() const; ///< "10.96.0.1", "fd00::1", "fe80::1%eth0"; no brackets
  auto operator<=>(const Address&) const = default;
};

/// One address to connect to.
struct Endpoint {
  Address address;
  std::uint16_t port = 0;      ///< host byte order; 0: no port was asked for
  std::uint16_t priority = 0;  ///< of SRV: lower ones first (RFC 2782); 0 without SRV
  std::uint16_t weight = 0;    ///< of SRV
  std::chrono::seconds ttl{0}; ///< how long this may be remembered
  std::string target;          ///< the name that has the address, in full, without the last dot
  /// Writes address and port as connect(2) wants them; returns the length to pass with it.
  SIGNPOST_API socklen_t to_sockaddr(sockaddr_storage& out) const noexcept;
  bool operator==(const Endpoint&) const = default;
};

/// What a lookup found. Either `error` is set, or there is at least one endpoint.
struct Result {
  std::error_code error; ///< of category(); unset: found
  std::vector<Endpoint>
      endpoints;         ///< with SRV: by priority, within one at random by weight. Else: as the server sent them
  std::string name;      ///< the name that was asked for, in full, without the last dot
  std::string canonical; ///< where its aliases (CNAME) lead; `name` itself where there is none
  bool partial = false;  ///< something may be missing: an address family or a target was not answered in time, or a
                         ///< message (64 KB) did not hold all records
  explicit operator bool() const noexcept { return !error; }
};

/// What to look up.
struct Query {
  std::string name;             ///< as at the top of this file; an IP address stands for itself
  std::string port{};           ///< name of a port (asks for SRV), or a number, taken as it is; empty: none
  std::string protocol = "tcp"; ///< of the named port: tcp, udp or sctp
  Family family = Family::any;
  std::chrono::milliseconds timeout{0}; ///< until the answer must be there; 0: the client's
};

/// On which thread callbacks run.
enum class Delivery : std::uint8_t {
  own_thread, ///< the client's own
  process,    ///< whichever calls Client::process(); Client::fd() is readable when that has something to do
};

/// How a client works. Every default is what a program in a cluster wants.
struct Options {
  std::vector<std::string>
      servers{};                ///< "10.96.0.10", "127.0.0.1:5300", "[::1]:5300", "fe80::1%eth0"; at most 8. Empty: the
                                ///< variable SIGNPOST_DNS (comma-separated), else the nameservers of resolv_conf
  std::string name_space{};     ///< the own one. Empty: SIGNPOST_NAMESPACE, else from the search list, else "default"
  std::string cluster_domain{}; ///< Empty: SIGNPOST_CLUSTER_DOMAIN, else from the search list, else "cluster.local"
  std::chrono::milliseconds timeout{5000}; ///< for one lookup, everything included
  unsigned tries = 4; ///< packets to each server: after 250 ms the next, then after twice as long, …
  std::string resolv_conf = "/etc/resolv.conf"; ///< read again, before a lookup, when it has changed
  Delivery delivery = Delivery::own_thread;
};

namespace detail {
class Engine;
}

/// A lookup that is under way. Copies mean the same lookup; letting go of it does not cancel.
class Request {
public:
  Request() = default;
  /// True: the callback had not begun; it will be called, with Errc::cancelled. False: too late. Does not wait.
  SIGNPOST_API bool cancel() const;

private:
  friend class Client;
  Request(std::weak_ptr<detail::Engine> engine, std::uint64_t id) : engine_(std::move(engine)), id_(id) {}
  std::weak_ptr<detail::Engine> engine_;
  std::uint64_t id_ = 0;
};

using Callback = std::function<void(Result)>;

/// Looks services up. Cheap to open, meant to be kept; movable.
class Client {
public:
  SIGNPOST_API explicit Client(const Options& options = {});
  SIGNPOST_API ~Client(); ///< cancels what is under way and returns when the last callback has
  SIGNPOST_API Client(Client&&) noexcept;
  SIGNPOST_API Client& operator=(Client&&) noexcept;

  /// bad_options with the reason in options_error(), or nothing. Lookups of such a client return the same.
  [[nodiscard]] SIGNPOST_API std::error_code error() const;
  /// One sentence on what is wrong with the options; empty: nothing.
  [[nodiscard]] SIGNPOST_API const std::string& options_error() const;
  /// What of resolv.conf was not understood or left out, a sentence with file and line each.
  [[nodiscard]] SIGNPOST_API std::vector<std::string> warnings() const;
  /// The servers asked, in order, as "ADDR:PORT".
  [[nodiscard]] SIGNPOST_API std::vector<std::string> servers() const;

  /// Blocks until there is an answer or the time is over.
  [[nodiscard]] SIGNPOST_API Result resolve(const Query& query);
  [[nodiscard]] Result resolve(std::string_view name) { return resolve(Query{.name = std::string(name)}); }

  /// Returns at once; the callback gets the result. It may use the client, but not block on it; it must not throw.
  SIGNPOST_API Request resolve_async(const Query& query, Callback callback);

  /// As resolve_async, for programs that rather wait.
  [[nodiscard]] SIGNPOST_API std::future<Result> resolve_future(const Query& query);

  /// With Delivery::process: readable (poll, epoll, select) as long as callbacks wait for process(). Not to be read or
  /// closed; the same for the life of the client. -1: another delivery, or out of descriptors.
  [[nodiscard]] SIGNPOST_API int fd() const;
  /// Runs the callbacks that wait, on this thread, and returns how many; 0 where nothing waits, where another thread is
  /// at it, and within a callback. They may use the client in any way, block on it and destroy it included. Destroying
  /// it runs those that still wait, with Errc::cancelled where their answer was not there. resolve() and
  /// resolve_future() need no process().
  SIGNPOST_API std::size_t process();

private:
  std::shared_ptr<detail::Engine> engine_;
};

/// "0.1.0"
[[nodiscard]] SIGNPOST_API std::string_view version() noexcept;

} // namespace signpost

template <>
struct std::is_error_code_enum<signpost::Errc> : std::true_type {};
