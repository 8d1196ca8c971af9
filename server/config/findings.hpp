// What is to be said of a configuration once it has been read whole: everything that is wrong, and what is only odd.
//
// Each is one line, "FILE:LINE: what; instead: what to write". Plain data.
#pragma once

#include <string>
#include <vector>

namespace signpost::server::corefile {

struct Findings {
  std::vector<std::string> problems; // a start is refused
  std::vector<std::string> warnings; // it is not
  std::vector<std::string> unset;    // {$NAME} without a value, which is nothing: a start warns, a check refuses
};

} // namespace signpost::server::corefile
