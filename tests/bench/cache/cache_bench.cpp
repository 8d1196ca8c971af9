// CPU nanoseconds per cached forwarded answer: read_query, find, write_reply, as a packet worker does them.
//
//   bench_cache [NAMES] [SECONDS]      default: 10000 names, 2 seconds
#include <time.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "server/cache/cache.hpp"
#include "tests/zone/wire/response_builder.hpp"
#include "zone/index/epoch.hpp"

using namespace signpost;
using namespace signpost::testing;

namespace {

struct Everything final : server::Bailiwick {
  [[nodiscard]] bool holds(const wire::WireName&) const noexcept override { return true; }
};

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

} // namespace

int main(int argc, char** argv) {
  const std::size_t names = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 10000;
  const double seconds = argc > 2 ? std::strtod(argv[2], nullptr) : 2;
  server::Cache cache(std::size_t{16} << 20);
  const auto answer = std::make_unique<server::Answer>();
  const auto response = std::make_unique<wire::upstream::Response>();
  const Everything bailiwick;
  std::vector<Octets> queries;
  for (std::size_t i = 0; i < names; ++i) {
    const Octets qname = name("host" + std::to_string(i) + ".example.com");
    const Message message = Message(1).question(qname, 1).answer(pointer(12), 1, 3600, ipv4(192, 0, 2, 1));
    wire::upstream::read_response(message.octets(), {.qname = qname, .type = 1, .id = 1}, *response);
    if (!server::compile(message.octets(), *response, {}, bailiwick, server::whole, *answer)) return 1;
    Octets padded = qname + Octets(8, 0);
    if (!cache.insert({{padded.data(), qname.size()}, 1, false, false}, *answer, server::coarse_now())) return 1;
    queries.push_back(Message(static_cast<std::uint16_t>(i), 0x0100).question(qname, 1).octets());
  }
  std::mt19937 random(1);
  std::vector<std::uint32_t> order(1 << 16);
  for (auto& i : order) i = static_cast<std::uint32_t>(random() % names);

  zone::ReaderThread reader;
  std::vector<std::uint8_t> buffer(1232);
  wire::Query query;
  std::size_t answered = 0, missed = 0;
  const double start = cpu_seconds();
  double spent = 0;
  do {
    for (std::size_t i = 0; i < order.size(); ++i) {
      const Octets& octets = queries[order[i]];
      std::memcpy(buffer.data(), octets.data(), octets.size());
      wire::read_query({buffer.data(), octets.size()}, query);
      const auto hit = cache.find(server::cache_key(query), server::coarse_now());
      if (hit) {
        answered +=
            server::write_reply(buffer, server::asker(query, wire::Transport::udp, buffer), hit->answer, hit->age) > 0;
      } else {
        ++missed;
      }
      if (i % 32 == 0) reader.quiescent();
    }
    spent = cpu_seconds() - start;
  } while (spent < seconds);
  std::printf("%zu names, %.1f MB in use: %.1f ns per answer, %zu missed\n", names,
              static_cast<double>(cache.counts().bytes) / 1e6, spent * 1e9 / static_cast<double>(answered), missed);
  return missed == 0 ? 0 : 1;
}
