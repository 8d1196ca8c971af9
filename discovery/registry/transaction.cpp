#include "discovery/registry/transaction.hpp"

#include <set>

namespace signpost::registry {

void WriteTransaction::compare(std::string key, store::Revision modified, Loss loss, const Cause* cause) {
  transaction_.compares.push_back({std::move(key), modified});
  losses_.push_back(loss);
  causes_.push_back(cause == nullptr ? Cause{} : *cause);
}

void WriteTransaction::need_namespace(std::string_view name, store::Revision modified) {
  compare(object_key(model::Kind::name_space, {}, name), modified, Loss::name_space);
}

void WriteTransaction::write(std::string key, store::Revision expected, store::Value value, const ClaimPlan& plan) {
  // A port that moves within one service changes no hands.
  const std::set<std::string_view> releases(plan.releases.begin(), plan.releases.end());
  std::set<std::string_view> takings;
  for (const Taking& taking : plan.takings) takings.insert(taking.key);
  const auto released = [&](const Taking& taking) { return releases.contains(taking.key); };
  const auto moved = [&](const std::string& release) { return takings.contains(release); };
  std::set<std::string_view> cidrs;
  for (const auto& range : plan.ranges) {
    if (!cidrs.insert(range->cidr).second) continue;
    compare(object_key(model::Kind::service_cidr, {}, range->cidr), range->revision, Loss::range);
  }
  has_claims_ = has_claims_ || key.starts_with(claims_prefix);
  for (const Taking& taking : plan.takings) {
    if (taking.cause && !released(taking)) compare(taking.key, 0, Loss::requested, &*taking.cause);
  }
  compare(key, expected, Loss::object);
  transaction_.writes.push_back({std::move(key), std::move(value)});
  for (const Taking& taking : plan.takings) {
    if (released(taking)) continue;
    if (!taking.cause) compare(taking.key, 0, Loss::chosen);
    transaction_.writes.push_back({taking.key, taking.value});
  }
  for (const std::string& key_released : plan.releases) {
    if (!moved(key_released)) erase(key_released);
  }
  has_claims_ = has_claims_ || !plan.takings.empty();
}

void WriteTransaction::erase(std::string key) {
  has_claims_ = true;
  transaction_.writes.push_back({std::move(key), nullptr});
}

store::Transaction WriteTransaction::take() { return std::move(transaction_); }

} // namespace signpost::registry
