// Readers and the writer at once: every answer is one the service had, whole, and freed memory is never seen. Most of
// its worth is under the thread and address sanitizers.
#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "tests/zone/ask.hpp"
#include "tests/zone/views.hpp"
#include "zone/index/epoch.hpp"

using namespace signpost;
using namespace signpost::test;

namespace {

/// Version v of a service has v % 7 + 1 endpoints, all with v in their addresses.
model::ServiceView version(const std::string& name, unsigned v) {
  model::EndpointGroup group{{{"http", tcp, 80}}, {}};
  for (unsigned i = 0; i <= v % 7; ++i) {
    group.endpoints.push_back(
        {{address("10." + std::to_string(v % 200) + "." + std::to_string(v % 199) + "." + std::to_string(i))},
         v % 2 == 0 ? "h" + std::to_string(i) : "",
         true});
  }
  return headless("default", name, {group});
}

struct Count {
  std::atomic<long> answers{0}, wrong{0};
};

/// Whether a raw reply holds addresses of one version only, all of them.
bool is_whole(std::span<const std::uint8_t> reply, std::size_t question_end) {
  const unsigned count = wire::load16(&reply[6]);
  if ((reply[3] & 15) != 0) return (reply[3] & 15) == 3;
  if (count == 0) return false;
  for (unsigned i = 0; i < count; ++i) {
    const std::uint8_t* address = &reply[question_end + 16 * i + 12];
    const std::uint8_t* first = &reply[question_end + 12];
    if (address[0] != 10 || address[1] != first[1] || address[2] != first[2] || address[3] >= count) return false;
  }
  return true;
}

void read_until(const zone::Zone& zone, const std::atomic<bool>& stop, int seed, Count& count) {
  zone::ReaderThread reader;
  std::vector<Bytes> packets;
  for (int i = 0; i < 8; ++i)
    packets.push_back(query_octets("s" + std::to_string(i) + ".default.svc.cluster.local.", 1, {}));
  const std::size_t hosts = packets.size();
  for (const char* name :
       {"_http._tcp.s1.default.svc.cluster.local.", "s2.default.cluster.local.", "nope.default.cluster.local."}) {
    packets.push_back(query_octets(name, 33, {}));
  }
  for (int i = 0; i < 200; i += 9) {
    packets.push_back(query_octets("0." + std::to_string(i) + "." + std::to_string(i) + ".10.in-addr.arpa.", 12, {}));
  }
  wire::Query query;
  Bytes buffer(1232);
  zone::Onward onward;
  for (std::size_t n = static_cast<std::size_t>(seed); !stop.load(std::memory_order_relaxed); ++n) {
    for (std::size_t k = 0; k < 32; ++k) {
      const std::size_t chosen = (n * 31 + k) % packets.size();
      const Bytes& packet = packets[chosen];
      std::copy(packet.begin(), packet.end(), buffer.begin());
      wire::read_query(packet, query);
      const auto outcome = zone::answer(zone, query, wire::Transport::udp, buffer, onward);
      const bool sound = outcome.length >= packet.size() && outcome.length <= 512;
      if (!sound || (chosen < hosts && !is_whole({buffer.data(), outcome.length}, packet.size()))) ++count.wrong;
      ++count.answers;
    }
    if (n % 5 == 0) {
      reader.offline();
      reader.online();
    } else {
      reader.quiescent();
    }
  }
}

} // namespace

TEST_CASE("readers beside the writer see whole services only") {
  zone::Zone zone{{}};
  for (int i = 0; i < 8; ++i) zone.put(version("s" + std::to_string(i), 0));
  zone.publish();
  zone.set_ready();
  std::atomic<bool> stop{false};
  Count count;
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) readers.emplace_back([&, i] { read_until(zone, stop, i, count); });
  for (unsigned v = 1; v <= 3000; ++v) {
    const std::string name = "s" + std::to_string(v % 8);
    if (v % 11 == 0)
      zone.erase({"default", name});
    else
      zone.put(version(name, v));
    if (v % 3 == 0) zone.put(cluster_ip("ns" + std::to_string(v % 40), "filler" + std::to_string(v), {"10.96.0.1"}));
    if (v % 7 == 0) zone.erase({"ns" + std::to_string((v / 2) % 40), "filler" + std::to_string(v / 2)});
    zone.publish();
    zone.set_stale(v % 2 == 0);
  }
  while (count.answers.load() < 50'000) std::this_thread::yield();
  stop = true;
  for (auto& reader : readers) reader.join();
  CHECK(count.wrong == 0);
  zone.publish();
  zone.publish();
}

TEST_CASE("memory of replaced services is used again while readers pass") {
  zone::Zone zone{{}};
  zone.set_ready();
  zone::ReaderThread reader;
  std::size_t after_first = 0;
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 200; ++i) {
      zone.put(version("s" + std::to_string(i), static_cast<unsigned>(round)));
      if (i % 10 == 0) zone.publish();
      reader.quiescent();
    }
    if (round == 13) after_first = zone.counts().taken; // two whole cycles of sizes
  }
  CHECK(zone.counts().taken <= after_first * 5 / 4);
}

TEST_CASE("a reader that does not pass keeps what it may see, and nothing is lost") {
  zone::Zone zone{{}};
  zone.set_ready();
  const auto empty = zone.counts();
  {
    zone::ReaderThread reader;
    for (unsigned v = 0; v < 10'000; ++v) zone.put(version("s", v));
    CHECK(zone.counts().waiting > 9'000);
  }
  zone.erase({"default", "s"});
  zone.publish();
  zone.publish();
  CHECK(zone.counts().waiting == 0);
  CHECK(zone.counts().blocks == empty.blocks);
}
