// Everything signpostd can be told, as typed settings with their defaults: what flags and Corefile both become.
//
// A Corefile is a list of server blocks; without one, the flags make up a single block. main() wires what it finds
// here and knows neither syntax. Plain data.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "discovery/model/address.hpp"
#include "server/config/binding.hpp"

namespace signpost::server {

/// ADDRESS:PORT or [ADDRESS]:PORT.
struct Endpoint {
  model::Address address;
  std::uint16_t port = 0;
  std::string zone{}; // of a link-local address, as ScopedAddress has it
  [[nodiscard]] std::string to_string() const;
  /// "127.0.0.1:53", "[::1]:53", "[fe80::1%eth0]:53"; where a default port is given also "127.0.0.1", "::1", "[::1]"
  /// and "fe80::1%eth0". nullopt: anything else, port 0 too.
  [[nodiscard]] static std::optional<Endpoint> parse(std::string_view text,
                                                     std::optional<std::uint16_t> default_port = std::nullopt);
  auto operator<=>(const Endpoint&) const = default;
};

/// Where something stands in a file, "FILE:LINE: ", for what is to be said of it later; empty: in none. Settings that
/// differ in nothing else are the same.
struct Place {
  std::string text;
  bool operator==(const Place&) const { return true; }
};

/// The registry of our own, on SQLite (block `registry`).
struct RegistrySource {
  std::vector<std::string> zones; // empty: those of the block
  bool operator==(const RegistrySource&) const = default;
};

/// Objects from files, read as they are (block `objects FILE...`).
struct ObjectsSource {
  std::vector<std::string> files;
  std::vector<std::string> zones; // empty: those of the block
  Place place{};
  bool operator==(const ObjectsSource&) const = default;
};

/// A resolv.conf among the upstreams: what it names is asked, now and whenever it changes.
struct UpstreamFile {
  std::string path;
  std::size_t before = 0; // its servers stand before upstreams[before]
  auto operator<=>(const UpstreamFile&) const = default;
};

struct ForwardSettings {
  static constexpr std::size_t max_upstreams = 15; // as CoreDNS

  std::string from = ".";                       // only names below this one
  std::vector<Endpoint> upstreams;              // those written out, …
  std::vector<UpstreamFile> files;              // … and the files that name others
  std::vector<std::string> except;              // names below these are not forwarded
  std::chrono::milliseconds read_timeout{2000}; // per try
  std::chrono::milliseconds deadline{5000};     // per question, all tries
  enum class Policy : std::uint8_t { random, round_robin, sequential } policy = Policy::random;
  std::uint32_t max_concurrent = 0; // questions in flight; 0: the built-in bound
  bool force_tcp = false;

  /// Whether it asks nobody but servers of this machine, by their loopback addresses.
  [[nodiscard]] bool stays_here() const;
  Place place{};
  bool operator==(const ForwardSettings&) const = default;
};

struct CacheSettings {
  std::chrono::seconds max_ttl{3600};          // success
  std::chrono::seconds max_negative_ttl{1800}; // denial
  std::size_t bytes = 16u << 20;               // budget of the whole cache
  bool operator==(const CacheSettings&) const = default;
};

/// One key of a server block: a zone on a port.
struct ZonePort {
  std::string zone;
  std::uint16_t port = 53;
  auto operator<=>(const ZonePort&) const = default;
};

struct ServerBlock {
  std::vector<std::string> zones; // lower case, without trailing dot; "." is the root
  std::vector<Endpoint> listen;   // DNS over UDP and TCP; concrete addresses; a wildcard only where …
  std::vector<Binding> bindings;  // … the host does not tell its own. Of these; empty: they stay as they are
  std::vector<ZonePort> keys;     // which zone on which port, where they differ; empty: every zone on every port
  std::variant<std::monostate, RegistrySource, ObjectsSource> source;
  std::optional<std::vector<std::string>> fallthrough; // zones whose names the source may leave to a `forward`;
                                                       // nullopt: the reverse zones
  std::optional<ForwardSettings> forward;
  std::optional<CacheSettings> cache;
  bool keeps_private = false; // reverse names of private addresses are not forwarded from its addresses
  bool log = false;           // one line per query; under a flood a sample
  bool errors = false;        // failures of forwarding are logged
  std::uint32_t ttl = 5;      // seconds
  std::string nsid;           // told to who asks which server this is (RFC 5001), at most 64 octets; empty: nothing

  /// The zones this block serves on one of its addresses.
  [[nodiscard]] std::vector<std::string> zones_on(const Endpoint& endpoint) const;
  /// Zones whose names the source leaves to others where it does not know them.
  [[nodiscard]] std::vector<std::string> falls_through() const;
  /// Whether some names of this zone are among those.
  [[nodiscard]] bool is_partial(std::string_view zone) const;
  /// What `listen` is with the addresses that the host has.
  [[nodiscard]] std::vector<Endpoint> listen_on(const Host& host) const;
  /// Whether that changes with the host.
  [[nodiscard]] bool follows() const;
};

/// What the log writes, and how.
struct LogSettings {
  enum class Level : std::uint8_t { debug, info, warning, error } level = Level::info;
  bool json = false;
  bool operator==(const LogSettings&) const = default;
};

/// An address that serves a page, read-only, to whoever reaches it.
struct PageAddress {
  enum class Page : std::uint8_t { metrics, health, ready } page = Page::metrics;
  Endpoint endpoint; // 0.0.0.0 is every IPv4 address, :: every address
  Place place{};
  bool operator==(const PageAddress&) const = default;
};

/// How often the Corefile is looked at for changes.
struct ReloadSettings {
  std::chrono::milliseconds interval{30000};
  std::chrono::milliseconds jitter{15000}; // the interval is drawn once, up to half of this longer or shorter
  bool operator==(const ReloadSettings&) const = default;
};

struct Settings {
  std::vector<ServerBlock> blocks;
  std::vector<Endpoint> api; // loopback addresses, one server each; empty: no API is opened
  std::string data = "./signpost-data";
  std::vector<model::Prefix> vips;        // one or two of different families
  std::vector<model::Address> reserved;   // registry { vip … { reserve … } }
  std::size_t history_revisions = 100000; // kept for watches and paging …
  std::chrono::seconds history_age{300};  // … and at least this long
  unsigned workers = 0;                   // UDP threads; 0: one per core
  LogSettings log;
  std::vector<PageAddress> pages;        // of `prometheus`, `health` and `ready`
  std::chrono::milliseconds lameduck{0}; // from the signal to stop until DNS stops
  std::optional<ReloadSettings> reload;  // nullopt: only when a signal asks for it
};

} // namespace signpost::server
