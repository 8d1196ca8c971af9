// The fields of every struct, listed once: the JSON name, the protobuf number, the member. The JSON reader and writer
// and the protobuf reader walk these lists; nothing else in the tree spells a field's name.
//
//   template <> struct Schema<ForZone> {
//     static constexpr std::string_view go_name = "ForZone";
//     static constexpr std::tuple fields{field("name", 1, &ForZone::name, Omit::never)};
//   };
//
// Private to this room. The order is the API's (Go's declaration order), which is the order of encoded JSON.
#pragma once

#include <array>
#include <string_view>
#include <tuple>

#include "discovery/model/access_review.hpp"
#include "discovery/model/kind.hpp"
#include "discovery/model/protobuf.hpp"

namespace signpost::model {

/// When the writer leaves a field out. Structs are never left out, as in Go.
enum class Omit : std::uint8_t {
  empty, // Go's omitempty
  never, // written even when empty
};

/// How a string field is written on the wire.
enum class Form : std::uint8_t {
  plain,
  time,       // metav1.Time: RFC 3339 text in JSON, {1 seconds, 2 nanoseconds} in protobuf; null and zero are empty
  micro_time, // metav1.MicroTime: the same in microseconds
};

template <class Owner, class Member>
struct Field {
  std::string_view name;
  unsigned number;
  Member Owner::*member;
  Omit omit;
  std::string_view go_type; // the named Go type of the value (or element), for error texts; empty: the plain one
  Form form;
};

template <class Owner, class Member>
constexpr Field<Owner, Member> field(std::string_view name, unsigned number, Member Owner::*member,
                                     Omit omit = Omit::empty, std::string_view go_type = {}, Form form = Form::plain) {
  return {name, number, member, omit, go_type, form};
}

template <class Owner, class Member>
constexpr Field<Owner, Member> field(std::string_view name, unsigned number, Member Owner::*member,
                                     std::string_view go_type) {
  return {name, number, member, Omit::empty, go_type, Form::plain};
}

template <class Owner>
constexpr Field<Owner, std::string> time_field(std::string_view name, unsigned number, std::string Owner::*member) {
  return {name, number, member, Omit::empty, {}, Form::time};
}

template <class Owner>
constexpr Field<Owner, std::string> micro_time_field(std::string_view name, unsigned number,
                                                     std::string Owner::*member) {
  return {name, number, member, Omit::empty, {}, Form::micro_time};
}

template <class T>
struct Schema; // a type without one is not a struct of the API

template <class T>
concept Structure = requires {
  Schema<T>::fields;
};

/// Members beside the fields are kept unread in T::others.
template <class T>
concept Open = requires {
  Schema<T>::others;
};

/// Fields that are known (no warning about them) but not kept.
template <class T>
constexpr bool is_dropped(std::string_view name) {
  if constexpr (requires { Schema<T>::dropped; }) {
    for (const auto& dropped : Schema<T>::dropped) {
      if (dropped == name) return true;
    }
  }
  return false;
}

template <>
struct Schema<OwnerReference> {
  using T = OwnerReference;
  static constexpr std::string_view go_name = "OwnerReference";
  static constexpr std::tuple fields{
      field("apiVersion", 5, &T::api_version, Omit::never),
      field("kind", 1, &T::kind, Omit::never),
      field("name", 3, &T::name, Omit::never),
      field("uid", 4, &T::uid, Omit::never, "types.UID"),
      field("controller", 6, &T::controller),
      field("blockOwnerDeletion", 7, &T::block_owner_deletion),
  };
};

// The name is written always: an encoded object has a member in its metadata, before which others can be put.
template <>
struct Schema<ObjectMeta> {
  using T = ObjectMeta;
  static constexpr std::string_view go_name = "ObjectMeta";
  static constexpr std::tuple fields{
      field("name", 1, &T::name, Omit::never),
      field("generateName", 2, &T::generate_name),
      field("namespace", 3, &T::name_space),
      field("uid", 5, &T::uid, "types.UID"),
      field("resourceVersion", 6, &T::resource_version),
      field("generation", 7, &T::generation),
      time_field("creationTimestamp", 8, &T::creation_timestamp),
      time_field("deletionTimestamp", 9, &T::deletion_timestamp),
      field("deletionGracePeriodSeconds", 10, &T::deletion_grace_period_seconds),
      field("labels", 11, &T::labels),
      field("annotations", 12, &T::annotations),
      field("ownerReferences", 13, &T::owner_references),
      field("finalizers", 14, &T::finalizers),
  };
  static constexpr std::array<std::string_view, 2> dropped{"managedFields", "selfLink"};
};

template <>
struct Schema<ObjectReference> {
  using T = ObjectReference;
  static constexpr std::string_view go_name = "ObjectReference";
  static constexpr std::tuple fields{
      field("kind", 1, &T::kind),
      field("namespace", 2, &T::name_space),
      field("name", 3, &T::name),
      field("uid", 4, &T::uid, "types.UID"),
      field("apiVersion", 5, &T::api_version),
      field("resourceVersion", 6, &T::resource_version),
      field("fieldPath", 7, &T::field_path),
  };
};

template <>
struct Schema<Condition> {
  using T = Condition;
  static constexpr std::string_view go_name = "Condition";
  static constexpr std::tuple fields{
      field("type", 1, &T::type, Omit::never),
      field("status", 2, &T::status, Omit::never, "v1.ConditionStatus"),
      field("observedGeneration", 3, &T::observed_generation),
      time_field("lastTransitionTime", 4, &T::last_transition_time),
      field("reason", 5, &T::reason, Omit::never),
      field("message", 6, &T::message, Omit::never),
  };
};

template <>
struct Schema<NamespaceSpec> {
  static constexpr std::string_view go_name = "NamespaceSpec";
  static constexpr std::tuple fields{field("finalizers", 1, &NamespaceSpec::finalizers, "v1.FinalizerName")};
};

template <>
struct Schema<NamespaceStatus> {
  static constexpr std::string_view go_name = "NamespaceStatus";
  static constexpr std::tuple fields{field("phase", 1, &NamespaceStatus::phase, "v1.NamespacePhase"),
                                     field("conditions", 2, &NamespaceStatus::conditions)};
};

template <>
struct Schema<ServicePort> {
  using T = ServicePort;
  static constexpr std::string_view go_name = "ServicePort";
  static constexpr std::tuple fields{
      field("name", 1, &T::name),
      field("protocol", 2, &T::protocol, "v1.Protocol"),
      field("appProtocol", 6, &T::app_protocol),
      field("port", 3, &T::port, Omit::never),
      field("targetPort", 4, &T::target_port),
      field("nodePort", 5, &T::node_port),
  };
};

template <>
struct Schema<ClientIpConfig> {
  static constexpr std::string_view go_name = "ClientIPConfig";
  static constexpr std::tuple fields{field("timeoutSeconds", 1, &ClientIpConfig::timeout_seconds)};
};

template <>
struct Schema<SessionAffinityConfig> {
  static constexpr std::string_view go_name = "SessionAffinityConfig";
  static constexpr std::tuple fields{field("clientIP", 1, &SessionAffinityConfig::client_ip)};
};

template <>
struct Schema<ServiceSpec> {
  using T = ServiceSpec;
  static constexpr std::string_view go_name = "ServiceSpec";
  static constexpr std::tuple fields{
      field("ports", 1, &T::ports),
      field("selector", 2, &T::selector),
      field("clusterIP", 3, &T::cluster_ip),
      field("clusterIPs", 18, &T::cluster_ips),
      field("type", 4, &T::type, "v1.ServiceType"),
      field("externalIPs", 5, &T::external_ips),
      field("sessionAffinity", 7, &T::session_affinity, "v1.ServiceAffinity"),
      field("loadBalancerIP", 8, &T::load_balancer_ip),
      field("loadBalancerSourceRanges", 9, &T::load_balancer_source_ranges),
      field("externalName", 10, &T::external_name),
      field("externalTrafficPolicy", 11, &T::external_traffic_policy, "v1.ServiceExternalTrafficPolicy"),
      field("healthCheckNodePort", 12, &T::health_check_node_port),
      field("publishNotReadyAddresses", 13, &T::publish_not_ready_addresses),
      field("sessionAffinityConfig", 14, &T::session_affinity_config),
      field("ipFamilies", 19, &T::ip_families, "v1.IPFamily"),
      field("ipFamilyPolicy", 17, &T::ip_family_policy, "v1.IPFamilyPolicy"),
      field("allocateLoadBalancerNodePorts", 20, &T::allocate_load_balancer_node_ports),
      field("loadBalancerClass", 21, &T::load_balancer_class),
      field("internalTrafficPolicy", 22, &T::internal_traffic_policy, "v1.ServiceInternalTrafficPolicy"),
      field("trafficDistribution", 23, &T::traffic_distribution),
  };
};

template <>
struct Schema<PortStatus> {
  using T = PortStatus;
  static constexpr std::string_view go_name = "PortStatus";
  static constexpr std::tuple fields{
      field("port", 1, &T::port, Omit::never),
      field("protocol", 2, &T::protocol, Omit::never, "v1.Protocol"),
      field("error", 3, &T::error),
  };
};

template <>
struct Schema<LoadBalancerIngress> {
  using T = LoadBalancerIngress;
  static constexpr std::string_view go_name = "LoadBalancerIngress";
  static constexpr std::tuple fields{
      field("ip", 1, &T::ip),
      field("hostname", 2, &T::hostname),
      field("ipMode", 3, &T::ip_mode, "v1.LoadBalancerIPMode"),
      field("ports", 4, &T::ports),
  };
};

template <>
struct Schema<LoadBalancerStatus> {
  static constexpr std::string_view go_name = "LoadBalancerStatus";
  static constexpr std::tuple fields{field("ingress", 1, &LoadBalancerStatus::ingress)};
};

template <>
struct Schema<ServiceStatus> {
  static constexpr std::string_view go_name = "ServiceStatus";
  static constexpr std::tuple fields{field("loadBalancer", 1, &ServiceStatus::load_balancer),
                                     field("conditions", 2, &ServiceStatus::conditions)};
};

template <>
struct Schema<EndpointConditions> {
  using T = EndpointConditions;
  static constexpr std::string_view go_name = "EndpointConditions";
  static constexpr std::tuple fields{field("ready", 1, &T::ready), field("serving", 2, &T::serving),
                                     field("terminating", 3, &T::terminating)};
};

template <>
struct Schema<ForZone> {
  static constexpr std::string_view go_name = "ForZone";
  static constexpr std::tuple fields{field("name", 1, &ForZone::name, Omit::never)};
};

template <>
struct Schema<ForNode> {
  static constexpr std::string_view go_name = "ForNode";
  static constexpr std::tuple fields{field("name", 1, &ForNode::name, Omit::never)};
};

template <>
struct Schema<EndpointHints> {
  static constexpr std::string_view go_name = "EndpointHints";
  static constexpr std::tuple fields{field("forZones", 1, &EndpointHints::for_zones),
                                     field("forNodes", 2, &EndpointHints::for_nodes)};
};

template <>
struct Schema<Endpoint> {
  using T = Endpoint;
  static constexpr std::string_view go_name = "Endpoint";
  static constexpr std::tuple fields{
      field("addresses", 1, &T::addresses, Omit::never),
      field("conditions", 2, &T::conditions),
      field("hostname", 3, &T::hostname),
      field("targetRef", 4, &T::target_ref),
      field("deprecatedTopology", 5, &T::deprecated_topology),
      field("nodeName", 6, &T::node_name),
      field("zone", 7, &T::zone),
      field("hints", 8, &T::hints),
  };
};

template <>
struct Schema<EndpointPort> {
  using T = EndpointPort;
  static constexpr std::string_view go_name = "EndpointPort";
  static constexpr std::tuple fields{
      field("name", 1, &T::name),
      field("protocol", 2, &T::protocol, "v1.Protocol"),
      field("port", 3, &T::port),
      field("appProtocol", 4, &T::app_protocol),
  };
};

template <>
struct Schema<EndpointsAddress> {
  using T = EndpointsAddress;
  static constexpr std::string_view go_name = "EndpointAddress";
  static constexpr std::tuple fields{
      field("ip", 1, &T::ip, Omit::never),
      field("hostname", 3, &T::hostname),
      field("nodeName", 4, &T::node_name),
      field("targetRef", 2, &T::target_ref),
  };
};

// Unlike the port of an EndpointSlice: number before protocol in protobuf.
template <>
struct Schema<EndpointsPort> {
  using T = EndpointsPort;
  static constexpr std::string_view go_name = "EndpointPort";
  static constexpr std::tuple fields{
      field("name", 1, &T::name),
      field("port", 2, &T::port, Omit::never),
      field("protocol", 3, &T::protocol, "v1.Protocol"),
      field("appProtocol", 4, &T::app_protocol),
  };
};

template <>
struct Schema<EndpointSubset> {
  using T = EndpointSubset;
  static constexpr std::string_view go_name = "EndpointSubset";
  static constexpr std::tuple fields{field("addresses", 1, &T::addresses),
                                     field("notReadyAddresses", 2, &T::not_ready_addresses),
                                     field("ports", 3, &T::ports)};
};

template <>
struct Schema<ServiceCidrSpec> {
  static constexpr std::string_view go_name = "ServiceCIDRSpec";
  static constexpr std::tuple fields{field("cidrs", 1, &ServiceCidrSpec::cidrs)};
};

template <>
struct Schema<ServiceCidrStatus> {
  static constexpr std::string_view go_name = "ServiceCIDRStatus";
  static constexpr std::tuple fields{field("conditions", 1, &ServiceCidrStatus::conditions)};
};

template <>
struct Schema<ParentReference> {
  using T = ParentReference;
  static constexpr std::string_view go_name = "ParentReference";
  static constexpr std::tuple fields{
      field("group", 1, &T::group),
      field("resource", 2, &T::resource),
      field("namespace", 3, &T::name_space),
      field("name", 4, &T::name),
  };
};

template <>
struct Schema<IpAddressSpec> {
  static constexpr std::string_view go_name = "IPAddressSpec";
  static constexpr std::tuple fields{field("parentRef", 1, &IpAddressSpec::parent_ref)};
};

template <>
struct Schema<LeaseSpec> {
  using T = LeaseSpec;
  static constexpr std::string_view go_name = "LeaseSpec";
  static constexpr std::tuple fields{
      field("holderIdentity", 1, &T::holder_identity),
      field("leaseDurationSeconds", 2, &T::lease_duration_seconds),
      micro_time_field("acquireTime", 3, &T::acquire_time),
      micro_time_field("renewTime", 4, &T::renew_time),
      field("leaseTransitions", 5, &T::lease_transitions),
      field("strategy", 6, &T::strategy, "v1.CoordinatedLeaseStrategy"),
      field("preferredHolder", 7, &T::preferred_holder),
  };
};

template <>
struct Schema<EventSource> {
  static constexpr std::string_view go_name = "EventSource";
  static constexpr std::tuple fields{field("component", 1, &EventSource::component),
                                     field("host", 2, &EventSource::host)};
};

template <>
struct Schema<EventSeries> {
  static constexpr std::string_view go_name = "EventSeries";
  static constexpr std::tuple fields{field("count", 1, &EventSeries::count),
                                     micro_time_field("lastObservedTime", 2, &EventSeries::last_observed_time)};
};

template <>
struct Schema<ContainerPort> {
  using T = ContainerPort;
  static constexpr std::string_view go_name = "ContainerPort";
  static constexpr std::tuple fields{
      field("name", 1, &T::name),
      field("hostPort", 2, &T::host_port),
      field("containerPort", 3, &T::container_port, Omit::never),
      field("protocol", 4, &T::protocol, "v1.Protocol"),
      field("hostIP", 5, &T::host_ip),
  };
};

template <>
struct Schema<Container> {
  static constexpr std::string_view go_name = "Container";
  static constexpr std::tuple fields{field("name", 1, &Container::name, Omit::never),
                                     field("ports", 6, &Container::ports)};
  static constexpr auto others = &Container::others;
};

template <>
struct Schema<PodSpec> {
  using T = PodSpec;
  static constexpr std::string_view go_name = "PodSpec";
  static constexpr std::tuple fields{
      field("initContainers", 20, &T::init_containers),
      field("containers", 2, &T::containers, Omit::never),
      field("nodeName", 10, &T::node_name),
      field("hostNetwork", 11, &T::host_network),
      field("hostname", 16, &T::hostname),
      field("subdomain", 17, &T::subdomain),
  };
  static constexpr auto others = &T::others;
};

template <>
struct Schema<StatusCondition> {
  static constexpr std::string_view go_name = "Condition";
  static constexpr std::tuple fields{field("type", 1, &StatusCondition::type, Omit::never),
                                     field("status", 2, &StatusCondition::status, Omit::never, "v1.ConditionStatus")};
  static constexpr auto others = &StatusCondition::others;
};

template <>
struct Schema<PodIp> {
  static constexpr std::string_view go_name = "PodIP";
  static constexpr std::tuple fields{field("ip", 1, &PodIp::ip, Omit::never)};
};

template <>
struct Schema<ContainerStatus> {
  using T = ContainerStatus;
  static constexpr std::string_view go_name = "ContainerStatus";
  static constexpr std::tuple fields{field("name", 1, &T::name, Omit::never), field("ready", 4, &T::ready, Omit::never),
                                     field("restartCount", 5, &T::restart_count, Omit::never)};
  static constexpr auto others = &T::others;
};

template <>
struct Schema<PodStatus> {
  using T = PodStatus;
  static constexpr std::string_view go_name = "PodStatus";
  static constexpr std::tuple fields{
      field("phase", 1, &T::phase, "v1.PodPhase"),
      field("conditions", 2, &T::conditions),
      field("hostIP", 5, &T::host_ip),
      field("podIP", 6, &T::pod_ip),
      field("podIPs", 12, &T::pod_ips),
      field("containerStatuses", 8, &T::container_statuses),
  };
  static constexpr auto others = &T::others;
};

template <>
struct Schema<NodeSpec> {
  using T = NodeSpec;
  static constexpr std::string_view go_name = "NodeSpec";
  static constexpr std::tuple fields{field("podCIDR", 1, &T::pod_cidr), field("podCIDRs", 7, &T::pod_cidrs),
                                     field("unschedulable", 4, &T::unschedulable)};
  static constexpr auto others = &T::others;
};

template <>
struct Schema<NodeAddress> {
  static constexpr std::string_view go_name = "NodeAddress";
  static constexpr std::tuple fields{field("type", 1, &NodeAddress::type, Omit::never, "v1.NodeAddressType"),
                                     field("address", 2, &NodeAddress::address, Omit::never)};
};

template <>
struct Schema<NodeStatus> {
  static constexpr std::string_view go_name = "NodeStatus";
  static constexpr std::tuple fields{field("conditions", 4, &NodeStatus::conditions),
                                     field("addresses", 5, &NodeStatus::addresses)};
  static constexpr auto others = &NodeStatus::others;
};

// The objects themselves; kind and apiVersion are the caller's business.
inline constexpr std::array<std::string_view, 2> type_meta{"apiVersion", "kind"};

template <>
struct Schema<Namespace> {
  static constexpr std::string_view go_name = "Namespace";
  static constexpr std::tuple fields{field("metadata", 1, &Namespace::metadata), field("spec", 2, &Namespace::spec),
                                     field("status", 3, &Namespace::status)};
  static constexpr auto dropped = type_meta;
};

template <>
struct Schema<Service> {
  static constexpr std::string_view go_name = "Service";
  static constexpr std::tuple fields{field("metadata", 1, &Service::metadata), field("spec", 2, &Service::spec),
                                     field("status", 3, &Service::status)};
  static constexpr auto dropped = type_meta;
};

template <>
struct Schema<EndpointSlice> {
  using T = EndpointSlice;
  static constexpr std::string_view go_name = "EndpointSlice";
  static constexpr std::tuple fields{
      field("metadata", 1, &T::metadata),
      field("addressType", 4, &T::address_type, Omit::never, "v1.AddressType"),
      field("endpoints", 2, &T::endpoints, Omit::never),
      field("ports", 3, &T::ports, Omit::never),
  };
  static constexpr auto dropped = type_meta;
};

template <>
struct Schema<Endpoints> {
  static constexpr std::string_view go_name = "Endpoints";
  static constexpr std::tuple fields{field("metadata", 1, &Endpoints::metadata),
                                     field("subsets", 2, &Endpoints::subsets)};
  static constexpr auto dropped = type_meta;
};

template <>
struct Schema<ServiceCidr> {
  static constexpr std::string_view go_name = "ServiceCIDR";
  static constexpr std::tuple fields{field("metadata", 1, &ServiceCidr::metadata), field("spec", 2, &ServiceCidr::spec),
                                     field("status", 3, &ServiceCidr::status)};
  static constexpr auto dropped = type_meta;
};

template <>
struct Schema<IpAddress> {
  static constexpr std::string_view go_name = "IPAddress";
  static constexpr std::tuple fields{field("metadata", 1, &IpAddress::metadata), field("spec", 2, &IpAddress::spec)};
  static constexpr auto dropped = type_meta;
};

// metav1.DeleteOptions as it is on the wire; callers get it flattened (protobuf.hpp).
struct WirePreconditions {
  std::optional<std::string> uid;
  std::optional<std::string> resource_version;
};

struct WireDeleteOptions {
  std::optional<std::int64_t> grace_period_seconds;
  std::optional<WirePreconditions> preconditions;
  std::optional<std::string> propagation_policy;
  std::vector<std::string> dry_run;
};

template <>
struct Schema<WirePreconditions> {
  using T = WirePreconditions;
  static constexpr std::string_view go_name = "Preconditions";
  static constexpr std::tuple fields{field("uid", 1, &T::uid, "types.UID"),
                                     field("resourceVersion", 2, &T::resource_version)};
};

template <>
struct Schema<WireDeleteOptions> {
  using T = WireDeleteOptions;
  static constexpr std::string_view go_name = "DeleteOptions";
  static constexpr std::tuple fields{
      field("gracePeriodSeconds", 1, &T::grace_period_seconds),
      field("preconditions", 2, &T::preconditions),
      field("propagationPolicy", 4, &T::propagation_policy, "v1.DeletionPropagation"),
      field("dryRun", 5, &T::dry_run),
  };
  static constexpr std::array<std::string_view, 4> dropped{"apiVersion", "kind", "orphanDependents",
                                                           "ignoreStoreReadErrorWithClusterBreakingPotential"};
};

template <>
struct Schema<ResourceAttributes> {
  using T = ResourceAttributes;
  static constexpr std::string_view go_name = "ResourceAttributes";
  static constexpr std::tuple fields{
      field("namespace", 1, &T::name_space),
      field("verb", 2, &T::verb),
      field("group", 3, &T::group),
      field("version", 4, &T::version),
      field("resource", 5, &T::resource),
      field("subresource", 6, &T::subresource),
      field("name", 7, &T::name),
  };
  static constexpr std::array<std::string_view, 2> dropped{"fieldSelector", "labelSelector"};
};

template <>
struct Schema<NonResourceAttributes> {
  using T = NonResourceAttributes;
  static constexpr std::string_view go_name = "NonResourceAttributes";
  static constexpr std::tuple fields{field("path", 1, &T::path), field("verb", 2, &T::verb)};
};

template <>
struct Schema<AccessReviewSpec> {
  using T = AccessReviewSpec;
  static constexpr std::string_view go_name = "SelfSubjectAccessReviewSpec";
  static constexpr std::tuple fields{field("resourceAttributes", 1, &T::resource),
                                     field("nonResourceAttributes", 2, &T::non_resource)};
};

template <>
struct Schema<AccessReview> {
  static constexpr std::string_view go_name = "SelfSubjectAccessReview";
  static constexpr std::tuple fields{field("spec", 2, &AccessReview::spec)};
  static constexpr std::array<std::string_view, 4> dropped{"apiVersion", "kind", "metadata", "status"};
};

[[nodiscard]] DeleteOptions flatten(WireDeleteOptions&& wire);

/// Structs in lists that one object may have: an empty one takes two bytes on the wire and several hundred here.
inline constexpr std::size_t max_list_structs = 100'000;

template <>
struct Schema<Lease> {
  static constexpr std::string_view go_name = "Lease";
  static constexpr std::tuple fields{field("metadata", 1, &Lease::metadata), field("spec", 2, &Lease::spec)};
  static constexpr auto dropped = type_meta;
};

template <>
struct Schema<Event> {
  using T = Event;
  static constexpr std::string_view go_name = "Event";
  static constexpr std::tuple fields{
      field("metadata", 1, &T::metadata),
      field("involvedObject", 2, &T::involved_object),
      field("reason", 3, &T::reason),
      field("message", 4, &T::message),
      field("source", 5, &T::source),
      time_field("firstTimestamp", 6, &T::first_timestamp),
      time_field("lastTimestamp", 7, &T::last_timestamp),
      field("count", 8, &T::count),
      field("type", 9, &T::type),
      micro_time_field("eventTime", 10, &T::event_time),
      field("series", 11, &T::series),
      field("action", 12, &T::action),
      field("related", 13, &T::related),
      field("reportingComponent", 14, &T::reporting_component, Omit::never),
      field("reportingInstance", 15, &T::reporting_instance, Omit::never),
  };
  static constexpr auto dropped = type_meta;
};

template <>
struct Schema<GroupEvent> {
  using T = GroupEvent;
  static constexpr std::string_view go_name = "Event";
  static constexpr std::tuple fields{
      field("metadata", 1, &T::metadata),
      micro_time_field("eventTime", 2, &T::event_time),
      field("series", 3, &T::series),
      field("reportingController", 4, &T::reporting_controller),
      field("reportingInstance", 5, &T::reporting_instance),
      field("action", 6, &T::action),
      field("reason", 7, &T::reason),
      field("regarding", 8, &T::regarding),
      field("related", 9, &T::related),
      field("note", 10, &T::note),
      field("type", 11, &T::type),
      field("deprecatedSource", 12, &T::deprecated_source),
      time_field("deprecatedFirstTimestamp", 13, &T::deprecated_first_timestamp),
      time_field("deprecatedLastTimestamp", 14, &T::deprecated_last_timestamp),
      field("deprecatedCount", 15, &T::deprecated_count),
  };
  static constexpr auto dropped = type_meta;
};

template <>
struct Schema<Pod> {
  static constexpr std::string_view go_name = "Pod";
  static constexpr std::tuple fields{field("metadata", 1, &Pod::metadata), field("spec", 2, &Pod::spec),
                                     field("status", 3, &Pod::status)};
  static constexpr auto dropped = type_meta;
};

template <>
struct Schema<Node> {
  static constexpr std::string_view go_name = "Node";
  static constexpr std::tuple fields{field("metadata", 1, &Node::metadata), field("spec", 2, &Node::spec),
                                     field("status", 3, &Node::status)};
  static constexpr auto dropped = type_meta;
};

} // namespace signpost::model
