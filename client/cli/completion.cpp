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
    bool name_space = false;
  };
  std::vector<Option> options;
  std::vector<std::string> first_values; // of the first positional
  bool objects = false;                  // it is a kind; names of its objects follow
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
      out.objects = option->get_name() == "KIND";
      out.first_values = out.objects ? kind_names() : choices_of(*option);
      continue;
    }
    Words::Option words;
    for (const auto& text : option->get_snames()) words.names.push_back('-' + text);
    for (const auto& text : option->get_lnames()) words.names.push_back("--" + text);
    words.help = option->get_description();
    words.takes_value = option->get_items_expected_max() > 0;
    words.values = choices_of(*option);
    words.file = option->get_type_name().find("FILE") != std::string::npos;
    words.name_space = option->get_type_name() == "NS";
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

std::vector<std::string> names_with_value(const std::vector<Words>& all) {
  std::vector<std::string> names;
  for (const auto& words : all)
    for (const auto& option : words.options)
      if (option.takes_value)
        for (const auto& name : option.names)
          if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  return names;
}

// Options that stand on the line already say which server is asked, and for which namespace. Two seconds are the most
// that a completion may hold up a prompt; a server that cannot be asked completes nothing. compgen expands the words it
// is given, so only what can be a name gets through.
constexpr const char* bash_head = R"sh(_signpost_ask() {
  timeout 2 signpost "${where[@]}" get "$1" -o name 2>/dev/null | sed -nE 's|^([^/]*/)?([A-Za-z0-9._:-]+)$|\2|p'
}
_signpost() {
  local words word before command= kind= place=0 i skip= where=()
  read -ra words <<<"${COMP_LINE:0:COMP_POINT}" # COMP_WORDS is cut at colons
  [[ ${COMP_LINE:0:COMP_POINT} == *[[:space:]] ]] && words+=("")
  word=${words[-1]} before=${words[-2]}
  for ((i = 1; i < ${#words[@]} - 1; i++)); do
    if [[ $skip ]]; then skip=; continue; fi
    case ${words[i]} in
)sh";

constexpr const char* bash_tail = R"sh(  esac
  if [[ $word == -* ]]; then COMPREPLY=($(compgen -W "$options" -- "$word"))
  elif [[ $objects && $word == */* ]]; then
    COMPREPLY=($(compgen -P "${word%%/*}/" -W "$(_signpost_ask "${word%%/*}")" -- "${word#*/}"))
  elif [[ $objects && $kind ]]; then COMPREPLY=($(compgen -W "$(_signpost_ask "$kind")" -- "$word"))
  else COMPREPLY=($(compgen -W "$values" -- "$word")); fi
  # readline replaces what stands behind the last colon only.
  if [[ $word == *:* && $COMP_WORDBREAKS == *:* ]]; then
    COMPREPLY=("${COMPREPLY[@]#"${word%"${word##*:}"}"}")
  fi
}
complete -F _signpost signpost
)sh";

std::string bash(const std::vector<Words>& all) {
  std::ostringstream out;
  out << "# bash completion of signpost; made by: signpost completion bash\n" << bash_head;
  std::vector<std::string> globals, globals_with_value;
  for (const auto& option : all[0].options) {
    globals.insert(globals.end(), option.names.begin(), option.names.end());
    if (option.takes_value)
      globals_with_value.insert(globals_with_value.end(), option.names.begin(), option.names.end());
  }
  out << "      " << joined(globals_with_value, "|")
      << ") skip=yes; ((i + 2 < ${#words[@]})) && where+=(\"${words[i]}\" \"${words[i+1]}\") ;;\n"
      << "      " << joined(names_with_value(all), "|")
      << ") skip=yes ;;\n"
         "      -*) ;;\n"
         "      *) if [[ ! $command ]]; then command=${words[i]}\n"
         "         else place=$((place + 1)); [[ $kind ]] || kind=${words[i]}; fi ;;\n"
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
      else if (option.name_space)
        out << "COMPREPLY=($(compgen -W \"$(_signpost_ask namespaces)\" -- \"$word\"))";
      else if (option.values.empty())
        out << "COMPREPLY=()";
      else
        out << "COMPREPLY=($(compgen -W " << quoted(joined(option.values)) << " -- \"$word\"))";
      out << "; return ;;\n";
    }
  out << "  esac\n  local objects= options=" << quoted(joined(globals))
      << " values=\n  case $command in\n    \"\") values=" << quoted(joined(commands_of(all))) << " ;;\n";
  for (std::size_t i = 1; i < all.size(); ++i) {
    std::vector<std::string> names;
    for (const auto& option : all[i].options) names.insert(names.end(), option.names.begin(), option.names.end());
    out << "    " << all[i].command << ") options+=" << quoted(' ' + joined(names))
        << (all[i].objects ? "; objects=yes" : "")
        << "; ((place == 0)) && values=" << quoted(joined(all[i].first_values)) << " ;;\n";
  }
  out << bash_tail;
  return out.str();
}

std::string zsh_option(const Words::Option& option) {
  std::string help = option.help;
  for (const char special : {'[', ']', ':'}) std::ranges::replace(help, special, ' ');
  std::string out;
  for (const auto& name : option.names) {
    std::string spec = name + '[' + help + ']';
    if (option.takes_value)
      spec += option.file         ? ":file:_files"
              : option.name_space ? ":namespace:_signpost_names namespaces"
                                  : ":value:(" + joined(option.values) + ')';
    out += " \\\n        " + quoted(spec);
  }
  return out;
}

// The names of a kind: of the one given, or of the first word behind the command.
constexpr const char* zsh_head = R"sh(_signpost_names() {
  local -a all where names
  local kind=$1 i
  all=(${(z)LBUFFER})
  for ((i = 2; i < $#all; i++)); do
    case $all[i] in
      SERVER_OPTIONS) where+=($all[i] ${(Q)all[i+1]}) ;;
    esac
  done
  if [[ -z $kind ]]; then
    for i in $words[2,CURRENT-1]; do [[ $i == -* ]] || { kind=$i; break }; done
  fi
  [[ -n $kind ]] || return 1
  names=(${(f)"$(timeout 2 signpost $where get $kind -o name 2>/dev/null)"})
  compadd -- ${names##*/}
}
)sh";

std::string zsh(const std::vector<Words>& all) {
  std::ostringstream out;
  std::vector<std::string> asks;
  for (const auto& option : all[0].options)
    if (option.takes_value) asks.insert(asks.end(), option.names.begin(), option.names.end());
  std::string head = zsh_head;
  constexpr std::string_view place = "SERVER_OPTIONS";
  head.replace(head.find(place), place.size(), joined(asks, "|"));
  out << "#compdef signpost\n# zsh completion of signpost; made by: signpost completion zsh\n"
      << head
      << "_signpost() {\n"
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
    if (all[i].objects) out << " \\\n        '*:name:_signpost_names'";
    out << " ;;\n";
  }
  out << "      esac ;;\n  esac\n}\n"
         "if [ \"$funcstack[1]\" = _signpost ]; then _signpost \"$@\"; else compdef _signpost signpost; fi\n";
  return out.str();
}

std::string fish(const std::vector<Words>& all) {
  std::ostringstream out;
  const auto commands = joined(commands_of(all));
  std::vector<std::string> asks, kinds;
  for (const auto& option : all[0].options)
    if (option.takes_value) asks.insert(asks.end(), option.names.begin(), option.names.end());
  for (const auto& words : all)
    if (words.objects) kinds = words.first_values;
  out << "# fish completion of signpost; made by: signpost completion fish\n"
         "function __signpost_ask\n"
         "    set -l words (commandline -opc)\n    set -l where\n"
         "    for i in (seq 2 (math (count $words) - 1))\n"
         "        contains -- $words[$i] "
      << joined(asks)
      << "; and set where $where $words[$i] $words[(math $i + 1)]\n    end\n"
         "    timeout 2 signpost $where get $argv[1] -o name 2>/dev/null | string replace -r '.*/' ''\nend\n"
         "function __signpost_objects\n    set -l kinds "
      << joined(kinds)
      << "\n    for word in (commandline -opc)\n"
         "        if contains -- $word $kinds\n            __signpost_ask $word\n            return\n        end\n"
         "    end\n    printf '%s\\n' $kinds\nend\n"
         "complete -c signpost -f\n";
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
      if (option.name_space) out << " -a '(__signpost_ask namespaces)'";
      if (!option.values.empty()) out << " -a " << quoted(joined(option.values));
      out << " -d " << quoted(option.help) << '\n';
    }
    if (words.objects)
      out << "complete -c signpost" << when << " -a '(__signpost_objects)'\n";
    else if (!words.first_values.empty())
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
