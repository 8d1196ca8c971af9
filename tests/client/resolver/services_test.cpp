// Ports with more endpoints than one message holds: all are found, or `partial` says that they are not.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include <signpost/signpost.hpp>

#include "tests/client/dns_responder.hpp"

using namespace std::chrono_literals;
using testing::Asked;
using testing::DnsResponder;
using testing::Octets;
using testing::Reply;

namespace {

using Replies = std::vector<Octets>;
constexpr unsigned a = 1, aaaa = 28, srv = 33, opt = 41;
const std::string big = "big.default.svc.cluster.local";

std::string address_of(int i) { return "10.2." + std::to_string(i / 250) + '.' + std::to_string(i % 250 + 1); }

std::string label_of(int i) {
  auto text = address_of(i);
  std::ranges::replace(text, '.', '-');
  return text;
}

// A headless service, answered as Signpost does: addresses of targets for as many as fit, records in part with EDE 0.
struct Service {
  int endpoints = 0;
  int fit = 1 << 30;      // SRV records in one message
  int glue = 0;           // of these with addresses
  bool hostnames = false; // endpoints are named pod-0, pod-1, …
  bool pool = true;       // the service's own addresses are answered
  unsigned odd_port = 80; // of the first endpoint
  int silent = -1;        // an endpoint whose name is never answered

  [[nodiscard]] std::string target(int i) const {
    return (hostnames ? "pod-" + std::to_string(i) : label_of(i)) + '.' + big;
  }
  Replies operator()(const Asked& asked) const {
    if (!asked.tcp && (asked.type == srv || asked.name == big)) return {Reply(asked).truncated().bytes()};
    Reply reply(asked);
    if (asked.type == srv) {
      const int all = std::min(endpoints, fit);
      for (int i = 0; i < all; ++i)
        reply.answer(asked.name, srv, 5, testing::srv_data(0, 10, i == 0 ? odd_port : 80, target(i)));
      for (int i = 0; i < glue; ++i) reply.additional(target(i), a, 5, testing::address_data(address_of(i).c_str()));
      if (all < endpoints) reply.additional("", opt, 0, {0, 15, 0, 2, 0, 0});
      return {reply.bytes()};
    }
    if (asked.name == big) {
      if (!pool) return {Reply(asked, 2).bytes()};
      for (int i = 0; asked.type == a && i < endpoints; ++i) reply.address(big, address_of(i).c_str());
      return {reply.bytes()};
    }
    for (int i = 0; i < endpoints; ++i)
      if (asked.name == target(i)) {
        if (i == silent) return {};
        return {asked.type == a ? reply.address(asked.name, address_of(i).c_str()).bytes() : reply.bytes()};
      }
    return {Reply(asked, 3).bytes()};
  }
};

} // namespace

TEST_CASE("SRV beyond 16 targets, beyond the additional section and beyond one message") {
  struct Case {
    std::string what;
    Service service;
    bool all, partial;
  };
  for (const Case& c : {
           Case{"few, without addresses", {.endpoints = 10}, true, false},
           Case{"a forwarder dropped the addresses", {.endpoints = 20, .hostnames = true}, true, false},
           Case{"named by address", {.endpoints = 800, .glue = 250}, true, false},
           Case{"hostnames", {.endpoints = 200, .glue = 20, .hostnames = true}, true, false},
           Case{"the service itself fails", {.endpoints = 100, .pool = false}, true, false},
           Case{"more than a message", {.endpoints = 1200, .fit = 900}, true, true},
           Case{"more than a message, hostnames", {.endpoints = 60, .fit = 40, .hostnames = true}, true, true},
           Case{"more than a message, and two ports", {.endpoints = 60, .fit = 40, .odd_port = 81}, false, true},
           Case{"one of many is silent", {.endpoints = 40, .hostnames = true, .silent = 7}, false, true},
       }) {
    CAPTURE(c.what);
    DnsResponder server(c.service);
    signpost::Client client({.servers = {server.address()},
                             .name_space = "default",
                             .cluster_domain = "cluster.local",
                             .timeout = c.service.silent < 0 ? 60'000ms : 1500ms});
    const auto found = client.resolve({.name = "big", .port = "http", .family = signpost::Family::ipv4});
    CHECK_FALSE(found.error);
    std::set<std::string> addresses;
    for (const auto& endpoint : found.endpoints) {
      addresses.insert(endpoint.address.to_string());
      CHECK((endpoint.port == 80 || endpoint.port == c.service.odd_port));
    }
    CHECK(addresses.size() == found.endpoints.size());
    CHECK((addresses.size() == static_cast<std::size_t>(c.service.endpoints)) == c.all);
    CHECK(found.partial == c.partial);
  }
}

TEST_CASE("addresses beyond one message are said to be in part") {
  DnsResponder server([](const Asked& asked) {
    if (!asked.tcp) return Replies{Reply(asked).truncated().bytes()};
    Reply reply(asked);
    for (int i = 0; asked.type == a && i < 100; ++i) reply.address(big, address_of(i).c_str());
    if (asked.type == aaaa) return Replies{reply.bytes()};
    if (asked.times % 2 == 1) return Replies{reply.additional("", opt, 0, {0, 15, 0, 2, 0, 0}).bytes()};
    return Replies{reply.truncated().bytes()};
  });
  for (int i = 0; i < 2; ++i) {
    signpost::Client client(
        {.servers = {server.address()}, .name_space = "default", .cluster_domain = "cluster.local"});
    const auto found = client.resolve("big");
    CHECK(found.endpoints.size() == 100);
    CHECK(found.partial);
  }
}
