// Questions and answers in zone-file text: the Kubernetes DNS schema, whole.
#include <doctest/doctest.h>

#include <set>

#include "tests/zone/ask.hpp"
#include "tests/zone/views.hpp"

using namespace signpost;
using namespace signpost::test;

namespace {

using Lines = std::vector<std::string>;

constexpr const char* soa_end = " 7200 1800 86400 5";

struct Cluster {
  zone::Zone zone{{.cluster_domain = "cluster.local",
                   .origins = {"cluster.local", "in-addr.arpa", "ip6.arpa"},
                   .server_addresses = addresses({"10.96.0.53", "fd00:10:96::53"})}};

  Cluster() {
    for (const char* name : {"default", "kube-system", "svc", "pod", "empty"}) zone.put_namespace(name);
    zone.put(cluster_ip("default", "web", {"10.96.0.10"}, {{"http", tcp, 80}, {"", tcp, 9000}}));
    zone.put(cluster_ip("default", "dual", {"10.96.0.11", "fd00:10:96::11"}, {{"dns", udp, 53}, {"dns-tcp", tcp, 53}}));
    zone.put(cluster_ip("svc", "odd", {"10.96.0.12"}));
    zone.put(cluster_ip("pod", "odd", {"10.96.0.13"}));
    zone.put(cluster_ip("default", "pending", {}, {{"http", tcp, 80}}));
    zone.put(cluster_ip("dns", "ns", {"10.96.0.14"}));
    zone.put(external("default", "outside", "Target.Example.com."));
    zone.put(external("default", "literal", "192.0.2.1"));
    zone.put(external("default", "nonsense", "a..b"));
    zone.put(external("default", "inside", "web.default.svc.cluster.local"));
    zone.put(external("default", "twice", "inside.default.cluster.local"));
    zone.put(external("default", "nowhere", "absent.default.svc.cluster.local"));
    zone.put(external("default", "loop-a", "loop-b.default.svc.cluster.local"));
    zone.put(external("default", "loop-b", "loop-a.default.svc.cluster.local"));
    zone.put(external("default", "backwards", "10.0.96.10.in-addr.arpa"));
    for (int i = 0; i < 12; ++i) {
      zone.put(external("chain", "c" + std::to_string(i), "c" + std::to_string(i + 1) + ".chain.svc.cluster.local"));
    }

    model::EndpointGroup named{
        {{"http", tcp, 8080}, {"peer", tcp, 7000}},
        {endpoint({"10.244.1.5"}, "db-0"), endpoint({"10.244.1.6"}, "db-1"), endpoint({"10.244.1.7"}, "db-2", false)}};
    model::EndpointGroup named6{{{"http", tcp, 8080}, {"peer", tcp, 7000}}, {endpoint({"fd00:244::5"}, "DB-0")}};
    zone.put(headless("default", "db", {named, named6}));
    model::EndpointGroup plain{{{"", tcp, 80}},
                               {endpoint({"10.244.2.1"}), endpoint({"10.244.2.2"}), endpoint({"10.244.2.1"})}};
    model::EndpointGroup plain6{{{"", tcp, 80}}, {endpoint({"fd00:244::"}), endpoint({"2001:db8::1:0:0:1"})}};
    zone.put(headless("default", "plain", {plain, plain6}));
    zone.put(headless("default", "gone", {{{}, {endpoint({"10.244.3.1"}, "", false)}}}));
    auto early = headless("default", "early", {{{{"p", tcp, 1}}, {endpoint({"10.244.3.2"}, "early-0", false)}}});
    early.publish_not_ready = true;
    zone.put(early);

    auto backed = cluster_ip("default", "backed", {"10.96.0.20"}, {{"http", tcp, 80}});
    backed.groups = {{{{"http", tcp, 8080}}, {endpoint({"10.244.4.1"}), endpoint({"10.244.4.2"}, "pod-2")}}};
    zone.put(backed);
    zone.put(headless("default", "shared-a", {{{}, {endpoint({"10.244.5.1"}, "x")}}}));
    zone.put(headless("default", "shared-b", {{{}, {endpoint({"10.244.5.1"})}}}));
    zone.publish();
    zone.set_ready();
  }
};

const zone::Zone& cluster() {
  static const Cluster instance;
  return instance.zone;
}

struct Case {
  const char *name, *type, *rcode;
  Lines answer;
  Lines additional = {};
};

bool is_soa_of(const std::string& line, const std::string& apex) {
  return line.starts_with(apex + " 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. ") &&
         line.ends_with(soa_end);
}

std::string apex_of(const std::string& name) {
  if (name.ends_with("in-addr.arpa.")) return "in-addr.arpa.";
  return name.ends_with("ip6.arpa.") ? "ip6.arpa." : "cluster.local.";
}

void check(const Case& expected) {
  const std::string what = std::string(expected.name) + " " + expected.type;
  CAPTURE(what);
  for (const How& how : {How{}, How{.edns = true}, How{.transport = wire::Transport::tcp}}) {
    const Reply reply = ask(cluster(), expected.name, expected.type, how);
    CHECK(reply.sound);
    CHECK(reply.rcode == expected.rcode);
    CHECK(reply.authoritative());
    CHECK(!reply.truncated());
    CHECK(reply.edns == how.edns);
    CHECK(sorted(reply.answer) == sorted(expected.answer));
    CHECK(sorted(reply.additional) == sorted(expected.additional));
    const bool negative = expected.answer.empty() || std::string(expected.rcode) == "NXDOMAIN";
    CHECK(reply.authority.size() == (negative ? 1 : 0));
    if (negative && expected.answer.empty() && !reply.authority.empty()) {
      CHECK(is_soa_of(reply.authority[0], apex_of(expected.name)));
    }
  }
}

#define A(owner, ip) owner " 5 IN A " ip
#define AAAA(owner, ip) owner " 5 IN AAAA " ip

} // namespace

TEST_CASE("cluster IP services: both name forms, every family") {
  for (const Case& test : std::vector<Case>{
           {"web.default.svc.cluster.local.", "A", "NOERROR", {A("web.default.svc.cluster.local.", "10.96.0.10")}},
           {"web.default.cluster.local.", "A", "NOERROR", {A("web.default.cluster.local.", "10.96.0.10")}},
           {"web.default.svc.cluster.local.", "AAAA", "NOERROR", {}},
           {"web.default.svc.cluster.local.", "MX", "NOERROR", {}},
           {"web.default.svc.cluster.local.", "CNAME", "NOERROR", {}},
           {"web.default.svc.cluster.local.", "DS", "NOERROR", {}},
           {"web.default.svc.cluster.local.", "SOA", "NOERROR", {}},
           {"web.default.svc.cluster.local.", "NS", "NOERROR", {}},
           {"web.default.svc.cluster.local.", "TYPE65280", "NOERROR", {}},
           {"web.default.svc.cluster.local.", "ANY", "NOERROR", {A("web.default.svc.cluster.local.", "10.96.0.10")}},
           {"dual.default.svc.cluster.local.", "A", "NOERROR", {A("dual.default.svc.cluster.local.", "10.96.0.11")}},
           {"dual.default.svc.cluster.local.",
            "AAAA",
            "NOERROR",
            {AAAA("dual.default.svc.cluster.local.", "fd00:10:96::11")}},
           {"dual.default.cluster.local.", "AAAA", "NOERROR", {AAAA("dual.default.cluster.local.", "fd00:10:96::11")}},
           {"pending.default.svc.cluster.local.", "A", "NOERROR", {}},
           {"absent.default.svc.cluster.local.", "A", "NXDOMAIN", {}},
           {"absent.default.cluster.local.", "A", "NXDOMAIN", {}},
           {"web.absent.svc.cluster.local.", "A", "NXDOMAIN", {}},
           {"x.y.web.default.svc.cluster.local.", "A", "NXDOMAIN", {}},
           {"a.b.c.web.default.svc.cluster.local.", "A", "NXDOMAIN", {}},
           {"web.default.svc.cluster.local.default.svc.cluster.local.", "A", "NXDOMAIN", {}},
           {"www.example.com.default.svc.cluster.local.", "A", "NXDOMAIN", {}},
       }) {
    check(test);
  }
}

TEST_CASE("namespaces called svc and pod have no short form") {
  for (const Case& test : std::vector<Case>{
           {"odd.svc.svc.cluster.local.", "A", "NOERROR", {A("odd.svc.svc.cluster.local.", "10.96.0.12")}},
           {"odd.svc.cluster.local.", "A", "NXDOMAIN", {}},
           {"odd.pod.svc.cluster.local.", "A", "NOERROR", {A("odd.pod.svc.cluster.local.", "10.96.0.13")}},
           {"odd.pod.cluster.local.", "A", "NXDOMAIN", {}},
           {"svc.svc.cluster.local.", "A", "NOERROR", {}},
           {"1-2-3-4.default.pod.cluster.local.", "A", "NXDOMAIN", {}},
           {"default.pod.cluster.local.", "A", "NXDOMAIN", {}},
       }) {
    check(test);
  }
}

TEST_CASE("names between others exist without records") {
  for (const char* name : {"svc.cluster.local.",
                           "pod.cluster.local.",
                           "dns.cluster.local.",
                           "default.svc.cluster.local.",
                           "default.cluster.local.",
                           "empty.svc.cluster.local.",
                           "empty.cluster.local.",
                           "kube-system.svc.cluster.local.",
                           "_tcp.web.default.svc.cluster.local.",
                           "_tcp.web.default.cluster.local.",
                           "_udp.dual.default.svc.cluster.local.",
                           "chain.svc.cluster.local.",
                           "dns-version.cluster.local.",
                           "cluster.local.",
                           "10.in-addr.arpa.",
                           "96.10.in-addr.arpa.",
                           "0.96.10.in-addr.arpa.",
                           "in-addr.arpa.",
                           "0.0.d.f.ip6.arpa.",
                           "6.9.0.0.0.1.0.0.0.0.d.f.ip6.arpa.",
                           "ip6.arpa.",
                           "10.0.96.10.in-addr.arpa."}) {
    check({name, "A", "NOERROR", {}});
    check({name, "TYPE64", "NOERROR", {}});
  }
  for (const char* name :
       {"nosuch.svc.cluster.local.", "nosuch.cluster.local.", "_udp.web.default.svc.cluster.local.",
        "_sctp.web.default.svc.cluster.local.", "11.in-addr.arpa.", "97.10.in-addr.arpa.", "1.96.10.in-addr.arpa.",
        "9.10.0.96.10.in-addr.arpa.", "010.in-addr.arpa.", "x.in-addr.arpa.", "256.in-addr.arpa.", "2.0.0.2.ip6.arpa.",
        "g.ip6.arpa.", "10.ip6.arpa."}) {
    check({name, "A", "NXDOMAIN", {}});
    check({name, "PTR", "NXDOMAIN", {}});
  }
}

TEST_CASE("the zone itself") {
  const Lines glue{A("ns.dns.cluster.local.", "10.96.0.53"), AAAA("ns.dns.cluster.local.", "fd00:10:96::53")};
  for (const Case& test : std::vector<Case>{
           {"cluster.local.", "NS", "NOERROR", {"cluster.local. 5 IN NS ns.dns.cluster.local."}, glue},
           {"in-addr.arpa.", "NS", "NOERROR", {"in-addr.arpa. 5 IN NS ns.dns.cluster.local."}, glue},
           {"ip6.arpa.", "NS", "NOERROR", {"ip6.arpa. 5 IN NS ns.dns.cluster.local."}, glue},
           {"ns.dns.cluster.local.", "A", "NOERROR", {glue[0]}},
           {"ns.dns.cluster.local.", "AAAA", "NOERROR", {glue[1]}},
           {"ns.dns.cluster.local.", "TXT", "NOERROR", {}},
           {"ns.dns.svc.cluster.local.", "A", "NOERROR", {A("ns.dns.svc.cluster.local.", "10.96.0.14")}},
           {"dns-version.cluster.local.", "TXT", "NOERROR", {"dns-version.cluster.local. 28800 IN TXT \"1.1.0\""}},
       }) {
    check(test);
  }
  for (const char* apex : {"cluster.local.", "in-addr.arpa.", "ip6.arpa."}) {
    const Reply reply = ask(cluster(), apex, "SOA");
    REQUIRE(reply.answer.size() == 1);
    CHECK(reply.sound);
    CHECK(is_soa_of(reply.answer[0], apex));
    CHECK(ask(cluster(), apex, "ANY").answer.size() == 1);
  }
}

TEST_CASE("SRV: named ports, all ports at the service's name, weights by the number of records") {
  const char* web = "web.default.svc.cluster.local.";
  const Lines web_glue{A("web.default.svc.cluster.local.", "10.96.0.10")};
  const Lines dual_glue{A("dual.default.svc.cluster.local.", "10.96.0.11"),
                        AAAA("dual.default.svc.cluster.local.", "fd00:10:96::11")};
  const auto srv = [](std::string owner, const char* rest) { return owner + " 5 IN SRV " + rest; };
  for (const Case& test : std::vector<Case>{
           {"_http._tcp.web.default.svc.cluster.local.",
            "SRV",
            "NOERROR",
            {srv("_http._tcp.web.default.svc.cluster.local.", "0 100 80 web.default.svc.cluster.local.")},
            web_glue},
           {"_http._tcp.web.default.cluster.local.",
            "SRV",
            "NOERROR",
            {srv("_http._tcp.web.default.cluster.local.", "0 100 80 web.default.svc.cluster.local.")},
            web_glue},
           {"http.tcp.web.default.svc.cluster.local.",
            "SRV",
            "NOERROR",
            {srv("http.tcp.web.default.svc.cluster.local.", "0 100 80 web.default.svc.cluster.local.")},
            web_glue},
           {"_http._tcp.web.default.svc.cluster.local.", "A", "NOERROR", {}},
           {"_http._udp.web.default.svc.cluster.local.", "SRV", "NXDOMAIN", {}},
           {"_https._tcp.web.default.svc.cluster.local.", "SRV", "NXDOMAIN", {}},
           {"_._tcp.web.default.svc.cluster.local.", "SRV", "NXDOMAIN", {}},
           {"_http._icmp.web.default.svc.cluster.local.", "SRV", "NXDOMAIN", {}},
           {web,
            "SRV",
            "NOERROR",
            {srv(web, "0 50 80 web.default.svc.cluster.local."), srv(web, "0 50 9000 web.default.svc.cluster.local.")},
            web_glue},
           {"dual.default.svc.cluster.local.",
            "SRV",
            "NOERROR",
            {srv("dual.default.svc.cluster.local.", "0 100 53 dual.default.svc.cluster.local.")},
            dual_glue},
           {"_dns._udp.dual.default.svc.cluster.local.",
            "SRV",
            "NOERROR",
            {srv("_dns._udp.dual.default.svc.cluster.local.", "0 100 53 dual.default.svc.cluster.local.")},
            dual_glue},
           {"_peer._tcp.db.default.svc.cluster.local.",
            "SRV",
            "NOERROR",
            {srv("_peer._tcp.db.default.svc.cluster.local.", "0 50 7000 db-0.db.default.svc.cluster.local."),
             srv("_peer._tcp.db.default.svc.cluster.local.", "0 50 7000 db-1.db.default.svc.cluster.local.")},
            {A("db-0.db.default.svc.cluster.local.", "10.244.1.5"),
             AAAA("db-0.db.default.svc.cluster.local.", "fd00:244::5"),
             A("db-1.db.default.svc.cluster.local.", "10.244.1.6")}},
           {"plain.default.cluster.local.",
            "SRV",
            "NOERROR",
            {srv("plain.default.cluster.local.", "0 25 80 10-244-2-1.plain.default.svc.cluster.local."),
             srv("plain.default.cluster.local.", "0 25 80 10-244-2-2.plain.default.svc.cluster.local."),
             srv("plain.default.cluster.local.", "0 25 80 fd00-244--0.plain.default.svc.cluster.local."),
             srv("plain.default.cluster.local.", "0 25 80 2001-db8--1-0-0-1.plain.default.svc.cluster.local.")},
            {A("10-244-2-1.plain.default.svc.cluster.local.", "10.244.2.1"),
             A("10-244-2-2.plain.default.svc.cluster.local.", "10.244.2.2"),
             AAAA("fd00-244--0.plain.default.svc.cluster.local.", "fd00:244::"),
             AAAA("2001-db8--1-0-0-1.plain.default.svc.cluster.local.", "2001:db8::1:0:0:1")}},
           {"backed.default.svc.cluster.local.",
            "SRV",
            "NOERROR",
            {srv("backed.default.svc.cluster.local.", "0 100 80 backed.default.svc.cluster.local.")},
            {A("backed.default.svc.cluster.local.", "10.96.0.20")}},
       }) {
    check(test);
  }
}

TEST_CASE("headless services and endpoint names") {
  const char* db = "db.default.svc.cluster.local.";
  (void)db;
  for (const Case& test : std::vector<Case>{
           {"db.default.svc.cluster.local.",
            "A",
            "NOERROR",
            {A("db.default.svc.cluster.local.", "10.244.1.5"), A("db.default.svc.cluster.local.", "10.244.1.6")}},
           {"db.default.cluster.local.", "AAAA", "NOERROR", {AAAA("db.default.cluster.local.", "fd00:244::5")}},
           {"db-0.db.default.svc.cluster.local.",
            "A",
            "NOERROR",
            {A("db-0.db.default.svc.cluster.local.", "10.244.1.5")}},
           {"db-0.db.default.svc.cluster.local.",
            "AAAA",
            "NOERROR",
            {AAAA("db-0.db.default.svc.cluster.local.", "fd00:244::5")}},
           {"db-0.db.default.cluster.local.", "A", "NOERROR", {A("db-0.db.default.cluster.local.", "10.244.1.5")}},
           {"db-1.db.default.svc.cluster.local.", "AAAA", "NOERROR", {}},
           {"db-2.db.default.svc.cluster.local.", "A", "NXDOMAIN", {}},
           {"10-244-1-5.db.default.svc.cluster.local.", "A", "NXDOMAIN", {}},
           {"plain.default.svc.cluster.local.",
            "A",
            "NOERROR",
            {A("plain.default.svc.cluster.local.", "10.244.2.1"), A("plain.default.svc.cluster.local.", "10.244.2.2")}},
           {"10-244-2-2.plain.default.svc.cluster.local.",
            "A",
            "NOERROR",
            {A("10-244-2-2.plain.default.svc.cluster.local.", "10.244.2.2")}},
           {"10-244-2-2.plain.default.svc.cluster.local.", "AAAA", "NOERROR", {}},
           {"010-244-2-2.plain.default.svc.cluster.local.", "A", "NXDOMAIN", {}},
           {"10-244-2-3.plain.default.svc.cluster.local.", "A", "NXDOMAIN", {}},
           {"fd00-244--0.plain.default.svc.cluster.local.",
            "AAAA",
            "NOERROR",
            {AAAA("fd00-244--0.plain.default.svc.cluster.local.", "fd00:244::")}},
           {"fd00-244--.plain.default.svc.cluster.local.", "AAAA", "NXDOMAIN", {}},
           {"gone.default.svc.cluster.local.", "A", "NXDOMAIN", {}},
           {"gone.default.svc.cluster.local.", "SRV", "NXDOMAIN", {}},
           {"10-244-3-1.gone.default.svc.cluster.local.", "A", "NXDOMAIN", {}},
           {"early-0.early.default.svc.cluster.local.",
            "A",
            "NOERROR",
            {A("early-0.early.default.svc.cluster.local.", "10.244.3.2")}},
           {"10-244-4-1.backed.default.svc.cluster.local.",
            "A",
            "NOERROR",
            {A("10-244-4-1.backed.default.svc.cluster.local.", "10.244.4.1")}},
           {"pod-2.backed.default.cluster.local.",
            "A",
            "NOERROR",
            {A("pod-2.backed.default.cluster.local.", "10.244.4.2")}},
           {"backed.default.svc.cluster.local.",
            "A",
            "NOERROR",
            {A("backed.default.svc.cluster.local.", "10.96.0.20")}},
       }) {
    check(test);
  }
}

TEST_CASE("reverse names") {
  const auto ptr = [](std::string owner, const char* target) { return owner + " 5 IN PTR " + target; };
  const char* six = "1.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.6.9.0.0.0.1.0.0.0.0.d.f.ip6.arpa.";
  for (const Case& test : std::vector<Case>{
           {"10.0.96.10.in-addr.arpa.",
            "PTR",
            "NOERROR",
            {ptr("10.0.96.10.in-addr.arpa.", "web.default.svc.cluster.local.")}},
           {"10.0.96.10.in-addr.arpa.",
            "ANY",
            "NOERROR",
            {ptr("10.0.96.10.in-addr.arpa.", "web.default.svc.cluster.local.")}},
           {"10.0.96.10.in-addr.arpa.", "TXT", "NOERROR", {}},
           {six, "PTR", "NOERROR", {ptr(six, "dual.default.svc.cluster.local.")}},
           {"5.1.244.10.in-addr.arpa.",
            "PTR",
            "NOERROR",
            {ptr("5.1.244.10.in-addr.arpa.", "db-0.db.default.svc.cluster.local.")}},
           {"7.1.244.10.in-addr.arpa.", "PTR", "NXDOMAIN", {}},
           {"1.2.244.10.in-addr.arpa.",
            "PTR",
            "NOERROR",
            {ptr("1.2.244.10.in-addr.arpa.", "10-244-2-1.plain.default.svc.cluster.local.")}},
           {"1.4.244.10.in-addr.arpa.",
            "PTR",
            "NOERROR",
            {ptr("1.4.244.10.in-addr.arpa.", "10-244-4-1.backed.default.svc.cluster.local.")}},
           {"1.5.244.10.in-addr.arpa.",
            "PTR",
            "NOERROR",
            {ptr("1.5.244.10.in-addr.arpa.", "x.shared-a.default.svc.cluster.local."),
             ptr("1.5.244.10.in-addr.arpa.", "10-244-5-1.shared-b.default.svc.cluster.local.")}},
           {"99.0.96.10.in-addr.arpa.", "PTR", "NXDOMAIN", {}},
       }) {
    check(test);
  }
}

TEST_CASE("external names are aliases, followed inside our zones") {
  const char* inside = "inside.default.svc.cluster.local. 5 IN CNAME web.default.svc.cluster.local.";
  for (const Case& test : std::vector<Case>{
           {"inside.default.svc.cluster.local.",
            "A",
            "NOERROR",
            {inside, A("web.default.svc.cluster.local.", "10.96.0.10")}},
           {"inside.default.svc.cluster.local.", "CNAME", "NOERROR", {inside}},
           {"inside.default.svc.cluster.local.", "ANY", "NOERROR", {inside}},
           {"inside.default.svc.cluster.local.",
            "SRV",
            "NOERROR",
            {inside, "web.default.svc.cluster.local. 5 IN SRV 0 50 80 web.default.svc.cluster.local.",
             "web.default.svc.cluster.local. 5 IN SRV 0 50 9000 web.default.svc.cluster.local."},
            {A("web.default.svc.cluster.local.", "10.96.0.10")}},
           {"twice.default.cluster.local.",
            "A",
            "NOERROR",
            {"twice.default.cluster.local. 5 IN CNAME inside.default.cluster.local.",
             "inside.default.cluster.local. 5 IN CNAME web.default.svc.cluster.local.",
             A("web.default.svc.cluster.local.", "10.96.0.10")}},
           {"nowhere.default.svc.cluster.local.",
            "A",
            "NXDOMAIN",
            {"nowhere.default.svc.cluster.local. 5 IN CNAME absent.default.svc.cluster.local."}},
           {"backwards.default.svc.cluster.local.",
            "PTR",
            "NOERROR",
            {"backwards.default.svc.cluster.local. 5 IN CNAME 10.0.96.10.in-addr.arpa.",
             "10.0.96.10.in-addr.arpa. 5 IN PTR web.default.svc.cluster.local."}},
           {"literal.default.svc.cluster.local.", "A", "NXDOMAIN", {}},
           {"nonsense.default.svc.cluster.local.", "A", "NXDOMAIN", {}},
           {"x.inside.default.svc.cluster.local.", "A", "NXDOMAIN", {}},
       }) {
    check(test);
  }
  const Reply chained = ask(cluster(), "c0.chain.svc.cluster.local.", "A");
  CHECK(chained.sound);
  CHECK(chained.answer.size() == 11);
  const Reply loop = ask(cluster(), "loop-a.default.svc.cluster.local.", "A", {.edns = true});
  CHECK(loop.rcode == "SERVFAIL"); // RFC 1034 3.6.2
  CHECK(loop.answer.empty());
  CHECK(loop.extended_error == 0);

  const Reply nodata = ask(cluster(), "inside.default.svc.cluster.local.", "AAAA");
  CHECK(nodata.rcode == "NOERROR");
  CHECK(nodata.answer == Lines{inside});
  REQUIRE(nodata.authority.size() == 1);
  CHECK(is_soa_of(nodata.authority[0], "cluster.local."));
  const Reply backwards = ask(cluster(), "backwards.default.svc.cluster.local.", "A");
  REQUIRE(backwards.authority.size() == 1);
  CHECK(is_soa_of(backwards.authority[0], "in-addr.arpa."));

  const Reply outside = ask(cluster(), "outside.default.svc.cluster.local.", "A");
  CHECK(outside.sound);
  CHECK(outside.verdict == zone::Verdict::chase);
  CHECK(outside.target == "target.example.com.");
  CHECK(outside.answer == Lines{"outside.default.svc.cluster.local. 5 IN CNAME target.example.com."});
  CHECK(ask(cluster(), "outside.default.svc.cluster.local.", "CNAME").verdict == zone::Verdict::reply);
}

TEST_CASE("names outside, other classes, transfers") {
  for (const char* name : {"example.com.", ".", "local.", "xcluster.local.", "arpa.", "cluster.local.example."}) {
    CAPTURE(name);
    const Reply reply = ask(cluster(), name, "A");
    CHECK(reply.verdict == zone::Verdict::outside);
    CHECK(reply.rcode == "REFUSED");
    CHECK(reply.sound);
  }
  for (const char* type : {"AXFR", "IXFR"}) {
    const Reply reply = ask(cluster(), "cluster.local.", type, {.transport = wire::Transport::tcp});
    CHECK(reply.verdict == zone::Verdict::reply);
    CHECK(reply.rcode == "REFUSED");
  }
  CHECK(ask(cluster(), "web.default.svc.cluster.local.", "A", {.klass = 3}).rcode == "REFUSED");
  CHECK(ask(cluster(), "version.bind.", "TXT", {.klass = 3}).rcode == "REFUSED");
}

TEST_CASE("flags: RD and CD are copied, AD, RA and TC of a query are not") {
  const Reply reply = ask(cluster(), "web.default.svc.cluster.local.", "A", {.flags = 0x03b0});
  CHECK(reply.flags == 0x8510);
  CHECK(ask(cluster(), "web.default.svc.cluster.local.", "A", {.flags = 0}).flags == 0x8400);
  CHECK(ask(cluster(), "no.default.svc.cluster.local.", "A", {.flags = 0}).flags == 0x8403);
}

TEST_CASE("case of the question is kept, in every kind of answer") {
  for (const char* name :
       {"WeB.dEfAuLt.SvC.cLuStEr.LoCaL.", "NoPe.dEfAuLt.SvC.cLuStEr.LoCaL.",
        "_HTTP._TCP.Web.Default.Svc.Cluster.Local.", "INSIDE.default.svc.cluster.local.", "10.0.96.10.IN-ADDR.ARPA.",
        "CLUSTER.LOCAL.", "NS.DNS.CLUSTER.LOCAL.", "DNS-Version.Cluster.Local.", "DB-0.DB.default.SVC.cluster.local.",
        "10-244-2-1.PLAIN.default.svc.cluster.local."}) {
    for (const char* type : {"A", "SRV", "PTR", "SOA", "NS", "TXT"}) {
      std::string lower(name);
      std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
      const Reply mixed = ask(cluster(), name, type), plain = ask(cluster(), lower, type);
      CHECK(mixed.sound); // compares the question octet by octet
      CHECK(mixed.rcode == plain.rcode);
      CHECK(mixed.answer.size() == plain.answer.size());
      for (const auto& line : mixed.answer) {
        if (!std::string_view(name).starts_with("INSIDE")) CHECK(line.starts_with(name));
      }
    }
  }
}
