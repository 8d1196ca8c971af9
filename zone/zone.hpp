// The zone: what DNS says about the services it was told of. One writer puts services in and publishes; any number of
// worker threads answer from it without a lock (authority/authority.hpp, index/epoch.hpp).
//
//   Zone zone({.cluster_domain = "cluster.local", .origins = {"cluster.local", "in-addr.arpa", "ip6.arpa"}});
//   zone.put_namespace("default");
//   zone.put(view);          // a ServiceView from the catalog
//   zone.publish();          // readers see it from here on at the latest
//   zone.set_ready();        // before this every question in the zone gets SERVFAIL with EDE 14
//
// Both name forms (<svc>.<ns>.svc.<domain> and <svc>.<ns>.<domain>) are answered from one entry. A change costs what
// it touches. Sources: Kubernetes DNS specification 1.1.0, RFC 1034, 1035, 2308, 2782, 6891, 8020, 8914.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "discovery/model/service_view.hpp"

namespace signpost::zone {

struct ZoneSettings {
  std::string cluster_domain = "cluster.local";                                     // without trailing dot
  std::vector<std::string> origins = {"cluster.local", "in-addr.arpa", "ip6.arpa"}; // zones served whole
  std::vector<std::string> partial; // origins of which others may know more names: what is not here is Verdict::denied
  std::vector<model::Address> server_addresses; // A/AAAA of ns.dns.<cluster_domain>
  std::uint32_t ttl = 5;                        // seconds, of every record but dns-version
};

class Index; // index/index.hpp: what the readers see

class Zone {
public:
  explicit Zone(ZoneSettings settings);
  ~Zone();
  Zone(const Zone&) = delete;
  Zone& operator=(const Zone&) = delete;

  // Writer's side: one thread.
  void put(const model::ServiceView& service);
  void erase(const model::ServiceKey& service);
  void put_namespace(std::string_view name);
  void erase_namespace(std::string_view name);
  /// Ends a round of changes: all of them are visible to readers now (each is, whole, from its put() on), the SOA
  /// serial has grown if there was any, and memory that no reader can see any more is used again.
  void publish();
  /// The source's first complete list is in: answers instead of SERVFAIL.
  void set_ready();
  /// The source is lost (or back): answers carry EDE 3 while it is.
  void set_stale(bool stale);

  /// For the log and for metrics. Writer's thread.
  struct Counts {
    std::size_t services = 0, namespaces = 0;
    std::size_t addresses = 0; // with a reverse name
    std::size_t octets = 0;    // of memory in use, tables included
    std::size_t blocks = 0;    // octets of `octets` that hold entries
    std::size_t taken = 0;     // octets that entries ever took, free ones included
    std::size_t waiting = 0;   // replaced entries that a reader may still see
  };
  [[nodiscard]] Counts counts() const;

  /// The first name that was too long to be told (255 octets; it has no record and none leads to it), as text: a
  /// service's, an endpoint's, a port's, or hostmaster of the domain. Empty: there was none. Writer's thread.
  [[nodiscard]] const std::string& long_name() const;

  // Readers' side: any thread.
  [[nodiscard]] const Index& index() const { return *index_; }
  [[nodiscard]] const ZoneSettings& settings() const;

private:
  struct State;
  std::unique_ptr<State> state_;
  const Index* index_; // state_'s, without its definition
};

} // namespace signpost::zone
