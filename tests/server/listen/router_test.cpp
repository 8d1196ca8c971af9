#include "server/listen/router.hpp"

#include "tests/server/listen/client.hpp"

using namespace signpost;
using namespace signpost::server;
using namespace signpost::test;

namespace {

/// The first zone of the block that has the name; "none".
std::string found(const Router& router, std::string_view name) {
  const Bytes packet = question(name);
  const BlockRoute* route = router.find(std::span(packet).subspan(12, packet.size() - 16));
  return route == nullptr ? "none" : route->zones.front();
}

/// Forwards to nobody.
class Nobody final : public Outside {
public:
  Taken take(const wire::Query&, wire::Transport, std::span<std::uint8_t>, std::size_t,
             const ReplyTo&) noexcept override {
    return {};
  }
  Taken follow(const wire::Query&, wire::Transport, std::span<std::uint8_t>, const ReplyTo&) noexcept override {
    return {};
  }
  bool covers(std::span<const std::uint8_t>) const noexcept override { return true; }
  bool ask(const Link&, std::shared_ptr<Waiter>) noexcept override { return false; }
};

} // namespace

TEST_CASE("the longest zone wins") {
  const Router router({block({"example.org"}), block({"a.example.org", "10.in-addr.arpa"}), block({"."})});
  CHECK(found(router, "example.org") == "example.org");
  CHECK(found(router, "x.example.org") == "example.org");
  CHECK(found(router, "a.example.org") == "a.example.org");
  CHECK(found(router, "y.x.a.example.org") == "a.example.org");
  CHECK(found(router, "xa.example.org") == "example.org");
  CHECK(found(router, "1.2.10.in-addr.arpa") == "a.example.org");
  CHECK(found(router, "notexample.org") == ".");
  CHECK(found(router, "org") == ".");
  CHECK(found(router, "") == ".");
}

TEST_CASE("a name in no zone has no block") {
  const Router router({block({"example.org"})});
  CHECK(found(router, "example.com") == "none");
  CHECK(found(router, "") == "none");
  CHECK(found(Router({}), "x") == "none");
}

TEST_CASE("names for testing are special unless only this machine is asked for them") {
  const auto special = [](std::string_view name, bool forwards, bool stays_here, std::vector<std::string> zones = {"."}) {
    static Nobody nobody;
    BlockRoute route = block(std::move(zones));
    route.outside = forwards ? &nobody : nullptr;
    route.stays_here = stays_here;
    const Router router({route});
    const Bytes packet = question(name);
    return router.special(std::span(packet).subspan(12, packet.size() - 16)) != nullptr;
  };
  CHECK(special("a.test", true, false));
  CHECK(special("a.test", false, true)); // nobody is asked
  CHECK_FALSE(special("a.test", true, true));
  CHECK_FALSE(special("a.test", true, false, {"test"}));
  CHECK(special("x.invalid", true, true));
  CHECK(special("localhost", true, true));
}

TEST_CASE("a malformed name has no block") {
  const Router router({block({"."})});
  const Bytes cut = {3, 'a', 'b'}, endless(300, 1), nothing;
  CHECK(router.find(cut) == nullptr);
  CHECK(router.find(endless) == nullptr);
  CHECK(router.find(nothing) == nullptr);
}

TEST_CASE("a zone is asked first only where its names are its own") {
  const auto zone = fixture_zone(); // cluster.local and 0.96.10.in-addr.arpa
  const std::vector<std::string> own = {"cluster.local", "10.in-addr.arpa"};
  CHECK(Router({block(own, zone.get())}).first() != nullptr);
  CHECK(Router({block({"."}, zone.get())}).first() != nullptr);
  CHECK(Router({block({"."}), block(own, zone.get())}).first() != nullptr);
  CHECK(Router({block({"example.org"}), block({"."}, zone.get())}).first() != nullptr);
  CHECK(Router({block({"x.cluster.local"}), block(own, zone.get())}).first() == nullptr);
  CHECK(Router({block({"local"}), block({"."}, zone.get())}).first() == nullptr);
  CHECK(Router({block({"local"}), block(own, zone.get())}).first() != nullptr);
  CHECK(Router({block({"cluster.local"}, zone.get())}).first() == nullptr); // the reverse zone is not served here
  CHECK(Router({block({"."})}).first() == nullptr);
}
