// What the endpoints controller remembers of the cluster: enough to tell which services a change concerns, and what
// the Pods of a namespace are. Everything else is read again when it is needed.
//
// Threads: none inside; its owner's only.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "discovery/endpoints/desired_slices.hpp"
#include "discovery/model/service_view.hpp"
#include "discovery/registry/registry.hpp"

namespace signpost::endpoints {

class ClusterIndex {
public:
  /// What it wants to be told of.
  static constexpr model::Kind kinds[] = {model::Kind::service, model::Kind::pod, model::Kind::node,
                                          model::Kind::endpoint_slice, model::Kind::endpoints};

  /// Takes a change in; adds the services that it concerns.
  void apply(const store::Change& change, std::set<model::ServiceKey>& concerned);

  /// A slice that the controller wrote itself: the change that will be told is no news. `revision` 0: it deleted it.
  void wrote(const model::ServiceKey& service, const std::string& slice, store::Revision revision);

  /// Names of the controller's slices of the service.
  [[nodiscard]] std::vector<std::string> slices(const model::ServiceKey& service) const;
  /// There is an Endpoints object that somebody wrote.
  [[nodiscard]] bool has_endpoints(const model::ServiceKey& service) const { return endpoints_.contains(service); }
  /// The Pods of the namespace that the selector selects, in the order of their names.
  [[nodiscard]] std::vector<const PodFacts*> pods(const std::string& name_space, const Selector& selector) const;
  /// nullptr: not known.
  [[nodiscard]] const std::string* zone_of(const std::string& node) const;

private:
  using Concerned = std::set<model::ServiceKey>;

  void apply_service(const model::ServiceKey& key, const store::Change& change, Concerned& concerned);
  void apply_pod(const model::ServiceKey& key, const store::Change& change, Concerned& concerned);
  void apply_node(const std::string& name, const store::Change& change, Concerned& concerned);
  void apply_slice(const model::ServiceKey& key, const store::Change& change, Concerned& concerned);
  /// The service has a selector, and there is a Pod that it selects.
  [[nodiscard]] bool selects_any(const model::ServiceKey& key) const;
  void concern(const std::string& name_space, const PodFacts& pod, Concerned& concerned) const;

  std::map<std::string, std::map<std::string, Selector>> selectors_; // namespace → service; those that have one
  std::map<std::string, std::map<std::string, PodFacts>> pods_;      // namespace → name
  std::map<std::string, std::string> zones_;                         // node → zone
  std::map<model::ServiceKey, std::map<std::string, store::Revision>> slices_; // the controller's; by name
  std::set<model::ServiceKey> endpoints_;
};

} // namespace signpost::endpoints
