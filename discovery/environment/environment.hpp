// The environment variables by which programs from before cluster DNS find services: WEB_SERVICE_HOST,
// WEB_SERVICE_PORT and the Docker-link group, exactly as the kubelet makes them.
//
//   environment::Options options{.name_space = "shop"};
//   auto found = environment::variables(services, options);
//   fputs(environment::format(found, environment::Format::env)->c_str(), stdout);
//
// A snapshot: pure functions from a list of services to ordered name/value pairs. Only primary cluster IPs appear;
// services without one (headless, ExternalName) contribute nothing. Any thread. Only system_exec_limits() asks the
// system anything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "discovery/model/service.hpp"

namespace signpost::environment {

struct Variable {
  std::string name;
  std::string value;
  bool operator==(const Variable&) const = default;
};

/// Which kubelet to be like.
enum class Generation : std::uint8_t {
  current, // named ports, a link group per port; the master service is `kubernetes`
  v0_6,    // first port only; the master services are `kubernetes` and `kubernetes-ro`
};

/// In which order services come out.
enum class Order : std::uint8_t {
  list, // as given (a file)
  name, // by service name (an API's list, whatever namespaces it was put together from)
};

struct Options {
  std::string name_space = "default";       // the container's own
  std::string master_namespace = "default"; // the master services come from here, even without service links
  bool service_links = true;                // the services of name_space, besides the master services
  Generation generation = Generation::current;
  Order order = Order::list;
  bool docker_links = true;          // false: without WEB_PORT, WEB_PORT_80_TCP, …
  std::vector<std::string> services; // globs (* ? [a-z]); a service must match one. Empty: all
  std::vector<std::string> prefixes; // a variable of a service must begin with one. Empty: all
  std::vector<Variable> own;         // the container's own variables: first, and they win
};

/// The own variables in their order ($(NAME) in their values is replaced as the kubelet does, $$ is a dollar sign),
/// then those of the services that have not the name of an own one. No name occurs twice: the last value given wins,
/// at the place of the first. A service without a namespace counts as one of `default`.
[[nodiscard]] std::vector<Variable> variables(std::span<const model::Service> services, const Options& options);

/// The variables of one service, in the kubelet's order; empty if it has no cluster IP.
[[nodiscard]] std::vector<Variable> variables_of(const model::Service& service, const Options& options = {});

/// "NAME=VALUE" as in --set. Error: one sentence (no '=', empty name, a NUL).
[[nodiscard]] tl::expected<Variable, std::string> parse_variable(std::string_view text);

/// "current" or "v0.6".
[[nodiscard]] std::optional<Generation> parse_generation(std::string_view text);

enum class Format : std::uint8_t {
  env,     // NAME=VALUE lines
  export_, // export NAME='VALUE' lines for a POSIX shell; what no shell can name becomes a comment
  json,    // [{"name":…,"value":…},…] and a newline
  docker,  // lines for docker run --env-file
};

/// "env", "export", "json" or "docker".
[[nodiscard]] std::optional<Format> parse_format(std::string_view text);

/// Whole text with a newline after each line. Error: one sentence (a value of several lines, which env's and docker's
/// form cannot carry).
[[nodiscard]] tl::expected<std::string, std::string> format(std::span<const Variable> variables, Format format);

/// What execve(2) takes, in bytes: all strings with their NULs and pointers, and one string with its NUL.
struct ExecLimits {
  std::size_t total = 2 * 1024 * 1024;
  std::size_t string = 128 * 1024;
};
/// Of this process now: a quarter of the stack limit, as the kernel counts.
[[nodiscard]] ExecLimits system_exec_limits();

/// Whether a program with these arguments and this environment ("NAME=VALUE" strings) can be started. Error: what is
/// too large, by how much, and what helps (--no-service-links, fewer services, DNS).
[[nodiscard]] tl::expected<void, std::string> check_exec_size(std::span<const std::string> arguments,
                                                              std::span<const std::string> environment,
                                                              const ExecLimits& limits = system_exec_limits());

} // namespace signpost::environment
