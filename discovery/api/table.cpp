#include "discovery/api/table.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "discovery/api/pod_cells.hpp"
#include "discovery/api/status_json.hpp"
#include "discovery/model/json.hpp"
#include "discovery/model/text.hpp"

namespace signpost::api {
namespace {

struct Column {
  std::string_view name, type, format, description;
  int priority = 0; // 1: only with -o wide
};

constexpr Column name_column{"Name", "string", "name", "Name must be unique within a namespace."};
constexpr Column age_column{"Age", "string", "", "Time since the object was created."};

constexpr Column namespace_columns[] = {
    name_column, {"Status", "string", "", "The status of the namespace"}, age_column};
constexpr Column service_columns[] = {name_column,
                                      {"Type", "string", "", "How the service is exposed."},
                                      {"Cluster-IP", "string", "", "The virtual address of the service."},
                                      {"External-IP", "string", "", "Addresses outside of the cluster."},
                                      {"Port(s)", "string", "", "The ports of the service."},
                                      age_column,
                                      {"Selector", "string", "", "The labels of the service's endpoints.", 1}};
constexpr Column endpoint_slice_columns[] = {name_column,
                                             {"AddressType", "string", "", "The type of address of all endpoints."},
                                             {"Ports", "string", "", "The ports of every endpoint."},
                                             {"Endpoints", "string", "", "The addresses of the endpoints."},
                                             age_column};
constexpr Column endpoints_columns[] = {
    name_column, {"Endpoints", "string", "", "The addresses and ports of the endpoints."}, age_column};
constexpr Column service_cidr_columns[] = {
    name_column, {"CIDRs", "string", "", "The prefixes services get their addresses from."}, age_column};
constexpr Column ip_address_columns[] = {name_column,
                                         {"ParentRef", "string", "", "The object that holds the address."}};

constexpr Column lease_columns[] = {name_column, {"Holder", "string", "", "Who holds the lease."}, age_column};

constexpr Column event_columns[] = {
    {"Last Seen", "string", "", "When it last happened."}, {"Type", "string", "", "Normal or Warning."},
    {"Reason", "string", "", "Why, as one word."},         {"Object", "string", "", "What it happened to."},
    {"Subobject", "string", "", "Which part of that.", 1}, {"Source", "string", "", "Who tells it.", 1},
    {"Message", "string", "", "Why, for people."},         {"First Seen", "string", "", "When it first happened.", 1},
    {"Count", "string", "", "How often it happened.", 1},  {"Name", "string", "name", "Name of the event.", 1}};

constexpr Column pod_columns[] = {name_column,
                                  {"Ready", "string", "", "Containers that are ready, of all."},
                                  {"Status", "string", "", "Phase of the pod."},
                                  {"Restarts", "string", "", "How often its containers were restarted."},
                                  age_column,
                                  {"IP", "string", "", "Address of the pod.", 1},
                                  {"Node", "string", "", "The node it runs on.", 1},
                                  {"Nominated Node", "string", "", "The node that makes room for it.", 1},
                                  {"Readiness Gates", "string", "", "Gates that are open, of all.", 1}};
constexpr Column node_columns[] = {name_column,
                                   {"Status", "string", "", "Whether it is ready and takes pods."},
                                   {"Roles", "string", "", "Its roles, as its labels say."},
                                   age_column,
                                   {"Version", "string", "", "Version of its kubelet."},
                                   {"Internal-IP", "string", "", "Its address within the cluster.", 1},
                                   {"External-IP", "string", "", "Its address outside of it.", 1},
                                   {"OS-Image", "string", "", "Its system.", 1},
                                   {"Kernel-Version", "string", "", "The system's kernel.", 1},
                                   {"Container-Runtime", "string", "", "What runs its containers.", 1}};

std::span<const Column> columns_of(model::Kind kind) {
  switch (kind) {
  case model::Kind::name_space: return namespace_columns;
  case model::Kind::service: return service_columns;
  case model::Kind::endpoint_slice: return endpoint_slice_columns;
  case model::Kind::endpoints: return endpoints_columns;
  case model::Kind::service_cidr: return service_cidr_columns;
  case model::Kind::ip_address: return ip_address_columns;
  case model::Kind::lease: return lease_columns;
  case model::Kind::event:
  case model::Kind::group_event: return event_columns;
  case model::Kind::pod: return pod_columns;
  case model::Kind::node: return node_columns;
  }
  return {};
}

/// Joins the first few and counts the rest, as kubectl does: "10.0.0.1,10.0.0.2,10.0.0.3 + 4 more...".
class ShortList {
public:
  void add(std::string_view text) {
    if (++count_ > shown) return;
    if (!text_.empty()) text_ += ',';
    text_ += text;
  }
  [[nodiscard]] std::string text(std::string_view nothing) const {
    if (count_ == 0) return std::string(nothing);
    return count_ > shown ? fmt::format("{} + {} more...", text_, count_ - shown) : text_;
  }

private:
  static constexpr std::size_t shown = 3;
  std::string text_;
  std::size_t count_ = 0;
};

std::string join(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) {
    if (!out.empty()) out += ',';
    out += part;
  }
  return out;
}

std::string or_none(std::string text) { return text.empty() ? "<none>" : text; }

std::string external_ips(const model::Service& service) {
  const model::ServiceSpec& spec = service.spec;
  if (spec.type == "ExternalName") return or_none(spec.external_name);
  std::vector<std::string> all;
  if (spec.type == "LoadBalancer") {
    for (const auto& ingress : service.status.load_balancer.ingress)
      all.push_back(ingress.ip.empty() ? ingress.hostname : ingress.ip);
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    all.insert(all.end(), spec.external_ips.begin(), spec.external_ips.end());
    return all.empty() ? "<pending>" : join(all);
  }
  return or_none(join(spec.external_ips));
}

std::string service_ports(const model::Service& service) {
  std::vector<std::string> all;
  for (const model::ServicePort& port : service.spec.ports) {
    if (port.node_port != 0)
      all.push_back(fmt::format("{}:{}/{}", port.port, port.node_port, port.protocol));
    else
      all.push_back(fmt::format("{}/{}", port.port, port.protocol));
  }
  return or_none(join(all));
}

std::string labels_text(const std::map<std::string, std::string>& labels) {
  std::vector<std::string> all;
  for (const auto& [key, value] : labels) all.push_back(key + "=" + value);
  return or_none(join(all));
}

struct Cell {
  Cell(std::string shown) : text(std::move(shown)) {} // a cell is text unless it is made of a number
  Cell(std::int32_t number) : text(std::to_string(number)), is_number(true) {}
  std::string text;
  bool is_number = false;
};
using Cells = std::vector<Cell>;

void add_cells(const model::Namespace& name_space, Cells& cells) { cells.push_back(name_space.status.phase); }

void add_cells(const model::Service& service, Cells& cells) {
  const std::string ip = service.spec.cluster_ips.empty() ? service.spec.cluster_ip : service.spec.cluster_ips.front();
  cells.push_back(service.spec.type);
  cells.push_back(or_none(ip));
  cells.push_back(external_ips(service));
  cells.push_back(service_ports(service));
}

void add_cells(const model::EndpointSlice& slice, Cells& cells) {
  ShortList ports, addresses;
  for (const model::EndpointPort& port : slice.ports) // one without a number is every port
    ports.add(port.port ? std::to_string(*port.port) : port.name.value_or("*"));
  for (const model::Endpoint& endpoint : slice.endpoints)
    for (const std::string& address : endpoint.addresses) addresses.add(address);
  cells.push_back(slice.address_type);
  cells.push_back(ports.text("<unset>"));
  cells.push_back(addresses.text("<unset>"));
}

void add_cells(const model::Endpoints& endpoints, Cells& cells) {
  ShortList list;
  for (const model::EndpointSubset& subset : endpoints.subsets) {
    if (subset.ports.empty())
      for (const auto& address : subset.addresses) list.add(address.ip);
    for (const model::EndpointsPort& port : subset.ports)
      for (const auto& address : subset.addresses) {
        const bool v6 = address.ip.find(':') != std::string::npos;
        list.add(v6 ? fmt::format("[{}]:{}", address.ip, port.port) : fmt::format("{}:{}", address.ip, port.port));
      }
  }
  cells.push_back(list.text("<none>"));
}

void add_cells(const model::ServiceCidr& cidr, Cells& cells) { cells.push_back(or_none(join(cidr.spec.cidrs))); }

void add_cells(const model::IpAddress& address, Cells& cells) {
  const auto parent = address.spec.parent_ref.value_or(model::ParentReference());
  std::string text = parent.resource;
  if (!parent.group.empty()) text += "." + parent.group;
  if (!parent.name_space.empty()) text += "/" + parent.name_space;
  cells.push_back(parent.resource.empty() ? "<none>" : text + "/" + parent.name);
}

void add_cells(const model::Lease& lease, Cells& cells) { cells.push_back(lease.spec.holder_identity.value_or("")); }

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

/// Events are shown by what happened, not by their names.
Cells event_cells(const model::Event& event, std::int64_t now) {
  std::string first = event.first_timestamp, last = event.last_timestamp, source = event.source.component;
  if (first.empty()) first = event.event_time;
  if (event.series) last = event.series->last_observed_time;
  if (last.empty()) last = first;
  if (source.empty()) source = event.reporting_component;
  const std::string& host = event.source.host.empty() ? event.reporting_instance : event.source.host;
  if (!host.empty()) source += ", " + host;
  const std::int32_t count = event.series ? event.series->count : std::max(event.count, 1);
  const model::ObjectReference& object = event.involved_object;
  std::string message = event.message;
  while (!message.empty() && (message.back() == '\n' || message.back() == ' ')) message.pop_back();
  return {human_age(last, now),
          event.type,
          event.reason,
          lower(object.kind) + "/" + object.name,
          object.field_path,
          source,
          message,
          human_age(first, now),
          count,
          event.metadata.name};
}

/// `json` is the object as clients get it.
Cells cells_of(const model::Object& object, const model::Json& json, std::int64_t now) {
  if (const auto* event = std::get_if<model::Event>(&object)) return event_cells(*event, now);
  if (const auto* event = std::get_if<model::GroupEvent>(&object)) return event_cells(model::to_core(*event), now);
  const model::ObjectMeta& metadata = model::metadata(object);
  Cells cells{metadata.name};
  if (std::holds_alternative<model::Pod>(object) || std::holds_alternative<model::Node>(object)) {
    const bool is_pod = std::holds_alternative<model::Pod>(object);
    for (std::string& cell : is_pod ? pod_cells(json, now) : node_cells(json, now)) cells.push_back(std::move(cell));
    return cells;
  }
  std::visit(
      [&](const auto& value) {
        if constexpr (requires { add_cells(value, cells); }) add_cells(value, cells);
      },
      object);
  if (!std::holds_alternative<model::IpAddress>(object)) cells.push_back(human_age(metadata.creation_timestamp, now));
  if (const auto* service = std::get_if<model::Service>(&object)) cells.push_back(labels_text(service->spec.selector));
  return cells;
}

void append_partial_of(const model::Json& object, std::string_view meta_version, std::string& out) {
  const auto metadata = object.find("metadata");
  out += "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/";
  out += meta_version;
  out += "\",\"metadata\":";
  out += metadata == object.end() ? "{}" : metadata->dump(-1, ' ', false, model::Json::error_handler_t::replace);
  out += '}';
}

} // namespace

void append_columns(model::Kind kind, std::string& out) {
  out += "\"columnDefinitions\":[";
  for (const Column& column : columns_of(kind)) {
    if (out.back() != '[') out += ',';
    out += "{\"name\":";
    model::append_json_string(out, column.name);
    out += ",\"type\":";
    model::append_json_string(out, column.type);
    out += ",\"format\":";
    model::append_json_string(out, column.format);
    out += ",\"description\":";
    model::append_json_string(out, column.description);
    out += ",\"priority\":" + std::to_string(column.priority) + "}";
  }
  out += ']';
}

void append_row(model::Kind kind, std::string_view text, IncludeObject include, std::string_view meta_version,
                std::int64_t now, std::string& out) {
  const auto json = model::parse_json(text);
  const auto object = json ? model::decode_object(kind, *json) : decltype(model::decode_object(kind, *json))();
  out += "{\"cells\":[";
  if (json && object)
    for (const Cell& cell : cells_of(*object, *json, now)) {
      if (out.back() != '[') out += ',';
      if (cell.is_number)
        out += cell.text;
      else
        model::append_json_string(out, cell.text);
    }
  out += ']';
  if (json && include == IncludeObject::metadata) {
    out += ",\"object\":";
    append_partial_of(*json, meta_version, out);
  } else if (include == IncludeObject::object) {
    out += ",\"object\":";
    out += text;
  }
  out += '}';
}

void append_partial(std::string_view text, std::string_view meta_version, std::string& out) {
  const auto json = model::parse_json(text);
  append_partial_of(json ? *json : model::Json::object(), meta_version, out);
}

std::string human_age(std::string_view time, std::int64_t now) {
  const std::int64_t seconds = parse_time(time);
  return seconds < 0 ? "<unknown>" : human_duration(std::max<std::int64_t>(0, now - seconds));
}

std::string human_duration(std::int64_t seconds) {
  const std::int64_t minutes = seconds / 60, hours = minutes / 60, days = hours / 24;
  const auto pair = [](std::int64_t large, char a, std::int64_t small, char b) {
    return small == 0 ? fmt::format("{}{}", large, a) : fmt::format("{}{}{}{}", large, a, small, b);
  };
  if (seconds < 60 * 2) return fmt::format("{}s", seconds);
  if (minutes < 10) return pair(minutes, 'm', seconds % 60, 's');
  if (minutes < 60 * 3) return fmt::format("{}m", minutes);
  if (hours < 8) return pair(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return fmt::format("{}h", hours);
  if (hours < 24 * 8) return pair(days, 'd', hours % 24, 'h');
  if (days < 365 * 2) return fmt::format("{}d", days);
  if (days < 365 * 8) return pair(days / 365, 'y', days % 365, 'd');
  return fmt::format("{}y", days / 365);
}

std::int64_t parse_time(std::string_view text) {
  const auto number = [&](std::size_t at, std::size_t length) {
    int value = -1;
    if (text.size() < at + length) return -1;
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + at + length, value);
    return error == std::errc{} && end == text.data() + at + length ? value : -1;
  };
  if (text.size() < 20 || text[10] != 'T' || text.back() != 'Z') return -1;
  const int year = number(0, 4), month = number(5, 2), day = number(8, 2);
  const int hour = number(11, 2), minute = number(14, 2), second = number(17, 2);
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (year < 0 || month < 1 || day < 1 || hour < 0 || minute < 0 || second < 0 || !date.ok()) return -1;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return ((days * 24 + hour) * 60 + minute) * 60 + second;
}

} // namespace signpost::api
