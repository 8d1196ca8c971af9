#include "client/cli/environment.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>
#include <unistd.h>

#include "client/cli/manifests.hpp"
#include "client/cli/output.hpp"
#include "discovery/environment/environment.hpp"
#include "discovery/model/address_text.hpp"
#include "discovery/model/json.hpp"

namespace signpost::cli {

namespace {

constexpr int cannot_run = 126, no_such_program = 127; // as POSIX shells

bool is_word(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_';
  });
}

// Names and values of variables are made of these texts, and "one line, one variable" holds only if they are what they
// should be. A name may be more than registries allow today, but not more than a word.
Expected<void> check_service(const model::Service& service) {
  const auto name = "the service \"" + printable(service.metadata.name) + '"';
  if (service.metadata.name.empty() || !is_word(service.metadata.name))
    return fail(Exit::error, name + " has a name that no service can have");
  std::vector<std::string> addresses = service.spec.cluster_ips;
  addresses.push_back(service.spec.cluster_ip);
  for (const auto& address : addresses)
    if (!address.empty() && address != "None" && !model::read_address(address))
      return fail(Exit::error, name + " has the clusterIP \"" + printable(address) + "\", which is no address");
  for (const auto& port : service.spec.ports) {
    if (!is_word(port.name))
      return fail(Exit::error, name + " has a port named \"" + printable(port.name) + "\", which is no name");
    if (!is_word(port.protocol))
      return fail(Exit::error, name + " has a port of the protocol \"" + printable(port.protocol) + '"');
  }
  return {};
}

Expected<void> add_service(const Json& object, std::vector<model::Service>& services) {
  auto decoded = model::decode_object(model::Kind::service, object);
  if (!decoded) return fail(Exit::error, "a service cannot be read: " + decoded.error().message);
  auto service = std::get<model::Service>(std::move(*decoded));
  if (auto sound = check_service(service); !sound) return sound;
  services.push_back(std::move(service));
  return {};
}

Expected<std::vector<model::Service>> from_files(const Session& session, const std::vector<std::string>& files) {
  std::vector<model::Service> services;
  for (const auto& file : files) {
    const auto take = [&](Json&& object) -> tl::expected<void, model::ManifestError> {
      if (text_member(object, "kind") != "Service") return {};
      auto added = add_service(object, services);
      if (!added) return tl::make_unexpected(model::ManifestError{file + ": " + added.error().message});
      return {};
    };
    const auto read = read_manifests(session, file, take);
    if (!read)
      return fail(access(file.c_str(), F_OK) != 0 && file != "-" ? Exit::not_found : Exit::error, read.error().message);
  }
  return services;
}

Expected<std::vector<model::Service>> from_api(const Session& session, const EnvironmentOptions& options) {
  auto api = session.api();
  if (!api) return tl::make_unexpected(api.error());
  std::vector<std::string> name_spaces{options.master_namespace};
  if (session.name_space != options.master_namespace && !options.no_service_links)
    name_spaces.push_back(session.name_space);
  std::vector<model::Service> services;
  for (const auto& name_space : name_spaces) {
    const auto list = api->list(model::info(model::Kind::service), {.name_space = name_space});
    if (!list) return tl::make_unexpected(list.error());
    for (const auto& item : (*list)["items"])
      if (auto added = add_service(item, services); !added) return tl::make_unexpected(added.error());
  }
  return services;
}

Expected<std::vector<environment::Variable>> variables(const Session& session, const EnvironmentOptions& options) {
  environment::Options how{.name_space = session.name_space,
                           .master_namespace = options.master_namespace,
                           .service_links = !options.no_service_links,
                           .order = options.files.empty() ? environment::Order::name : environment::Order::list,
                           .docker_links = !options.no_docker_links,
                           .services = options.services,
                           .prefixes = options.prefixes,
                           .own = {}};
  const auto generation = environment::parse_generation(options.generation);
  if (!generation) return fail(Exit::usage, "--generation takes current or v0.6");
  how.generation = *generation;
  for (const auto& text : options.own) {
    auto variable = environment::parse_variable(text);
    if (!variable) return fail(Exit::usage, "--set: " + variable.error());
    how.own.push_back(std::move(*variable));
  }
  const auto services = options.files.empty() ? from_api(session, options) : from_files(session, options.files);
  if (!services) return tl::make_unexpected(services.error());
  return environment::variables(*services, how);
}

} // namespace

Exit print_environment(const Session& session, const EnvironmentOptions& options) {
  const auto stop = [&](const Failure& failure) {
    session.complain(failure);
    return failure.code;
  };
  const auto format = environment::parse_format(options.format);
  if (!format) return stop({Exit::usage, "--format takes env, export, json or docker"});
  const auto found = variables(session, options);
  if (!found) return stop(found.error());
  const auto text = environment::format(*found, *format);
  if (!text) return stop({Exit::error, text.error()});
  session.out << *text;
  return Exit::ok;
}

int execute(const Session& session, const EnvironmentOptions& options) {
  const auto stop = [&](int code, std::string message) {
    session.complain({Exit::error, std::move(message)});
    return code;
  };
  if (options.command.empty())
    return stop(static_cast<int>(Exit::usage), "say which program to run: signpost exec -n shop -- PROGRAM ARGUMENTS…");
  const auto found = variables(session, options);
  if (!found) return stop(static_cast<int>(found.error().code), found.error().message);

  // What this process was given, with the variables of the services in place of older ones.
  std::vector<std::string> strings;
  std::map<std::string_view, const environment::Variable*> fresh;
  for (const auto& variable : *found) fresh.emplace(variable.name, &variable);
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (!fresh.contains(text.substr(0, text.find('=')))) strings.emplace_back(text);
  }
  for (const auto& variable : *found) strings.push_back(variable.name + '=' + variable.value);
  if (const auto fits = environment::check_exec_size(options.command, strings); !fits)
    return stop(cannot_run, fits.error());

  std::vector<char*> arguments, variables_;
  for (const auto& text : options.command) arguments.push_back(const_cast<char*>(text.c_str()));
  for (const auto& text : strings) variables_.push_back(const_cast<char*>(text.c_str()));
  arguments.push_back(nullptr);
  variables_.push_back(nullptr);
  session.out.flush();
  execvpe(arguments[0], arguments.data(), variables_.data());
  const int error = errno;
  if (error == E2BIG)
    return stop(cannot_run, "the kernel takes no environment of this size; use --no-service-links, leave services out "
                            "(--service, --prefix, --no-docker-links), or find services through DNS instead");
  return stop(error == ENOENT ? no_such_program : cannot_run, options.command[0] + ": " + std::strerror(error));
}

} // namespace signpost::cli
