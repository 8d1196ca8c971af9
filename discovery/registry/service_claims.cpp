#include "discovery/registry/service_claims.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "discovery/registry/field_errors.hpp"
#include "discovery/registry/names.hpp"
#include "discovery/registry/service_rules.hpp"

namespace signpost::registry {
namespace {

using model::Service;
using model::ServicePort;

constexpr std::string_view taken_port = "provided port is already allocated";
constexpr std::string_view full = "range is full";
constexpr int placeholder_port =
    32769; // a dry run's node ports: beyond the usual range, so that nobody takes them for real

Cause invalid_cause(std::string field, std::string_view value, std::string_view detail) {
  FieldErrors errors;
  errors.invalid(std::move(field), value, detail);
  return std::move(errors.take().front());
}

bool has_addresses(const Service& service) { return needs_cluster_ip(service) && !is_headless(service); }

class Planner {
public:
  Planner(Claims& claims, Service& service, const Service* current, bool dry_run)
      : claims_(claims), service_(service), current_(current), dry_run_(dry_run) {}

  tl::expected<ClaimPlan, Status> run() {
    if (auto done = plan_addresses(); !done) return tl::unexpected(std::move(done.error()));
    if (auto done = plan_ports(); !done) return tl::unexpected(std::move(done.error()));
    if (auto done = plan_health_check_port(); !done) return tl::unexpected(std::move(done.error()));
    if (dry_run_) return ClaimPlan{};
    return std::move(plan_);
  }

private:
  using Done = tl::expected<void, Status>;

  Done refuse(Cause cause) const {
    return tl::unexpected(invalid(model::info(model::Kind::service), service_.metadata.name, {std::move(cause)}));
  }

  Done plan_addresses() {
    if (current_ == nullptr || !needs_cluster_ip(*current_)) {
      return has_addresses(service_) ? take_addresses(0) : Done();
    }
    const model::ServiceSpec& before = current_->spec;
    if (is_headless(*current_) || keeps_dual_stack_preference(service_, *current_)) return {};
    if (!needs_cluster_ip(service_)) {
      for (const std::string& ip : before.cluster_ips) release_address(ip);
    } else if (before.cluster_ips.size() == 1 && service_.spec.ip_families.size() == 2) {
      return take_addresses(1);
    } else if (before.cluster_ips.size() == 2 && service_.spec.ip_families.size() == 1) {
      release_address(before.cluster_ips[1]);
    }
    return {};
  }

  Done take_addresses(std::size_t from) {
    model::ServiceSpec& spec = service_.spec;
    if (is_headless(service_)) return {}; // an update to it; validation refuses that
    const std::vector<std::string> given = spec.cluster_ips;
    spec.cluster_ips.resize(std::max(given.size(), spec.ip_families.size()));
    for (std::size_t i = from; i < spec.ip_families.size(); ++i) {
      const ServiceRanges ranges =
          claims_.ranges(spec.ip_families[i] == "IPv4" ? model::Family::ipv4 : model::Family::ipv6);
      std::string& ip = spec.cluster_ips[i];
      const Done done = ip.empty() ? choose_address(ranges, ip) : request_address(ranges, ip, given);
      if (!done) return done;
    }
    if (!spec.cluster_ips.empty()) spec.cluster_ip = spec.cluster_ips.front();
    return {};
  }

  Done choose_address(const ServiceRanges& ranges, std::string& ip) {
    if (dry_run_ && !ranges.empty()) {
      ip = ranges.front()->allocator.range().prefix().base.to_string();
      return {};
    }
    std::optional<vip::HeldAddress> held;
    for (const auto& range : ranges) {
      held = range->allocator.pick();
      if (!held) continue;
      plan_.ranges.push_back(range);
      break;
    }
    if (!held) {
      return tl::unexpected(internal_error("failed to allocate a serviceIP: " + std::string(full)));
    }
    ip = held->value().to_string();
    take(std::string(address_claims_prefix) + ip, address_claim(service_.metadata.name_space, service_.metadata.name),
         std::nullopt);
    plan_.addresses.push_back(std::move(*held));
    return {};
  }

  Done request_address(const ServiceRanges& ranges, const std::string& ip, const std::vector<std::string>& given) {
    const auto address = model::read_address(ip);
    const std::string why = "failed to allocate IP " + ip + ": ";
    const auto range = std::find_if(ranges.begin(), ranges.end(), [&](const auto& one) {
      return address && one->allocator.range().index_of(*address);
    });
    if (range == ranges.end()) {
      std::string valid;
      for (const auto& one : ranges) valid += (valid.empty() ? "" : ", ") + one->allocator.range().prefix().to_string();
      const std::string outside =
          dry_run_ ? "the provided IP (" + ip + ") is not in the valid range. The range of valid IPs is " + valid
                   : "the provided network does not match the current range";
      return refuse(invalid_cause("spec.clusterIPs", quoted(given), why + outside));
    }
    const Cause taken = invalid_cause("spec.clusterIPs", quoted(given), why + "provided IP is already allocated");
    if (current_ != nullptr) {
      const auto& own = current_->spec.cluster_ips; // a second time, as when the families are turned round
      if (std::find(own.begin(), own.end(), ip) != own.end()) return refuse(taken);
    }
    if (dry_run_) return {};
    // Without a hold it may still be free: the allocator can be behind, the store decides.
    plan_.ranges.push_back(*range);
    if (auto held = (*range)->allocator.hold(*address)) plan_.addresses.push_back(std::move(*held));
    take(address_claim_key(*address), address_claim(service_.metadata.name_space, service_.metadata.name), taken);
    return {};
  }

  void release_address(const std::string& ip) {
    if (const auto address = model::read_address(ip)) plan_.releases.push_back(address_claim_key(*address));
  }

  Done plan_ports() {
    std::set<int> before;
    if (current_ != nullptr && needs_node_port(*current_)) {
      for (const ServicePort& port : current_->spec.ports) {
        if (port.node_port != 0) before.insert(port.node_port);
      }
    }
    if (needs_node_port(service_)) {
      const Done done = current_ == nullptr ? take_ports() : update_ports(before);
      if (!done) return done;
    }
    for (const ServicePort& port : service_.spec.ports) {
      if (needs_node_port(service_)) before.erase(port.node_port);
    }
    for (const int port : before) plan_.releases.push_back(port_claim_key(port));
    return {};
  }

  // Ports of one number, as DNS over UDP and TCP has, share a node port.
  Done take_ports() {
    std::map<std::int32_t, std::int32_t> by_number;
    auto& ports = service_.spec.ports;
    std::map<std::int32_t, std::int32_t> asked; // the first that is asked for, by port
    for (const ServicePort& port : ports) {
      if (port.node_port != 0) asked.emplace(port.port, port.node_port);
    }
    for (std::size_t i = 0; i < ports.size(); ++i) {
      ServicePort& port = ports[i];
      if (port.node_port == 0 && !allocates_node_ports(service_)) continue;
      const std::string field = item("spec.ports", i, "nodePort");
      std::int32_t& shared = by_number[port.port];
      if (shared == 0) {
        if (const auto wanted = asked.find(port.port); wanted != asked.end()) {
          shared = wanted->second;
          if (Done done = request_port(shared, field); !done) return done;
        } else if (Done done = choose_port(shared, "nodePort"); !done) {
          return done;
        }
        port.node_port = shared;
      } else if (port.node_port == 0) {
        port.node_port = shared;
      } else if (port.node_port != shared) {
        if (Done done = request_port(port.node_port, field); !done) return done;
      }
    }
    return {};
  }

  Done update_ports(const std::set<int>& before) {
    auto& ports = service_.spec.ports;
    for (std::size_t i = 0; i < ports.size(); ++i) {
      ServicePort& port = ports[i];
      if (port.node_port == 0) {
        if (!allocates_node_ports(service_)) continue;
        if (Done done = choose_port(port.node_port, "nodePort"); !done) return done;
      } else if (!before.contains(port.node_port) && !requested_.contains(port.node_port)) {
        if (Done done = request_port(port.node_port, item("spec.ports", i, "nodePort")); !done) return done;
      }
    }
    return {};
  }

  Done plan_health_check_port() {
    const bool needed = current_ != nullptr && needs_health_check_port(*current_);
    const bool needs = needs_health_check_port(service_);
    std::int32_t& port = service_.spec.health_check_node_port;
    if (needs && !needed) {
      return port == 0 ? choose_port(port, "HealthCheck NodePort") : request_port(port, "spec.healthCheckNodePort");
    }
    if (needed && !needs && current_->spec.health_check_node_port != 0) {
      plan_.releases.push_back(port_claim_key(current_->spec.health_check_node_port));
    }
    return {};
  }

  Done choose_port(std::int32_t& port, std::string_view what) {
    if (dry_run_) {
      port = placeholder_port + placeholders_++;
      return {};
    }
    auto held = claims_.ports().pick();
    if (!held) {
      return tl::unexpected(internal_error("failed to allocate a " + std::string(what) + ": " + std::string(full)));
    }
    port = held->value();
    requested_.insert(port);
    take(port_claim_key(port), port_claim(service_.metadata.name_space, service_.metadata.name), std::nullopt);
    plan_.ports.push_back(std::move(*held));
    return {};
  }

  Done request_port(std::int32_t port, const std::string& field) {
    vip::PortAllocator& ports = claims_.ports();
    const auto because = [&](std::string_view why) { return invalid_cause(field, std::to_string(port), why); };
    if (!ports.contains(port)) {
      if (dry_run_ && is_port(port)) return {};
      return refuse(because("provided port is not in the valid range. The range of valid ports is " +
                            std::to_string(ports.first()) + "-" + std::to_string(ports.last())));
    }
    const auto number = static_cast<std::uint16_t>(port);
    if (!requested_.insert(port).second || (dry_run_ && ports.taken(number))) return refuse(because(taken_port));
    if (dry_run_) return {};
    if (auto held = ports.hold(number)) plan_.ports.push_back(std::move(*held));
    take(port_claim_key(port), port_claim(service_.metadata.name_space, service_.metadata.name), because(taken_port));
    return {};
  }

  void take(std::string key, store::Value value, std::optional<Cause> cause) {
    plan_.takings.push_back({std::move(key), std::move(value), std::move(cause)});
  }

  Claims& claims_;
  Service& service_;
  const Service* current_;
  const bool dry_run_;
  ClaimPlan plan_;
  std::set<int> requested_;
  int placeholders_ = 0;
};

} // namespace

void ClaimPlan::commit() {
  for (vip::HeldAddress& held : addresses) held.commit();
  for (vip::HeldPort& held : ports) held.commit();
}

tl::expected<ClaimPlan, Status> plan_claims(Claims& claims, Service& service, const Service* current, bool dry_run) {
  return Planner(claims, service, current, dry_run).run();
}

void append_claims(const Service& service, std::vector<std::string>& keys) {
  if (has_addresses(service)) {
    for (const std::string& ip : service.spec.cluster_ips) {
      if (const auto address = model::read_address(ip)) keys.push_back(address_claim_key(*address));
    }
  }
  // Only these types own the node ports that they name.
  std::set<int> ports;
  if (needs_node_port(service)) {
    for (const ServicePort& port : service.spec.ports) ports.insert(port.node_port);
  }
  if (needs_health_check_port(service)) ports.insert(service.spec.health_check_node_port);
  ports.erase(0);
  for (const int port : ports) keys.push_back(port_claim_key(port));
}

bool is_range_full(const Status& status) {
  return status.code == 500 && status.message.size() > full.size() &&
         status.message.compare(status.message.size() - full.size(), full.size(), full) == 0;
}

} // namespace signpost::registry
