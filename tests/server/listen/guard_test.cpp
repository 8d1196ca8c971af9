#include "server/listen/guard.hpp"

#include "tests/server/listen/client.hpp"

using namespace signpost;
using namespace signpost::server;
using namespace signpost::test;

namespace {

/// A socket that another program might have on a port.
Socket foreign(const Endpoint& endpoint, int type, bool shared) {
  const SocketAddress address(endpoint);
  Socket socket(::socket(address.storage.ss_family, type, 0));
  const int one = 1;
  if (shared) REQUIRE(::setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) == 0);
  REQUIRE(::bind(socket.fd(), address.get(), address.length) == 0);
  if (type == SOCK_STREAM) REQUIRE(::listen(socket.fd(), 1) == 0);
  return socket;
}

std::string in_use(const Endpoint& endpoint) {
  return endpoint.to_string() +
         " is in use (by another program or signpostd): stop it or choose another address with --dns";
}

std::string error_of(const std::vector<Endpoint>& endpoints) {
  const auto claims = claim(endpoints);
  return claims ? "no error" : claims.error();
}

} // namespace

TEST_CASE("port 0 takes one port for all addresses") {
  const auto claims = claim(loopback());
  REQUIRE(claims);
  for (const Claim& one : *claims) {
    CHECK(one.endpoint.port != 0);
    CHECK(one.endpoint.port == claims->front().endpoint.port);
    CHECK(local_endpoint(one.tcp.fd()) == one.endpoint);
  }
}

TEST_CASE("a port that anybody has is refused") {
  const Endpoint any{address("127.0.0.1"), 0};
  for (const bool shared : {false, true})
    for (const int type : {SOCK_DGRAM, SOCK_STREAM}) {
      CAPTURE(shared);
      CAPTURE(type);
      const Socket other = foreign(any, type, shared);
      const Endpoint taken = local_endpoint(other.fd());
      CHECK(error_of({taken}) == in_use(taken));
    }
}

TEST_CASE("a wildcard socket of another program counts") {
  const Socket other = foreign({address("0.0.0.0"), 0}, SOCK_DGRAM, true);
  const Endpoint taken{address("127.0.0.1"), local_endpoint(other.fd()).port};
  CHECK(error_of({taken}) == in_use(taken));
}

TEST_CASE("a second daemon on the port is refused, and all or none is claimed") {
  const Server server;
  CHECK(error_of({server.endpoint()}) == in_use(server.endpoint()));
  const auto router = std::make_shared<const Router>(std::vector<BlockRoute>{});
  const auto second = Listeners::open({{server.endpoint(), router}}, {});
  REQUIRE_FALSE(second);
  CHECK(second.error() == in_use(server.endpoint()));

  auto free = claim(std::vector<Endpoint>{{address("127.0.0.1"), 0}});
  REQUIRE(free);
  const Endpoint first = free->front().endpoint;
  free->clear();
  CHECK(error_of({first, server.endpoint()}) == in_use(server.endpoint()));
  CHECK(error_of({first}) == "no error");
}

TEST_CASE("a claim ends with its owner") {
  Endpoint endpoint;
  {
    const Server server;
    endpoint = server.endpoint();
  }
  CHECK(error_of({endpoint}) == "no error");
}

TEST_CASE("other reasons have their own sentence") {
  CHECK(error_of({*Endpoint::parse("192.0.2.1:5300")}) ==
        "192.0.2.1 is not an address of this host: choose one that `ip address` shows, with --dns or bind");
  const Endpoint one{address("127.0.0.1"), 5300};
  CHECK(error_of({one, one}) == "127.0.0.1:5300 is listed twice: remove one");
}
