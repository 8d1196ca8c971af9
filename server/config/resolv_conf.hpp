// resolv.conf(5): which servers a host asks. A file that others write, and that is read for what can be used of it.
//
// Nothing in it is an error to its reader: what is not understood is passed over and told, each with file and line.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "server/config/settings.hpp"

namespace signpost::server {

struct ResolvConf {
  struct Server {
    Endpoint endpoint; // port 53 where none is given, as [ADDRESS]:PORT (OpenBSD)
    std::size_t line = 0;
  };
  std::vector<Server> servers;       // in their order, each once
  std::vector<std::string> problems; // "FILE:LINE: what; instead: what", or "FILE: why"
};

/// Reads a text; `file` stands for it in problems.
[[nodiscard]] ResolvConf parse_resolv_conf(std::string_view text, const std::string& file);

/// The same of a file, which may be missing, empty or no file at all: then there is a problem and no server.
[[nodiscard]] ResolvConf read_resolv_conf(const std::string& file);

} // namespace signpost::server
