#include <nlohmann/json.hpp>

#include "server/config/directives.hpp"
#include "server/config/flags.hpp"

namespace signpost::server {
namespace {

using nlohmann::json;

json entries(const std::vector<corefile::Entry>& list) { // a table within a table at most, so it ends
  json all = json::array();
  for (const auto& entry : list)
    all.push_back({{"usage", entry.usage}, {"meaning", entry.meaning}, {"options", entries(entry.options)}});
  return all;
}

} // namespace

std::string reference_text() {
  json flags = json::array(), examples = json::array();
  for (const FlagRow& row : flag_rows())
    if (!row.meaning.empty()) flags.push_back({{"name", row.name}, {"value", row.value}, {"meaning", row.meaning}});
  for (const CommandExample& example : command_examples())
    examples.push_back({{"command", example.command}, {"meaning", example.meaning}});
  return json{{"version", SIGNPOST_VERSION},
              {"purpose", command_purpose()},
              {"usage", usage_lines()},
              {"flags", std::move(flags)},
              {"examples", std::move(examples)},
              {"exit", exit_code_text()},
              {"directives", entries(corefile::directive_reference())}}
             .dump(1) +
         '\n';
}

} // namespace signpost::server
