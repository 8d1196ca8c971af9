#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <span>

#include "discovery/api/documents.hpp"
#include "discovery/model/kind.hpp"

namespace signpost::api {
namespace {

using Json = nlohmann::ordered_json;

/// One field of one schema: enough to be read by `kubectl explain`.
struct Field {
  std::string_view schema; // "ServiceSpec"
  std::string_view name;
  std::string_view type; // string, integer, boolean, object (of strings), [string], [Schema], Schema
  std::string_view text;
};

constexpr Field fields[] = {
    {"Service", "spec", "ServiceSpec", "How the service is reached and what stands behind it."},
    {"Service", "status", "ServiceStatus", "Most recently observed state of the service."},
    {"ServiceSpec", "ports", "[ServicePort]", "The ports of the service. Several must have names."},
    {"ServiceSpec", "selector", "object", "Labels of the workloads behind the service."},
    {"ServiceSpec", "clusterIP", "string", "The virtual address; None for a headless service. Immutable once set."},
    {"ServiceSpec", "clusterIPs", "[string]", "One address per family, primary first."},
    {"ServiceSpec", "type", "string", "ClusterIP, NodePort, LoadBalancer or ExternalName."},
    {"ServiceSpec", "externalIPs", "[string]", "Further addresses at which the service is reached."},
    {"ServiceSpec", "sessionAffinity", "string", "None or ClientIP."},
    {"ServiceSpec", "loadBalancerIP", "string", "The address wanted for the load balancer."},
    {"ServiceSpec", "loadBalancerSourceRanges", "[string]", "Clients the load balancer lets in."},
    {"ServiceSpec", "externalName", "string", "The name an ExternalName service stands for: a CNAME in DNS."},
    {"ServiceSpec", "externalTrafficPolicy", "string", "Cluster or Local."},
    {"ServiceSpec", "healthCheckNodePort", "integer", "Port for the load balancer's health checks."},
    {"ServiceSpec", "publishNotReadyAddresses", "boolean", "Publish endpoints before they are ready."},
    {"ServiceSpec", "sessionAffinityConfig", "SessionAffinityConfig", "Settings of session affinity."},
    {"ServiceSpec", "ipFamilies", "[string]", "IPv4, IPv6; primary first."},
    {"ServiceSpec", "ipFamilyPolicy", "string", "SingleStack, PreferDualStack or RequireDualStack."},
    {"ServiceSpec", "allocateLoadBalancerNodePorts", "boolean", "Whether a load balancer's ports get node ports."},
    {"ServiceSpec", "loadBalancerClass", "string", "Which implementation makes the load balancer."},
    {"ServiceSpec", "internalTrafficPolicy", "string", "Cluster or Local."},
    {"ServiceSpec", "trafficDistribution", "string", "Preference for near endpoints."},
    {"ServicePort", "name", "string", "Name of the port: _name._protocol in DNS."},
    {"ServicePort", "protocol", "string", "TCP, UDP or SCTP."},
    {"ServicePort", "appProtocol", "string", "The application's protocol."},
    {"ServicePort", "port", "integer", "The port that clients use."},
    {"ServicePort", "targetPort", "IntOrString", "Number or name of the port at the endpoints."},
    {"ServicePort", "nodePort", "integer", "The port on each node, for NodePort and LoadBalancer."},
    {"SessionAffinityConfig", "clientIP", "ClientIPConfig", "Settings of affinity by client address."},
    {"ClientIPConfig", "timeoutSeconds", "integer", "How long a client stays with an endpoint."},
    {"ServiceStatus", "loadBalancer", "LoadBalancerStatus", "State of the load balancer."},
    {"ServiceStatus", "conditions", "[Condition]", "Current conditions."},
    {"LoadBalancerStatus", "ingress", "[LoadBalancerIngress]", "Where the load balancer takes traffic."},
    {"LoadBalancerIngress", "ip", "string", "Address of the load balancer."},
    {"LoadBalancerIngress", "hostname", "string", "Name of the load balancer."},
    {"LoadBalancerIngress", "ipMode", "string", "VIP or Proxy."},
    {"Condition", "type", "string", "What the condition is about."},
    {"Condition", "status", "string", "True, False or Unknown."},
    {"Condition", "observedGeneration", "integer", "The generation it was seen at."},
    {"Condition", "lastTransitionTime", "string", "When the status last changed."},
    {"Condition", "reason", "string", "Why, as one word."},
    {"Condition", "message", "string", "Why, for people."},
    {"Namespace", "spec", "NamespaceSpec", "Behaviour of the namespace."},
    {"Namespace", "status", "NamespaceStatus", "State of the namespace."},
    {"NamespaceSpec", "finalizers", "[string]", "What must happen before the namespace goes."},
    {"NamespaceStatus", "phase", "string", "Active or Terminating."},
    {"NamespaceStatus", "conditions", "[Condition]", "Current conditions."},
    {"EndpointSlice", "addressType", "string", "IPv4, IPv6 or FQDN. Immutable."},
    {"EndpointSlice", "endpoints", "[Endpoint]", "The endpoints, at most 1000."},
    {"EndpointSlice", "ports", "[EndpointPort]", "The ports that each endpoint has."},
    {"Endpoint", "addresses", "[string]", "Addresses of the endpoint, of the slice's family."},
    {"Endpoint", "conditions", "EndpointConditions", "Whether it takes traffic."},
    {"Endpoint", "hostname", "string", "Its label below the service's name in DNS."},
    {"Endpoint", "targetRef", "ObjectReference", "The object it stands for."},
    {"Endpoint", "nodeName", "string", "The node it runs on."},
    {"Endpoint", "zone", "string", "The zone it runs in."},
    {"EndpointConditions", "ready", "boolean", "Absent counts as ready."},
    {"EndpointConditions", "serving", "boolean", "Like ready, also while terminating."},
    {"EndpointConditions", "terminating", "boolean", "It is going away."},
    {"EndpointPort", "name", "string", "Name of the port."},
    {"EndpointPort", "protocol", "string", "TCP, UDP or SCTP."},
    {"EndpointPort", "port", "integer", "Number of the port."},
    {"EndpointPort", "appProtocol", "string", "The application's protocol."},
    {"ObjectReference", "kind", "string", ""},
    {"ObjectReference", "namespace", "string", ""},
    {"ObjectReference", "name", "string", ""},
    {"ObjectReference", "uid", "string", ""},
    {"ObjectReference", "apiVersion", "string", ""},
    {"ObjectReference", "resourceVersion", "string", ""},
    {"ObjectReference", "fieldPath", "string", ""},
    {"Endpoints", "subsets", "[EndpointSubset]", "Addresses that share ports."},
    {"EndpointSubset", "addresses", "[EndpointAddress]", "The ready ones."},
    {"EndpointSubset", "notReadyAddresses", "[EndpointAddress]", "The others."},
    {"EndpointSubset", "ports", "[EndpointPort]", "The ports of all of them."},
    {"EndpointAddress", "ip", "string", ""},
    {"EndpointAddress", "hostname", "string", ""},
    {"EndpointAddress", "nodeName", "string", ""},
    {"ServiceCIDR", "spec", "ServiceCIDRSpec", "The prefixes."},
    {"ServiceCIDR", "status", "ServiceCIDRStatus", "State of the prefixes."},
    {"ServiceCIDRSpec", "cidrs", "[string]", "One prefix, or two of different families. Immutable."},
    {"ServiceCIDRStatus", "conditions", "[Condition]", "Current conditions."},
    {"IPAddress", "spec", "IPAddressSpec", "Who holds the address."},
    {"IPAddressSpec", "parentRef", "ParentReference", "The object that holds it."},
    {"ParentReference", "group", "string", ""},
    {"ParentReference", "resource", "string", ""},
    {"ParentReference", "namespace", "string", ""},
    {"ParentReference", "name", "string", ""},
    {"Lease", "spec", "LeaseSpec", "Who holds the lease, and how long."},
    {"LeaseSpec", "holderIdentity", "string", "Who holds it; empty: nobody."},
    {"LeaseSpec", "leaseDurationSeconds", "integer", "How long after renewTime others must wait."},
    {"LeaseSpec", "acquireTime", "string", "When the holder took it."},
    {"LeaseSpec", "renewTime", "string", "When the holder last renewed it."},
    {"LeaseSpec", "leaseTransitions", "integer", "How often it changed hands."},
    {"LeaseSpec", "strategy", "string", "Not carried out here."},
    {"LeaseSpec", "preferredHolder", "string", "Not carried out here."},
    {"Event", "involvedObject", "ObjectReference", "What it happened to."},
    {"Event", "reason", "string", "Why, as one word."},
    {"Event", "message", "string", "Why, for people."},
    {"Event", "source", "EventSource", "Who tells it."},
    {"Event", "firstTimestamp", "string", "When it first happened."},
    {"Event", "lastTimestamp", "string", "When it last happened."},
    {"Event", "count", "integer", "How often it happened."},
    {"Event", "type", "string", "Normal or Warning."},
    {"Event", "eventTime", "string", "When it first happened, in microseconds."},
    {"Event", "series", "EventSeries", "Repetitions."},
    {"Event", "action", "string", "What was being done."},
    {"Event", "related", "ObjectReference", "Another object that matters."},
    {"Event", "reportingComponent", "string", "Who tells it; reportingController in events.k8s.io."},
    {"Event", "reportingInstance", "string", "Which instance of it."},
    {"GroupEvent", "eventTime", "string", "When it first happened, in microseconds."},
    {"GroupEvent", "series", "EventSeries", "Repetitions."},
    {"GroupEvent", "reportingController", "string", "Who tells it."},
    {"GroupEvent", "reportingInstance", "string", "Which instance of it."},
    {"GroupEvent", "action", "string", "What was being done."},
    {"GroupEvent", "reason", "string", "Why, as one word."},
    {"GroupEvent", "regarding", "ObjectReference", "What it happened to."},
    {"GroupEvent", "related", "ObjectReference", "Another object that matters."},
    {"GroupEvent", "note", "string", "Why, for people."},
    {"GroupEvent", "type", "string", "Normal or Warning."},
    {"GroupEvent", "deprecatedSource", "EventSource", ""},
    {"GroupEvent", "deprecatedFirstTimestamp", "string", ""},
    {"GroupEvent", "deprecatedLastTimestamp", "string", ""},
    {"GroupEvent", "deprecatedCount", "integer", ""},
    {"EventSource", "component", "string", ""},
    {"EventSource", "host", "string", ""},
    {"EventSeries", "count", "integer", "How often it happened."},
    {"EventSeries", "lastObservedTime", "string", "When it last happened."},
    {"Pod", "spec", "PodSpec", "What runs. Members that are not listed here are kept, and not looked into."},
    {"Pod", "status", "PodStatus", "How it runs, as its node says."},
    {"PodSpec", "initContainers", "[Container]", "Containers that run before the others."},
    {"PodSpec", "containers", "[Container]", "The containers."},
    {"PodSpec", "nodeName", "string", "The node it runs on."},
    {"PodSpec", "hostNetwork", "boolean", "It has the addresses of its node."},
    {"PodSpec", "hostname", "string", "Its label below the service's name in DNS."},
    {"PodSpec", "subdomain", "string", "The headless service below which it has that name."},
    {"Container", "name", "string", "Unique within the pod."},
    {"Container", "ports", "[ContainerPort]", "Ports that services may mean by name."},
    {"ContainerPort", "name", "string", "What targetPort may name."},
    {"ContainerPort", "hostPort", "integer", "The port on the node."},
    {"ContainerPort", "containerPort", "integer", "The port in the pod."},
    {"ContainerPort", "protocol", "string", "TCP, UDP or SCTP."},
    {"ContainerPort", "hostIP", "string", "The node's address of hostPort."},
    {"PodStatus", "phase", "string", "Pending, Running, Succeeded, Failed or Unknown."},
    {"PodStatus", "conditions", "[Condition]", "Current conditions; Ready is one."},
    {"PodStatus", "hostIP", "string", "Address of its node."},
    {"PodStatus", "podIP", "string", "Its first address."},
    {"PodStatus", "podIPs", "[PodIP]", "Its addresses, at most one of each family."},
    {"PodStatus", "containerStatuses", "[ContainerStatus]", "State of its containers."},
    {"PodIP", "ip", "string", ""},
    {"ContainerStatus", "name", "string", ""},
    {"ContainerStatus", "ready", "boolean", ""},
    {"ContainerStatus", "restartCount", "integer", ""},
    {"Node", "spec", "NodeSpec",
     "What the node is for. Members that are not listed here are kept, and not looked into."},
    {"Node", "status", "NodeStatus", "Its state, as it says."},
    {"NodeSpec", "podCIDR", "string", "Prefix of its pods' addresses."},
    {"NodeSpec", "podCIDRs", "[string]", "The same, one of each family."},
    {"NodeSpec", "unschedulable", "boolean", "It takes no new pods."},
    {"NodeStatus", "conditions", "[Condition]", "Current conditions; Ready is one."},
    {"NodeStatus", "addresses", "[NodeAddress]", "Where it is reached."},
    {"NodeAddress", "type", "string", "Hostname, InternalIP, ExternalIP."},
    {"NodeAddress", "address", "string", ""},
    {"ObjectMeta", "name", "string", "Unique within the namespace. Immutable."},
    {"ObjectMeta", "generateName", "string", "Prefix of a name that the server completes."},
    {"ObjectMeta", "namespace", "string", "The namespace of the object. Immutable."},
    {"ObjectMeta", "labels", "object", "Keys and values that selectors choose by."},
    {"ObjectMeta", "annotations", "object", "Keys and values that nothing chooses by."},
    {"ObjectMeta", "finalizers", "[string]", "What must happen before the object goes."},
    {"ObjectMeta", "ownerReferences", "[OwnerReference]", "The objects it depends on."},
    {"ObjectMeta", "uid", "string", "Unique over time. Set by the server."},
    {"ObjectMeta", "resourceVersion", "string", "Changes with every change of the object."},
    {"ObjectMeta", "generation", "integer", "Counts changes of the wanted state."},
    {"ObjectMeta", "creationTimestamp", "string", "When it was created."},
    {"ObjectMeta", "deletionTimestamp", "string", "When it was deleted, while finalizers hold it."},
    {"ObjectMeta", "deletionGracePeriodSeconds", "integer", ""},
    {"OwnerReference", "apiVersion", "string", ""},
    {"OwnerReference", "kind", "string", ""},
    {"OwnerReference", "name", "string", ""},
    {"OwnerReference", "uid", "string", ""},
    {"OwnerReference", "controller", "boolean", ""},
    {"OwnerReference", "blockOwnerDeletion", "boolean", ""},
};

bool is_schema(std::string_view type) { return !type.empty() && type.front() >= 'A' && type.front() <= 'Z'; }

/// Names of schemas as upstream's documents have them: "io.k8s.api.core.v1.Service".
class Schemas {
public:
  /// `place`: where references look, "#/components/schemas/" or "#/definitions/".
  Schemas(std::string_view group, std::string_view place) : group_(group), place_(place) {}

  void add_kind(const model::KindInfo& kind);
  [[nodiscard]] Json reference(std::string_view schema) const {
    return {{"$ref", std::string(place_) + named(schema)}};
  }
  [[nodiscard]] Json take() { return std::move(all_); }

private:
  [[nodiscard]] std::string named(std::string_view schema) const;
  [[nodiscard]] Json type(std::string_view type) const;
  void add(std::string_view name);

  std::string_view group_, place_;
  Json all_ = Json::object();
};

std::string Schemas::named(std::string_view schema) const {
  if (schema == "ObjectMeta" || schema == "OwnerReference" || schema == "Condition")
    return fmt::format("io.k8s.apimachinery.pkg.apis.meta.v1.{}", schema);
  const bool core = group_.empty() || schema == "ObjectReference" || schema == "EventSource";
  if (schema == "GroupEvent") schema = "Event"; // two groups have an Event, of different fields
  return fmt::format("io.k8s.api.{}.v1.{}", core ? "core" : group_.substr(0, group_.find('.')), schema);
}

Json Schemas::type(std::string_view type) const {
  if (type.starts_with('[')) return {{"type", "array"}, {"items", this->type(type.substr(1, type.size() - 2))}};
  if (type == "IntOrString") return {{"type", "string"}, {"format", "int-or-string"}};
  if (is_schema(type)) return {{"allOf", Json::array({reference(type)})}, {"default", Json::object()}};
  if (type == "object") return {{"type", "object"}, {"additionalProperties", {{"type", "string"}}}};
  return {{"type", type}};
}

void Schemas::add(std::string_view name) {
  if (all_.contains(named(name))) return;
  Json properties = Json::object();
  for (const Field& field : fields) {
    if (field.schema != name) continue;
    Json property = type(field.type);
    if (!field.text.empty()) property["description"] = field.text;
    properties[std::string(field.name)] = std::move(property);
  }
  all_[named(name)] = {{"type", "object"}, {"properties", std::move(properties)}};
  for (const Field& field : fields) {
    if (field.schema != name) continue;
    std::string_view type = field.type;
    if (type.starts_with('[')) type = type.substr(1, type.size() - 2);
    if (is_schema(type) && type != "IntOrString") add(type);
  }
}

Json kind_tag(const model::KindInfo& kind) {
  return {{"group", kind.group}, {"version", kind.version}, {"kind", kind.name}};
}

std::string_view schema_of(const model::KindInfo& kind) {
  return kind.kind == model::Kind::group_event ? "GroupEvent" : kind.name;
}

void Schemas::add_kind(const model::KindInfo& kind) {
  add(schema_of(kind));
  add("ObjectMeta");
  Json& schema = all_[named(schema_of(kind))];
  Json properties = {{"apiVersion", {{"type", "string"}, {"description", "Version of this schema."}}},
                     {"kind", {{"type", "string"}, {"description", "The kind of object."}}},
                     {"metadata", type("ObjectMeta")}};
  properties.update(schema["properties"]);
  schema["properties"] = std::move(properties);
  schema["description"] = fmt::format("{} as this registry keeps it.", kind.name);
  schema["x-kubernetes-group-version-kind"] = Json::array({kind_tag(kind)});
}

enum class Version { v2, v3 };

Json operation(const model::KindInfo& kind, std::string_view action, const Schemas& schemas, Version version) {
  Json parameters = Json::array();
  for (const std::string_view name : {"dryRun", "fieldManager", "fieldValidation"}) {
    if (version == Version::v2)
      parameters.push_back({{"name", name}, {"in", "query"}, {"type", "string"}, {"uniqueItems", true}});
    else
      parameters.push_back({{"name", name}, {"in", "query"}, {"schema", {{"type", "string"}, {"uniqueItems", true}}}});
  }
  const Json schema = {{"schema", schemas.reference(schema_of(kind))}};
  Json answer = {{"description", "OK"}};
  if (version == Version::v2)
    answer.update(schema);
  else
    answer["content"] = {{"application/json", schema}};
  return {{"operationId", fmt::format("{}{}", action, kind.name)},
          {"parameters", std::move(parameters)},
          {"responses", {{"200", std::move(answer)}}},
          {"x-kubernetes-action", action},
          {"x-kubernetes-group-version-kind", kind_tag(kind)}};
}

void add_paths(Json& paths, const model::KindInfo& kind, const Schemas& schemas, Version version) {
  const std::string base =
      fmt::format("{}{}{}", kind.group.empty() ? "/api/v1/" : fmt::format("/apis/{}/v1/", kind.group),
                  kind.namespaced ? "namespaces/{namespace}/" : "", kind.plural);
  const auto act = [&](std::string_view action) { return operation(kind, action, schemas, version); };
  paths[base] = {{"get", act("list")}, {"post", act("post")}};
  paths[base + "/{name}"] = {{"get", act("get")}, {"put", act("put")}, {"patch", act("patch")}};
}

} // namespace

std::optional<std::string> openapi_document(std::string_view group) {
  Json paths = Json::object();
  Schemas schemas(group, "#/components/schemas/");
  for (const model::KindInfo& kind : model::kinds()) {
    if (kind.group != group) continue;
    add_paths(paths, kind, schemas, Version::v3);
    schemas.add_kind(kind);
  }
  if (paths.empty()) return std::nullopt;
  return Json{{"openapi", "3.0.0"},
              {"info", {{"title", "Signpost"}, {"version", "v1"}}},
              {"paths", std::move(paths)},
              {"components", {{"schemas", schemas.take()}}}}
      .dump();
}

std::string openapi_v2_json() {
  Json paths = Json::object(), definitions = Json::object();
  for (const model::KindInfo& kind : model::kinds()) {
    Schemas schemas(kind.group, "#/definitions/");
    add_paths(paths, kind, schemas, Version::v2);
    schemas.add_kind(kind);
    definitions.update(schemas.take());
  }
  return Json{{"swagger", "2.0"},
              {"info", {{"title", "Signpost"}, {"version", "v1"}}},
              {"paths", std::move(paths)},
              {"definitions", std::move(definitions)}}
      .dump();
}

} // namespace signpost::api
