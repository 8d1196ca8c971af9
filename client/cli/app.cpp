#include <CLI/CLI.hpp>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <istream>
#include <map>
#include <ostream>

#include "client/cli/apply.hpp"
#include "client/cli/completion.hpp"
#include "client/cli/environment.hpp"
#include "client/cli/get.hpp"
#include "client/cli/reference.hpp"
#include "client/cli/resolve.hpp"
#include "client/cli/status.hpp"
#include "client/cli/vip.hpp"
#include "discovery/model/closest.hpp"

namespace signpost::cli {

namespace {

constexpr const char* default_server = "http://127.0.0.1:8080";

using Action = std::function<int(const Session&)>; // returns the exit code

// One program run: the options that parsing fills, and what it chose to do.
struct Program {
  CLI::App app{"Finds and changes the services of a cluster.", "signpost"};
  GetOptions get, describe, watch;
  ApplyOptions apply;
  DeleteOptions remove;
  ResolveOptions resolve;
  VipOptions vip;
  StatusOptions status;
  EnvironmentOptions env, exec;
  std::vector<std::string> behind_dashes; // exec … -- these: not ours to read
  std::string shell, topic;
  Action chosen;
};

// "5s", "2m", "1h", "500ms", or seconds.
std::optional<std::chrono::milliseconds> read_duration(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  const std::int64_t factor = unit == "ms"                  ? 1
                              : unit == "s" || unit.empty() ? 1000
                              : unit == "m"                 ? 60'000
                              : unit == "h"                 ? 3'600'000
                                                            : 0;
  if (factor == 0) return std::nullopt;
  return std::chrono::milliseconds(number * factor);
}

template <class Run>
CLI::App* command(Program& program, const char* name, const char* help, const char* examples, Run run) {
  auto* const sub = program.app.add_subcommand(name, help);
  sub->footer(std::string("Examples:\n") + examples +
              "\nOptions of all commands: --server URL, --dns ADDR:PORT, -n NAMESPACE; see signpost --help.");
  sub->callback(
      [&program, run] { program.chosen = [run](const Session& session) { return static_cast<int>(run(session)); }; });
  return sub;
}

CLI::Validator one_of(std::vector<std::string> choices) { return CLI::IsMember(std::move(choices)); }

void add_selectors(CLI::App* sub, GetOptions& options) {
  sub->add_flag("-A,--all-namespaces", options.all_namespaces, "objects of all namespaces");
  sub->add_option("-l,--selector", options.label_selector, "only objects with these labels: app=web,tier!=test");
  sub->add_option("--field-selector", options.field_selector, "only objects with these fields: metadata.name=web");
  sub->add_option("-o,--output", options.output, "how to print")
      ->type_name("{table,wide,json,yaml,name,jsonpath=,custom-columns=}");
  sub->add_flag("--show-labels", options.show_labels, "a column with all labels");
  sub->add_flag("--no-headers", options.no_headers, "no line of column names");
}

void add_what(CLI::App* sub, GetOptions& options, const char* help) {
  sub->add_option("KIND", options.what, help)->required()->type_name("[NAME…]");
}

void add_show_commands(Program& p) {
  auto* sub =
      command(p, "get", "Show objects",
              "  signpost get services                 the services of the namespace default\n"
              "  signpost get svc web -n shop -o yaml  one of them, whole\n"
              "  signpost get svc,endpointslices -A    of all namespaces\n"
              "  signpost get svc -l app=web -w        and go on showing changes\n"
              "  signpost get svc -o jsonpath='{.items[*].spec.clusterIP}'\n"
              "  signpost get svc -o custom-columns=NAME:.metadata.name,IP:.spec.clusterIP --sort-by .metadata.name\n",
              [&p](const Session& s) { return get(s, p.get); });
  add_what(sub, p.get, "kind and names: svc, ep, endpointslices, ns, servicecidrs, ipaddresses; KIND/NAME works too");
  add_selectors(sub, p.get);
  sub->add_option("--sort-by", p.get.sort_by, "in the order of a field: .metadata.creationTimestamp")
      ->type_name("PATH");
  sub->add_flag("-w,--watch", p.get.watch, "go on with the changes");
  sub->add_option("--count", p.get.count, "with -w: end after so many lines");

  sub = command(p, "describe", "Tell all about objects",
                "  signpost describe svc web             addresses, ports, endpoints and DNS names\n",
                [&p](const Session& s) { return describe(s, p.describe); });
  add_what(sub, p.describe, "kind and names");
  sub->add_flag("-A,--all-namespaces", p.describe.all_namespaces, "objects of all namespaces");
  sub->add_option("-l,--selector", p.describe.label_selector, "only objects with these labels");

  sub = command(p, "watch", "Show changes as they happen",
                "  signpost watch services -A            what there is, then every change\n"
                "  signpost watch svc web -o json        one JSON document a line\n",
                [&p](const Session& s) { return watch(s, p.watch); });
  add_what(sub, p.watch, "kind, and one name if you like");
  add_selectors(sub, p.watch);
  sub->add_option("--count", p.watch.count, "end after so many events");
}

void add_file_options(CLI::App* sub, bool& recursive, DryRun& dry_run) {
  sub->add_flag("-R,--recursive", recursive, "with -f FOLDER: also the folders in it");
  static const std::map<std::string, DryRun> ways{
      {"none", DryRun::none}, {"client", DryRun::client}, {"server", DryRun::server}};
  sub->add_option_function<std::string>(
         "--dry-run", [&dry_run](const std::string& way) { dry_run = way.empty() ? DryRun::server : ways.at(way); },
         "change nothing: =server lets the server check (the default), =client only compares")
      ->check(one_of({"none", "client", "server"}))
      ->expected(0, 1)
      ->default_str("server");
}

void add_change_commands(Program& p) {
  auto* sub = command(p, "apply", "Make the registry hold what files say",
                      "  signpost apply -f web.yaml            create or change its objects\n"
                      "  signpost apply -f - <web.json         from standard input\n"
                      "  signpost apply -f folder -R           all files of a folder and of those in it\n"
                      "  signpost apply -f web.yaml --dry-run=server\n",
                      [&p](const Session& s) { return apply(s, p.apply); });
  sub->add_option("-f,--filename", p.apply.files,
                  "YAML or JSON: objects, lists, several documents; a folder, an http:// URL, - for standard input")
      ->required()
      ->type_name("FILE");
  add_file_options(sub, p.apply.recursive, p.apply.dry_run);

  sub = command(p, "delete", "Remove objects",
                "  signpost delete svc web               the service web\n"
                "  signpost delete svc -l app=web        all with this label\n"
                "  signpost delete -f web.yaml           what the file holds\n",
                [&p](const Session& s) { return remove(s, p.remove); });
  sub->add_option("KIND", p.remove.what, "kind and names; KIND/NAME works too")->type_name("[NAME…]");
  sub->add_option("-f,--filename", p.remove.files, "remove the objects of this file")->type_name("FILE");
  add_file_options(sub, p.remove.recursive, p.remove.dry_run);
  sub->add_option("-l,--selector", p.remove.label_selector, "all objects of the kind with these labels");
  sub->add_flag("--all", p.remove.all, "all objects of the kind in the namespace");
  sub->add_flag("--ignore-not-found", p.remove.ignore_not_found, "what is not there counts as removed");
}

void add_environment_options(CLI::App* sub, EnvironmentOptions& options) {
  sub->add_option("--file", options.files, "read services from a file instead of asking the API; - is standard input")
      ->type_name("FILE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  sub->add_flag("--no-service-links", options.no_service_links, "only the master services, none of the namespace");
  sub->add_flag("--no-docker-links", options.no_docker_links, "without WEB_PORT, WEB_PORT_80_TCP, …");
  sub->add_option("--master-namespace", options.master_namespace, "where the master services are")
      ->capture_default_str();
  sub->add_option("--generation", options.generation, "which kubelet to be like")->check(one_of({"current", "v0.6"}));
  const auto repeated = [&](const char* name, std::vector<std::string>& into, const char* help, const char* value) {
    sub->add_option(name, into, help)
        ->type_name(value)
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  };
  repeated("--set", options.own, "the program's own variable; it wins", "NAME=VALUE");
  repeated("--service", options.services, "only services whose name matches", "GLOB");
  repeated("--prefix", options.prefixes, "only variables of services that begin so", "TEXT");
}

void add_environment_commands(Program& p) {
  auto* sub = command(p, "env", "Print the environment variables of services",
                      "  signpost env -n shop                  as a container of the namespace shop has them\n"
                      "  eval \"$(signpost env -n shop --format export)\"\n"
                      "  signpost env -n shop --format docker >shop.env && docker run --env-file shop.env …\n"
                      "  signpost env --file services.yaml --no-docker-links --service 'web*'\n",
                      [&p](const Session& s) { return print_environment(s, p.env); });
  add_environment_options(sub, p.env);
  sub->add_option("--format", p.env.format, "how to print")->check(one_of({"env", "export", "json", "docker"}));

  sub = command(p, "exec", "Run a program with the environment variables of services",
                "  signpost exec -n shop -- ./server --port 80\n"
                "  signpost exec -n shop --set LEVEL=info -- env\n\n"
                "The program replaces signpost, so its exit code is the program's; 127: there is no such program,\n"
                "126: it cannot be run.\n",
                [&p](const Session& s) {
                  p.exec.command.insert(p.exec.command.end(), p.behind_dashes.begin(), p.behind_dashes.end());
                  return execute(s, p.exec);
                });
  add_environment_options(sub, p.exec);
  sub->add_option("COMMAND", p.exec.command, "after --: the program and its arguments")->type_name("…");
}

void add_dns_commands(Program& p) {
  auto* const sub = command(p, "resolve", "Ask the DNS server",
                            "  signpost resolve web                  A and AAAA of web.default.svc.cluster.local\n"
                            "  signpost resolve web.shop             of the service web in the namespace shop\n"
                            "  signpost resolve _http._tcp.web       SRV: where the port http is\n"
                            "  signpost resolve 10.96.0.1            PTR: whose address it is\n"
                            "  signpost resolve cluster.local. SOA   a last dot: the name as it is\n",
                            [&p](const Session& s) { return resolve(s, p.resolve); });
  sub->add_option("NAME", p.resolve.name, "what to look up")->required()->type_name("");
  sub->add_option("TYPE", p.resolve.type, "record type; default: what fits the name")->type_name("");
  sub->add_option("--zone", p.resolve.zone, "the cluster's domain")->capture_default_str();
  sub->add_option("-o,--output", p.resolve.output, "how to print")->check(one_of({"table", "json", "short"}));
  sub->add_flag("--tcp", p.resolve.tcp, "ask over TCP");
}

void add_vip_commands(Program& p) {
  auto* const sub = command(p, "vip", "Show and check the virtual IPs",
                            "  signpost vip ls                       the prefixes, and how full they are\n"
                            "  signpost vip ls --addresses           each address, and who has it\n"
                            "  signpost vip check                    does all of it fit together? 1: no\n",
                            [&p](const Session& s) { return vip(s, p.vip); });
  sub->add_option("ACTION", p.vip.action, "ls or check")->required()->type_name("")->check(one_of({"ls", "check"}));
  sub->add_flag("--addresses", p.vip.addresses, "of ls: every address");
  sub->add_option("-o,--output", p.vip.output, "how to print")->check(one_of({"table", "json"}));
  sub->add_flag("--no-headers", p.vip.no_headers, "no line of column names");
}

void add_status_command(Program& p) {
  auto* const sub = command(p, "status", "Show how the server is",
                            "  signpost status                       version, zones, addresses, counts, warnings\n"
                            "  signpost status -o json               the same for programs\n",
                            [&p](const Session& s) { return status(s, p.status); });
  sub->add_option("-o,--output", p.status.output, "how to print")->check(one_of({"table", "json"}));
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  const std::vector<std::string_view> words(known.begin(), known.end());
  const auto meant = model::closest(word, words);
  return meant.empty() ? std::string() : "; did you mean " + std::string(meant) + "?";
}

std::string unknown_command(const CLI::App& app, std::string_view word) {
  std::vector<std::string> known;
  for (const auto* const sub : app.get_subcommands([](const CLI::App*) { return true; }))
    if (!sub->get_group().empty()) known.push_back(sub->get_name());
  return "there is no command \"" + printable(word) + '"' + did_you_mean(word, known);
}

Exit print_help(const Session& session, const CLI::App& app, const std::string& topic) {
  if (topic.empty()) {
    // Not app.help(): that is of the command in use, which is this one.
    session.out << app.get_formatter()->make_help(&app, app.get_name(), CLI::AppFormatMode::Normal);
    return Exit::ok;
  }
  for (const auto* const sub : app.get_subcommands([](const CLI::App*) { return true; }))
    if (sub->get_name() == topic) {
      session.out << sub->help();
      return Exit::ok;
    }
  session.complain({Exit::usage, unknown_command(app, topic) + "; see signpost --help"});
  return Exit::usage;
}

void add_plain_commands(Program& p) {
  auto* const sub = command(p, "completion", "Print a script that completes signpost's words in your shell",
                            "  source <(signpost completion bash)\n"
                            "  signpost completion zsh >\"${fpath[1]}/_signpost\"\n"
                            "  signpost completion fish >~/.config/fish/completions/signpost.fish\n",
                            [&p](const Session& s) {
                              s.out << completion_script(p.app, p.shell);
                              return Exit::ok;
                            });
  sub->add_option("SHELL", p.shell, "which shell")->required()->type_name("")->check(one_of(completion_shells()));
  command(p, "reference", "Print what the program can do as JSON, for the manual page", "  signpost reference\n",
          [&p](const Session& s) {
            s.out << reference_text(p.app);
            return Exit::ok;
          })
      ->group(""); // hidden
  auto* const help = command(p, "help", "Tell how a command is used", "  signpost help get\n",
                             [&p](const Session& s) { return print_help(s, p.app, p.topic); });
  help->add_option("COMMAND", p.topic, "of which command")->type_name("");
  command(p, "version", "Print the version", "  signpost version\n", [](const Session& s) {
    s.out << "signpost " << signpost::version() << '\n';
    return Exit::ok;
  });
}

void add_globals(Program& p, Session& session) {
  p.app.add_option("--server", session.server, "URL of the API; default: SIGNPOST_SERVER, else http://127.0.0.1:8080")
      ->type_name("URL");
  p.app.add_option("--dns", session.dns, "the DNS server; default: SIGNPOST_DNS, else 127.0.0.1:5300")
      ->type_name("ADDR:PORT");
  p.app.add_option("-n,--namespace", session.name_space, "namespace; default: SIGNPOST_NAMESPACE, else default")
      ->type_name("NS");
  p.app
      .add_option_function<std::string>(
          "--request-timeout",
          [&session](const std::string& text) {
            const auto time = read_duration(text);
            if (!time) throw CLI::ValidationError("--request-timeout", "\"" + text + "\" is no time; write 5s or 2m");
            session.request_timeout = *time;
          },
          "longest time of one request: 5s, 2m; 0: the built-in limits")
      ->type_name("TIME");
  p.app.add_flag("-v,--verbose", session.verbose, "show each request, its status and its time on standard error");
  p.app.footer(
      "Exit codes: 0 done, 1 error, 2 wrong usage, 3 not found, 4 server unreachable or not ready, 5 conflict.\n\n"
      "Start with:\n"
      "  signpost apply -f web.yaml            put a service into the registry\n"
      "  signpost get services                 see it\n"
      "  signpost resolve web                  ask the DNS server for it\n\n"
      "signpost COMMAND --help tells more, with examples.");
  p.app.set_version_flag("--version", "signpost " + std::string(signpost::version()));
  p.app.require_subcommand(1);
  p.app.fallthrough();
}

std::vector<std::string> options_of(const CLI::App& app, const std::vector<CLI::App*>& used) {
  std::vector<std::string> known;
  const auto add = [&](const CLI::App& one) {
    for (const auto* const option : one.get_options())
      for (const auto& name : option->get_lnames()) known.push_back("--" + name);
  };
  add(app);
  for (const auto* const sub : used) add(*sub);
  return known;
}

Exit parse_failure(const CLI::ParseError& error, const Program& program, std::ostream& out, std::ostream& err) {
  if (error.get_exit_code() == 0) {
    std::ostringstream ignored;
    program.app.exit(error, out, ignored);
    return Exit::ok;
  }
  std::string text = error.what();
  while (text.ends_with('\n')) text.pop_back();
  const auto used = program.app.get_subcommands();
  if (const auto rest = program.app.remaining(true); !rest.empty()) {
    const bool option = rest.front().size() > 1 && rest.front().starts_with('-');
    if (used.empty() && !option) {
      text = unknown_command(program.app, rest.front());
    } else if (option) {
      const auto name = rest.front().substr(0, rest.front().find('='));
      text = "there is no option " + printable(name) + did_you_mean(name, options_of(program.app, used));
    }
  }
  err << "signpost: " << printable(text) << "; see signpost " << (used.empty() ? "" : used.front()->get_name() + ' ')
      << "--help\n";
  return Exit::usage;
}

} // namespace

std::string environment_variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

Expected<Api> Session::api() const {
  auto text = server.empty() ? environment_variable("SIGNPOST_SERVER") : server;
  if (text.empty()) text = default_server;
  auto url = read_url(text);
  if (!url) return tl::make_unexpected(std::move(url.error()));
  HttpLimits limits;
  if (request_timeout.count() > 0)
    limits = {.connect = request_timeout, .reply = request_timeout, .whole = request_timeout};
  Api api(std::move(*url), limits);
  if (verbose)
    api.http().on_exchange = [this](const HttpTrace& trace) {
      err << trace.method << ' ' << printable(trace.target) << "  "
          << (trace.status != 0 ? std::to_string(trace.status) : printable(trace.failure)) << "  " << trace.took.count()
          << " ms\n";
    };
  api.on_warning = [this](const std::string& warning) { err << "Warning: " << printable(warning) << '\n'; };
  return api;
}

void Session::complain(const Failure& failure) const {
  // One sentence is one line, whoever wrote it.
  std::string text = failure.message;
  while (text.ends_with('\n')) text.pop_back();
  std::ranges::replace(text, '\n', ' ');
  err << "signpost: " << printable(text) << '\n';
}

namespace {

// The exit code of a command whose output was written or not.
int written(const Session& session, int code) {
  if (session.out.flush()) return code;
  session.complain({Exit::error, "the output could not be written; is the disk full, or has its reader ended?"});
  return static_cast<int>(Exit::error);
}

} // namespace

int run(std::vector<std::string> arguments, std::istream& in, std::ostream& out, std::ostream& err) {
  Session session{.in = in, .out = out, .err = err};
  if (const auto name_space = environment_variable("SIGNPOST_NAMESPACE"); !name_space.empty())
    session.name_space = name_space;
  Program program;
  try {
    add_globals(program, session);
    add_show_commands(program);
    add_change_commands(program);
    add_dns_commands(program);
    add_environment_commands(program);
    add_vip_commands(program);
    add_status_command(program);
    add_plain_commands(program);
    const auto dashes = std::find(arguments.begin(), arguments.end(), "--");
    if (std::find(arguments.begin(), dashes, "exec") != dashes && dashes != arguments.end()) {
      program.behind_dashes.assign(dashes + 1, arguments.end());
      arguments.erase(dashes, arguments.end());
    }
    std::reverse(arguments.begin(), arguments.end()); // CLI11 takes them from the back
    program.app.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    return written(session, static_cast<int>(parse_failure(error, program, out, err)));
  }
  session.name_space_given = program.app.count("--namespace") > 0;
  if (session.name_space.empty()) session.name_space = "default";
  try {
    return written(session, program.chosen(session));
  } catch (const std::exception& error) { // out of memory, or a mistake of ours
    session.complain({Exit::error, std::string("stopped by an unexpected error: ") + error.what()});
    return static_cast<int>(Exit::error);
  }
}

} // namespace signpost::cli
