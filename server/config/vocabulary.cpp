#include "server/config/vocabulary.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "discovery/model/closest.hpp"

namespace signpost::server::corefile {
namespace {

constexpr std::array<std::string_view, 62> coredns_directives = {
    "root",     "metadata",  "geoip",       "cancel", "proxyproto", "quic",         "grpc_server", "https",
    "https3",   "timeouts",  "multisocket", "reload", "nsid",       "bufsize",      "bind",        "debug",
    "trace",    "ready",     "health",      "pprof",  "shed",       "prometheus",   "errors",      "log",
    "dnstap",   "local",     "dns64",       "any",    "chaos",      "loadbalance",  "tsig",        "rewrite",
    "autopath", "acl",       "cache",       "header", "dnssec",     "tls",          "minimal",     "template",
    "transfer", "hosts",     "route53",     "azure",  "clouddns",   "k8s_external", "kubernetes",  "file",
    "auto",     "secondary", "etcd",        "loop",   "forward",    "grpc",         "erratic",     "whoami",
    "on",       "sign",      "view",        "nomad",  "startup",    "shutdown"};

constexpr std::array<std::string_view, 18> own_directives = {
    "bind",       "log",    "errors", "debug",  "forward", "cache",       "registry", "objects", "nsid",
    "prometheus", "health", "ready",  "reload", "loop",    "loadbalance", "bufsize",  "minimal", "local"};

std::string list(std::span<const std::string_view> words) {
  std::string text;
  for (const std::string_view word : words) text.append(text.empty() ? "" : ", ").append(word);
  return text;
}

} // namespace

bool is_coredns_directive(std::string_view name) {
  return std::find(coredns_directives.begin(), coredns_directives.end(), name) != coredns_directives.end();
}

std::string unknown_directive(std::string_view name) {
  const std::string quoted = "\"" + std::string(name) + "\"";
  if (is_coredns_directive(name))
    return quoted +
           " is a CoreDNS plugin that Signpost does not have yet; instead: remove it or keep this block on CoreDNS";
  std::vector<std::string_view> known(own_directives.begin(), own_directives.end());
  known.insert(known.end(), coredns_directives.begin(), coredns_directives.end());
  if (const auto meant = model::closest(name, known); !meant.empty())
    return "there is no directive " + quoted + "; instead: did you mean \"" + std::string(meant) + "\"?";
  return "there is no directive " + quoted + "; instead: one of " + list(own_directives);
}

std::string unknown_option(std::string_view directive, std::string_view option,
                           std::span<const std::string_view> known) {
  const std::string text = std::string(directive) + " has no option \"" + std::string(option) + "\"";
  if (const auto meant = model::closest(option, known); !meant.empty())
    return text + "; instead: did you mean \"" + std::string(meant) + "\"?";
  return text + "; instead: one of " + list(known);
}

} // namespace signpost::server::corefile
