// Queries with a few octets changed, cut, or drawn by chance: a reply is sound and within bounds, or there is none.
#include <doctest/doctest.h>

#include <random>

#include "tests/zone/ask.hpp"
#include "tests/zone/views.hpp"

using namespace signpost;
using namespace signpost::test;

namespace {

std::unique_ptr<zone::Zone> busy_zone() {
  auto zone = std::make_unique<zone::Zone>(zone::ZoneSettings{.server_addresses = addresses({"10.96.0.53"})});
  zone->put(cluster_ip("default", "web", {"10.96.0.10", "fd00::10"}, {{"http", tcp, 80}}));
  model::EndpointGroup group{{{"http", tcp, 80}}, {}};
  for (int i = 0; i < 60; ++i)
    group.endpoints.push_back(endpoint({"10.244.0." + std::to_string(i)}, i % 2 == 0 ? "h" + std::to_string(i) : ""));
  zone->put(headless("default", "db", {group}));
  zone->put(external("default", "ext", "web.default.svc.cluster.local"));
  zone->put(external("default", "out", "example.com"));
  zone->publish();
  zone->set_ready();
  return zone;
}

} // namespace

TEST_CASE("no packet leads to a reply that is malformed, too long, or out of place") {
  const auto zone = busy_zone();
  std::vector<Bytes> seeds;
  for (const char* name :
       {"web.default.svc.cluster.local.", "_http._tcp.db.default.svc.cluster.local.", "h2.db.default.cluster.local.",
        "ext.default.svc.cluster.local.", "out.default.svc.cluster.local.", "10-244-0-1.db.default.svc.cluster.local.",
        "10.0.96.10.in-addr.arpa.", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa.",
        "cluster.local.", "dns-version.cluster.local.", "ns.dns.cluster.local.", "no.where.cluster.local."}) {
    for (const unsigned type : {1u, 2u, 6u, 12u, 16u, 28u, 33u, 255u}) {
      seeds.push_back(query_octets(name, type, {}));
      seeds.push_back(query_octets(name, type, {.edns = true}));
    }
  }
  std::mt19937 random(5);
  int answered = 0;
  for (int round = 0; round < 50'000; ++round) {
    Bytes packet = seeds[random() % seeds.size()];
    for (unsigned changes = random() % 4; changes > 0; --changes) {
      const std::size_t at = random() % 3 != 0 ? 12 + random() % (packet.size() - 12) : random() % packet.size();
      packet[at] = random() % 2 == 0 ? static_cast<std::uint8_t>(random())
                                     : static_cast<std::uint8_t>(packet[at] ^ (1u << random() % 8));
    }
    if (random() % 16 == 0) packet.resize(random() % packet.size());
    packet.shrink_to_fit();
    const auto transport = random() % 2 == 0 ? wire::Transport::udp : wire::Transport::tcp;
    const Reply reply = exchange(*zone, packet, transport);
    if (reply.octets.empty()) {
      const bool may_be_dropped = packet.size() < 12 || (packet[2] & 0x80) != 0;
      REQUIRE(may_be_dropped);
      continue;
    }
    ++answered;
    CAPTURE(round);
    REQUIRE(reply.sound);
    REQUIRE(reply.length <= (transport == wire::Transport::tcp ? 65535u : reply.edns ? 1232u : 512u));
    REQUIRE(reply.authoritative() == (reply.rcode == "NOERROR" || reply.rcode == "NXDOMAIN"));
  }
  CHECK(answered > 30'000);
}
