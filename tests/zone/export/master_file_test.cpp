// The master file of a small zone, whole, read back by ldns.
#include <doctest/doctest.h>

#include <map>
#include <set>

#include "tests/zone/ask.hpp"
#include "tests/zone/views.hpp"
#include "zone/export/master_file.hpp"

using namespace signpost;
using namespace signpost::test;

namespace {

std::unique_ptr<zone::Zone> small_zone() {
  auto zone =
      std::make_unique<zone::Zone>(zone::ZoneSettings{.server_addresses = {*model::Address::parse("127.0.0.1")}});
  zone->put_namespace("empty");
  zone->put(cluster_ip("default", "web", {"10.96.0.10", "fd00:10:96::10"}, {{"http", tcp, 80}, {"", tcp, 81}}));
  zone->put(headless("default", "db",
                     {{{{"sql", udp, 5432}}, {endpoint({"10.244.1.5"}, "db-0"), endpoint({"10.244.1.6"})}}}));
  zone->put(external("default", "out", "www.example.com"));
  zone->put(external("default", "in", "web.default.svc.cluster.local"));
  zone->put(cluster_ip("svc", "odd", {"10.96.0.11"}));
  zone->put(cluster_ip("dns", "ns", {"10.96.0.12"}));
  zone->put(headless("default", "vacant", {}));
  zone->publish();
  zone->set_ready();
  return zone;
}

std::vector<std::string> file_of(const zone::Zone& zone, const char* origin) {
  std::vector<std::string> lines;
  const std::size_t count = zone::write_master_file(zone, *wire::name_from_text(origin), [&](std::string_view line) {
    REQUIRE(line.ends_with('\n'));
    lines.emplace_back(line.substr(0, line.size() - 1));
  });
  CHECK(count == lines.size());
  return lines;
}

} // namespace

TEST_CASE("every name of the cluster's zone, in both forms, with what it answers") {
  const auto zone = small_zone();
  auto lines = file_of(*zone, "cluster.local");
  REQUIRE(lines.size() > 2);
  CHECK(lines[0].starts_with("cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. "));
  CHECK(lines[0].ends_with(" 7200 1800 86400 5"));
  lines.erase(lines.begin());
  std::vector<std::string> expected{"cluster.local. 5 IN NS ns.dns.cluster.local.",
                                    "ns.dns.cluster.local. 5 IN A 127.0.0.1",
                                    "dns-version.cluster.local. 28800 IN TXT \"1.1.0\""};
  for (const std::string form : {".svc.cluster.local.", ".cluster.local."}) {
    const std::string web = "web.default" + form, db = "db.default" + form;
    for (const std::string& line : {
             web + " 5 IN A 10.96.0.10",
             web + " 5 IN AAAA fd00:10:96::10",
             web + " 5 IN SRV 0 50 80 web.default.svc.cluster.local.",
             web + " 5 IN SRV 0 50 81 web.default.svc.cluster.local.",
             "_http._tcp." + web + " 5 IN SRV 0 100 80 web.default.svc.cluster.local.",
             db + " 5 IN A 10.244.1.5",
             db + " 5 IN A 10.244.1.6",
             db + " 5 IN SRV 0 50 5432 db-0.db.default.svc.cluster.local.",
             db + " 5 IN SRV 0 50 5432 10-244-1-6.db.default.svc.cluster.local.",
             "_sql._udp." + db + " 5 IN SRV 0 50 5432 db-0.db.default.svc.cluster.local.",
             "_sql._udp." + db + " 5 IN SRV 0 50 5432 10-244-1-6.db.default.svc.cluster.local.",
             "db-0." + db + " 5 IN A 10.244.1.5",
             "10-244-1-6." + db + " 5 IN A 10.244.1.6",
             "out.default" + form + " 5 IN CNAME www.example.com.",
             "in.default" + form + " 5 IN CNAME web.default.svc.cluster.local.",
         })
      expected.push_back(line);
  }
  expected.push_back("odd.svc.svc.cluster.local. 5 IN A 10.96.0.11");
  expected.push_back("ns.dns.svc.cluster.local. 5 IN A 10.96.0.12");
  CHECK(sorted(lines) == sorted(expected));
}

TEST_CASE("reverse zones have each address once, with all its names") {
  const auto zone = small_zone();
  auto v4 = file_of(*zone, "in-addr.arpa");
  REQUIRE(v4.size() == 7);
  CHECK(v4[0].starts_with("in-addr.arpa. 5 IN SOA ns.dns.cluster.local. "));
  CHECK(v4[1] == "in-addr.arpa. 5 IN NS ns.dns.cluster.local.");
  CHECK(sorted({v4.begin() + 2, v4.end()}) ==
        std::vector<std::string>{"10.0.96.10.in-addr.arpa. 5 IN PTR web.default.svc.cluster.local.",
                                 "11.0.96.10.in-addr.arpa. 5 IN PTR odd.svc.svc.cluster.local.",
                                 "12.0.96.10.in-addr.arpa. 5 IN PTR ns.dns.svc.cluster.local.",
                                 "5.1.244.10.in-addr.arpa. 5 IN PTR db-0.db.default.svc.cluster.local.",
                                 "6.1.244.10.in-addr.arpa. 5 IN PTR 10-244-1-6.db.default.svc.cluster.local."});
  const auto v6 = file_of(*zone, "ip6.arpa");
  REQUIRE(v6.size() == 3);
  CHECK(v6[2] == "0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.6.9.0.0.0.1.0.0.0.0.d.f.ip6.arpa. 5 IN PTR "
                 "web.default.svc.cluster.local.");
  CHECK(file_of(*zone, "example.org").empty());
}

TEST_CASE("ldns reads every line") {
  const auto zone = small_zone();
  for (const char* origin : {"cluster.local", "in-addr.arpa", "ip6.arpa"}) {
    for (const std::string& line : file_of(*zone, origin)) {
      CAPTURE(line);
      ldns_rr* record = nullptr;
      CHECK(ldns_rr_new_frm_str(&record, line.c_str(), 0, nullptr, nullptr) == LDNS_STATUS_OK);
      ldns_rr_free(record);
    }
  }
}
