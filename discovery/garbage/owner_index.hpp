// Which objects name which others as their owners, so that the end of one tells whom it concerns.
//
// Threads: none inside; its owner's only.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "discovery/registry/registry.hpp"

namespace signpost::garbage {

class OwnerIndex {
public:
  /// Takes a change in; adds the keys of the objects that must be looked at.
  void apply(const store::Change& change, std::set<std::string>& concerned);

  /// Keys of the objects that name this uid.
  [[nodiscard]] std::vector<std::string> dependents(const std::string& uid) const;

private:
  void forget(const std::string& key);

  std::map<std::string, std::set<std::string>> dependents_; // uid → keys
  std::map<std::string, std::vector<std::string>> owners_;  // key → uids
};

/// The object at a store key; nullopt: gone, of no kind of ours, or damaged.
[[nodiscard]] std::optional<model::Object> decode_at(const std::string& key, const store::Value& value);

/// Where the owner would be; empty: it is of a kind that is not kept here, so nobody can say whether it exists.
[[nodiscard]] std::string owner_key(const model::OwnerReference& owner, const std::string& name_space);

} // namespace signpost::garbage
