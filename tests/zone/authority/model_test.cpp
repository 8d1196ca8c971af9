// The zone against a model that is too simple to be wrong: a std::map of services, searched whole for each question.
#include <doctest/doctest.h>

#include <map>
#include <random>
#include <set>

#include "tests/zone/ask.hpp"
#include "tests/zone/views.hpp"

using namespace signpost;
using namespace signpost::test;

namespace {

using model::Address;
using model::ServiceView;
using Names = std::map<std::string, std::set<Address>>;
using Services = std::map<model::ServiceKey, ServiceView>;

struct Random {
  explicit Random(std::uint32_t seed) : engine(seed) {}
  unsigned operator()(std::size_t below) { return static_cast<unsigned>(engine() % below); }
  std::mt19937 engine;
};

Address pool_address(Random& random) {
  const std::string last = std::to_string(1 + random(12));
  switch (random(3)) {
  case 0: return address("fd00:1::" + last);
  case 1: return address("10.1." + std::to_string(random(2)) + "." + last);
  default: return address("10.2.0." + last);
  }
}

std::string dashed(const Address& address) {
  std::string text = address.to_string();
  for (char& c : text) c = c == '.' || c == ':' ? '-' : c;
  return text.back() == '-' ? text + '0' : text;
}

std::vector<model::PortView> random_ports(Random& random) {
  const std::vector<model::PortView> all{
      {"http", tcp, 80}, {"http", udp, 80}, {"alt", tcp, 80}, {"", tcp, 90}, {"alt", tcp, 81}};
  std::vector<model::PortView> ports;
  for (const auto& port : all) {
    if (random(3) == 0) ports.push_back(port);
  }
  return ports;
}

ServiceView random_service(Random& random, const model::ServiceKey& key) {
  ServiceView view;
  view.key = key;
  view.form = random(3) == 0 ? ServiceView::Form::cluster_ip : ServiceView::Form::headless;
  if (view.form == ServiceView::Form::cluster_ip) {
    for (unsigned i = random(3); i > 0; --i) view.cluster_ips.push_back(pool_address(random));
    view.ports = random_ports(random);
  }
  view.publish_not_ready = random(8) == 0;
  for (unsigned groups = random(4); groups > 0; --groups) {
    model::EndpointGroup group;
    group.ports = random_ports(random);
    for (unsigned endpoints = random(6); endpoints > 0; --endpoints) {
      const std::string hostname = random(2) == 0 ? "h" + std::to_string(random(5)) : "";
      group.endpoints.push_back({{pool_address(random)}, hostname, random(5) != 0});
      if (random(4) == 0) group.endpoints.back().addresses.push_back(pool_address(random));
    }
    view.groups.push_back(group);
  }
  return view;
}

template <class See>
void each_ready(const ServiceView& view, See&& see) {
  for (const auto& group : view.groups) {
    for (const auto& endpoint : group.endpoints) {
      if (!endpoint.ready && !view.publish_not_ready) continue;
      for (const auto& address : endpoint.addresses) {
        see(group, endpoint.hostname.empty() ? dashed(address) : endpoint.hostname, address);
      }
    }
  }
}

Names endpoint_names(const ServiceView& view) {
  Names names;
  each_ready(view, [&](const auto&, const std::string& name, const Address& address) { names[name].insert(address); });
  return names;
}

std::set<Address> own_addresses(const ServiceView& view) {
  if (view.form == ServiceView::Form::cluster_ip) return {view.cluster_ips.begin(), view.cluster_ips.end()};
  std::set<Address> result;
  each_ready(view, [&](const auto&, const std::string&, const Address& address) { result.insert(address); });
  return result;
}

bool exists(const ServiceView& view) {
  return view.form == ServiceView::Form::cluster_ip || !own_addresses(view).empty();
}

/// "number target-label" of the ports that `takes` accepts.
template <class Takes>
std::set<std::string> srv_rows(const ServiceView& view, Takes&& takes) {
  std::set<std::string> rows;
  if (view.form == ServiceView::Form::cluster_ip) {
    for (const auto& port : view.ports) {
      if (takes(port)) rows.insert(std::to_string(port.number) + " ");
    }
    return rows;
  }
  each_ready(view, [&](const model::EndpointGroup& group, const std::string& name, const Address&) {
    for (const auto& port : group.ports) {
      if (takes(port)) rows.insert(std::to_string(port.number) + " " + name);
    }
  });
  return rows;
}

struct Expected {
  std::string rcode;
  std::set<std::string> rdata; // after the type
};

Expected addresses_of(const std::set<Address>& all, bool v4) {
  Expected expected{"NOERROR", {}};
  for (const auto& address : all) {
    if (address.is_v4() == v4) expected.rdata.insert(address.to_string());
  }
  return expected;
}

std::string domain_of(const model::ServiceKey& key) { return key.name + "." + key.name_space + ".svc.cluster.local."; }

Expected pointers(const Services& services, const Address& address) {
  Expected cluster{"NOERROR", {}}, endpoints{"NOERROR", {}};
  for (const auto& [key, view] : services) {
    if (view.form == ServiceView::Form::cluster_ip && own_addresses(view).contains(address)) {
      cluster.rdata.insert(domain_of(key));
    }
    for (const auto& [name, all] : endpoint_names(view)) {
      if (all.contains(address)) endpoints.rdata.insert(name + "." + domain_of(key));
    }
  }
  if (!cluster.rdata.empty()) return cluster;
  return endpoints.rdata.empty() ? Expected{"NXDOMAIN", {}} : endpoints;
}

std::string reverse_of(const Address& address) {
  std::string name;
  const auto bytes = address.bytes();
  for (std::size_t i = bytes.size(); i-- > 0;) {
    if (address.is_v4()) {
      name += std::to_string(bytes[i]) + ".";
      continue;
    }
    for (const int nibble : {bytes[i] & 15, bytes[i] >> 4}) name += std::string(1, "0123456789abcdef"[nibble]) + ".";
  }
  return name + (address.is_v4() ? "in-addr.arpa." : "ip6.arpa.");
}

/// Every partial reverse name above an address: it exists exactly while some address is below it, and so does each of
/// its neighbours.
void check_above(const zone::Zone& zone, const std::set<std::string>& reverse_names, const std::string& name) {
  for (std::string above = name.substr(name.find('.') + 1); above != "in-addr.arpa." && above != "ip6.arpa.";
       above = above.substr(above.find('.') + 1)) {
    for (const std::string& asked : {above, "7" + above.substr(above.find('.'))}) {
      const bool below = std::any_of(reverse_names.begin(), reverse_names.end(),
                                     [&](const std::string& whole) { return whole.ends_with("." + asked); });
      CAPTURE(asked);
      const Reply reply = ask(zone, asked, "PTR");
      REQUIRE(reply.sound);
      REQUIRE(reply.answer.empty());
      REQUIRE(reply.rcode == (below ? "NOERROR" : "NXDOMAIN"));
    }
  }
}

void check(const zone::Zone& zone, const std::string& name, const char* type, const Expected& expected) {
  CAPTURE(name);
  CAPTURE(type);
  const Reply reply = ask(zone, name, type, {.transport = wire::Transport::tcp});
  REQUIRE(reply.sound);
  REQUIRE(reply.rcode == expected.rcode);
  std::set<std::string> rdata;
  const std::string marker = std::string(" IN ") + type + " ";
  for (const auto& line : reply.answer) rdata.insert(line.substr(line.find(marker) + marker.size()));
  REQUIRE(rdata.size() == reply.answer.size());
  REQUIRE(rdata == expected.rdata);
}

void check_srv(const zone::Zone& zone, const std::string& name, const ServiceView& view,
               const std::set<std::string>& rows, const char* when_empty) {
  Expected expected{rows.empty() ? when_empty : "NOERROR", {}};
  const std::string weight = std::to_string(std::max<std::size_t>(1, rows.empty() ? 1 : 100 / rows.size()));
  for (const auto& row : rows) {
    const auto blank = row.find(' ');
    const std::string label = row.substr(blank + 1);
    expected.rdata.insert("0 " + weight + " " + row.substr(0, blank) + " " + (label.empty() ? "" : label + ".") +
                          domain_of(view.key));
  }
  check(zone, name, "SRV", expected);
}

void check_service(const zone::Zone& zone, const ServiceView& view, const std::string& name) {
  if (!exists(view)) {
    check(zone, name, "A", {"NXDOMAIN", {}});
    check(zone, "h0." + name, "A", {"NXDOMAIN", {}});
    return;
  }
  check(zone, name, "A", addresses_of(own_addresses(view), true));
  check(zone, name, "AAAA", addresses_of(own_addresses(view), false));
  check_srv(zone, name, view, srv_rows(view, [](const auto&) { return true; }), "NOERROR");
  for (const auto protocol : {tcp, udp}) {
    for (const char* port : {"http", "alt", "none"}) {
      const auto takes = [&](const model::PortView& candidate) {
        return candidate.name == port && candidate.protocol == protocol;
      };
      const std::string owner = std::string("_") + port + (protocol == tcp ? "._tcp." : "._udp.") + name;
      check_srv(zone, owner, view, srv_rows(view, takes), "NXDOMAIN");
    }
  }
  const Names names = endpoint_names(view);
  for (const auto& [label, all] : names) {
    check(zone, label + "." + name, "A", addresses_of(all, true));
    check(zone, label + "." + name, "AAAA", addresses_of(all, false));
  }
  for (const char* label : {"h0", "h4", "10-1-0-1", "10-2-0-3", "fd00-1--7"}) {
    if (!names.contains(label)) check(zone, std::string(label) + "." + name, "A", {"NXDOMAIN", {}});
  }
}

} // namespace

TEST_CASE("after any sequence of changes the zone answers as the model does") {
  for (std::uint32_t seed = 1; seed <= 3; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    zone::Zone zone{{}};
    zone.set_ready();
    Services services;
    for (int step = 0; step < 300; ++step) {
      CAPTURE(step);
      const model::ServiceKey key{"ns" + std::to_string(random(3)), "s" + std::to_string(random(8))};
      if (random(4) == 0) {
        services.erase(key);
        zone.erase(key);
      } else {
        const ServiceView view = random_service(random, key);
        services[key] = view;
        zone.put(view);
      }
      if (random(3) == 0) zone.publish();

      const model::ServiceKey other{"ns" + std::to_string(random(3)), "s" + std::to_string(random(8))};
      for (const auto& asked : {key, other}) {
        for (const std::string& name : {domain_of(asked), asked.name + "." + asked.name_space + ".cluster.local."}) {
          const auto found = services.find(asked);
          if (found != services.end())
            check_service(zone, found->second, name);
          else
            check(zone, name, "A", {"NXDOMAIN", {}});
        }
      }
      for (int i = 0; i < 6; ++i) {
        const Address address = pool_address(random);
        check(zone, reverse_of(address), "PTR", pointers(services, address));
      }
      std::set<std::string> networks, spaces, reverse_names;
      for (const auto& [each, view] : services) {
        spaces.insert(each.name_space);
        auto all = own_addresses(view);
        for (const auto& [name, more] : endpoint_names(view)) all.insert(more.begin(), more.end());
        for (const auto& address : all) {
          reverse_names.insert(reverse_of(address));
          if (address.is_v4())
            networks.insert(std::to_string(address.bytes()[2]) + "." + std::to_string(address.bytes()[1]));
        }
      }
      for (const char* network : {"0.1", "1.1", "0.2"}) {
        check(zone, std::string(network) + ".10.in-addr.arpa.", "A",
              {networks.contains(network) ? "NOERROR" : "NXDOMAIN", {}});
      }
      check_above(zone, reverse_names, reverse_of(pool_address(random)));
      if (!reverse_names.empty()) check_above(zone, reverse_names, *reverse_names.begin());
      for (const char* space : {"ns0", "ns1", "ns2"}) {
        check(zone, std::string(space) + ".svc.cluster.local.", "A",
              {spaces.contains(space) ? "NOERROR" : "NXDOMAIN", {}});
      }
    }
    while (!services.empty()) {
      zone.erase(services.begin()->first);
      services.erase(services.begin());
    }
    zone.publish();
    zone.publish();
    CHECK(zone.counts().services == 0);
    CHECK(zone.counts().addresses == 0);
    CHECK(zone.counts().namespaces == 0);
    CHECK(zone.counts().blocks == 0);
  }
}
