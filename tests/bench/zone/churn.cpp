// Answers while the zone changes: what a worker gets done per second of its CPU, quiet and while another thread
// publishes changes, and how long a change takes to be seen.
//
//   bench_churn [--services 10000] [--changes 5000] [--seconds 2] [--rounds 5]
//
// The worker answers from memory on one core, the writer publishes at a fixed rate on another. CPU time of the worker's
// thread is the measure: what else runs on a shared machine takes none of it. A change is visible when the worker's
// next answer shows it: the writer asks the zone for the changed address right after put(), as a reader would.
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>

#include "tests/bench/zone/services.hpp"
#include "zone/authority/authority.hpp"
#include "zone/index/epoch.hpp"
#include "zone/wire/query.hpp"

using namespace signpost;
using namespace signpost::bench;
using Clock = std::chrono::steady_clock;

namespace {

constexpr unsigned endpoints = 15; // per changed service

struct Options {
  unsigned services = 10'000, changes = 5'000, seconds = 2, rounds = 5;
};

Options read_options(int count, char** arguments) {
  Options options;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string_view name = arguments[i];
    const auto value = static_cast<unsigned>(std::strtoul(arguments[i + 1], nullptr, 10));
    if (name == "--services")
      options.services = value;
    else if (name == "--changes")
      options.changes = value;
    else if (name == "--seconds")
      options.seconds = value;
    else if (name == "--rounds")
      options.rounds = value;
  }
  return options;
}

void pin(unsigned core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core % std::max(1u, std::thread::hardware_concurrency()), &set);
  ::pthread_setaffinity_np(::pthread_self(), sizeof set, &set);
}

double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// Answers per second of this thread's CPU until told to stop.
double answer(const zone::Zone& zone, unsigned services, const std::atomic<bool>& stop) {
  std::vector<std::vector<std::uint8_t>> packets;
  for (unsigned i = 0; i < 4096; ++i) packets.push_back(question(name_of(i * 7919 % services), 1));
  zone::ReaderThread reader;
  wire::Query query;
  std::array<std::uint8_t, 1232> buffer;
  zone::Onward onward;
  std::size_t answers = 0;
  const double start = cpu_seconds();
  while (!stop.load(std::memory_order_relaxed)) {
    for (const auto& packet : packets) {
      std::memcpy(buffer.data(), packet.data(), packet.size());
      wire::read_query({buffer.data(), packet.size()}, query);
      if (zone::answer(zone, query, wire::Transport::udp, buffer, onward).length > 0) ++answers;
      if (answers % 32 == 0) reader.quiescent();
    }
  }
  return static_cast<double>(answers) / (cpu_seconds() - start);
}

/// One endpoint of some headless service changes, `changes` times a second; how long each took to be answered.
std::vector<double> change(zone::Zone& zone, unsigned changes, unsigned seconds) {
  std::vector<double> micros;
  auto due = Clock::now();
  const auto end = due + std::chrono::seconds(seconds);
  std::vector<model::ServiceView> views;
  for (unsigned i = 0; i < 500; ++i) views.push_back(headless("churn-" + std::to_string(i), endpoints));
  for (unsigned n = 0; due < end; ++n) {
    due += std::chrono::nanoseconds(std::chrono::seconds(1)) / changes;
    std::this_thread::sleep_until(due);
    auto& view = views[n % views.size()];
    view.groups[0].endpoints[n % endpoints].ready = !view.groups[0].endpoints[n % endpoints].ready;
    const auto start = Clock::now();
    zone.put(view);
    zone.publish();
    micros.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
  }
  std::sort(micros.begin(), micros.end());
  return micros;
}

} // namespace

int main(int count, char** arguments) {
  const Options options = read_options(count, arguments);
  const auto zone = zone_of(options.services);
  std::vector<double> ratios;
  for (unsigned round = 0; round < options.rounds; ++round) {
    double rates[2];
    std::vector<double> micros;
    for (const bool busy : {false, true}) {
      std::atomic<bool> stop{false};
      std::thread worker([&] {
        pin(0);
        rates[busy ? 1 : 0] = answer(*zone, options.services, stop);
      });
      pin(1);
      if (busy)
        micros = change(*zone, options.changes, options.seconds);
      else
        std::this_thread::sleep_for(std::chrono::seconds(options.seconds));
      stop = true;
      worker.join();
    }
    ratios.push_back(rates[1] / rates[0]);
    const auto at = [&](double part) { return micros[static_cast<std::size_t>(part * double(micros.size() - 1))]; };
    std::printf("quiet %.0f, with %u changes/s %.0f answers per CPU second: %.3f;  put to published p50 %.1f p99 %.1f "
                "max %.0f us\n",
                rates[0], options.changes, rates[1], ratios.back(), at(0.5), at(0.99), micros.back());
  }
  std::sort(ratios.begin(), ratios.end());
  std::printf("median %.3f [%.3f-%.3f]\n", ratios[ratios.size() / 2], ratios.front(), ratios.back());
}
