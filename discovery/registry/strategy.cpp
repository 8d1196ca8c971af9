#include "discovery/registry/strategy.hpp"

#include <array>

#include "discovery/registry/endpoint_slice_rules.hpp"
#include "discovery/registry/endpoints_rules.hpp"
#include "discovery/registry/event_rules.hpp"
#include "discovery/registry/ip_address_rules.hpp"
#include "discovery/registry/lease_rules.hpp"
#include "discovery/registry/namespace_rules.hpp"
#include "discovery/registry/pod_rules.hpp"
#include "discovery/registry/registry.hpp"
#include "discovery/registry/service_rules.hpp"

namespace signpost::registry {
namespace {

using model::EndpointSlice;
using model::Lease;
using model::Namespace;
using model::Object;
using model::Service;

template <class T>
std::vector<Cause> collect(void (*check)(const T&, FieldErrors&), const Object& object) {
  FieldErrors errors;
  check(std::get<T>(object), errors);
  return errors.take();
}

template <class T>
std::vector<Cause> collect(void (*check)(const T&, const T&, FieldErrors&), const Object& wanted,
                           const Object& current) {
  FieldErrors errors;
  check(std::get<T>(wanted), std::get<T>(current), errors);
  return errors.take();
}

template <class T>
T& as(Object& object) {
  return std::get<T>(object);
}
template <class T>
const T& as(const Object& object) {
  return std::get<T>(object);
}

Strategy make_service() {
  Strategy row;
  row.create_on_update = true;
  row.set_defaults = [](Object& object) { set_defaults(as<Service>(object)); };
  row.prepare_create = [](Object& object) {
    as<Service>(object).status = {};
    mirror_cluster_ips(as<Service>(object));
  };
  row.prepare_update = [](Object& wanted, const Object& current) {
    as<Service>(wanted).status = as<Service>(current).status;
    take_over_allocations(as<Service>(wanted), as<Service>(current));
    mirror_cluster_ips(as<Service>(wanted), as<Service>(current));
  };
  row.resolve = [](Object& wanted, const Object* current, std::span<const model::Family> families) {
    return resolve_families(as<Service>(wanted), current == nullptr ? nullptr : &as<Service>(*current), families);
  };
  row.plan = [](Claims& claims, Object& wanted, const Object* current, bool dry_run) {
    return plan_claims(claims, as<Service>(wanted), current == nullptr ? nullptr : &as<Service>(*current), dry_run);
  };
  row.settle_update = [](Object& wanted, const Object& current) {
    drop_type_dependent_fields(as<Service>(wanted), as<Service>(current));
  };
  row.check_create = [](const Object& object) { return collect<Service>(check_service, object); };
  row.check_update = [](const Object& wanted, const Object& current) {
    return collect<Service>(check_service_update, wanted, current);
  };
  row.take_status = [](Object& onto, Object& from) {
    as<Service>(onto).status = std::move(as<Service>(from).status);
    set_defaults(as<Service>(onto));
  };
  row.check_status = [](const Object& object) { return collect<Service>(check_service_status, object); };
  row.append_claims = [](const Object& object, std::vector<std::string>& keys) {
    const Service& service = as<Service>(object);
    append_claims(service, keys);
    keys.push_back(object_key(model::Kind::endpoints, service.metadata.name_space, service.metadata.name));
  };
  return row;
}

Strategy make_endpoint_slice() {
  Strategy row;
  row.set_defaults = [](Object& object) { set_defaults(as<EndpointSlice>(object)); };
  row.prepare_create = [](Object& object) {
    as<EndpointSlice>(object).metadata.generation = 1;
    drop_topology(as<EndpointSlice>(object));
  };
  row.prepare_update = [](Object& wanted, const Object&) { drop_topology(as<EndpointSlice>(wanted)); };
  row.settle_update = [](Object& wanted, const Object& current) {
    as<EndpointSlice>(wanted).metadata.generation =
        next_generation(as<EndpointSlice>(wanted), as<EndpointSlice>(current));
  };
  row.check_create = [](const Object& object) { return collect<EndpointSlice>(check_endpoint_slice, object); };
  row.check_update = [](const Object& wanted, const Object& current) {
    return collect<EndpointSlice>(check_endpoint_slice_update, wanted, current);
  };
  return row;
}

Strategy make_endpoints() {
  Strategy row;
  row.create_on_update = true;
  row.set_defaults = [](Object& object) { set_defaults(as<model::Endpoints>(object)); };
  row.check_create = [](const Object& object) { return collect<model::Endpoints>(check_endpoints, object); };
  row.check_update = [](const Object& wanted, const Object& current) {
    return collect<model::Endpoints>(check_endpoints_update, wanted, current);
  };
  return row;
}

Strategy make_lease() {
  Strategy row;
  row.create_on_update = true;
  row.needs_revision = true;
  row.set_defaults = [](Object& object) { drop_coordination(as<Lease>(object)); };
  row.check_create = [](const Object& object) { return collect<Lease>(check_lease, object); };
  row.check_update = [](const Object& wanted, const Object& current) {
    return collect<Lease>(check_lease_update, wanted, current);
  };
  return row;
}

Strategy make_event() {
  Strategy row;
  row.create_on_update = true;
  row.set_defaults = [](Object&) {};
  row.check_create = [](const Object& object) { return collect<model::Event>(check_event, object); };
  row.check_update = [](const Object& wanted, const Object& current) {
    return collect<model::Event>(check_event_update, wanted, current);
  };
  return row;
}

Strategy make_pod() {
  Strategy row;
  row.set_defaults = [](Object& object) { set_defaults(as<model::Pod>(object)); };
  row.prepare_create = [](Object& object) { prepare_create(as<model::Pod>(object)); };
  row.prepare_update = [](Object& wanted, const Object& current) {
    model::Pod& pod = as<model::Pod>(wanted);
    pod.status = as<model::Pod>(current).status;
    if (pod.spec != as<model::Pod>(current).spec) ++pod.metadata.generation;
  };
  row.check_create = [](const Object& object) { return collect<model::Pod>(check_pod, object); };
  row.check_update = [](const Object& wanted, const Object& current) {
    return collect<model::Pod>(check_pod_update, wanted, current);
  };
  row.take_status = [](Object& onto, Object& from) {
    as<model::Pod>(onto).status = std::move(as<model::Pod>(from).status);
    set_defaults(as<model::Pod>(onto));
  };
  row.check_status = [](const Object& object) { return collect<model::Pod>(check_pod_status, object); };
  return row;
}

Strategy make_node() {
  Strategy row;
  row.set_defaults = [](Object& object) { set_defaults(as<model::Node>(object)); };
  row.prepare_update = [](Object& wanted, const Object& current) {
    as<model::Node>(wanted).status = as<model::Node>(current).status;
  };
  row.check_create = [](const Object& object) { return collect<model::Node>(check_node, object); };
  row.check_update = [](const Object& wanted, const Object& current) {
    return collect<model::Node>(check_node_update, wanted, current);
  };
  row.take_status = [](Object& onto, Object& from) {
    as<model::Node>(onto).status = std::move(as<model::Node>(from).status);
  };
  row.check_status = [](const Object& object) { return collect<model::Node>(check_node, object); };
  return row;
}

Strategy make_service_cidr() {
  using model::ServiceCidr;
  Strategy row;
  row.set_defaults = [](Object&) {};
  row.prepare_create = [](Object& object) { prepare_create(as<ServiceCidr>(object)); };
  row.prepare_update = [](Object& wanted, const Object& current) {
    prepare_update(as<ServiceCidr>(wanted), as<ServiceCidr>(current));
  };
  row.check_create = [](const Object& object) { return collect<ServiceCidr>(check_service_cidr, object); };
  row.check_update = [](const Object& wanted, const Object& current) {
    return collect<ServiceCidr>(check_service_cidr_update, wanted, current);
  };
  row.take_status = [](Object& onto, Object& from) {
    as<ServiceCidr>(onto).status = std::move(as<ServiceCidr>(from).status);
  };
  return row;
}

Strategy make_ip_address() {
  using model::IpAddress;
  Strategy row;
  row.set_defaults = [](Object&) {};
  row.check_create = [](const Object& object) { return collect<IpAddress>(check_ip_address, object); };
  row.check_update = [](const Object& wanted, const Object& current) {
    return collect<IpAddress>(check_ip_address_update, wanted, current);
  };
  return row;
}

Strategy make_namespace() {
  Strategy row;
  row.set_defaults = [](Object& object) { set_defaults(as<Namespace>(object)); };
  row.prepare_create = [](Object& object) { prepare_create(as<Namespace>(object)); };
  row.prepare_update = [](Object& wanted, const Object& current) {
    as<Namespace>(wanted).spec = as<Namespace>(current).spec;
    as<Namespace>(wanted).status = as<Namespace>(current).status;
  };
  row.check_create = [](const Object& object) { return collect<Namespace>(check_namespace, object); };
  row.check_update = [](const Object& wanted, const Object& current) {
    return collect<Namespace>(check_namespace_update, wanted, current);
  };
  row.take_status = [](Object& onto, Object& from) {
    Namespace& name_space = as<Namespace>(onto);
    name_space.status = std::move(as<Namespace>(from).status);
  };
  row.check_status = [](const Object& object) { return collect<Namespace>(check_namespace_status, object); };
  return row;
}

} // namespace

const Strategy& strategy(model::Kind kind) {
  static const std::array<Strategy, std::variant_size_v<Object>> rows = [] {
    std::array<Strategy, std::variant_size_v<Object>> table;
    table[static_cast<std::size_t>(model::Kind::name_space)] = make_namespace();
    table[static_cast<std::size_t>(model::Kind::service)] = make_service();
    table[static_cast<std::size_t>(model::Kind::endpoint_slice)] = make_endpoint_slice();
    table[static_cast<std::size_t>(model::Kind::endpoints)] = make_endpoints();
    table[static_cast<std::size_t>(model::Kind::service_cidr)] = make_service_cidr();
    table[static_cast<std::size_t>(model::Kind::ip_address)] = make_ip_address();
    table[static_cast<std::size_t>(model::Kind::lease)] = make_lease();
    table[static_cast<std::size_t>(model::Kind::event)] = make_event();
    table[static_cast<std::size_t>(model::Kind::group_event)] = make_event();
    table[static_cast<std::size_t>(model::Kind::pod)] = make_pod();
    table[static_cast<std::size_t>(model::Kind::node)] = make_node();
    return table;
  }();
  return rows[static_cast<std::size_t>(kind)];
}

bool creates_on_update(model::Kind kind) { return strategy(kind).create_on_update; }

std::span<const model::Kind> namespace_contents() {
  static constexpr model::Kind kinds[] = {model::Kind::service, model::Kind::endpoint_slice, model::Kind::endpoints,
                                          model::Kind::lease,   model::Kind::event,          model::Kind::pod};
  return kinds;
}

} // namespace signpost::registry
