// resolv.conf(5), as far as it matters here. The file is others' and may hold anything: what is not understood is left
// out and said, with file and line. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "client/resolver/name.hpp"

namespace signpost::resolver {

struct Server {
  Address address;
  std::uint16_t port = 53;                     // host order
  [[nodiscard]] std::string to_string() const; // "127.0.0.1:5300", "[::1]:53", "[fe80::1%eth0]:53"
  bool operator==(const Server&) const = default;
};

/// "ADDR", "ADDR:PORT", "[ADDR]:PORT"; ADDR as read_address takes it.
[[nodiscard]] std::optional<Server> read_server(std::string_view text, std::uint16_t default_port = 53);

/// Bounds the packets and sockets of one lookup.
inline constexpr std::size_t most_servers = 8, most_search_domains = 32;

struct ResolvConf {
  std::vector<Server> servers;     // at most most_servers
  std::vector<std::string> search; // at most most_search_domains; of search and domain the last line counts
  unsigned ndots = 1;              // 0 … 15
  std::vector<std::string> notes;  // what was not understood or left out, a sentence each; at most 16
};

/// `path` is for the notes.
[[nodiscard]] ResolvConf read_resolv_conf(std::string_view text, const std::string& path = "resolv.conf");

} // namespace signpost::resolver
