// What the dearest packets cost: every malformed one of tests/packets, and messages of 64 KB made to be dear.
//
//   bench_packets [MOST_PRINTED]
//
// Time is that of reading, answering and writing one message in place, as a worker does it; the least of many runs, so
// that it is the message's cost and not the machine's.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "server/listen/serve.hpp"
#include "tests/bench/zone/services.hpp"
#include "zone/index/epoch.hpp"

using namespace signpost;
using namespace signpost::bench;

namespace {

using Bytes = std::vector<std::uint8_t>;
using Clock = std::chrono::steady_clock;

constexpr std::size_t udp_buffer = 1296, tcp_buffer = 65535;
constexpr int runs = 2000;

struct Nobody {
  server::ReplyTo operator()() const { return {}; }
  const sockaddr* peer(sockaddr_storage& storage) const {
    storage = {};
    storage.ss_family = AF_INET;
    return reinterpret_cast<const sockaddr*>(&storage);
  }
};

struct Message {
  std::string what;
  Bytes octets;
  wire::Transport transport = wire::Transport::udp;
  double microseconds = 0;
};

Bytes unhex(const std::string& hex) {
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return bytes;
}

std::vector<Message> malformed() {
  std::ifstream file(SIGNPOST_SOURCE_DIR "/tests/packets/badpackets.json");
  const auto cases = nlohmann::json::parse(file)["cases"];
  std::vector<Message> messages;
  for (const auto& test : cases)
    if (test["transport"] == "udp") messages.push_back({test["id"], unhex(test["hex"])});
  return messages;
}

Bytes query_of(const std::string& name, std::uint16_t type, std::uint16_t additional) {
  Bytes octets = {
      0, 7, 1, 0, 0, 1, 0, 0, 0, 0, static_cast<std::uint8_t>(additional >> 8), static_cast<std::uint8_t>(additional)};
  const auto wire = wire::name_from_text(name);
  octets.insert(octets.end(), wire->octets.begin(), wire->octets.begin() + wire->length);
  octets.insert(octets.end(), {static_cast<std::uint8_t>(type >> 8), static_cast<std::uint8_t>(type), 0, 1});
  return octets;
}

void fill(Bytes& octets, std::size_t size, const Bytes& with) {
  while (octets.size() + with.size() <= size) octets.insert(octets.end(), with.begin(), with.end());
}

/// An OPT record whose options fill a message of `size` octets.
Message options(std::size_t size, const Bytes& option, wire::Transport transport, const std::string& what) {
  Bytes octets = query_of(name_of(1), 1, 1);
  octets.insert(octets.end(), {0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0});
  const std::size_t begin = octets.size();
  fill(octets, size, option);
  const std::size_t length = octets.size() - begin;
  octets[begin - 2] = static_cast<std::uint8_t>(length >> 8);
  octets[begin - 1] = static_cast<std::uint8_t>(length);
  return {what, std::move(octets), transport};
}

/// As many additional records as fit, each with `owner` for a name.
Message records(std::size_t size, const Bytes& owner, wire::Transport transport, const std::string& what) {
  Bytes record = owner;
  record.insert(record.end(), {0, 1, 0, 1, 0, 0, 0, 0, 0, 0});
  Bytes octets = query_of(name_of(1), 1, 0);
  const std::size_t count = (size - octets.size()) / record.size();
  octets[10] = static_cast<std::uint8_t>(count >> 8);
  octets[11] = static_cast<std::uint8_t>(count);
  fill(octets, size, record);
  return {what, std::move(octets), transport};
}

std::vector<Message> made_to_be_dear() {
  using enum wire::Transport;
  const Bytes longest = [] {
    Bytes name;
    for (int i = 0; i < 127; ++i) name.insert(name.end(), {1, 'a'});
    name.push_back(0);
    return name;
  }();
  const Bytes cookie = {0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8};
  std::vector<Message> messages = {
      options(1232, {0, 9, 0, 0}, udp, "UDP of empty options"),
      options(1232, cookie, udp, "UDP of cookies"),
      records(1232, {0}, udp, "UDP of records"),
      options(65534, {0, 9, 0, 0}, tcp, "64 KB of empty options"),
      options(65534, cookie, tcp, "64 KB of cookies"),
      records(65534, {0}, tcp, "64 KB of records"),
      records(65534, longest, tcp, "64 KB of long names"),
      records(65534, {0xC0, 12}, tcp, "64 KB of pointers"),
      {"a name with 5,000 endpoints, SRV, whole", query_of("pods-5000.ns-0.svc.cluster.local", 33, 0), tcp},
      {"a name with 5,000 endpoints, A, whole", query_of("pods-5000.ns-0.svc.cluster.local", 1, 0), tcp},
      {"a name with 5,000 endpoints, SRV, cut", query_of("pods-5000.ns-0.svc.cluster.local", 33, 0), udp},
  };
  return messages;
}

void measure(Message& message, const zone::Zone& zone) {
  std::vector<server::BlockRoute> routes(1);
  routes[0].zones = {"."};
  routes[0].zone = &zone;
  const server::Router router(std::move(routes));
  server::Counters counters;
  server::Serving serving(router, message.transport, counters);
  Bytes buffer(message.transport == wire::Transport::udp ? udp_buffer : tcp_buffer);
  const std::size_t length = std::min(message.octets.size(), buffer.size());
  message.microseconds = 1e9;
  for (int run = 0; run < runs; ++run) {
    std::copy_n(message.octets.begin(), length, buffer.begin());
    const auto begin = Clock::now();
    (void)server::serve(serving, buffer, length, Nobody{});
    const std::chrono::duration<double, std::micro> took = Clock::now() - begin;
    message.microseconds = std::min(message.microseconds, took.count());
  }
}

} // namespace

int main(int count, char** arguments) {
  const std::size_t most = count > 1 ? std::strtoul(arguments[1], nullptr, 10) : 8;
  const auto zone = zone_of(10'000);
  const zone::ReaderThread reader;
  for (auto& messages : {malformed(), made_to_be_dear()}) {
    auto measured = messages;
    for (Message& message : measured) measure(message, *zone);
    std::sort(measured.begin(), measured.end(),
              [](const Message& a, const Message& b) { return a.microseconds > b.microseconds; });
    for (std::size_t i = 0; i < std::min(std::max(most, std::size_t{1}), measured.size()); ++i)
      std::printf("%8.2f us  %6zu octets  %s\n", measured[i].microseconds, measured[i].octets.size(),
                  measured[i].what.c_str());
    std::printf("of %zu messages\n", measured.size());
  }
}
