#include "server/config/vocabulary.hpp"

#include <algorithm>
#include <array>
#include <vector>

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

constexpr std::array<std::string_view, 8> own_directives = {"bind",  "log",      "errors",  "forward",
                                                            "cache", "registry", "objects", "nsid"};

/// Letters to insert, remove, replace or swap with their neighbour.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i)
    for (std::size_t j = 1; j <= b.size(); ++j) {
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0u : 1u)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.size()][b.size()];
}

std::string list(std::span<const std::string_view> words) {
  std::string text;
  for (const std::string_view word : words) text.append(text.empty() ? "" : ", ").append(word);
  return text;
}

} // namespace

bool is_coredns_directive(std::string_view name) {
  return std::find(coredns_directives.begin(), coredns_directives.end(), name) != coredns_directives.end();
}

std::string_view closest(std::string_view word, std::span<const std::string_view> known) {
  if (word.size() > 64) return {};
  std::string_view best;
  std::size_t least = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string_view candidate : known)
    if (const auto d = distance(word, candidate); d < least) {
      least = d;
      best = candidate;
    }
  return best;
}

std::string unknown_directive(std::string_view name) {
  const std::string quoted = "\"" + std::string(name) + "\"";
  if (is_coredns_directive(name))
    return quoted + " is a CoreDNS plugin that Signpost does not have yet; remove it or keep this block on CoreDNS";
  std::vector<std::string_view> known(own_directives.begin(), own_directives.end());
  known.insert(known.end(), coredns_directives.begin(), coredns_directives.end());
  if (const auto meant = closest(name, known); !meant.empty())
    return "there is no directive " + quoted + "; did you mean \"" + std::string(meant) + "\"?";
  return "there is no directive " + quoted + "; there are " + list(own_directives);
}

std::string unknown_option(std::string_view directive, std::string_view option,
                           std::span<const std::string_view> known) {
  const std::string text = std::string(directive) + " has no option \"" + std::string(option) + "\"";
  if (const auto meant = closest(option, known); !meant.empty())
    return text + "; did you mean \"" + std::string(meant) + "\"?";
  return text + "; it has " + list(known);
}

} // namespace signpost::server::corefile
