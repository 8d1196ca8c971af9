// What SqliteStore promises beyond the contract: the files, one process at a time, restarts, and a failing disk.
#include <doctest/doctest.h>

#include <atomic>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "discovery/store/sqlite.hpp"
#include "discovery/store/sqlite_store.hpp"
#include "tests/discovery/store/faulty_disk.hpp"
#include "tests/discovery/store/temporary_directory.hpp"

namespace signpost::store {
namespace {

Write put(const std::string& key, const std::string& value) {
  return {key, std::make_shared<const std::string>(value)};
}

SqliteStore::Settings settings(const TemporaryDirectory& directory, const char* vfs = "") {
  return {.directory = directory.path() + "/data", .history = {}, .vfs = vfs};
}

std::unique_ptr<SqliteStore> open(const SqliteStore::Settings& with) {
  auto opened = SqliteStore::open(with);
  REQUIRE_MESSAGE(opened.has_value(), opened.error());
  return std::move(*opened);
}

std::string refusal(const SqliteStore::Settings& with) {
  const auto opened = SqliteStore::open(with);
  return opened ? "opened" : opened.error();
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

mode_t mode(const std::string& path) {
  struct stat found {};
  REQUIRE(::stat(path.c_str(), &found) == 0);
  return found.st_mode & 0777;
}

Result<TransactionResult> write(Store& store, const std::string& key, const std::string& value) {
  return store.transact_and_wait({{}, {put(key, value)}});
}

std::size_t count(Store& store) { return store.range({"/", "0", 0, 0})->entries.size(); }

} // namespace

TEST_CASE("the folder and its files are made for their owner only") {
  const TemporaryDirectory directory;
  SqliteStore::Settings with = settings(directory);
  with.directory = directory.path() + "/a/b/data/";
  const auto store = open(with);
  CHECK(write(*store, "/a", "1").has_value());
  CHECK(mode(directory.path() + "/a/b/data") == 0700);
  for (const char* file : {"registry.db", "registry.db-wal", "registry.db-shm", "lock"}) {
    CHECK(mode(directory.path() + "/a/b/data/" + file) == 0600);
  }
}

TEST_CASE("everything is there after a restart, and revisions go on") {
  const TemporaryDirectory directory;
  {
    const auto store = open(settings(directory));
    for (int i = 1; i <= 100; ++i) REQUIRE(write(*store, "/k" + std::to_string(i % 10), std::to_string(i)));
  }
  const auto store = open(settings(directory));
  CHECK(store->revision() == 100);
  CHECK(count(*store) == 10);
  CHECK(*store->range({"/k5", "", 20, 0})->entries.at(0).value == "15");
  CHECK(write(*store, "/k", "101")->revision == 101);

  SUBCASE("a watch resumes from before the restart") {
    std::string words;
    std::atomic<bool> live = false;
    const auto watch = store->watch({"/k1", "/k3", 80}, [&](const std::shared_ptr<const Batch>& batch) {
      for (const Change& c : batch->changes) words += c.entry.key + "=" + *c.entry.value + "(" + *c.previous + ") ";
      if (batch->revision == 102) live = true;
    });
    REQUIRE(watch.has_value());
    CHECK(words == "/k1=81(71) /k2=82(72) /k1=91(81) /k2=92(82) ");
    CHECK(write(*store, "/k2", "new")->revision == 102);
    CHECK(live);
    CHECK(words == "/k1=81(71) /k2=82(72) /k1=91(81) /k2=92(82) /k2=new(92) ");
  }
}

TEST_CASE("the newest revision is known even if everything was deleted and compacted") {
  const TemporaryDirectory directory;
  SqliteStore::Settings with = settings(directory);
  with.history = {.revisions = 1, .age = std::chrono::seconds(0)};
  {
    const auto store = open(with);
    REQUIRE(write(*store, "/a", "1"));
    REQUIRE(store->transact_and_wait({{}, {{"/a", nullptr}}}));
    while (store->compacted() != 1) std::this_thread::yield();
  }
  const auto store = open(with);
  CHECK(store->revision() == 2);
  CHECK(store->compacted() == 1);
  CHECK(write(*store, "/a", "1")->revision == 3);
}

TEST_CASE("history is compacted in small steps also when nothing is written") {
  const TemporaryDirectory directory;
  {
    const auto store = open(settings(directory));
    for (int i = 0; i < 5000; ++i) {
      store->transact({{}, {put("/k" + std::to_string(i % 10), "v")}}, [](const auto& r) { CHECK(r.has_value()); });
    }
  }
  SqliteStore::Settings with = settings(directory);
  with.history = {.revisions = 10, .age = std::chrono::seconds(0)};
  const auto store = open(with);
  while (store->compacted() != 4990) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  CHECK(store->revision() == 5000);
  CHECK(store->range({"/", "0", 4991, 0}).has_value());
}

TEST_CASE("a second store on the same data is refused and told who has it") {
  const TemporaryDirectory directory;
  const auto store = open(settings(directory));
  const std::string why = refusal(settings(directory));
  CHECK(has(why, "another signpostd (pid " + std::to_string(::getpid()) + ") uses " + directory.path() + "/data"));
  CHECK(write(*store, "/a", "1").has_value());
}

TEST_CASE("what cannot be opened is refused with a sentence") {
  const TemporaryDirectory directory;
  const SqliteStore::Settings with = settings(directory);
  const std::string file = with.directory + "/registry.db";
  const auto create = [&] {
    const auto store = open(with);
    for (int i = 0; i < 200; ++i) REQUIRE(write(*store, "/k" + std::to_string(i), std::string(1000, 'v')));
  };

  SUBCASE("a file in the folder's place") {
    std::ofstream(with.directory) << "x";
    CHECK(has(refusal(with), "is not a folder"));
  }
  SUBCASE("a folder that cannot be written") {
    if (::geteuid() == 0) return; // root may write anywhere
    REQUIRE(::mkdir(with.directory.c_str(), 0500) == 0);
    CHECK(has(refusal(with), "cannot write in"));
  }
  SUBCASE("a folder that cannot be created") {
    CHECK(has(refusal({.directory = "/proc/signpost", .history = {}, .vfs = {}}),
              "cannot create the folder /proc/signpost"));
  }
  SUBCASE("a newer schema") {
    create();
    Connection({.file = file, .vfs = {}}).execute("PRAGMA user_version = 3");
    CHECK(has(refusal(with), "was written by a newer Signpost (schema 3, this one knows 1)"));
  }
  SUBCASE("another program's database") {
    REQUIRE(::mkdir(with.directory.c_str(), 0700) == 0);
    std::ofstream(file).close();
    Connection({.file = file, .vfs = {}}).execute("CREATE TABLE theirs (a)");
    CHECK(has(refusal(with), "is a database of another program"));
  }
  SUBCASE("not a database") {
    create();
    std::ofstream(file) << std::string(8192, 'x');
    CHECK(has(refusal(with), "is damaged"));
    CHECK(has(refusal(with), "restore the folder from a snapshot"));
  }
  SUBCASE("a damaged page") {
    create();
    std::fstream damage(file, std::ios::in | std::ios::out | std::ios::binary);
    damage.seekp(4096 * 3);
    damage << std::string(4096, '\x5a');
    damage.close();
    CHECK(has(refusal(with), "is damaged"));
  }
  SUBCASE("a file cut short") {
    create();
    REQUIRE(::truncate(file.c_str(), 4096 * 10 + 100) == 0);
    CHECK(has(refusal(with), "is damaged"));
  }
  SUBCASE("a symbolic link") {
    REQUIRE(::mkdir(with.directory.c_str(), 0700) == 0);
    REQUIRE(::symlink("/dev/null", file.c_str()) == 0);
    CHECK(has(refusal(with), "is a symbolic link"));
  }
}

TEST_CASE("damage met at run time is told as such, and is not written over") {
  const TemporaryDirectory directory;
  const SqliteStore::Settings with = settings(directory);
  const std::string file = with.directory + "/registry.db";
  { (void)open(with); }
  const auto store = open(with);
  for (int i = 0; i < 3000; ++i) {
    store->transact({{}, {put("/k" + std::to_string(i), std::string(3000, 'v'))}}, [](const auto&) {});
  }
  REQUIRE(write(*store, "/last", "v"));
  Connection({.file = file, .vfs = {}}).execute("PRAGMA wal_checkpoint(TRUNCATE)");
  struct stat found {};
  REQUIRE(::stat(file.c_str(), &found) == 0);
  std::fstream damage(file, std::ios::in | std::ios::out | std::ios::binary);
  for (off_t at = 4096; at < found.st_size; at += 4096) {
    damage.seekp(at);
    damage << std::string(64, '\x5a');
  }
  damage.close();
  const auto listed = store->range({"/", "0", 0, 0});
  REQUIRE_FALSE(listed.has_value());
  CHECK(listed.error().failure == Failure::corrupt);
  CHECK(has(listed.error().message, "is damaged"));
}

TEST_CASE("a full disk fails the writes that wait, nothing of them is there, and later ones work") {
  const TemporaryDirectory directory;
  const auto store = open(settings(directory, faulty_disk::install()));
  REQUIRE(write(*store, "/a", "1"));
  for (const int writes : {0, 1, 2, 3}) {
    faulty_disk::writes_left = writes;
    faulty_disk::write_result = SQLITE_FULL;
    std::atomic<int> refused = 0;
    for (int i = 0; i < 20; ++i) {
      store->transact({{}, {put("/full" + std::to_string(i), std::string(3000, 'v'))}}, [&](const auto& result) {
        if (!result && result.error().failure == Failure::unavailable && has(result.error().message, "no space")) {
          ++refused;
        }
      });
    }
    const auto failed = write(*store, "/full", "x");
    REQUIRE_FALSE(failed.has_value());
    CHECK(refused == 20);
    CHECK(count(*store) == static_cast<std::size_t>(1 + writes));
    CHECK(store->revision() == 1 + writes);

    faulty_disk::repair();
    const auto again = write(*store, "/again" + std::to_string(writes), "2");
    REQUIRE(again.has_value());
    CHECK(again->revision == 2 + writes);
  }
  CHECK(store->counters().failed == 4 * 21);
}

TEST_CASE("after a disk error nothing is written any more, reads go on, and a restart has what was acknowledged") {
  const TemporaryDirectory directory;
  struct Row {
    std::atomic<int>* fault;
    int code;
  };
  for (const Row& row :
       {Row{&faulty_disk::sync_result, SQLITE_IOERR_FSYNC}, Row{&faulty_disk::write_result, SQLITE_IOERR_WRITE}}) {
    const auto with = settings(directory, faulty_disk::install());
    Revision acknowledged = 0;
    {
      const auto store = open(with);
      acknowledged = write(*store, "/a", std::to_string(row.code))->revision;
      *row.fault = row.code;
      const auto failed = write(*store, "/b", "2");
      REQUIRE_FALSE(failed.has_value());
      CHECK(failed.error().failure == Failure::unavailable);
      CHECK(has(failed.error().message, "nothing is written any more until a restart"));
      faulty_disk::repair();
      const int syncs = faulty_disk::syncs;
      CHECK_FALSE(write(*store, "/c", "3").has_value());
      CHECK(faulty_disk::syncs == syncs); // no second fsync that might succeed for nothing
      CHECK(store->range({"/a", "", 0, 0})->entries.size() == 1);
      CHECK(store->revision() == acknowledged);
    }
    const auto store = open(with);
    CHECK(store->revision() >= acknowledged);
    CHECK(*store->range({"/a", "", 0, 0})->entries.at(0).value == std::to_string(row.code));
    CHECK(store->range({"/c", "", 0, 0})->entries.empty());
    CHECK(write(*store, "/d", "4").has_value());
  }
}

TEST_CASE("what comes in during an fsync is committed with the next one, all together") {
  const TemporaryDirectory directory;
  const auto store = open(settings(directory, faulty_disk::install()));
  REQUIRE(write(*store, "/first", "x"));
  const auto groups = store->counters().groups;
  const int syncs = faulty_disk::syncs;
  faulty_disk::hold_syncs = true;
  std::atomic<int> done = 0;
  store->transact({{}, {put("/held", "v")}}, [&](const auto& result) { done += result.has_value() ? 1 : 0; });
  while (faulty_disk::syncs == syncs) std::this_thread::yield();
  for (int i = 0; i < 200; ++i) {
    store->transact({{}, {put("/k" + std::to_string(i), "v")}},
                    [&](const auto& result) { done += result.has_value() ? 1 : 0; });
  }
  CHECK(done == 0); // nothing is reported done before it is durable
  CHECK(store->revision() == 1);
  CHECK(store->range({"/k0", "", 0, 0})->entries.empty());
  faulty_disk::hold_syncs = false;
  faulty_disk::hold_syncs.notify_all();
  REQUIRE(write(*store, "/last", "x"));
  CHECK(done == 201);
  CHECK(store->revision() == 203);
  CHECK(faulty_disk::syncs - syncs <= 3);
  CHECK(store->counters().groups - groups <= 3);
  CHECK(store->counters().transactions == 203);
}

TEST_CASE("readers see whole transactions and never wait for ever") {
  const TemporaryDirectory directory;
  const auto store = open(settings(directory));
  REQUIRE(store->transact_and_wait({{}, {put("/a", "0"), put("/b", "0")}}));
  std::atomic<bool> stop = false;
  std::vector<std::thread> readers;
  std::atomic<int> reads = 0;
  for (int i = 0; i < 6; ++i) {
    readers.emplace_back([&] {
      Revision last = 0;
      while (!stop) {
        const auto result = store->range({"/", "0", 0, 0});
        REQUIRE(result.has_value());
        CHECK(*result->entries.at(0).value == *result->entries.at(1).value);
        CHECK(result->entries.at(0).modified == result->revision);
        CHECK(result->revision >= last);
        last = result->revision;
        const auto joined = store->watch({"/", "0", last}, [&](const auto& batch) { CHECK(batch->revision > 0); });
        CHECK(joined.has_value()); // what a range has seen is not the future
        ++reads;
      }
    });
  }
  for (int i = 1; i <= 300 || reads < 50; ++i) {
    REQUIRE(store->transact_and_wait({{}, {put("/a", std::to_string(i)), put("/b", std::to_string(i))}}));
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
}

TEST_CASE("kill -9 in a storm of writes loses nothing that was acknowledged") {
  const TemporaryDirectory directory;
  const auto with = settings(directory);
  Revision acknowledged_last = 0;
  for (int round = 0; round < 5; ++round) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      ::close(ends[0]);
      auto opened = SqliteStore::open(with);
      if (!opened) ::_exit(1);
      SqliteStore& store = **opened;
      std::vector<std::thread> clients;
      for (int client = 0; client < 8; ++client) {
        clients.emplace_back([&, client] {
          for (int i = 0;; ++i) {
            const std::string key =
                "/" + std::to_string(round) + "/" + std::to_string(client) + "/" + std::to_string(i);
            const auto result =
                store.transact_and_wait({{{key, 0}}, {put(key, std::string(700, 'v')), put(key + "/claim", key)}});
            if (!result || !result->succeeded) ::_exit(2);
            char line[64] = {};
            std::snprintf(line, sizeof line, "%s %lld\n", key.c_str(), static_cast<long long>(result->revision));
            if (::write(ends[1], line, std::strlen(line)) < 0) ::_exit(3);
          }
        });
      }
      for (std::thread& client : clients) client.join();
    }
    ::close(ends[1]);
    std::string acknowledged;
    char buffer[4096];
    const std::size_t enough = 4000 + 3000 * static_cast<std::size_t>(round);
    bool killed = false;
    for (ssize_t got = 0; (got = ::read(ends[0], buffer, sizeof buffer)) > 0;) {
      acknowledged.append(buffer, static_cast<std::size_t>(got));
      if (!killed && acknowledged.size() > enough) killed = ::kill(child, SIGKILL) == 0;
    }
    ::close(ends[0]);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));

    const auto store = open(with);
    std::size_t lines = 0;
    for (std::size_t at = 0, end = 0; (end = acknowledged.find('\n', at)) != std::string::npos; at = end + 1) {
      const std::string line = acknowledged.substr(at, end - at);
      const std::string key = line.substr(0, line.find(' '));
      const Revision revision = std::stoll(line.substr(line.find(' ') + 1));
      CHECK(store->revision() >= revision);
      const auto found = store->range({key, key + "0", 0, 0}); // the key and what is below it: its claim
      REQUIRE(found->entries.size() == 2);
      CHECK(found->entries.at(0).modified == revision);
      acknowledged_last = std::max(acknowledged_last, revision);
      ++lines;
    }
    CHECK(lines > 20);
    // Whole transactions only, also of those that were not acknowledged.
    CHECK(count(*store) == 2 * static_cast<std::size_t>(store->revision()));
    CHECK(store->revision() >= acknowledged_last);
  }
}

} // namespace signpost::store
