// Options, environment and resolv.conf made into what an engine runs with. Read once; pure but for reading them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "client/resolver/name.hpp"

namespace signpost::resolver {

struct Server {
  Address address;
  std::uint16_t port = 53;                     // host order
  [[nodiscard]] std::string to_string() const; // "127.0.0.1:5300", "[::1]:53"
  bool operator==(const Server&) const = default;
};

/// More than these are cut off; the limit bounds the sockets of one lookup.
inline constexpr std::size_t most_servers = 4;
inline constexpr unsigned most_tries = 8;

struct Settings {
  std::vector<Server> servers; // 1 … most_servers
  Home home;
  std::chrono::milliseconds timeout{5000};
  unsigned tries = 4;
  std::string error; // empty: usable
};

/// "ADDR", "ADDR:PORT", "[ADDR]:PORT".
[[nodiscard]] std::optional<Server> read_server(std::string_view text, std::uint16_t default_port = 53);

/// What of resolv.conf(5) matters here.
struct ResolvConf {
  std::vector<Server> servers;
  std::vector<std::string> search;
};
[[nodiscard]] ResolvConf read_resolv_conf(std::string_view text);

[[nodiscard]] Settings settle(const Options& options);

} // namespace signpost::resolver
