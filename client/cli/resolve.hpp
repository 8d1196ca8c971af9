// resolve: asks the DNS server and shows what it says.
#pragma once

#include "client/cli/command.hpp"
#include "client/resolver/message.hpp"
#include "client/resolver/settings.hpp"

namespace signpost::cli {

struct ResolveOptions {
  std::string name{};
  std::string type{}; // empty: what fits the name (A and AAAA; SRV for _port._proto names; PTR for addresses)
  std::string zone = "cluster.local";
  std::string output = "table"; // or json, short
  bool tcp = false;
  std::chrono::milliseconds timeout{5000};
};

[[nodiscard]] Exit resolve(const Session& session, const ResolveOptions& options);

/// One question as it went over the wire.
struct DnsAnswer {
  resolver::Reply reply;
  std::vector<std::uint8_t> message;
  bool tcp = false;
};

/// Asks over UDP, again after 250 ms, 500 ms, … until `timeout`; over TCP where the reply is truncated or `tcp` is set.
[[nodiscard]] Expected<DnsAnswer> ask(const resolver::Server& server, const std::string& name, std::uint16_t qtype,
                                      bool tcp, std::chrono::milliseconds timeout);

} // namespace signpost::cli
