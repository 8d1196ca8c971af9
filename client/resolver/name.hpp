// Reads names as people write them and says what to ask the servers for.
//
// A short name may mean several things. Its readings are tried one after the other, the likelier first, the next only
// when the servers say that there is no such name; so a lookup finds what getaddrinfo finds with the resolv.conf of a
// pod, without the eight packets of its search list, and a name that belongs to the cluster is never asked outside.
// Pure functions, any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <signpost/signpost.hpp>

namespace signpost::resolver {

/// What a name is completed with. Names are lower case, without a last dot.
struct Home {
  std::string name_space = "default";
  std::string cluster_domain = "cluster.local";
  std::vector<std::string> search{}; // domains of the host that are not the cluster's, in order
  unsigned ndots = 1;                // resolv.conf(5): with fewer dots the search domains come first
};

/// One meaning of a name.
struct Reading {
  std::string name;      // in full, lower case, without the last dot and without _port._proto
  std::string only_if{}; // tried only if this name exists; then the name is the cluster's, and no later one is tried
  std::string unless{};  // not tried if this name exists, nor any later one: the name is the cluster's
  bool operator==(const Reading&) const = default;
};

/// Names that are answered without a question (RFC 6761, RFC 7686).
enum class Special : std::uint8_t { loopback, nonexistent };

/// What one lookup asks.
struct Plan {
  std::vector<Reading> readings; // 1 or more, but for `literal` and `special`
  std::string service;           // "_http._tcp.": SRV is asked for, with this in front; empty: addresses
  std::uint16_t port = 0;        // given as a number, for every endpoint
  Family family = Family::any;
  std::optional<Address> literal; // the name is an address: nothing to ask
  std::optional<Special> special; // nothing to ask
  std::string name;               // what is meant in the first place, in full, with `service`
};

/// nullopt: bad_name. Rules, the first that fits:
/// an address; localhost and what is below it, invalid and what is below it: special; a last dot: as it is; the cluster
/// domain or a search domain at its end: as it is; ".svc" at its end: in the cluster domain; ".svc." inside: as it is;
/// a: service of the own namespace, then in the search domains;
/// a.b: service.namespace, then endpoint.service of the own namespace, then outside;
/// a.b.c: endpoint.service.namespace, then outside; more labels: outside.
/// Outside is the name as it is and in the search domains, in the order that ndots says; names below test and onion are
/// not asked there. Leading labels _port._proto stand for port and protocol.
[[nodiscard]] std::optional<Plan> plan(const Query& query, const Home& home);

/// Whether a name in full is one that must not be asked, whoever leads to it (an alias, an SRV record).
[[nodiscard]] std::optional<Special> special_name(const std::string& name, const Home& home);
/// 127.0.0.1 and ::1, as far as they are of the family.
[[nodiscard]] std::vector<Address> loopback(Family family);

/// `name` is `domain` or below it.
[[nodiscard]] bool within(std::string_view name, std::string_view domain);

/// An IPv4 or IPv6 address as text, without brackets; a link-local one may have a zone id ("fe80::1%eth0", RFC 4007) of
/// an interface that exists.
[[nodiscard]] std::optional<Address> read_address(std::string_view text);

/// Lower-cased, last dot removed. nullopt: a label is empty or over 63 octets, the whole over 253, or a character can
/// not stand in a host or service name (letters, digits, '-', '_' can).
[[nodiscard]] std::optional<std::string> canonical_name(std::string_view name);

} // namespace signpost::resolver
