#include "client/cli/vip.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>

#include "discovery/model/address_text.hpp"

namespace signpost::cli {

namespace {

using model::Address;
using model::Prefix;

constexpr int most_looks = 3; // what is changed between two lists looks wrong once, not three times

struct ServiceCidr {
  std::string name, state, created;
  Prefix prefix;
};

struct Holder {
  std::string resource, name; // "services", "default/web"
  bool managed = false;       // the registry made it for a service
  std::string created;

  [[nodiscard]] std::string text() const { return (resource == "services" ? "service" : resource) + ' ' + name; }
};

/// What the API says of virtual IPs, all of it.
struct Inventory {
  std::vector<ServiceCidr> cidrs;                         // one for each prefix
  std::map<Address, Holder> holders;                      // of IPAddresses
  std::map<Address, std::vector<std::string>> used;       // by services
  std::map<std::string, std::vector<Address>> of_service; // "default/web"
};

std::string qualified(const std::string& name_space, const std::string& name) {
  return name_space.empty() ? name : name_space + '/' + name;
}

std::string state_of(const Json& cidr) {
  if (!metadata_text(cidr, "deletionTimestamp").empty()) return "Terminating";
  for (const Json& condition : member(member(cidr, "status"), "conditions"))
    if (text_member(condition, "type") == "Ready" && text_member(condition, "status") == "False") return "NotReady";
  return "Ready";
}

Expected<Inventory> take_inventory(Api& api) {
  Inventory inventory;
  const auto all = [&](const char* kind) { return api.list(*kind_named(kind), {.name_space = {}}); };
  const auto services = all("services");
  if (!services) return tl::make_unexpected(services.error());
  const auto addresses = all("ipaddresses");
  if (!addresses) return tl::make_unexpected(addresses.error());
  const auto cidrs = all("servicecidrs");
  if (!cidrs) return tl::make_unexpected(cidrs.error());

  for (const Json& item : (*services)["items"]) {
    const Json& spec = member(item, "spec");
    if (text_member(spec, "type") == "ExternalName") continue;
    const std::string name = qualified(metadata_text(item, "namespace"), metadata_text(item, "name"));
    for (const Json& text : member(spec, "clusterIPs")) {
      const auto address = text.is_string() ? model::read_address(text.get<std::string>()) : std::nullopt;
      if (!address) continue; // None
      inventory.used[*address].push_back(name);
      inventory.of_service[name].push_back(*address);
    }
  }
  for (const Json& item : (*addresses)["items"]) {
    const auto address = Address::parse(metadata_text(item, "name"));
    if (!address) continue;
    const Json& parent = member(member(item, "spec"), "parentRef");
    inventory.holders[*address] = {text_member(parent, "resource"),
                                   qualified(text_member(parent, "namespace"), text_member(parent, "name")),
                                   text_member(member(member(item, "metadata"), "labels"),
                                               "ipaddress.kubernetes.io/managed-by") == "ipallocator.k8s.io",
                                   metadata_text(item, "creationTimestamp")};
  }
  for (const Json& item : (*cidrs)["items"])
    for (const Json& text : member(member(item, "spec"), "cidrs"))
      if (const auto prefix = text.is_string() ? Prefix::parse(text.get<std::string>()) : std::nullopt)
        inventory.cidrs.push_back(
            {metadata_text(item, "name"), state_of(item), metadata_text(item, "creationTimestamp"), *prefix});
  return inventory;
}

/// Addresses that services can have: of IPv4 all but the first and the last, of IPv6 all but the first.
std::uint64_t usable(const Prefix& prefix) {
  const bool v4 = prefix.family() == model::Family::ipv4;
  const int bits = (v4 ? 32 : 128) - prefix.length;
  if (bits >= 64) return std::numeric_limits<std::uint64_t>::max();
  const std::uint64_t all = std::uint64_t{1} << bits;
  return v4 ? all - std::min<std::uint64_t>(all, 2) : all - 1;
}

std::uint64_t used_of(const Inventory& inventory, const Prefix& prefix) {
  return static_cast<std::uint64_t>(std::count_if(inventory.holders.begin(), inventory.holders.end(),
                                                  [&](const auto& one) { return prefix.contains(one.first); }));
}

void list_cidrs(const Session& session, const VipOptions& options, const Inventory& inventory) {
  if (options.output == "json") {
    Json list = Json::array();
    for (const ServiceCidr& cidr : inventory.cidrs)
      list.push_back({{"name", cidr.name},
                      {"prefix", cidr.prefix.to_string()},
                      {"state", cidr.state},
                      {"used", used_of(inventory, cidr.prefix)},
                      {"usable", usable(cidr.prefix)}});
    return print_json(session.out, list);
  }
  std::vector<std::vector<std::string>> rows;
  if (!options.no_headers) rows.push_back({"SERVICECIDR", "PREFIX", "STATE", "USED", "FREE", "AGE"});
  for (const ServiceCidr& cidr : inventory.cidrs) {
    const std::uint64_t used = used_of(inventory, cidr.prefix), all = usable(cidr.prefix);
    rows.push_back({cidr.name, cidr.prefix.to_string(), cidr.state, std::to_string(used),
                    std::to_string(all - std::min(all, used)), age(cidr.created)});
  }
  TablePrinter table(session.out);
  for (const auto& row : rows) table.measure(row);
  for (const auto& row : rows) table.print(row);
}

void list_addresses(const Session& session, const VipOptions& options, const Inventory& inventory) {
  if (options.output == "json") {
    Json list = Json::array();
    for (const auto& [address, holder] : inventory.holders)
      list.push_back({{"address", address.to_string()}, {"resource", holder.resource}, {"name", holder.name}});
    return print_json(session.out, list);
  }
  std::vector<std::vector<std::string>> rows;
  if (!options.no_headers) rows.push_back({"ADDRESS", "HELD BY", "AGE"});
  for (const auto& [address, holder] : inventory.holders)
    rows.push_back({address.to_string(), holder.text(), age(holder.created)});
  TablePrinter table(session.out);
  for (const auto& row : rows) table.measure(row);
  for (const auto& row : rows) table.print(row);
}

std::set<std::string> problems_of(const Inventory& inventory) {
  std::set<std::string> problems;
  for (const auto& [address, services] : inventory.used) {
    const std::string ip = address.to_string();
    if (services.size() > 1) {
      std::string names;
      for (const std::string& name : services) names += (names.empty() ? "" : " and ") + name;
      problems.insert(ip + " is given more than once, to the services " + names + ": delete all of them but one");
    }
    const auto holder = inventory.holders.find(address);
    if (holder == inventory.holders.end())
      problems.insert("service " + services.front() + " has " + ip +
                      ", but no IPAddress holds it: delete the service and create it again with this clusterIP");
    else if (holder->second.resource != "services" ||
             std::find(services.begin(), services.end(), holder->second.name) == services.end())
      problems.insert("service " + services.front() + " has " + ip + ", but its IPAddress is held by " +
                      holder->second.text() + ": delete one of the two");
    if (std::none_of(inventory.cidrs.begin(), inventory.cidrs.end(),
                     [&](const ServiceCidr& cidr) { return cidr.prefix.contains(address); }))
      problems.insert("service " + services.front() + " has " + ip +
                      ", which is in no ServiceCIDR: create one that holds it");
  }
  for (const auto& [address, holder] : inventory.holders) {
    if (!holder.managed || holder.resource != "services") continue; // a client's own
    const auto service = inventory.of_service.find(holder.name);
    if (service != inventory.of_service.end() &&
        std::find(service->second.begin(), service->second.end(), address) != service->second.end())
      continue;
    problems.insert("IPAddress " + address.to_string() + " is held by service " + holder.name +
                    ", which does not have it: delete the IPAddress");
  }
  return problems;
}

Exit check(const Session& session, Api& api) {
  std::set<std::string> problems;
  for (int look = 0; look < most_looks; ++look) {
    const auto inventory = take_inventory(api);
    if (!inventory) {
      session.complain(inventory.error());
      return inventory.error().code;
    }
    const auto found = problems_of(*inventory);
    if (look == 0) problems = found;
    std::erase_if(problems, [&](const std::string& problem) { return !found.contains(problem); });
    if (!problems.empty()) continue;
    session.out << "all fits: " << inventory->of_service.size() << " services with " << inventory->used.size()
                << " addresses, " << inventory->holders.size() << " IPAddresses, " << inventory->cidrs.size()
                << " prefixes\n";
    return Exit::ok;
  }
  for (const std::string& problem : problems) session.out << printable(problem) << '\n';
  return Exit::error;
}

} // namespace

Exit vip(const Session& session, const VipOptions& options) {
  auto api = session.api();
  if (!api) {
    session.complain(api.error());
    return api.error().code;
  }
  if (options.action == "check") return check(session, *api);
  const auto inventory = take_inventory(*api);
  if (!inventory) {
    session.complain(inventory.error());
    return inventory.error().code;
  }
  (options.addresses ? list_addresses : list_cidrs)(session, options, *inventory);
  return Exit::ok;
}

} // namespace signpost::cli
