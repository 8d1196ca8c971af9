// A question's way through the zone: reading it, probing the index, answering.
#include <benchmark/benchmark.h>

#include <map>
#include <mutex>
#include <random>

#include "tests/bench/zone/services.hpp"
#include "zone/authority/authority.hpp"
#include "zone/index/epoch.hpp"
#include "zone/index/index.hpp"
#include "zone/wire/query.hpp"

using namespace signpost;
using namespace signpost::bench;

namespace {

zone::Zone& zone_with(unsigned services) {
  static std::mutex mutex;
  static std::map<unsigned, std::unique_ptr<zone::Zone>> zones;
  const std::lock_guard lock(mutex);
  auto& zone = zones[services];
  if (!zone) zone = zone_of(services);
  return *zone;
}

std::vector<unsigned> random_services(unsigned services) {
  std::mt19937 random(1);
  std::vector<unsigned> chosen(8192);
  for (auto& one : chosen) one = static_cast<unsigned>(random() % services);
  return chosen;
}

void read_query(benchmark::State& state, const std::string& name, bool edns) {
  const auto packet = question(name, 1, edns);
  wire::Query query;
  for (auto _ : state) {
    wire::read_query(packet, query);
    benchmark::DoNotOptimize(query.check);
  }
}

void probe(benchmark::State& state, const char* prefix) {
  const auto services = static_cast<unsigned>(state.range(0));
  const zone::Index& index = zone_with(services).index();
  zone::ReaderThread reader;
  std::vector<std::array<std::uint8_t, 64>> keys;
  std::vector<std::size_t> lengths;
  for (const unsigned i : random_services(services)) {
    const auto name = wire::name_from_text(prefix + std::to_string(i) + ".ns-" + std::to_string(i % namespaces));
    keys.emplace_back();
    std::memcpy(keys.back().data(), name->octets.data(), name->length - 1u);
    lengths.push_back(name->length - 1u);
  }
  std::size_t at = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(index.find(keys[at].data(), lengths[at]));
    at = (at + 1) % keys.size();
  }
}

/// As a worker does it between two calls of the kernel: the packet lies in the buffer that takes the answer.
void answer(benchmark::State& state, zone::Zone& zone, const std::vector<std::vector<std::uint8_t>>& packets,
            wire::Transport transport = wire::Transport::udp) {
  zone::ReaderThread reader;
  wire::Query query;
  std::vector<std::uint8_t> buffer(transport == wire::Transport::udp ? 1232 : 65535);
  zone::Onward onward;
  std::size_t at = 0, octets = 0;
  for (auto _ : state) {
    const auto& packet = packets[at];
    std::memcpy(buffer.data(), packet.data(), packet.size());
    wire::read_query({buffer.data(), packet.size()}, query);
    octets += zone::answer(zone, query, transport, buffer, onward).length;
    if (++at == packets.size()) at = 0;
    if (at % 32 == 0) reader.quiescent();
  }
  state.counters["octets"] = benchmark::Counter(static_cast<double>(octets) / static_cast<double>(state.iterations()));
}

void answer_services(benchmark::State& state, const char* prefix, std::uint16_t type, bool edns) {
  const auto services = static_cast<unsigned>(state.range(0));
  std::vector<std::vector<std::uint8_t>> packets;
  for (const unsigned i : random_services(services)) packets.push_back(question(prefix + name_of(i), type, edns));
  answer(state, zone_with(services), packets);
}

void answer_one(benchmark::State& state, const std::string& name, std::uint16_t type, wire::Transport transport,
                bool edns) {
  answer(state, zone_with(10'000), {question(name, type, edns)}, transport);
}

} // namespace

BENCHMARK_CAPTURE(read_query, plain, name_of(1234), false);
BENCHMARK_CAPTURE(read_query, upper_case, "SVC-1234.NS-34.SVC.CLUSTER.LOCAL", false);
BENCHMARK_CAPTURE(read_query, edns, name_of(1234), true);
BENCHMARK_CAPTURE(probe, hit, "svc-")->Arg(100)->Arg(10'000)->Arg(100'000);
BENCHMARK_CAPTURE(probe, miss, "none-")->Arg(100)->Arg(10'000)->Arg(100'000);
BENCHMARK_CAPTURE(answer_services, a, "", 1, false)->Arg(100)->Arg(10'000)->Arg(100'000);
BENCHMARK_CAPTURE(answer_services, a_threads, "", 1, false)->Arg(100'000)->Threads(1)->Threads(2)->UseRealTime();
BENCHMARK_CAPTURE(answer_services, a_edns, "", 1, true)->Arg(10'000);
BENCHMARK_CAPTURE(answer_services, aaaa_nodata, "", 28, false)->Arg(10'000);
BENCHMARK_CAPTURE(answer_services, nxdomain, "x", 1, false)->Arg(10'000);
BENCHMARK_CAPTURE(answer_services, srv, "", 33, false)->Arg(10'000);
BENCHMARK_CAPTURE(answer_services, srv_named, "_http._tcp.", 33, false)->Arg(10'000);
BENCHMARK_CAPTURE(answer_one, search_list, "www.example.com.ns-1.svc.cluster.local", 1, wire::Transport::udp, false);
BENCHMARK_CAPTURE(answer_one, ptr, "1.0.96.10.in-addr.arpa", 12, wire::Transport::udp, false);
BENCHMARK_CAPTURE(answer_one, ip6_partial, "1.0.0.d.f.ip6.arpa", 12, wire::Transport::udp, false);
BENCHMARK_CAPTURE(answer_one, pods_10, "pods-10.ns-0.svc.cluster.local", 1, wire::Transport::udp, true);
BENCHMARK_CAPTURE(answer_one, pods_100, "pods-100.ns-0.svc.cluster.local", 1, wire::Transport::udp, true);
BENCHMARK_CAPTURE(answer_one, pods_100_tcp, "pods-100.ns-0.svc.cluster.local", 1, wire::Transport::tcp, true);
BENCHMARK_CAPTURE(answer_one, pods_5000, "pods-5000.ns-0.svc.cluster.local", 1, wire::Transport::udp, true);
BENCHMARK_CAPTURE(answer_one, pods_5000_tcp, "pods-5000.ns-0.svc.cluster.local", 1, wire::Transport::tcp, true);
BENCHMARK_CAPTURE(answer_one, pods_5000_srv, "pods-5000.ns-0.svc.cluster.local", 33, wire::Transport::udp, true);
BENCHMARK_CAPTURE(answer_one, pods_5000_srv_tcp, "pods-5000.ns-0.svc.cluster.local", 33, wire::Transport::tcp, true);
