// Claims: what makes an address or a node port somebody's. A claim is a key in the store whose value names the owner;
// it is written in the same transaction as its service, on the condition that it does not exist. So an address cannot
// be given twice, whatever happens, by however many daemons on one store.
//
//   /claims/ip/10.96.0.80   "default web 0b1c…-uid 2026-01-31T12:00:00Z"   (also the facts of the IPAddress view)
//   /claims/port/30080      "default web"
//
// The allocators only propose; they learn of every claim from the store (told() below) and of our own at once.
// Threads: all functions may be called from any thread.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

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

class Claims {
public:
  explicit Claims(const Settings& settings);

  /// A prefix that cannot be served, in one sentence; call before anything else.
  [[nodiscard]] tl::expected<void, std::string> check() const;

  /// The families of the prefixes, the primary first.
  [[nodiscard]] const std::vector<model::Family>& families() const { return families_; }
  /// nullptr: the family has no prefix.
  [[nodiscard]] vip::Allocator* addresses(model::Family family);
  [[nodiscard]] vip::PortAllocator& ports() { return ports_; }

  /// The address of default/kubernetes.
  [[nodiscard]] model::Address first() const { return ranges_.front()->range().first(); }

  /// The store says that this claim exists, or is gone.
  void told(std::string_view key, bool exists);
  /// The store's feed of claims has come this far.
  void told_up_to(store::Revision revision);
  /// A transaction of our own that wrote claims got this revision.
  void wrote(store::Revision revision);
  /// The feed is behind our own writes: what looks full may not be.
  [[nodiscard]] bool behind() const { return told_up_to_ < wrote_; }

private:
  std::string problem_;
  std::vector<model::Family> families_;
  std::vector<std::unique_ptr<vip::Allocator>> ranges_; // one or two, as families_
  vip::PortAllocator ports_;
  std::atomic<store::Revision> told_up_to_{0}, wrote_{0};
};

} // namespace signpost::registry
