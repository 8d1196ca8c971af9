#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "client/cli/get.hpp"

namespace signpost::cli {

namespace {

class Sheet {
public:
  explicit Sheet(std::ostream& out) : out_(out) {}

  void line(std::string_view key, std::string_view value) {
    constexpr std::size_t width = 20;
    std::string text = printable(key) + ':';
    text.resize(std::max(width, text.size() + 1), ' ');
    out_ << text << (value.empty() ? "<none>" : printable(value)) << '\n';
  }

  // The first value beside the key, the others below it.
  void lines(std::string_view key, const std::vector<std::string>& values) {
    line(key, values.empty() ? "" : values[0]);
    for (std::size_t i = 1; i < values.size(); ++i) out_ << std::string(20, ' ') << printable(values[i]) << '\n';
  }

private:
  std::ostream& out_;
};

std::string scalar(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_null() ? "" : value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::vector<std::string> pairs(const Json& map) {
  std::vector<std::string> out;
  if (map.is_object())
    for (const auto& [key, value] : map.items()) out.push_back(key + '=' + scalar(value));
  return out;
}

std::vector<std::string> texts(const Json& list) {
  std::vector<std::string> out;
  if (list.is_array())
    for (const auto& item : list) out.push_back(scalar(item));
  return out;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const auto& part : parts) (out += out.empty() ? "" : ", ") += part;
  return out;
}

std::vector<std::string> annotations(const Json& object) {
  auto out = pairs(member(member(object, "metadata"), "annotations"));
  std::erase_if(out, [](const std::string& text) { return text.starts_with("kubectl.kubernetes.io/last-applied"); });
  return out;
}

std::string port_text(const Json& port) {
  std::string out = scalar(member(port, "name"));
  if (out.empty()) out = "<unnamed>";
  const auto protocol = scalar(member(port, "protocol"));
  out += "  " + scalar(member(port, "port")) + '/' + (protocol.empty() ? "TCP" : protocol);
  if (const auto target = scalar(member(port, "targetPort")); !target.empty()) out += " -> " + target;
  if (const auto node = scalar(member(port, "nodePort")); !node.empty()) out += ", node port " + node;
  return out;
}

// "10.244.1.10:8080 (http, ready, node-a)" of each endpoint of one slice.
void add_endpoints(const Json& slice, std::vector<std::string>& out) {
  std::string ports;
  for (const auto& port : member(slice, "ports")) {
    const auto name = scalar(member(port, "name"));
    ports += (ports.empty() ? "" : ", ") + (name.empty() ? "" : name + '=') + scalar(member(port, "port"));
  }
  for (const auto& endpoint : member(slice, "endpoints")) {
    const auto& conditions = member(endpoint, "conditions");
    const auto& ready = member(conditions, "ready");
    std::string text = joined(texts(member(endpoint, "addresses")));
    text += ready.is_boolean() && !ready.get<bool>() ? "  not ready" : "  ready";
    if (const auto& terminating = member(conditions, "terminating");
        terminating.is_boolean() && terminating.get<bool>())
      text += ", terminating";
    if (!ports.empty()) text += "  ports " + ports;
    for (const auto* const key : {"hostname", "nodeName", "zone"})
      if (const auto value = scalar(member(endpoint, key)); !value.empty())
        text += std::string("  ") + key + ' ' + value;
    out.push_back(std::move(text));
  }
}

// The zone that the server answers for names of services, from its status page; "" where it has none.
std::string cluster_zone(Api& api) {
  const auto page = api.call({.target = "/status"});
  if (!page) return {};
  for (const auto& zone : member(*page, "zones"))
    if (const auto text = scalar(zone); !text.empty() && !text.ends_with("in-addr.arpa") && !text.ends_with("ip6.arpa"))
      return text;
  return {};
}

void describe_service(const Session& session, Api& api, const Json& service) {
  Sheet sheet(session.out);
  const auto& spec = member(service, "spec");
  const auto name = metadata_text(service, "name"), name_space = metadata_text(service, "namespace");
  sheet.line("Name", name);
  sheet.line("Namespace", name_space);
  sheet.lines("Labels", pairs(member(member(service, "metadata"), "labels")));
  sheet.lines("Annotations", annotations(service));
  sheet.line("Created", metadata_text(service, "creationTimestamp"));
  sheet.line("Selector", joined(pairs(member(spec, "selector"))));
  sheet.line("Type", scalar(member(spec, "type")));
  if (const auto external = scalar(member(spec, "externalName")); !external.empty())
    sheet.line("External name", external);
  sheet.line("IP families", joined(texts(member(spec, "ipFamilies"))));
  auto addresses = texts(member(spec, "clusterIPs"));
  if (addresses.empty()) addresses = {scalar(member(spec, "clusterIP"))};
  sheet.line("Cluster IPs", joined(addresses));
  std::vector<std::string> ports;
  for (const auto& port : member(spec, "ports")) ports.push_back(port_text(port));
  sheet.lines("Ports", ports);

  const auto slices = api.list(model::info(model::Kind::endpoint_slice),
                               {.name_space = name_space, .label_selector = "kubernetes.io/service-name=" + name});
  std::vector<std::string> endpoints;
  if (slices)
    for (const auto& slice : member(*slices, "items")) add_endpoints(slice, endpoints);
  else
    endpoints = {"unknown: " + slices.error().message};
  sheet.lines("Endpoints", endpoints);
  const auto zone = cluster_zone(api);
  sheet.line("DNS name", name + '.' + name_space + ".svc" + (zone.empty() ? ", in the cluster's zone" : '.' + zone));
}

} // namespace

Exit describe(const Session& session, const GetOptions& options) {
  const auto selections = read_selection(options.what);
  if (!selections) return session.complain(selections.error()), Exit::usage;
  auto api = session.api();
  if (!api) return session.complain(api.error()), api.error().code;
  Exit worst = Exit::ok;
  bool first = true;
  const auto show = [&](const model::KindInfo& kind, Json object) {
    if (!first) session.out << '\n';
    first = false;
    if (kind.kind == model::Kind::service) return describe_service(session, *api, object);
    if (object.contains("metadata") && object["metadata"].is_object()) object["metadata"].erase("managedFields");
    print_yaml(session.out, object);
  };
  const auto failed = [&](const Failure& failure) {
    session.complain(failure);
    if (worst == Exit::ok) worst = failure.code;
  };
  for (const auto& selection : *selections) {
    const auto& kind = *selection.kind;
    const std::string name_space = kind.namespaced && !options.all_namespaces ? session.name_space : "";
    for (const auto& name : selection.names) {
      auto object = api->get(kind, name_space, name);
      if (object)
        show(kind, std::move(*object));
      else
        failed(object.error());
    }
    if (!selection.names.empty()) continue;
    auto list = api->list(kind, {.name_space = name_space, .label_selector = options.label_selector});
    if (!list) {
      failed(list.error());
      continue;
    }
    for (auto& item : (*list)["items"]) show(kind, std::move(item));
    if (first) session.err << "No " << kind.plural << " found.\n";
  }
  return worst;
}

} // namespace signpost::cli
