#include "server/source/source.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "discovery/registry/registry.hpp"
#include "discovery/store/memory_store.hpp"
#include "server/log/log.hpp"
#include "zone/authority/authority.hpp"
#include "zone/index/epoch.hpp"
#include "zone/index/index.hpp"

using namespace signpost;

namespace {

/// rcode and number of answers to an A question, as a worker would get it.
struct Answer {
  int rcode = -1;
  int records = 0;
  bool operator==(const Answer&) const = default;
};

Answer ask(const zone::Zone& zone, const std::string& name) {
  std::vector<std::uint8_t> packet = {0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
  for (std::size_t at = 0; at < name.size();) {
    const std::size_t dot = std::min(name.find('.', at), name.size());
    packet.push_back(static_cast<std::uint8_t>(dot - at));
    packet.insert(packet.end(), name.begin() + static_cast<long>(at), name.begin() + static_cast<long>(dot));
    at = dot + 1;
  }
  packet.insert(packet.end(), {0, 0, 1, 0, 1});
  const std::size_t length = packet.size();
  packet.resize(1232);
  zone::Onward onward;
  wire::Query query;
  wire::read_query({packet.data(), length}, query);
  REQUIRE(query.check == wire::Check::ok);
  const auto outcome = zone::answer(zone, query, wire::Transport::udp, packet, onward);
  REQUIRE(outcome.verdict == zone::Verdict::reply);
  return {packet[3] & 15, packet[6] << 8 | packet[7]};
}

constexpr int noerror = 0, servfail = 2, nxdomain = 3;

/// Waits for what another thread brings about; only a hang can make it fail.
void until(const zone::Zone& zone, const std::string& name, const Answer& want) {
  zone::ReaderThread reader;
  for (int i = 0; i < 60'000; ++i) {
    const Answer got = ask(zone, name);
    reader.quiescent();
    if (got == want) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  FAIL("never became so: " << name);
}

std::string service(const std::string& name, const std::string& ip) {
  return R"({"kind":"Service","apiVersion":"v1","metadata":{"name":")" + name +
         R"(","namespace":"default"},"spec":{"ports":[{"port":80}],"clusterIP":")" + ip + R"(","clusterIPs":[")" + ip +
         R"("]}})";
}

void write(store::Store& store, const std::string& name, const std::string* text) {
  store::Transaction transaction;
  transaction.writes.push_back({registry::object_key(model::Kind::service, "default", name),
                                text == nullptr ? nullptr : std::make_shared<const std::string>(*text)});
  REQUIRE(store.transact_and_wait(std::move(transaction)));
}

void open_log() {
  static const bool once = [] {
    server::log::open();
    return true;
  }();
  (void)once;
}

} // namespace

TEST_CASE("a store is read whole, then followed change by change") {
  open_log();
  store::MemoryStore store;
  for (int i = 0; i < 2500; ++i) { // more than one page
    const std::string text =
        service("s" + std::to_string(i), "10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1));
    write(store, "s" + std::to_string(i), &text);
  }
  zone::Zone zone({});
  {
    zone::ReaderThread reader;
    CHECK(ask(zone, "s7.default.svc.cluster.local") == Answer{servfail, 0});
  }
  const auto source = server::follow_store(store, zone);
  REQUIRE(source->start());
  CHECK(source->services() == 2500);
  until(zone, "s0.default.svc.cluster.local", {noerror, 1});
  until(zone, "s2499.default.cluster.local", {noerror, 1});

  const std::string text = service("late", "10.2.0.1");
  write(store, "late", &text);
  until(zone, "late.default.svc.cluster.local", {noerror, 1});
  write(store, "late", nullptr);
  until(zone, "late.default.svc.cluster.local", {nxdomain, 0});
}

TEST_CASE("an object that cannot be read is left out, the rest is served") {
  open_log();
  store::MemoryStore store;
  const std::string broken = "{\"kind\":", good = service("good", "10.1.0.1");
  write(store, "broken", &broken);
  write(store, "good", &good);
  zone::Zone zone({});
  const auto source = server::follow_store(store, zone);
  REQUIRE(source->start());
  until(zone, "good.default.svc.cluster.local", {noerror, 1});
  until(zone, "broken.default.svc.cluster.local", {nxdomain, 0});
}

TEST_CASE("files are read again when they change; what is gone from them is gone") {
  open_log();
  const auto directory = std::filesystem::temp_directory_path() / ("signpost-source." + std::to_string(getpid()));
  std::filesystem::create_directories(directory);
  const std::string file = (directory / "objects.json").string();
  const auto replace = [&](const std::string& text) {
    std::ofstream(file + ".new") << text;
    std::filesystem::rename(file + ".new", file);
  };
  replace(service("one", "10.1.0.1"));
  {
    zone::Zone zone({});
    objects::ObjectsStore store({file});
    const auto source = server::follow_files({file}, zone, &store);
    REQUIRE(source->start());
    until(zone, "one.default.svc.cluster.local", {noerror, 1});
    const store::Revision before = store.revision();
    replace(service("two", "10.1.0.2"));
    until(zone, "two.default.svc.cluster.local", {noerror, 1});
    until(zone, "one.default.svc.cluster.local", {nxdomain, 0});
    while (store.revision() == before) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  zone::Zone zone({});
  CHECK_FALSE(server::follow_files({file + ".missing"}, zone, nullptr)->start());
  std::filesystem::remove_all(directory);
}

TEST_CASE("new times on old contents are no reload; damaged contents leave what was served") {
  open_log();
  const auto directory = std::filesystem::temp_directory_path() / ("signpost-same." + std::to_string(getpid()));
  std::filesystem::create_directories(directory);
  const std::string file = (directory / "objects.json").string();
  const auto replace = [&](const std::string& text) {
    std::ofstream(file + ".new") << text;
    std::filesystem::rename(file + ".new", file);
  };
  const std::string one = service("one", "10.1.0.1"), two = service("two", "10.1.0.2");
  replace(one);
  zone::Zone zone({});
  objects::ObjectsStore store({file});
  const auto source = server::follow_files({file}, zone, &store);
  REQUIRE(source->start());
  const store::Revision before = store.revision();
  const std::uint32_t serial = zone.index().serial();
  const auto looked_at = [] { std::this_thread::sleep_for(std::chrono::milliseconds(1500)); }; // once a second
  replace(one);
  looked_at();
  CHECK(store.revision() == before);
  replace(two + "{"); // what comes before the damage counts as little as what comes behind
  looked_at();
  CHECK(store.revision() == before);
  CHECK(zone.index().serial() == serial);
  until(zone, "one.default.svc.cluster.local", {noerror, 1});
  until(zone, "two.default.svc.cluster.local", {nxdomain, 0});

  replace(one + two);
  until(zone, "two.default.svc.cluster.local", {noerror, 1});
  until(zone, "one.default.svc.cluster.local", {noerror, 1});
  while (store.revision() == before) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  CHECK(store.revision() == before + 1);
  std::filesystem::remove_all(directory);
}
