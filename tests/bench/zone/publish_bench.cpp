// A change's way into the zone: compiled, put, published. Its cost must not depend on how much else there is.
#include <benchmark/benchmark.h>

#include "tests/bench/zone/services.hpp"
#include "zone/schema/compile.hpp"

using namespace signpost;
using namespace signpost::bench;

namespace {

void compile(benchmark::State& state) {
  const auto endpoints = static_cast<unsigned>(state.range(0));
  const model::ServiceView view = endpoints == 0 ? service(1) : headless("pods", endpoints);
  std::vector<std::uint32_t> words;
  for (auto _ : state) benchmark::DoNotOptimize(zone::compile(view, words));
  state.counters["octets"] = static_cast<double>(words.size() * 4);
}

/// One service's address changes and back, among so many.
void change(benchmark::State& state) {
  const auto services = static_cast<unsigned>(state.range(0));
  const auto zone = zone_of(services);
  const model::ServiceView views[2] = {service(7), [] {
                                         auto view = service(7);
                                         view.cluster_ips = {address(0xfffff)};
                                         return view;
                                       }()};
  unsigned turn = 0;
  for (auto _ : state) {
    zone->put(views[++turn % 2]);
    zone->publish();
  }
}

/// One of a headless service's endpoints goes and comes back.
void change_endpoint(benchmark::State& state) {
  const auto zone = zone_of(10'000);
  const model::ServiceView whole = headless("pods", static_cast<unsigned>(state.range(0)));
  model::ServiceView less = whole;
  less.groups[0].endpoints.pop_back();
  zone->put(whole);
  unsigned turn = 0;
  for (auto _ : state) {
    zone->put(++turn % 2 == 0 ? whole : less);
    zone->publish();
  }
}

/// Everything, from views to published: 100,000 services of ten endpoints each.
void first_list(benchmark::State& state) {
  constexpr unsigned services = 100'000, endpoints = 10;
  std::vector<model::ServiceView> views;
  for (unsigned i = 0; i < services; ++i) views.push_back(service(i, endpoints));
  for (auto _ : state) {
    zone::Zone zone{{}};
    for (const auto& view : views) zone.put(view);
    zone.publish();
    state.counters["octets/service"] = static_cast<double>(zone.counts().octets) / services;
  }
}

} // namespace

BENCHMARK(compile)->Arg(0)->Arg(15)->Arg(5000)->Unit(benchmark::kMicrosecond);
BENCHMARK(change)->Arg(100)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMicrosecond);
BENCHMARK(change_endpoint)->Arg(15)->Arg(100)->Arg(5000)->Unit(benchmark::kMicrosecond);
BENCHMARK(first_list)->Unit(benchmark::kMillisecond)->Iterations(1);
