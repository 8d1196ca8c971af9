// The fields of every struct, listed once: the JSON name and the member. The JSON reader and writer walk these lists.
//
//   template <> struct Schema<ForZone> {
//     static constexpr std::string_view go_name = "ForZone";
//     static constexpr std::tuple fields{field("name", &ForZone::name, Omit::never)};
//   };
//
// Private to this room. The order is the API's (Go's declaration order), which is the order of encoded JSON.
#pragma once

#include <array>
#include <string_view>
#include <tuple>

#include "discovery/model/access_review.hpp"
#include "discovery/model/kind.hpp"

namespace signpost::model {

/// When the writer leaves a field out. Structs are never left out, as in Go.
enum class Omit : std::uint8_t {
  empty, // Go's omitempty
  never, // written even when empty
};

/// How a string field is written.
enum class Form : std::uint8_t {
  plain,
  time,       // metav1.Time: RFC 3339; null and zero are empty
  micro_time, // metav1.MicroTime: the same in microseconds
};

template <class Owner, class Member>
struct Field {
  std::string_view name;
  Member Owner::*member;
  Omit omit;
  std::string_view go_type; // the named Go type of the value (or element), for error texts; empty: the plain one
  Form form;
};

template <class Owner, class Member>
constexpr Field<Owner, Member> field(std::string_view name, Member Owner::*member, Omit omit = Omit::empty,
                                     std::string_view go_type = {}, Form form = Form::plain) {
  return {name, member, omit, go_type, form};
}

template <class Owner, class Member>
constexpr Field<Owner, Member> field(std::string_view name, Member Owner::*member, std::string_view go_type) {
  return {name, member, Omit::empty, go_type, Form::plain};
}

template <class Owner>
constexpr Field<Owner, std::string> time_field(std::string_view name, std::string Owner::*member) {
  return {name, member, Omit::empty, {}, Form::time};
}

template <class Owner>
constexpr Field<Owner, std::string> micro_time_field(std::string_view name, std::string Owner::*member) {
  return {name, member, Omit::empty, {}, Form::micro_time};
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
      field("apiVersion", &T::api_version, Omit::never),
      field("kind", &T::kind, Omit::never),
      field("name", &T::name, Omit::never),
      field("uid", &T::uid, Omit::never, "types.UID"),
      field("controller", &T::controller),
      field("blockOwnerDeletion", &T::block_owner_deletion),
  };
};

// The name is written always: an encoded object has a member in its metadata, before which others can be put.
template <>
struct Schema<ObjectMeta> {
  using T = ObjectMeta;
  static constexpr std::string_view go_name = "ObjectMeta";
  static constexpr std::tuple fields{
      field("name", &T::name, Omit::never),
      field("generateName", &T::generate_name),
      field("namespace", &T::name_space),
      field("uid", &T::uid, "types.UID"),
      field("resourceVersion", &T::resource_version),
      field("generation", &T::generation),
      time_field("creationTimestamp", &T::creation_timestamp),
      time_field("deletionTimestamp", &T::deletion_timestamp),
      field("deletionGracePeriodSeconds", &T::deletion_grace_period_seconds),
      field("labels", &T::labels),
      field("annotations", &T::annotations),
      field("ownerReferences", &T::owner_references),
      field("finalizers", &T::finalizers),
  };
  static constexpr std::array<std::string_view, 2> dropped{"managedFields", "selfLink"};
};

template <>
struct Schema<ObjectReference> {
  using T = ObjectReference;
  static constexpr std::string_view go_name = "ObjectReference";
  static constexpr std::tuple fields{
      field("kind", &T::kind),
      field("namespace", &T::name_space),
      field("name", &T::name),
      field("uid", &T::uid, "types.UID"),
      field("apiVersion", &T::api_version),
      field("resourceVersion", &T::resource_version),
      field("fieldPath", &T::field_path),
  };
};

template <>
struct Schema<Condition> {
  using T = Condition;
  static constexpr std::string_view go_name = "Condition";
  static constexpr std::tuple fields{
      field("type", &T::type, Omit::never),
      field("status", &T::status, Omit::never, "v1.ConditionStatus"),
      field("observedGeneration", &T::observed_generation),
      time_field("lastTransitionTime", &T::last_transition_time),
      field("reason", &T::reason, Omit::never),
      field("message", &T::message, Omit::never),
  };
};

template <>
struct Schema<NamespaceSpec> {
  static constexpr std::string_view go_name = "NamespaceSpec";
  static constexpr std::tuple fields{field("finalizers", &NamespaceSpec::finalizers, "v1.FinalizerName")};
};

template <>
struct Schema<NamespaceStatus> {
  static constexpr std::string_view go_name = "NamespaceStatus";
  static constexpr std::tuple fields{field("phase", &NamespaceStatus::phase, "v1.NamespacePhase"),
                                     field("conditions", &NamespaceStatus::conditions)};
};

template <>
struct Schema<ServicePort> {
  using T = ServicePort;
  static constexpr std::string_view go_name = "ServicePort";
  static constexpr std::tuple fields{
      field("name", &T::name),
      field("protocol", &T::protocol, "v1.Protocol"),
      field("appProtocol", &T::app_protocol),
      field("port", &T::port, Omit::never),
      field("targetPort", &T::target_port),
      field("nodePort", &T::node_port),
  };
};

template <>
struct Schema<ClientIpConfig> {
  static constexpr std::string_view go_name = "ClientIPConfig";
  static constexpr std::tuple fields{field("timeoutSeconds", &ClientIpConfig::timeout_seconds)};
};

template <>
struct Schema<SessionAffinityConfig> {
  static constexpr std::string_view go_name = "SessionAffinityConfig";
  static constexpr std::tuple fields{field("clientIP", &SessionAffinityConfig::client_ip)};
};

template <>
struct Schema<ServiceSpec> {
  using T = ServiceSpec;
  static constexpr std::string_view go_name = "ServiceSpec";
  static constexpr std::tuple fields{
      field("ports", &T::ports),
      field("selector", &T::selector),
      field("clusterIP", &T::cluster_ip),
      field("clusterIPs", &T::cluster_ips),
      field("type", &T::type, "v1.ServiceType"),
      field("externalIPs", &T::external_ips),
      field("sessionAffinity", &T::session_affinity, "v1.ServiceAffinity"),
      field("loadBalancerIP", &T::load_balancer_ip),
      field("loadBalancerSourceRanges", &T::load_balancer_source_ranges),
      field("externalName", &T::external_name),
      field("externalTrafficPolicy", &T::external_traffic_policy, "v1.ServiceExternalTrafficPolicy"),
      field("healthCheckNodePort", &T::health_check_node_port),
      field("publishNotReadyAddresses", &T::publish_not_ready_addresses),
      field("sessionAffinityConfig", &T::session_affinity_config),
      field("ipFamilies", &T::ip_families, "v1.IPFamily"),
      field("ipFamilyPolicy", &T::ip_family_policy, "v1.IPFamilyPolicy"),
      field("allocateLoadBalancerNodePorts", &T::allocate_load_balancer_node_ports),
      field("loadBalancerClass", &T::load_balancer_class),
      field("internalTrafficPolicy", &T::internal_traffic_policy, "v1.ServiceInternalTrafficPolicy"),
      field("trafficDistribution", &T::traffic_distribution),
  };
};

template <>
struct Schema<PortStatus> {
  using T = PortStatus;
  static constexpr std::string_view go_name = "PortStatus";
  static constexpr std::tuple fields{
      field("port", &T::port, Omit::never),
      field("protocol", &T::protocol, Omit::never, "v1.Protocol"),
      field("error", &T::error),
  };
};

template <>
struct Schema<LoadBalancerIngress> {
  using T = LoadBalancerIngress;
  static constexpr std::string_view go_name = "LoadBalancerIngress";
  static constexpr std::tuple fields{
      field("ip", &T::ip),
      field("hostname", &T::hostname),
      field("ipMode", &T::ip_mode, "v1.LoadBalancerIPMode"),
      field("ports", &T::ports),
  };
};

template <>
struct Schema<LoadBalancerStatus> {
  static constexpr std::string_view go_name = "LoadBalancerStatus";
  static constexpr std::tuple fields{field("ingress", &LoadBalancerStatus::ingress)};
};

template <>
struct Schema<ServiceStatus> {
  static constexpr std::string_view go_name = "ServiceStatus";
  static constexpr std::tuple fields{field("loadBalancer", &ServiceStatus::load_balancer),
                                     field("conditions", &ServiceStatus::conditions)};
};

template <>
struct Schema<EndpointConditions> {
  using T = EndpointConditions;
  static constexpr std::string_view go_name = "EndpointConditions";
  static constexpr std::tuple fields{field("ready", &T::ready), field("serving", &T::serving),
                                     field("terminating", &T::terminating)};
};

template <>
struct Schema<ForZone> {
  static constexpr std::string_view go_name = "ForZone";
  static constexpr std::tuple fields{field("name", &ForZone::name, Omit::never)};
};

template <>
struct Schema<ForNode> {
  static constexpr std::string_view go_name = "ForNode";
  static constexpr std::tuple fields{field("name", &ForNode::name, Omit::never)};
};

template <>
struct Schema<EndpointHints> {
  static constexpr std::string_view go_name = "EndpointHints";
  static constexpr std::tuple fields{field("forZones", &EndpointHints::for_zones),
                                     field("forNodes", &EndpointHints::for_nodes)};
};

template <>
struct Schema<Endpoint> {
  using T = Endpoint;
  static constexpr std::string_view go_name = "Endpoint";
  static constexpr std::tuple fields{
      field("addresses", &T::addresses, Omit::never),
      field("conditions", &T::conditions),
      field("hostname", &T::hostname),
      field("targetRef", &T::target_ref),
      field("deprecatedTopology", &T::deprecated_topology),
      field("nodeName", &T::node_name),
      field("zone", &T::zone),
      field("hints", &T::hints),
  };
};

template <>
struct Schema<EndpointPort> {
  using T = EndpointPort;
  static constexpr std::string_view go_name = "EndpointPort";
  static constexpr std::tuple fields{
      field("name", &T::name),
      field("protocol", &T::protocol, "v1.Protocol"),
      field("port", &T::port),
      field("appProtocol", &T::app_protocol),
  };
};

template <>
struct Schema<EndpointsAddress> {
  using T = EndpointsAddress;
  static constexpr std::string_view go_name = "EndpointAddress";
  static constexpr std::tuple fields{
      field("ip", &T::ip, Omit::never),
      field("hostname", &T::hostname),
      field("nodeName", &T::node_name),
      field("targetRef", &T::target_ref),
  };
};

template <>
struct Schema<EndpointsPort> {
  using T = EndpointsPort;
  static constexpr std::string_view go_name = "EndpointPort";
  static constexpr std::tuple fields{
      field("name", &T::name),
      field("port", &T::port, Omit::never),
      field("protocol", &T::protocol, "v1.Protocol"),
      field("appProtocol", &T::app_protocol),
  };
};

template <>
struct Schema<EndpointSubset> {
  using T = EndpointSubset;
  static constexpr std::string_view go_name = "EndpointSubset";
  static constexpr std::tuple fields{field("addresses", &T::addresses),
                                     field("notReadyAddresses", &T::not_ready_addresses), field("ports", &T::ports)};
};

template <>
struct Schema<ServiceCidrSpec> {
  static constexpr std::string_view go_name = "ServiceCIDRSpec";
  static constexpr std::tuple fields{field("cidrs", &ServiceCidrSpec::cidrs)};
};

template <>
struct Schema<ServiceCidrStatus> {
  static constexpr std::string_view go_name = "ServiceCIDRStatus";
  static constexpr std::tuple fields{field("conditions", &ServiceCidrStatus::conditions)};
};

template <>
struct Schema<ParentReference> {
  using T = ParentReference;
  static constexpr std::string_view go_name = "ParentReference";
  static constexpr std::tuple fields{
      field("group", &T::group),
      field("resource", &T::resource),
      field("namespace", &T::name_space),
      field("name", &T::name),
  };
};

template <>
struct Schema<IpAddressSpec> {
  static constexpr std::string_view go_name = "IPAddressSpec";
  static constexpr std::tuple fields{field("parentRef", &IpAddressSpec::parent_ref)};
};

template <>
struct Schema<LeaseSpec> {
  using T = LeaseSpec;
  static constexpr std::string_view go_name = "LeaseSpec";
  static constexpr std::tuple fields{
      field("holderIdentity", &T::holder_identity),      field("leaseDurationSeconds", &T::lease_duration_seconds),
      micro_time_field("acquireTime", &T::acquire_time), micro_time_field("renewTime", &T::renew_time),
      field("leaseTransitions", &T::lease_transitions),  field("strategy", &T::strategy, "v1.CoordinatedLeaseStrategy"),
      field("preferredHolder", &T::preferred_holder),
  };
};

template <>
struct Schema<EventSource> {
  static constexpr std::string_view go_name = "EventSource";
  static constexpr std::tuple fields{field("component", &EventSource::component), field("host", &EventSource::host)};
};

template <>
struct Schema<EventSeries> {
  static constexpr std::string_view go_name = "EventSeries";
  static constexpr std::tuple fields{field("count", &EventSeries::count),
                                     micro_time_field("lastObservedTime", &EventSeries::last_observed_time)};
};

template <>
struct Schema<ContainerPort> {
  using T = ContainerPort;
  static constexpr std::string_view go_name = "ContainerPort";
  static constexpr std::tuple fields{
      field("name", &T::name),
      field("hostPort", &T::host_port),
      field("containerPort", &T::container_port, Omit::never),
      field("protocol", &T::protocol, "v1.Protocol"),
      field("hostIP", &T::host_ip),
  };
};

template <>
struct Schema<Container> {
  static constexpr std::string_view go_name = "Container";
  static constexpr std::tuple fields{field("name", &Container::name, Omit::never), field("ports", &Container::ports)};
  static constexpr auto others = &Container::others;
};

template <>
struct Schema<PodSpec> {
  using T = PodSpec;
  static constexpr std::string_view go_name = "PodSpec";
  static constexpr std::tuple fields{
      field("initContainers", &T::init_containers),
      field("containers", &T::containers, Omit::never),
      field("nodeName", &T::node_name),
      field("hostNetwork", &T::host_network),
      field("hostname", &T::hostname),
      field("subdomain", &T::subdomain),
  };
  static constexpr auto others = &T::others;
};

template <>
struct Schema<StatusCondition> {
  static constexpr std::string_view go_name = "Condition";
  static constexpr std::tuple fields{field("type", &StatusCondition::type, Omit::never),
                                     field("status", &StatusCondition::status, Omit::never, "v1.ConditionStatus")};
  static constexpr auto others = &StatusCondition::others;
};

template <>
struct Schema<PodIp> {
  static constexpr std::string_view go_name = "PodIP";
  static constexpr std::tuple fields{field("ip", &PodIp::ip, Omit::never)};
};

template <>
struct Schema<ContainerStatus> {
  using T = ContainerStatus;
  static constexpr std::string_view go_name = "ContainerStatus";
  static constexpr std::tuple fields{field("name", &T::name, Omit::never), field("ready", &T::ready, Omit::never),
                                     field("restartCount", &T::restart_count, Omit::never)};
  static constexpr auto others = &T::others;
};

template <>
struct Schema<PodStatus> {
  using T = PodStatus;
  static constexpr std::string_view go_name = "PodStatus";
  static constexpr std::tuple fields{
      field("phase", &T::phase, "v1.PodPhase"),
      field("conditions", &T::conditions),
      field("hostIP", &T::host_ip),
      field("podIP", &T::pod_ip),
      field("podIPs", &T::pod_ips),
      field("containerStatuses", &T::container_statuses),
  };
  static constexpr auto others = &T::others;
};

template <>
struct Schema<NodeSpec> {
  using T = NodeSpec;
  static constexpr std::string_view go_name = "NodeSpec";
  static constexpr std::tuple fields{field("podCIDR", &T::pod_cidr), field("podCIDRs", &T::pod_cidrs),
                                     field("unschedulable", &T::unschedulable)};
  static constexpr auto others = &T::others;
};

template <>
struct Schema<NodeAddress> {
  static constexpr std::string_view go_name = "NodeAddress";
  static constexpr std::tuple fields{field("type", &NodeAddress::type, Omit::never, "v1.NodeAddressType"),
                                     field("address", &NodeAddress::address, Omit::never)};
};

template <>
struct Schema<NodeStatus> {
  static constexpr std::string_view go_name = "NodeStatus";
  static constexpr std::tuple fields{field("conditions", &NodeStatus::conditions),
                                     field("addresses", &NodeStatus::addresses)};
  static constexpr auto others = &NodeStatus::others;
};

// The objects themselves; kind and apiVersion are the caller's business.
inline constexpr std::array<std::string_view, 2> type_meta{"apiVersion", "kind"};

template <>
struct Schema<Namespace> {
  static constexpr std::string_view go_name = "Namespace";
  static constexpr std::tuple fields{field("metadata", &Namespace::metadata), field("spec", &Namespace::spec),
                                     field("status", &Namespace::status)};
  static constexpr auto dropped = type_meta;
};

template <>
struct Schema<Service> {
  static constexpr std::string_view go_name = "Service";
  static constexpr std::tuple fields{field("metadata", &Service::metadata), field("spec", &Service::spec),
                                     field("status", &Service::status)};
  static constexpr auto dropped = type_meta;
};

template <>
struct Schema<EndpointSlice> {
  using T = EndpointSlice;
  static constexpr std::string_view go_name = "EndpointSlice";
  static constexpr std::tuple fields{
      field("metadata", &T::metadata),
      field("addressType", &T::address_type, Omit::never, "v1.AddressType"),
      field("endpoints", &T::endpoints, Omit::never),
      field("ports", &T::ports, Omit::never),
  };
  static constexpr auto dropped = type_meta;
};

template <>
struct Schema<Endpoints> {
  static constexpr std::string_view go_name = "Endpoints";
  static constexpr std::tuple fields{field("metadata", &Endpoints::metadata), field("subsets", &Endpoints::subsets)};
  static constexpr auto dropped = type_meta;
};

template <>
struct Schema<ServiceCidr> {
  static constexpr std::string_view go_name = "ServiceCIDR";
  static constexpr std::tuple fields{field("metadata", &ServiceCidr::metadata), field("spec", &ServiceCidr::spec),
                                     field("status", &ServiceCidr::status)};
  static constexpr auto dropped = type_meta;
};

template <>
struct Schema<IpAddress> {
  static constexpr std::string_view go_name = "IPAddress";
  static constexpr std::tuple fields{field("metadata", &IpAddress::metadata), field("spec", &IpAddress::spec)};
  static constexpr auto dropped = type_meta;
};

// metav1.DeleteOptions as it is on the wire; callers get it flattened (delete_options.hpp).
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
  static constexpr std::tuple fields{field("uid", &T::uid, "types.UID"),
                                     field("resourceVersion", &T::resource_version)};
};

template <>
struct Schema<WireDeleteOptions> {
  using T = WireDeleteOptions;
  static constexpr std::string_view go_name = "DeleteOptions";
  static constexpr std::tuple fields{
      field("gracePeriodSeconds", &T::grace_period_seconds),
      field("preconditions", &T::preconditions),
      field("propagationPolicy", &T::propagation_policy, "v1.DeletionPropagation"),
      field("dryRun", &T::dry_run),
  };
  static constexpr std::array<std::string_view, 4> dropped{"apiVersion", "kind", "orphanDependents",
                                                           "ignoreStoreReadErrorWithClusterBreakingPotential"};
};

template <>
struct Schema<ResourceAttributes> {
  using T = ResourceAttributes;
  static constexpr std::string_view go_name = "ResourceAttributes";
  static constexpr std::tuple fields{
      field("namespace", &T::name_space),
      field("verb", &T::verb),
      field("group", &T::group),
      field("version", &T::version),
      field("resource", &T::resource),
      field("subresource", &T::subresource),
      field("name", &T::name),
  };
  static constexpr std::array<std::string_view, 2> dropped{"fieldSelector", "labelSelector"};
};

template <>
struct Schema<NonResourceAttributes> {
  using T = NonResourceAttributes;
  static constexpr std::string_view go_name = "NonResourceAttributes";
  static constexpr std::tuple fields{field("path", &T::path), field("verb", &T::verb)};
};

template <>
struct Schema<AccessReviewSpec> {
  using T = AccessReviewSpec;
  static constexpr std::string_view go_name = "SelfSubjectAccessReviewSpec";
  static constexpr std::tuple fields{field("resourceAttributes", &T::resource),
                                     field("nonResourceAttributes", &T::non_resource)};
};

template <>
struct Schema<AccessReview> {
  static constexpr std::string_view go_name = "SelfSubjectAccessReview";
  static constexpr std::tuple fields{field("spec", &AccessReview::spec)};
  static constexpr std::array<std::string_view, 4> dropped{"apiVersion", "kind", "metadata", "status"};
};

/// Structs in lists that one object may have: an empty one takes two bytes on the wire and several hundred here.
inline constexpr std::size_t max_list_structs = 100'000;

template <>
struct Schema<Lease> {
  static constexpr std::string_view go_name = "Lease";
  static constexpr std::tuple fields{field("metadata", &Lease::metadata), field("spec", &Lease::spec)};
  static constexpr auto dropped = type_meta;
};

template <>
struct Schema<Event> {
  using T = Event;
  static constexpr std::string_view go_name = "Event";
  static constexpr std::tuple fields{
      field("metadata", &T::metadata),
      field("involvedObject", &T::involved_object),
      field("reason", &T::reason),
      field("message", &T::message),
      field("source", &T::source),
      time_field("firstTimestamp", &T::first_timestamp),
      time_field("lastTimestamp", &T::last_timestamp),
      field("count", &T::count),
      field("type", &T::type),
      micro_time_field("eventTime", &T::event_time),
      field("series", &T::series),
      field("action", &T::action),
      field("related", &T::related),
      field("reportingComponent", &T::reporting_component, Omit::never),
      field("reportingInstance", &T::reporting_instance, Omit::never),
  };
  static constexpr auto dropped = type_meta;
};

template <>
struct Schema<GroupEvent> {
  using T = GroupEvent;
  static constexpr std::string_view go_name = "Event";
  static constexpr std::tuple fields{
      field("metadata", &T::metadata),
      micro_time_field("eventTime", &T::event_time),
      field("series", &T::series),
      field("reportingController", &T::reporting_controller),
      field("reportingInstance", &T::reporting_instance),
      field("action", &T::action),
      field("reason", &T::reason),
      field("regarding", &T::regarding),
      field("related", &T::related),
      field("note", &T::note),
      field("type", &T::type),
      field("deprecatedSource", &T::deprecated_source),
      time_field("deprecatedFirstTimestamp", &T::deprecated_first_timestamp),
      time_field("deprecatedLastTimestamp", &T::deprecated_last_timestamp),
      field("deprecatedCount", &T::deprecated_count),
  };
  static constexpr auto dropped = type_meta;
};

template <>
struct Schema<Pod> {
  static constexpr std::string_view go_name = "Pod";
  static constexpr std::tuple fields{field("metadata", &Pod::metadata), field("spec", &Pod::spec),
                                     field("status", &Pod::status)};
  static constexpr auto dropped = type_meta;
};

template <>
struct Schema<Node> {
  static constexpr std::string_view go_name = "Node";
  static constexpr std::tuple fields{field("metadata", &Node::metadata), field("spec", &Node::spec),
                                     field("status", &Node::status)};
  static constexpr auto dropped = type_meta;
};

} // namespace signpost::model
