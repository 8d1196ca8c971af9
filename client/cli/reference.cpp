#include "client/cli/reference.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "signpost/signpost.hpp"

namespace signpost::cli {

namespace {

using nlohmann::json;

json option_entry(const CLI::Option& option) {
  json names = json::array();
  for (const auto& name : option.get_snames()) names.push_back('-' + name);
  for (const auto& name : option.get_lnames()) names.push_back("--" + name);
  const bool takes = option.get_positional() || option.get_items_expected_max() > 0;
  return {{"names", std::move(names)},
          {"value", takes ? option.get_type_name() : ""},
          {"default", option.get_default_str()},
          {"meaning", option.get_description()}};
}

json command_entry(const CLI::App& app) {
  json options = json::array(), positionals = json::array();
  for (const auto* const option : app.get_options()) {
    if (option->get_group().empty()) continue;
    auto entry = option_entry(*option);
    if (option->get_positional()) {
      entry["names"] = {option->get_name(true)};
      entry["required"] = option->get_required();
      positionals.push_back(std::move(entry));
    } else {
      options.push_back(std::move(entry));
    }
  }
  return {{"name", app.get_name()},
          {"meaning", app.get_description()},
          {"footer", app.get_footer()},
          {"positionals", std::move(positionals)},
          {"options", std::move(options)}};
}

} // namespace

std::string reference_text(const CLI::App& app) {
  json all = command_entry(app);
  all["version"] = std::string(signpost::version());
  all["commands"] = json::array();
  for (const auto* const command : app.get_subcommands([](const CLI::App*) { return true; }))
    if (!command->get_group().empty()) all["commands"].push_back(command_entry(*command));
  return all.dump(1) + '\n';
}

} // namespace signpost::cli
