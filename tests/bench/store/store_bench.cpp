// Durable transactions per second of SqliteStore, and what they cost.
//
// usage: bench_store [DIRECTORY [SERVICES [CLIENTS]]]
//
// Each client creates services one after the other, as the registry does it: the object and the claim of its address,
// on the condition that neither exists and the namespace does. Then updates, then deletions, of the same services.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <string>
#include <sys/resource.h>

#include "discovery/store/sqlite_store.hpp"

namespace {

using namespace signpost::store;

constexpr std::size_t value_size = 600;

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

long resident_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::strtol(line.c_str() + 6, nullptr, 10);
  }
  return 0;
}

std::string padded(int i) {
  std::string digits = std::to_string(i);
  return std::string(7 - digits.size(), '0') + digits;
}
std::string service(int i) { return "/registry/services/load-" + std::to_string(i % 50) + "/bench-" + padded(i); }
std::string claim(int i) { // addresses are given out at random
  const unsigned address = static_cast<unsigned>(i) * 2654435761u >> 12;
  return "/registry/ipaddresses/10." + std::to_string(96 + (address >> 16)) + "." + std::to_string(address >> 8 & 255) +
         "." + std::to_string(address & 255);
}

Value value(std::size_t size, int i) {
  std::string text = std::to_string(i);
  text.resize(size, 'v');
  return std::make_shared<const std::string>(std::move(text));
}

Transaction creation(int i) {
  return {{{"/registry/namespaces/default", 1}, {service(i), 0}, {claim(i), 0}},
          {{service(i), value(value_size, i)}, {claim(i), value(60, i)}}};
}
Transaction change(int i) { return {{}, {{service(i), value(value_size, -i)}}}; }
Transaction erase(int i) { return {{}, {{service(i), nullptr}, {claim(i), nullptr}}}; }

// Runs transactions 0 … count-1, `clients` of them at a time; each client goes on from its own callback.
void run(SqliteStore& store, const char* what, int count, int clients, const std::function<Transaction(int)>& make) {
  std::atomic<int> next = 0, done = 0, failed = 0;
  std::promise<void> finished;
  std::function<void()> go_on = [&] {
    const int i = next++;
    if (i >= count) return;
    store.transact(make(i), [&](const Result<TransactionResult>& result) {
      if (!result || !result->succeeded) ++failed;
      go_on();
      if (++done == count) finished.set_value();
    });
  };
  const auto groups = store.counters().groups;
  const double cpu = cpu_seconds();
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < clients; ++i) go_on();
  finished.get_future().wait();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const double used = cpu_seconds() - cpu;
  std::printf("%-8s %7d  %8.0f/s  %8.0f/CPU-s  %6.1f us CPU  %5.1f per group  %6ld KiB resident%s\n", what, count,
              count / seconds, count / used, used / count * 1e6,
              static_cast<double>(count) / static_cast<double>(store.counters().groups - groups), resident_kib(),
              failed ? "  FAILURES" : "");
}

void measure_reads(SqliteStore& store, int count) {
  const auto begin = std::chrono::steady_clock::now();
  std::size_t total = 0;
  for (int i = 0; i < 10000; ++i) total += store.range({service(i * 31 % count), "", 0, 0})->entries.size();
  const double get = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() / 10000;
  const auto listed = std::chrono::steady_clock::now();
  const std::size_t all = store.range({"/registry/services/", "/registry/services0", 0, 0})->entries.size();
  const double list = std::chrono::duration<double>(std::chrono::steady_clock::now() - listed).count();
  const auto paged = std::chrono::steady_clock::now();
  (void)store.range({"/registry/services/", "/registry/services0", store.revision() - 100, 500});
  const double page = std::chrono::duration<double>(std::chrono::steady_clock::now() - paged).count();
  std::printf("read     one %.1f us (%zu found), list of %zu %.1f ms, page of 500 a hundred revisions ago %.2f ms\n",
              get * 1e6, total, all, list * 1e3, page * 1e3);
}

} // namespace

int main(int argc, char** argv) {
  const std::string directory = argc > 1 ? argv[1] : "bench-store-data";
  const int services = argc > 2 ? std::atoi(argv[2]) : 100000;
  const int clients = argc > 3 ? std::atoi(argv[3]) : 64;
  std::filesystem::remove_all(directory);
  {
    auto opened = SqliteStore::open({.directory = directory, .history = {}, .vfs = {}});
    if (!opened) {
      std::fprintf(stderr, "%s\n", opened.error().c_str());
      return 1;
    }
    SqliteStore& store = **opened;
    std::printf("start    %ld KiB resident\n", resident_kib());
    (void)store.transact_and_wait({{}, {{"/registry/namespaces/default", value(200, 0)}}});
    const int step = services / 4;
    for (int part = 0; part < 4; ++part) {
      run(store, "create", step, clients, [&](int i) { return creation(part * step + i); });
    }
    measure_reads(store, 4 * step);
    run(store, "update", step, clients, change);
    run(store, "delete", step, clients, erase);
    const std::uintmax_t bytes = std::filesystem::file_size(directory + "/registry.db");
    std::printf("file     %.1f MiB\n", static_cast<double>(bytes) / 1048576);
  }
  std::filesystem::remove_all(directory);
  return 0;
}
