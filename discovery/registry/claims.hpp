// Claims: what makes an address or a node port somebody's. A claim is a key in the store whose value names the owner;
// it is written in the same transaction as its service, on the condition that it does not exist. So an address cannot
// be given twice, whatever happens, by however many daemons on one store.
//
//   /claims/ip/10.96.0.80   "default web 0b1c…-uid 2026-01-31T12:00:00Z"   of a service
//   /claims/ip/10.96.0.81   {"kind":"IPAddress",…                           that a client wrote
//   /claims/port/30080      "default web"
//
// An IPAddress is the claim of its address: the short form is shown as the object that it stands for.
//
// The allocators only propose; they learn of every claim from the store (told() below) and of our own at once.
// Threads: all functions may be called from any thread.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "discovery/model/service_cidr.hpp"
#include "discovery/model/service_view.hpp"
#include "discovery/registry/registry.hpp"
#include "discovery/vip/allocator.hpp"
#include "discovery/vip/port_allocator.hpp"

namespace signpost::registry {

inline constexpr std::string_view claims_prefix = "/claims/";
inline constexpr std::string_view address_claims_prefix = "/claims/ip/";
inline constexpr std::string_view port_claims_prefix = "/claims/port/";

[[nodiscard]] std::string address_claim_key(const model::Address& address);
[[nodiscard]] std::string port_claim_key(int port);

struct AddressClaim {
  model::ServiceKey owner;
  std::string uid;     // of the IPAddress
  std::string created; // RFC 3339
};
[[nodiscard]] store::Value address_claim(std::string_view name_space, std::string_view name);
[[nodiscard]] store::Value port_claim(std::string_view name_space, std::string_view name);
/// nullopt: the value is not a claim of ours.
[[nodiscard]] std::optional<AddressClaim> read_address_claim(std::string_view value);

/// A prefix that addresses are given from, by leave of a ServiceCIDR.
struct ServiceRange {
  ServiceRange(const vip::Range& range, std::string the_cidr) : allocator(range), cidr(std::move(the_cidr)) {}

  vip::Allocator allocator;
  const std::string cidr;                   // name of the ServiceCIDR
  std::atomic<store::Revision> revision{0}; // of the ServiceCIDR: a claim is made on the condition that it still is
  std::atomic<bool> ready{false};           // new addresses may be given
};
using ServiceRanges = std::vector<std::shared_ptr<ServiceRange>>;

class Claims {
public:
  explicit Claims(const Settings& settings);

  /// A prefix that cannot be served, in one sentence; call before anything else.
  [[nodiscard]] tl::expected<void, std::string> check() const;

  /// The families of the configured prefixes, the primary first.
  [[nodiscard]] const std::vector<model::Family>& families() const { return families_; }
  /// Those of the family that are ready, in the order in which they came.
  [[nodiscard]] ServiceRanges ranges(model::Family family) const;
  [[nodiscard]] vip::PortAllocator& ports() { return ports_; }

  /// The address of default/kubernetes: the first of the primary prefix.
  [[nodiscard]] model::Address first() const { return primary_->first(); }

  /// Takes a ServiceCIDR in, as of this revision; nullptr: it is gone. Ranges that are new are given back: they know
  /// no claim yet and are not ready until they are told of all and open() is called. Something older is no news.
  [[nodiscard]] ServiceRanges learn(const std::string& cidr, const model::ServiceCidr* object,
                                    store::Revision revision);
  static void open(const ServiceRanges& ranges);
  /// Names of the ServiceCIDRs that are to go when no address needs them any more.
  [[nodiscard]] std::vector<std::string> terminating() const;

  /// The store says that this claim exists, or is gone.
  void told(std::string_view key, bool exists);
  /// The store's feed of claims has come this far.
  void told_up_to(store::Revision revision);
  /// A transaction of our own that wrote claims got this revision.
  void wrote(store::Revision revision);
  /// The feed is behind our own writes: what looks full may not be.
  [[nodiscard]] bool behind() const { return told_up_to_ < wrote_; }

private:
  struct Known {
    store::Revision revision = 0;
    bool terminating = false;
  };

  std::string problem_;
  std::vector<model::Family> families_;
  std::optional<vip::Range> primary_;
  const std::vector<model::Address> reserved_;
  mutable std::shared_mutex mutex_;
  ServiceRanges ranges_;               // guarded by mutex_
  std::map<std::string, Known> cidrs_; // guarded by mutex_
  vip::PortAllocator ports_;
  std::atomic<store::Revision> told_up_to_{0}, wrote_{0};
};

} // namespace signpost::registry
