#include "client/cli/completion.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>

#include "client/cli/api.hpp"
#include "client/resolver/message.hpp"

namespace signpost::cli {

namespace {

// What can be typed in one command.
struct Words {
  std::string command; // empty: before any
  std::string help;
  struct Option {
    std::vector<std::string> names; // with their dashes
    std::string help;
    bool takes_value = false;
    std::vector<std::string> values; // empty: anything
    bool file = false;
  };
  std::vector<Option> options;
  std::vector<std::string> first_values; // of the first positional
};

// "{a,b,c}" is how an IsMember check describes itself.
std::vector<std::string> choices_of(const CLI::Option& option) {
  const auto type = option.get_type_name();
  const auto open = type.find('{'), close = type.find('}');
  std::vector<std::string> out;
  if (open == std::string::npos || close == std::string::npos) return out;
  std::istringstream list(type.substr(open + 1, close - open - 1));
  for (std::string word; std::getline(list, word, ',');) out.push_back(word);
  return out;
}

Words words_of(const CLI::App& app, const std::string& name) {
  Words out{.command = name, .help = app.get_description(), .options = {}, .first_values = {}};
  for (const auto* const option : app.get_options()) {
    if (option->get_positional()) {
      if (!out.first_values.empty()) continue;
      out.first_values = option->get_name() == "KIND" ? kind_names() : choices_of(*option);
      continue;
    }
    Words::Option words;
    for (const auto& text : option->get_snames()) words.names.push_back('-' + text);
    for (const auto& text : option->get_lnames()) words.names.push_back("--" + text);
    words.help = option->get_description();
    words.takes_value = option->get_items_expected_max() > 0;
    words.values = choices_of(*option);
    words.file = option->get_type_name().find("FILE") != std::string::npos;
    out.options.push_back(std::move(words));
  }
  return out;
}

std::vector<Words> all_words(const CLI::App& app) {
  std::vector<Words> out{words_of(app, "")};
  for (const auto* const sub : app.get_subcommands([](const CLI::App*) { return true; }))
    if (!sub->get_group().empty()) out.push_back(words_of(*sub, sub->get_name())); // hidden ones are not for people
  return out;
}

std::string joined(const std::vector<std::string>& words, const char* separator = " ") {
  std::string out;
  for (const auto& word : words) (out += out.empty() ? "" : separator) += word;
  return out;
}

std::vector<std::string> commands_of(const std::vector<Words>& all) {
  std::vector<std::string> out;
  for (std::size_t i = 1; i < all.size(); ++i) out.push_back(all[i].command);
  return out;
}

// 'text' for a shell, with '…' around it.
std::string quoted(std::string text) {
  for (std::size_t at = 0; (at = text.find('\'', at)) != std::string::npos; at += 4) text.replace(at, 1, "'\\''");
  return '\'' + text + '\'';
}

std::string bash(const std::vector<Words>& all) {
  std::ostringstream out;
  out << "# bash completion of signpost; made by: signpost completion bash\n_signpost() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command= place=0 i skip=\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    if [[ $skip ]]; then skip=; continue; fi\n"
         "    case ${COMP_WORDS[i]} in\n";
  std::vector<std::string> with_value;
  for (const auto& words : all)
    for (const auto& option : words.options)
      if (option.takes_value)
        for (const auto& name : option.names)
          if (std::ranges::find(with_value, name) == with_value.end()) with_value.push_back(name);
  out << "      " << joined(with_value, "|") << ") skip=yes ;;\n"
      << "      -*) ;;\n"
         "      *) if [[ ! $command ]]; then command=${COMP_WORDS[i]}; else place=$((place + 1)); fi ;;\n"
         "    esac\n  done\n  case \"$command $before\" in\n";
  for (const auto& words : all)
    for (const auto& option : words.options) {
      if (!option.takes_value) continue;
      std::vector<std::string> patterns;
      for (const auto& name : option.names)
        patterns.push_back(words.command.empty() ? "*\" " + name + "\"" : '"' + words.command + ' ' + name + '"');
      out << "    " << joined(patterns, "|") << ") ";
      if (option.file)
        out << "COMPREPLY=($(compgen -f -- \"$word\"))";
      else if (option.values.empty())
        out << "COMPREPLY=()";
      else
        out << "COMPREPLY=($(compgen -W " << quoted(joined(option.values)) << " -- \"$word\"))";
      out << "; return ;;\n";
    }
  out << "  esac\n  local options=";
  std::vector<std::string> globals;
  for (const auto& option : all[0].options) globals.insert(globals.end(), option.names.begin(), option.names.end());
  out << quoted(joined(globals))
      << " values=\n  case $command in\n    \"\") values=" << quoted(joined(commands_of(all))) << " ;;\n";
  for (std::size_t i = 1; i < all.size(); ++i) {
    std::vector<std::string> names;
    for (const auto& option : all[i].options) names.insert(names.end(), option.names.begin(), option.names.end());
    out << "    " << all[i].command << ") options+=" << quoted(' ' + joined(names))
        << "; ((place == 0)) && values=" << quoted(joined(all[i].first_values)) << " ;;\n";
  }
  out << "  esac\n"
         "  if [[ $word == -* ]]; then COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
         "  else COMPREPLY=($(compgen -W \"$values\" -- \"$word\")); fi\n"
         "}\ncomplete -F _signpost signpost\n";
  return out.str();
}

std::string zsh_option(const Words::Option& option) {
  std::string help = option.help;
  for (const char special : {'[', ']', ':'}) std::ranges::replace(help, special, ' ');
  std::string out;
  for (const auto& name : option.names) {
    std::string spec = name + '[' + help + ']';
    if (option.takes_value) spec += option.file ? ":file:_files" : ":value:(" + joined(option.values) + ')';
    out += " \\\n        " + quoted(spec);
  }
  return out;
}

std::string zsh(const std::vector<Words>& all) {
  std::ostringstream out;
  out << "#compdef signpost\n# zsh completion of signpost; made by: signpost completion zsh\n_signpost() {\n"
         "  local context state line\n  local -a commands\n  commands=(\n";
  for (std::size_t i = 1; i < all.size(); ++i) out << "    " << quoted(all[i].command + ':' + all[i].help) << '\n';
  out << "  )\n  _arguments -C";
  for (const auto& option : all[0].options) out << zsh_option(option);
  out << " \\\n        '1:command:->command' '*::argument:->argument'\n"
         "  case $state in\n    command) _describe command commands ;;\n    argument)\n      case ${words[1]} in\n";
  for (std::size_t i = 1; i < all.size(); ++i) {
    out << "      " << all[i].command << ") _arguments";
    for (const auto& option : all[i].options) out << zsh_option(option);
    for (const auto& option : all[0].options) out << zsh_option(option);
    if (!all[i].first_values.empty()) out << " \\\n        " << quoted("1:what:(" + joined(all[i].first_values) + ')');
    out << " ;;\n";
  }
  out << "      esac ;;\n  esac\n}\n"
         "if [ \"$funcstack[1]\" = _signpost ]; then _signpost \"$@\"; else compdef _signpost signpost; fi\n";
  return out.str();
}

std::string fish(const std::vector<Words>& all) {
  std::ostringstream out;
  const auto commands = joined(commands_of(all));
  out << "# fish completion of signpost; made by: signpost completion fish\ncomplete -c signpost -f\n";
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& words = all[i];
    const std::string when = i == 0 ? "" : " -n " + quoted("__fish_seen_subcommand_from " + words.command);
    if (i > 0)
      out << "complete -c signpost -n " << quoted("not __fish_seen_subcommand_from " + commands) << " -a "
          << words.command << " -d " << quoted(words.help) << '\n';
    for (const auto& option : words.options) {
      out << "complete -c signpost" << when;
      for (const auto& name : option.names)
        out << (name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1));
      if (option.takes_value) out << (option.file ? " -r -F" : " -x");
      if (!option.values.empty()) out << " -a " << quoted(joined(option.values));
      out << " -d " << quoted(option.help) << '\n';
    }
    if (!words.first_values.empty())
      out << "complete -c signpost" << when << " -a " << quoted(joined(words.first_values)) << '\n';
  }
  return out.str();
}

} // namespace

std::vector<std::string> completion_shells() { return {"bash", "zsh", "fish"}; }

std::string completion_script(const CLI::App& app, std::string_view shell) {
  const auto all = all_words(app);
  if (shell == "zsh") return zsh(all);
  return shell == "fish" ? fish(all) : bash(all);
}

} // namespace signpost::cli
