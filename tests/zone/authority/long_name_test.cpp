// Domains so long that names below them do not fit into 255 octets.
#include <doctest/doctest.h>

#include "tests/zone/ask.hpp"
#include "tests/zone/views.hpp"
#include "zone/export/master_file.hpp"

using namespace signpost;
using namespace signpost::test;

namespace {

/// A domain of this many octets in wire form, without trailing dot.
std::string domain_of(std::size_t octets) {
  std::string domain;
  for (std::size_t left = octets - 1; left > 0;) {
    const std::size_t label = left <= 64 ? left : std::min<std::size_t>(64, left - 2);
    domain += (domain.empty() ? "" : ".") + std::string(label - 1, 'd');
    left -= label;
  }
  return domain;
}

std::unique_ptr<zone::Zone> zone_of(const std::string& domain) {
  auto zone = std::make_unique<zone::Zone>(zone::ZoneSettings{.cluster_domain = domain,
                                                              .origins = {domain, "in-addr.arpa", "ip6.arpa"},
                                                              .server_addresses = addresses({"10.96.0.53"})});
  zone->put_namespace("n");
  zone->put(cluster_ip("n", "web", {"10.96.0.1"}, {{"http", tcp, 80}}));
  zone->put(headless("n", "db",
                     {{{{"sql", tcp, 5432}},
                       {endpoint({"10.0.0.1"}, std::string(40, 'h')), endpoint({"10.0.0.2"}),
                        endpoint({"2001:db8:1111:2222:3333:4444:5555:6666"}), endpoint({"10.0.0.3"}, "e")}}}));
  zone->publish();
  zone->set_ready();
  return zone;
}

} // namespace

TEST_CASE("no record has a name above 255 octets, below domains of every length") {
  std::size_t cut = 0;
  for (std::size_t octets = 180; octets <= 255; ++octets) {
    const std::string domain = domain_of(octets);
    CAPTURE(octets);
    REQUIRE(name_octets(domain + ".").size() == octets);
    const auto zone = zone_of(domain);
    for (const How& how : {How{.edns = true}, How{.transport = wire::Transport::tcp}}) {
      for (const char* type : {"A", "AAAA", "SRV", "SOA", "NS", "PTR", "ANY", "TXT"}) {
        CAPTURE(type);
        for (const std::string& name :
             {domain + ".", "web.n.svc." + domain + ".", "web.n." + domain + ".", "db.n." + domain + ".",
              "absent.n." + domain + ".", "_http._tcp.web.n." + domain + ".", std::string("1.0.96.10.in-addr.arpa."),
              std::string("1.0.0.10.in-addr.arpa."), std::string("2.0.0.10.in-addr.arpa."),
              std::string("9.0.0.10.in-addr.arpa."), std::string("in-addr.arpa."),
              std::string("6.6.6.6.5.5.5.5.4.4.4.4.3.3.3.3.2.2.2.2.1.1.1.1.8.b.d.0.1.0.0.2.ip6.arpa.")}) {
          if (name_octets(name).empty()) continue; // ldns makes no such name
          CAPTURE(name);
          const Reply reply = ask(*zone, name, type, how); // sound: ldns took every name
          CHECK(reply.sound);
          if (reply.answer.empty()) CHECK(reply.authority.size() == (octets + 11 <= 255 || reply.truncated() ? 1 : 0));
        }
      }
    }
    const auto srv = ask(*zone, "db.n." + domain + ".", "SRV", {.transport = wire::Transport::tcp});
    if (octets + 9 + 41 <= 255 && octets + 9 + 40 <= 255) CHECK(srv.answer.size() == 4);
    if (octets + 9 + 41 > 255 && octets + 9 + 9 <= 255) {
      CHECK(srv.answer.size() < 4);
      CHECK(!srv.answer.empty());
      ++cut;
    }
    // Neither too long nor told of below the usual domains; all lines of the export are sound names.
    if (octets <= 190) CHECK(zone->long_name().empty());
    if (octets + 9 + 41 > 255) CHECK(!zone->long_name().empty());
    for (const char* origin : {domain.c_str(), "in-addr.arpa", "ip6.arpa"}) {
      zone::write_master_file(*zone, *wire::name_from_text(origin), [&](std::string_view line) {
        ldns_rr* record = nullptr;
        CHECK(ldns_rr_new_frm_str(&record, std::string(line).c_str(), 0, nullptr, nullptr) == LDNS_STATUS_OK);
        ldns_rr_free(record);
      });
    }
  }
  CHECK(cut > 20);
}

TEST_CASE("a chased alias and a truncated answer begin with another address each time") {
  zone::Zone zone{zone::ZoneSettings{}};
  model::EndpointGroup few{{}, {}}, many{{}, {}};
  for (int i = 0; i < 100; ++i) {
    if (i < 4) few.endpoints.push_back(endpoint({"10.0.0." + std::to_string(i)}));
    many.endpoints.push_back(endpoint({"10.0.1." + std::to_string(i)}));
  }
  zone.put(headless("n", "few", {few}));
  zone.put(headless("n", "many", {many}));
  zone.put(external("n", "alias", "few.n.svc.cluster.local"));
  zone.put(external("n", "to-many", "many.n.svc.cluster.local"));
  zone.publish();
  zone.set_ready();
  for (const auto& [name, at, least] : {std::tuple{"alias", 1u, 4u}, {"to-many", 1u, 20u}, {"many", 0u, 20u}}) {
    CAPTURE(name);
    std::vector<std::string> firsts;
    for (int i = 0; i < 40; ++i)
      firsts.push_back(ask(zone, std::string(name) + ".n.svc.cluster.local.", "A").answer.at(at));
    firsts = sorted(firsts);
    firsts.erase(std::unique(firsts.begin(), firsts.end()), firsts.end());
    CHECK(firsts.size() >= least);
  }
}
