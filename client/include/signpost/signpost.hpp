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
// "web.shop.svc" and "web.shop.svc.cluster.local" say it in full. Names with more labels and names that end in a dot
// are asked for as they are ("www.example.com", "example.com."). The search list of resolv.conf is never walked: a
// lookup is one question for each address family, or one for SRV.
//
// Threads: every function may be called from any thread. A client has one thread of its own, started by the first
// lookup; callbacks run on it, one at a time, never while a lock of the library is held, exactly once each.
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
  not_found = 1,      ///< the server says that there is no such name (NXDOMAIN)
  no_data = 2,        ///< the name exists, but has no address of the wanted family, or no such port
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
};

SIGNPOST_API const std::error_category& category() noexcept;
inline std::error_code make_error_code(Errc e) noexcept { return {static_cast<int>(e), category()}; }

enum class Family : std::uint8_t { any = 0, ipv4 = 4, ipv6 = 6 };

/// An IPv4 or IPv6 address.
struct Address {
  Family family = Family::ipv4;               ///< never `any`
  std::array<std::uint8_t, 16> bytes{};       ///< network order; of IPv4 the first four, the rest zero
  SIGNPOST_API std::string to_string() const; ///< "10.96.0.1", "fd00::1"; no brackets
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
  bool partial = false;  ///< the other address family was not answered in time and may be missing
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

/// How a client works. Every default is what a program in a cluster wants.
struct Options {
  std::vector<std::string> servers{}; ///< "10.96.0.10", "127.0.0.1:5300", "[::1]:5300"; at most 4. Empty: the variable
                                      ///< SIGNPOST_DNS (comma-separated), else the nameservers of resolv_conf
  std::string name_space{};     ///< the own one. Empty: SIGNPOST_NAMESPACE, else from the search list, else "default"
  std::string cluster_domain{}; ///< Empty: SIGNPOST_CLUSTER_DOMAIN, else from the search list, else "cluster.local"
  std::chrono::milliseconds timeout{5000}; ///< for one lookup, everything included
  unsigned tries = 4; ///< packets to each server: after 250 ms the next, then after twice as long, …
  std::string resolv_conf = "/etc/resolv.conf"; ///< read once, when the client is opened
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
  /// The servers asked, in order, as "ADDR:PORT".
  [[nodiscard]] SIGNPOST_API std::vector<std::string> servers() const;

  /// Blocks until there is an answer or the time is over.
  [[nodiscard]] SIGNPOST_API Result resolve(const Query& query);
  [[nodiscard]] Result resolve(std::string_view name) { return resolve(Query{.name = std::string(name)}); }

  /// Returns at once; the callback gets the result. It may use the client, but not block on it; it must not throw.
  SIGNPOST_API Request resolve_async(const Query& query, Callback callback);

  /// As resolve_async, for programs that rather wait.
  [[nodiscard]] SIGNPOST_API std::future<Result> resolve_future(const Query& query);

private:
  std::shared_ptr<detail::Engine> engine_;
};

/// "0.1.0"
[[nodiscard]] SIGNPOST_API std::string_view version() noexcept;

} // namespace signpost

template <>
struct std::is_error_code_enum<signpost::Errc> : std::true_type {};
