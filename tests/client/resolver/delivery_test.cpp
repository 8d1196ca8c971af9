// Callbacks by process(): for loops of the program's own, from any thread, through cancelling and destroying.
#include <doctest/doctest.h>

#include <algorithm>
#include <poll.h>

#include <signpost/signpost.hpp>

#include "tests/client/dns_responder.hpp"

using namespace std::chrono_literals;
using signpost::Delivery;
using signpost::Errc;
using signpost::Result;
using testing::Asked;
using testing::DnsResponder;
using testing::Octets;
using testing::Reply;

namespace {

const std::string web = "web.default.svc.cluster.local";

std::vector<Octets> answer(const Asked& asked) {
  if (asked.name.starts_with("silent")) return {};
  if (asked.name != web) return {Reply(asked, 3).bytes()};
  return {Reply(asked).address(web, asked.type == 1 ? "10.96.0.5" : "fd00::5").bytes()};
}

signpost::Options options(const DnsResponder& server) {
  return {.servers = {server.address()},
          .name_space = "default",
          .cluster_domain = "cluster.local",
          .timeout = 1h,
          .delivery = Delivery::process};
}

bool readable(const signpost::Client& client, int timeout_ms) {
  pollfd entry{client.fd(), POLLIN, 0};
  return poll(&entry, 1, timeout_ms) == 1;
}

} // namespace

TEST_CASE("callbacks wait for process, and the descriptor says so") {
  DnsResponder server(answer);
  signpost::Client client(options(server));
  REQUIRE(client.fd() >= 0);
  std::thread::id by;
  std::vector<std::error_code> codes;
  for (const auto* const name : {"web", "nosuch", "two words", "10.1.2.3"})
    client.resolve_async({.name = name}, [&](const Result& result) {
      by = std::this_thread::get_id();
      codes.push_back(result.error);
    });
  while (codes.size() < 4) {
    REQUIRE(readable(client, 60'000));
    client.process();
  }
  CHECK(by == std::this_thread::get_id());
  CHECK_FALSE(readable(client, 0));
  CHECK(client.process() == 0);
  CHECK(std::ranges::count(codes, std::error_code()) == 2);
  CHECK(std::ranges::count(codes, make_error_code(Errc::not_found)) == 1);
  CHECK(std::ranges::count(codes, make_error_code(Errc::bad_name)) == 1);

  // Without process: what blocks needs none.
  CHECK(client.resolve("web"));
  CHECK(client.resolve_future({.name = "web"}).get());
  CHECK(signpost::Client({.servers = {server.address()}}).fd() == -1);
}

TEST_CASE("until a callback begins, its lookup can be cancelled") {
  DnsResponder server(answer);
  signpost::Client client(options(server));
  std::error_code code;
  auto request = client.resolve_async({.name = "web"}, [&](const Result& result) { code = result.error; });
  REQUIRE(readable(client, 60'000)); // it waits
  CHECK(request.cancel());
  CHECK_FALSE(request.cancel());
  CHECK(client.process() == 1);
  CHECK(code == Errc::cancelled);
}

TEST_CASE("a callback of process may look up, block, and destroy the client") {
  DnsResponder server(answer);
  auto client = std::make_unique<signpost::Client>(options(server));
  std::vector<std::error_code> codes;
  bool nested = false;
  for (int i = 0; i < 3; ++i) // these are cancelled by what follows, or have come
    client->resolve_async({.name = "silent"}, [&](const Result& result) { codes.push_back(result.error); });
  client->resolve_async({.name = "web"}, [&](const Result& result) {
    CHECK(result);
    CHECK(client->resolve("web"));
    nested = client->process() == 0;
    client->resolve_async({.name = "silent"}, [&](const Result& late) { codes.push_back(late.error); });
    client.reset();
  });
  auto* const raw = client.get();
  while (client) {
    REQUIRE(readable(*client, 60'000));
    raw->process();
  }
  CHECK(nested);
  CHECK(codes == std::vector<std::error_code>(4, make_error_code(Errc::cancelled)));
}

TEST_CASE("threads that submit, cancel and process, and a client that goes meanwhile") {
  DnsResponder server(answer);
  constexpr int submitters = 4, each = 50;
  std::atomic<int> called{0}, inside{0}, overlaps{0};
  {
    signpost::Client client(options(server));
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (int t = 0; t < 2; ++t)
      threads.emplace_back([&] {
        while (!stop) {
          if (readable(client, 5)) client.process();
        }
      });
    std::vector<std::thread> submitting;
    for (int t = 0; t < submitters; ++t)
      submitting.emplace_back([&] {
        for (int i = 0; i < each; ++i) {
          auto request = client.resolve_async({.name = i % 3 == 0 ? "silent" : "web"}, [&](const Result&) {
            if (++inside > 1) ++overlaps;
            ++called;
            --inside;
          });
          if (i % 3 == 0 && i % 2 == 0) request.cancel();
        }
      });
    for (auto& thread : submitting) thread.join();
    stop = true;
    for (auto& thread : threads) thread.join();
  } // the rest is called here
  CHECK(called == submitters * each);
  CHECK(overlaps == 0);
}
