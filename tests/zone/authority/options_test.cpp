// What the OPT record of a reply carries: options that the listener added, and errors that say why.
#include <doctest/doctest.h>

#include "tests/zone/ask.hpp"
#include "tests/zone/views.hpp"

using namespace signpost;
using namespace signpost::test;

namespace {

Bytes option(unsigned code, const Bytes& data) {
  Bytes bytes;
  put16(bytes, code);
  put16(bytes, static_cast<unsigned>(data.size()));
  bytes.insert(bytes.end(), data.begin(), data.end());
  return bytes;
}

/// As a listener does it: reads the query, adds options to its reply, has the zone answer.
Reply ask_with(const zone::Zone& zone, const Bytes& packet, const std::vector<std::pair<unsigned, Bytes>>& options,
               wire::Transport transport = wire::Transport::udp) {
  wire::Query query;
  wire::read_query(packet, query);
  REQUIRE(query.check != wire::Check::drop);
  for (const auto& [code, data] : options) query.options.add(static_cast<std::uint16_t>(code), data);
  Bytes buffer(transport == wire::Transport::udp ? 1232 : 65535);
  zone::Onward onward;
  std::copy(packet.begin(), packet.end(), buffer.begin());
  buffer.resize(query.check == wire::Check::ok ? zone::answer(zone, query, transport, buffer, onward).length
                                               : wire::write_error(buffer, query, query.rcode));
  Reply reply;
  decode(buffer, reply);
  return reply;
}

std::unique_ptr<zone::Zone> zone_of(int endpoints) {
  auto zone = std::make_unique<zone::Zone>(zone::ZoneSettings{});
  model::EndpointGroup group;
  for (int i = 0; i < endpoints; ++i)
    group.endpoints.push_back(endpoint({"10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250)}));
  zone->put(headless("default", "many", {group}));
  zone->set_ready();
  return zone;
}

const Bytes cookie{1, 2, 3, 4, 5, 6, 7, 8, 1, 0, 0, 0, 9, 9, 9, 9, 8, 8, 8, 8, 8, 8, 8, 8};
constexpr const char* many = "many.default.svc.cluster.local.";

} // namespace

TEST_CASE("options stand in positive, negative and cut answers, and are counted in their length") {
  const auto zone = zone_of(200);
  for (const char* name : {many, "none.default.svc.cluster.local.", "cluster.local."}) {
    for (const std::uint16_t size : {std::uint16_t{512}, std::uint16_t{1232}}) {
      const Bytes packet = query_octets(name, 1, {.edns = true, .size = size, .options = option(10, Bytes(8))});
      const Reply reply = ask_with(*zone, packet, {{10, cookie}, {3, Bytes(20, 'x')}});
      CHECK(reply.sound);
      CHECK(reply.length <= size);
      Bytes expected = option(10, cookie);
      const Bytes nsid = option(3, Bytes(20, 'x'));
      expected.insert(expected.end(), nsid.begin(), nsid.end());
      CHECK(reply.options == expected);
    }
  }
  zone->set_stale(true);
  const Reply stale = ask_with(*zone, query_octets(many, 1, {.edns = true}), {{10, cookie}});
  CHECK(stale.sound);
  CHECK(stale.truncated());
  CHECK(stale.extended_error == 3);
  CHECK(stale.options.size() == 6 + 4 + cookie.size());
  CHECK(stale.length <= 1232);
}

TEST_CASE("options and the error of a part fit beside the longest answer over TCP") {
  const auto zone = zone_of(5000);
  const Reply reply = ask_with(*zone, query_octets(many, 1, {.edns = true}),
                               {{10, cookie}, {11, {0, 50}}, {3, Bytes(64, 'n')}}, wire::Transport::tcp);
  CHECK(reply.sound);
  CHECK(!reply.truncated());
  CHECK(reply.extended_error == 0);
  CHECK(reply.length <= 65535);
  const std::string text(reply.options.begin() + 6, reply.options.begin() + 6 + wire::partial_text.size());
  CHECK(text == wire::partial_text);
}

TEST_CASE("errors carry options only where that does not make them longer than the query and an OPT record") {
  const auto zone = zone_of(1);
  const Bytes first = query_octets(many, 252, {.edns = true, .options = option(10, Bytes(8))}); // AXFR
  const Bytes again = query_octets(many, 252, {.edns = true, .options = option(10, cookie)});
  const Reply without = ask_with(*zone, first, {{10, cookie}}), with = ask_with(*zone, again, {{10, cookie}});
  CHECK(without.rcode == "REFUSED");
  CHECK(without.extended_error == 18);
  CHECK(without.length <= first.size() + 11);
  CHECK(with.extended_error == 18);
  CHECK(with.options.size() == 6 + 4 + cookie.size());
  CHECK(with.length <= again.size() + 11);
}

TEST_CASE("a refused question says why to those that can read it") {
  const auto zone = zone_of(1);
  CHECK(ask(*zone, "example.com.", "A", {.edns = true}).extended_error == 20);
  CHECK(ask(*zone, "example.com.", "A").rcode == "REFUSED");
  CHECK(!ask(*zone, "example.com.", "A").edns);
  CHECK(ask(*zone, many, "A", {.edns = true, .klass = 3}).extended_error == 20);
  CHECK(ask(*zone, many, "IXFR", {.edns = true}).extended_error == 18);
}

TEST_CASE("a query without a question gets a cookie, and FORMERR without one") {
  const auto zone = zone_of(1);
  const auto bare = [](const Bytes& options) {
    Bytes bytes;
    for (const unsigned word : {0x1234u, 0u, 0u, 0u, 0u, 1u}) put16(bytes, word);
    bytes.push_back(0);
    for (const unsigned word : {41u, 1232u, 0u, 0u}) put16(bytes, word);
    put16(bytes, static_cast<unsigned>(options.size()));
    bytes.insert(bytes.end(), options.begin(), options.end());
    return bytes;
  };
  const Reply reply = ask_with(*zone, bare(option(10, cookie)), {{10, cookie}});
  CHECK(reply.sound);
  CHECK(reply.rcode == "NOERROR");
  CHECK(wire::load16(&reply.octets[4]) == 0);
  CHECK(reply.options == option(10, cookie));
  CHECK(ask_with(*zone, bare({}), {}).rcode == "FORMERR");
  CHECK(ask_with(*zone, bare(option(10, Bytes(9))), {}).rcode == "FORMERR");
}
