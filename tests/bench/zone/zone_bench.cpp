// Measures the answer engine alone: answers per second, and memory per service.
//
//   bench_zone [--services N] [--answers N] [--kind hit|miss|edns|search|srv|headless|mixed]
//
// A round copies a packet into a buffer, reads the query and answers it, as a worker does between two system calls.
// Instructions per answer are those of two runs' difference:
//
//   for n in 20000 220000; do valgrind --tool=callgrind --callgrind-out-file=/dev/null bench_zone --answers $n; done
//
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "zone/authority/authority.hpp"
#include "zone/index/epoch.hpp"
#include "zone/wire/name.hpp"
#include "zone/wire/octets.hpp"
#include "zone/wire/query.hpp"
#include "zone/zone.hpp"

namespace {

using namespace signpost;
using Bytes = std::vector<std::uint8_t>;
using Clock = std::chrono::steady_clock;

struct Options {
  int services = 10'000;
  long answers = 2'000'000;
  std::string kind = "mixed";
};

Options read_options(int count, char** arguments) {
  Options options;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string_view name = arguments[i];
    if (name == "--services")
      options.services = std::atoi(arguments[i + 1]);
    else if (name == "--answers")
      options.answers = std::atol(arguments[i + 1]);
    else if (name == "--kind")
      options.kind = arguments[i + 1];
  }
  return options;
}

std::string service(int i) { return "svc-" + std::to_string(i) + ".ns-" + std::to_string(i % 50); }

model::Address v4(unsigned base, unsigned i) {
  const unsigned value = base + i;
  const std::array<std::uint8_t, 4> octets{static_cast<std::uint8_t>(value >> 24),
                                           static_cast<std::uint8_t>(value >> 16),
                                           static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
  return model::Address::from_bytes(octets);
}

void fill(zone::Zone& zone, int services) {
  for (int i = 0; i < 50; ++i) zone.put_namespace("ns-" + std::to_string(i));
  model::ServiceView view;
  for (int i = 0; i < services; ++i) {
    view.key = {"ns-" + std::to_string(i % 50), "svc-" + std::to_string(i)};
    view.cluster_ips = {v4(0x0a600100, static_cast<unsigned>(i))};
    view.ports = {{"", model::Protocol::tcp, 80}};
    zone.put(view);
    if (i % 100 == 0) zone.publish();
  }
  zone.publish();
}

void fill_special(zone::Zone& zone) {
  model::ServiceView view;
  view.key = {"ns-0", "pods"};
  view.form = model::ServiceView::Form::headless;
  view.groups.resize(1);
  view.groups[0].ports = {{"http", model::Protocol::tcp, 8080}};
  for (unsigned i = 0; i < 15; ++i) view.groups[0].endpoints.push_back({{v4(0x0af40001, i)}, "", true});
  zone.put(view);
  zone.publish();
}

Bytes packet(const std::string& name, std::uint16_t type, bool edns) {
  const auto wire_name = wire::name_from_text(name);
  Bytes bytes(wire::max_name + 32);
  bytes[2] = 1;
  bytes[5] = 1;
  bytes[11] = edns ? 1 : 0;
  std::memcpy(&bytes[12], wire_name->octets.data(), wire_name->length);
  bytes.resize(16u + wire_name->length);
  wire::store16(&bytes[bytes.size() - 4], type);
  wire::store16(&bytes[bytes.size() - 2], 1);
  if (edns) {
    for (const unsigned octet : {0u, 0u, 41u, 4u, 208u, 0u, 0u, 0u, 0u, 0u, 0u})
      bytes.push_back(static_cast<std::uint8_t>(octet));
  }
  return bytes;
}

std::vector<Bytes> packets(const Options& options) {
  std::mt19937 random(1);
  std::vector<Bytes> result;
  for (int n = 0; n < 10'000; ++n) {
    const int i = static_cast<int>(random() % static_cast<unsigned>(options.services));
    const std::string name = service(i) + ".svc.cluster.local", absent = "no-" + name.substr(4);
    const std::string& kind = options.kind;
    if (kind == "miss" || (kind == "mixed" && n % 10 == 0))
      result.push_back(packet(absent, 1, false));
    else if (kind == "edns")
      result.push_back(packet(name, 1, true));
    else if (kind == "search")
      result.push_back(packet("www.example.com.ns-1.svc.cluster.local", 1, false));
    else if (kind == "srv")
      result.push_back(packet(name, 33, false));
    else if (kind == "headless")
      result.push_back(packet("pods.ns-0.svc.cluster.local", 1, false));
    else
      result.push_back(packet(name, 1, false));
  }
  return result;
}

long pss_octets() {
  std::ifstream file("/proc/self/smaps_rollup");
  for (std::string word; file >> word;) {
    if (word != "Pss:") continue;
    long kilobytes = 0;
    file >> kilobytes;
    return kilobytes * 1024;
  }
  return 0;
}

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

} // namespace

int main(int count, char** arguments) {
  const Options options = read_options(count, arguments);
  zone::Zone zone{{}};
  fill(zone, 1);
  const long before = pss_octets();
  const auto loading = Clock::now();
  fill(zone, options.services);
  const double load_seconds = seconds_since(loading);
  const long after = pss_octets();
  fill_special(zone);
  zone.set_ready();
  const auto counts = zone.counts();
  std::printf("%d services: %.1f octets of PSS each (%.1f in use), %.2f us each to put\n", options.services,
              double(after - before) / options.services, double(counts.octets) / options.services,
              load_seconds * 1e6 / options.services);

  const auto questions = packets(options);
  zone::ReaderThread reader;
  wire::Query query;
  std::array<std::uint8_t, 1296> buffer;
  std::array<std::uint8_t, 255> target;
  std::size_t octets = 0, at = 0;
  const auto start = Clock::now();
  for (long n = 0; n < options.answers; ++n) {
    const Bytes& question = questions[at];
    if (++at == questions.size()) at = 0;
    std::memcpy(buffer.data(), question.data(), question.size());
    wire::read_query({buffer.data(), question.size()}, query);
    const auto outcome =
        zone::answer(zone, query, wire::Transport::udp, {buffer.data(), 1232}, target);
    octets += outcome.length;
    if (n % 32 == 0) reader.quiescent();
  }
  const double seconds = seconds_since(start);
  std::printf("%s: %.0f answers/s, %.1f ns and %.1f octets each\n", options.kind.c_str(),
              double(options.answers) / seconds, seconds * 1e9 / double(options.answers),
              double(octets) / double(options.answers));
}
