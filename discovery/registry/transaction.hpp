// Puts a write's transaction together and, when a condition did not hold, says what that means.
#pragma once

#include "discovery/registry/service_claims.hpp"
#include "discovery/store/store.hpp"

namespace signpost::registry {

class WriteTransaction {
public:
  /// What a condition that did not hold tells.
  enum class Loss : std::uint8_t {
    name_space, // deleted or changed meanwhile: look again
    object,     // exists already (create), or changed meanwhile (update)
    requested,  // an address or port that the client asked for is taken
    chosen,     // one that we chose is taken: choose again
    range,      // the ServiceCIDR that an address is taken from was changed or is gone: look again
  };

  void need_namespace(std::string_view name, store::Revision modified);
  /// Adds the plan's conditions and writes: what the client asked for before the object, what we chose after it, so
  /// that the answer is about the former.
  void write(std::string key, store::Revision expected, store::Value value, const ClaimPlan& plan);
  void erase(std::string key);

  [[nodiscard]] store::Transaction take();
  [[nodiscard]] bool has_claims() const { return has_claims_; }
  [[nodiscard]] Loss loss(std::size_t failed_compare) const { return losses_.at(failed_compare); }
  /// Of the claim that was lost.
  [[nodiscard]] const Cause& cause(std::size_t failed_compare) const { return causes_.at(failed_compare); }

private:
  void compare(std::string key, store::Revision modified, Loss loss, const Cause* cause = nullptr);

  store::Transaction transaction_;
  std::vector<Loss> losses_;
  std::vector<Cause> causes_; // by compare; empty where there is none
  bool has_claims_ = false;
};

} // namespace signpost::registry
