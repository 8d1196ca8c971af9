// status: what an operator asks first of a signpostd.
#pragma once

#include "client/cli/command.hpp"

namespace signpost::cli {

struct StatusOptions {
  std::string output = "table"; // or json: the server's page, with the counts of endpoints
};
/// Exit::unavailable also where the server says that it is not ready.
[[nodiscard]] Exit status(const Session& session, const StatusOptions& options);

} // namespace signpost::cli
