// vip: which virtual IPs there are and who has them, and whether all of that fits together.
#pragma once

#include "client/cli/command.hpp"
#include "client/cli/output.hpp"

namespace signpost::cli {

struct VipOptions {
  std::string action; // ls, check
  bool addresses = false;
  std::string output = "table";
  bool no_headers = false;
};

/// ls: the ServiceCIDRs with how full they are, or each address with its holder. check: one sentence for each thing
/// that does not fit, with what to do about it; Exit::error if there is one.
[[nodiscard]] Exit vip(const Session& session, const VipOptions& options);

} // namespace signpost::cli
