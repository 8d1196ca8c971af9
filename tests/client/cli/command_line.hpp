// Runs the command line in this process, with strings for its streams.
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "client/cli/command.hpp"

namespace testing {

struct Ran {
  int code = -1;
  std::string out, err;
};

inline Ran run(std::vector<std::string> arguments, const std::string& input = "") {
  std::istringstream in(input);
  std::ostringstream out, err;
  const int code = signpost::cli::run(std::move(arguments), in, out, err);
  return {code, out.str(), err.str()};
}

inline std::string status(int code, const std::string& reason, const std::string& message) {
  return R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":")" + message +
         R"(","reason":")" + reason + R"(","code":)" + std::to_string(code) + "}";
}

} // namespace testing
