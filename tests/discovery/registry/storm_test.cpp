#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "discovery/store/sqlite_store.hpp"
#include "tests/discovery/registry/harness.hpp"

// Many writers at once, restarts and kills: whatever happens, an address belongs to one service at most, and what was
// acknowledged is there.

namespace signpost::registry::test {
namespace {

Json service(const std::string& name, const Json& spec = Json::object()) {
  Json body{{"metadata", {{"name", name}}}, {"spec", {{"ports", {{{"port", 80}}}}}}};
  body["spec"].update(spec);
  return body;
}

/// What the services say they own, as claims; "!" before what two of them own.
std::set<std::string> owned(Client& client) {
  std::set<std::string> claims;
  const auto own = [&](std::string claim) {
    if (!claims.insert(claim).second) claims.insert("!" + claim);
  };
  for (const Stored& stored : client.list(Kind::service).items) {
    const Json spec = json_of(stored)["spec"];
    for (const Json& ip : spec.value("clusterIPs", Json::array())) {
      if (ip != "None") own("ip/" + ip.get<std::string>());
    }
    for (const Json& port : spec["ports"]) {
      if (port.contains("nodePort")) own("port/" + std::to_string(port["nodePort"].get<int>()));
    }
  }
  return claims;
}

std::set<std::string> claimed(store::Store& store) {
  const std::string prefix = "/claims/";
  std::set<std::string> claims;
  const auto found = store.range({.begin = prefix, .end = store::prefix_end(prefix)});
  for (const store::Entry& entry : found->entries) claims.insert(entry.key.substr(prefix.size()));
  return claims;
}

TEST_CASE("many writers on a small range: no address twice, none lost") {
  Cluster cluster({"10.96.0.0/27", "fd00:10:96::/123"}); // 30 and 31 addresses
  constexpr int writers = 6, rounds = 150;
  std::atomic<int> made{0}, full{0}, strange{0};
  std::vector<std::thread> threads;
  for (int writer = 0; writer < writers; ++writer) {
    threads.emplace_back([&, writer] {
      std::mt19937 random(static_cast<unsigned>(writer));
      Client client(cluster.registry);
      std::vector<std::string> mine;
      for (int round = 0; round < rounds; ++round) {
        const std::string name = "s" + std::to_string(writer) + "-" + std::to_string(round);
        const int act = static_cast<int>(random() % 10);
        if (act < 6) {
          Json spec = Json::object();
          if (random() % 2) spec["ipFamilyPolicy"] = "PreferDualStack";
          if (random() % 3 == 0) spec["type"] = "NodePort";
          if (random() % 4 == 0) spec["clusterIP"] = "10.96.0." + std::to_string(2 + random() % 28);
          const auto created = client.create(Kind::service, "default", service(name, spec));
          if (created) {
            ++made;
            mine.push_back(name);
          } else if (created.error().code == 500 || created.error().code == 422) {
            ++full;
          } else {
            ++strange;
          }
        } else if (!mine.empty() && act < 9) {
          const std::size_t at = random() % mine.size();
          if (!client.remove(Kind::service, "default", mine[at])) ++strange;
          mine.erase(mine.begin() + static_cast<std::ptrdiff_t>(at));
        } else if (!mine.empty()) {
          const Json change{{"spec",
                             {{"ipFamilyPolicy", random() % 2 ? "PreferDualStack" : "SingleStack"},
                              {"type", random() % 2 ? "NodePort" : "ClusterIP"}}}};
          const auto changed = client.patch(Kind::service, "default", mine[random() % mine.size()], change);
          if (!changed && changed.error().code != 500) ++strange;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(strange == 0);
  CHECK(made > 0);
  CHECK(full > 0); // else the range was not small enough to prove anything
  CHECK(owned(cluster.client) == claimed(cluster.store));

  // Every address that is free can still be had, to the last one.
  const std::size_t taken = claimed(cluster.store).size();
  int more = 0;
  while (cluster.client.create(Kind::service, "default", service("last" + std::to_string(more)))) ++more;
  const auto claims = claimed(cluster.store);
  CHECK(claims.size() == taken + static_cast<std::size_t>(more));
  CHECK(std::count_if(claims.begin(), claims.end(), [](const std::string& claim) {
          return claim.substr(0, 6) == "ip/10." && claim != "ip/10.96.0.10";
        }) == 29); // all but the DNS address, which only who asks for it gets
  CHECK(owned(cluster.client) == claims);
}

TEST_CASE("two registries on one store: the store decides") {
  store::MemoryStore store;
  Registry one(store, settings_for({"10.96.0.0/27"}));
  REQUIRE(one.open());
  Registry two(store, settings_for({"10.96.0.0/27"}));
  REQUIRE(two.open());
  std::vector<std::thread> threads;
  std::atomic<int> made{0};
  for (Registry* registry : {&one, &two}) {
    threads.emplace_back([&made, registry, which = registry == &one ? "a" : "b"] {
      Client client(*registry);
      for (int i = 0; i < 40; ++i) {
        if (client.create(Kind::service, "default", service(which + std::to_string(i)))) ++made;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(made == 29);
  Client client(one);
  CHECK(owned(client) == claimed(store));
}

TEST_CASE("one object, many writers: no update is lost") {
  Cluster cluster({"10.96.0.0/16"});
  REQUIRE(cluster.client.create(Kind::service, "default", service("web")));
  std::vector<std::thread> threads;
  std::atomic<int> applied{0};
  for (int writer = 0; writer < 4; ++writer) {
    threads.emplace_back([&, writer] {
      Client client(cluster.registry);
      for (int i = 0; i < 20; ++i) {
        const std::string label = "w" + std::to_string(writer) + "-" + std::to_string(i);
        if (client.patch(Kind::service, "default", "web", {{"metadata", {{"labels", {{label, "1"}}}}}})) ++applied;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const Json json = json_of(cluster.client.get(Kind::service, "default", "web").value());
  CHECK(json["metadata"]["labels"].size() == static_cast<std::size_t>(applied.load()));
  CHECK(applied > 0);
}

TEST_CASE("creates while their namespace is deleted: nothing is left behind") {
  for (int round = 0; round < 5; ++round) {
    Cluster cluster({"10.96.0.0/16"});
    REQUIRE(cluster.client.create(Kind::name_space, "", {{"metadata", {{"name", "team"}}}}));
    std::vector<std::thread> threads;
    std::atomic<bool> gone{false};
    std::atomic<int> strange{0};
    for (int writer = 0; writer < 3; ++writer) {
      threads.emplace_back([&, writer] {
        Client client(cluster.registry);
        for (int i = 0; i < 2000; ++i) {
          const bool was_gone = gone; // before, for the namespace may go while the answer is on its way
          const auto created =
              client.create(Kind::service, "team", service("s" + std::to_string(writer) + "-" + std::to_string(i)));
          if (created) {
            if (was_gone) ++strange;
            continue;
          }
          if (created.error().code != 403 && created.error().code != 404) ++strange;
          if (created.error().code == 404) break;
        }
      });
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    REQUIRE(cluster.client.remove(Kind::name_space, "", "team"));
    gone = true;
    for (std::thread& thread : threads) thread.join();
    CHECK(strange == 0);
    CHECK(cluster.client.list(Kind::service, "team").items.empty());
    CHECK(cluster.claims() == std::vector<std::string>{"ip/10.96.0.1"});
  }
}

/// A folder that goes with the test.
class Folder {
public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "signpost-registry-XXXXXX").string();
    path = mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string path;
};

std::unique_ptr<store::SqliteStore> open_store(const std::string& directory) {
  store::SqliteStore::Settings settings;
  settings.directory = directory;
  auto opened = store::SqliteStore::open(settings);
  if (!opened) throw std::runtime_error(opened.error());
  return std::move(*opened);
}

TEST_CASE("a restart keeps everything, and refuses prefixes that do not cover what is in use") {
  Folder folder;
  std::string address;
  {
    auto store = open_store(folder.path);
    Registry registry(*store, settings_for({"10.96.0.0/16"}));
    REQUIRE(registry.open());
    Client client(registry);
    address = json_of(client.create(Kind::service, "default", service("web")).value())["spec"]["clusterIP"];
  }
  {
    auto store = open_store(folder.path);
    Registry registry(*store, settings_for({"10.97.0.0/16"}));
    const auto opened = registry.open();
    REQUIRE_FALSE(opened);
    CHECK(opened.error().find(address + " of default/web") != std::string::npos);
    CHECK(opened.error().find("10.97.0.0/16") != std::string::npos);
  }
  {
    auto store = open_store(folder.path);
    Registry registry(*store, settings_for({"10.96.0.0/16"}));
    REQUIRE(registry.open());
    Client client(registry);
    CHECK(json_of(client.get(Kind::service, "default", "web").value())["spec"]["clusterIP"] == address);
    CHECK(client.create(Kind::service, "default", service("thief", {{"clusterIP", address}})).error().code == 422);
    REQUIRE(client.remove(Kind::service, "default", "web"));
    REQUIRE(client.remove(Kind::service, "default", "kubernetes"));
  }
  {
    auto store = open_store(folder.path);
    Registry registry(*store, settings_for({"10.97.0.0/16", "fd00::/112"}));
    REQUIRE(registry.open());
    Client client(registry);
    CHECK(json_of(client.get(Kind::service, "default", "kubernetes").value())["spec"]["clusterIP"] == "10.97.0.1");
    CHECK(json_of(client.get(Kind::service_cidr, "", "kubernetes").value())["spec"]["cidrs"] ==
          Json{"10.97.0.0/16", "fd00::/112"});
    CHECK(claimed(*store) == std::set<std::string>{"ip/10.97.0.1"});
  }
  auto store = open_store(folder.path); // only default/kubernetes is in use: it moves
  Registry registry(*store, settings_for({"fd00:1::/112"}));
  REQUIRE(registry.open());
  CHECK(claimed(*store) == std::set<std::string>{"ip/fd00:1::1"});
}

TEST_CASE("prefixes that cannot be served") {
  for (const auto& prefixes :
       std::vector<std::vector<std::string>>{{}, {"10.96.0.0/30"}, {"fd00::/48"}, {"10.96.0.0/16", "10.97.0.0/16"}}) {
    store::MemoryStore store;
    Registry registry(store, settings_for(prefixes));
    const auto opened = registry.open();
    REQUIRE_FALSE(opened);
    CHECK_FALSE(opened.error().empty());
  }
}

/// Creates and deletes services until it is killed, and writes the names of acknowledged creations to the pipe.
[[noreturn]] void storm(const std::string& directory, int pipe) {
  auto store = open_store(directory);
  Registry registry(*store, settings_for({"10.96.0.0/24", "fd00:10:96::/112"}));
  if (!registry.open()) _exit(2);
  std::vector<std::thread> threads;
  for (int writer = 0; writer < 4; ++writer) {
    threads.emplace_back([&registry, pipe, writer] {
      Client client(registry);
      for (int i = 0;; ++i) {
        const std::string name =
            "p" + std::to_string(getpid()) + "-" + std::to_string(writer) + "-" + std::to_string(i);
        const Json spec{{"ipFamilyPolicy", i % 2 ? "PreferDualStack" : "SingleStack"}, {"type", "NodePort"}};
        const auto created = client.create(Kind::service, "default", service(name, spec));
        if (!created) {
          if (created.error().code != 500) _exit(3);
          continue;
        }
        std::string line = "+" + name + "\n";
        if (::write(pipe, line.data(), line.size()) < 0) _exit(4);
        if (i % 3 == 0) continue;
        line[0] = '-'; // from here on it may be there or not
        if (::write(pipe, line.data(), line.size()) < 0) _exit(4);
        if (!client.remove(Kind::service, "default", name)) _exit(5);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  _exit(0);
}

TEST_CASE("killed in a storm of creations: what was acknowledged is there, no address twice") {
  Folder folder;
  std::set<std::string> must_be;
  for (int round = 0; round < 3; ++round) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      ::close(ends[0]);
      storm(folder.path, ends[1]);
    }
    ::close(ends[1]);
    std::string text;
    char buffer[4096];
    // Killed in the middle, by the number of creations and not by the clock; what is in the pipe was acknowledged.
    bool killed = false;
    while (true) {
      const ssize_t got = ::read(ends[0], buffer, sizeof buffer);
      if (got <= 0) break;
      text.append(buffer, static_cast<std::size_t>(got));
      if (!killed && std::count(text.begin(), text.end(), '+') > 40 + 17 * round) {
        killed = true;
        ::kill(child, SIGKILL);
      }
    }
    ::close(ends[0]);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      if (line[0] == '+') must_be.insert(line.substr(1));
      if (line[0] == '-') must_be.erase(line.substr(1));
    }
    auto store = open_store(folder.path);
    Registry registry(*store, settings_for({"10.96.0.0/24", "fd00:10:96::/112"}));
    REQUIRE(registry.open());
    Client client(registry);
    CHECK(owned(client) == claimed(*store));
    for (const std::string& name : must_be) {
      CAPTURE(name);
      CHECK(client.get(Kind::service, "default", name));
    }
    CHECK(must_be.size() > 5);
  }
}

} // namespace
} // namespace signpost::registry::test
