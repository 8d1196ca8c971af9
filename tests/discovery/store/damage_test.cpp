// What SqliteStore does when its files are damaged, lost, put together by somebody, or taken away under it.
#include <doctest/doctest.h>

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sys/file.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "discovery/store/bus_fault.hpp"
#include "discovery/store/checksum.hpp"
#include "discovery/store/sqlite.hpp"
#include "discovery/store/sqlite_store.hpp"
#include "tests/discovery/store/faulty_disk.hpp"
#include "tests/discovery/store/temporary_directory.hpp"

namespace signpost::store {
namespace {

namespace fs = std::filesystem;

struct Folder {
  TemporaryDirectory work;
  std::string data = work.path() + "/data";
  std::vector<std::string> reports;

  [[nodiscard]] std::string file(const char* name) const { return data + "/" + name; }

  tl::expected<std::unique_ptr<SqliteStore>, std::string> try_open(const HistorySettings& history = {}) {
    return SqliteStore::open(
        {.directory = data, .history = history, .report = [this](const std::string& s) { reports.push_back(s); }});
  }
  std::unique_ptr<SqliteStore> open(const HistorySettings& history = {}) {
    auto opened = try_open(history);
    REQUIRE_MESSAGE(opened.has_value(), opened.error());
    return std::move(*opened);
  }
  std::string refusal() {
    const auto opened = try_open();
    return opened ? "opened" : opened.error();
  }

  /// A store that was killed: everything is in its log.
  void killed(int writes) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      auto opened = SqliteStore::open({.directory = data, .history = {}});
      if (!opened) ::_exit(1);
      for (int i = 0; i < writes; ++i) {
        const auto value = std::make_shared<const std::string>(std::string(300, 'v'));
        if (!(*opened)->transact_and_wait({{}, {{"/k" + std::to_string(i), value}}})) ::_exit(2);
      }
      ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(status == 0);
  }
};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

Result<TransactionResult> write(Store& store, const std::string& key, const std::string& value = "v") {
  return store.transact_and_wait({{}, {{key, std::make_shared<const std::string>(value)}}});
}

std::size_t count(Store& store) {
  const auto found = store.range({"/", "0"});
  return found ? found->entries.size() : 999999;
}

void flip(const std::string& path, std::size_t at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(at));
  const int octet = file.get();
  file.seekp(static_cast<std::streamoff>(at));
  file.put(static_cast<char>(octet ^ (1 << at % 8)));
}

} // namespace

TEST_CASE("a flipped bit of the database changes nothing or is told before anything is served") {
  Folder folder;
  {
    const auto store = folder.open();
    for (int i = 0; i < 60; ++i) REQUIRE(write(*store, "/k" + std::to_string(i), std::string(200, 'v')));
  }
  fs::copy(folder.data, folder.work.path() + "/good", fs::copy_options::recursive);
  const std::size_t size = fs::file_size(folder.file("registry.db"));
  int refused = 0;
  for (std::size_t at = 13; at < size; at += 211) {
    fs::copy_file(folder.work.path() + "/good/registry.db", folder.file("registry.db"),
                  fs::copy_options::overwrite_existing);
    flip(folder.file("registry.db"), at);
    const auto opened = folder.try_open();
    if (!opened) {
      ++refused;
      continue;
    }
    const auto listed = (*opened)->range({"/", "0"});
    if (!listed) continue;
    CAPTURE(at);
    CHECK(listed->entries.size() == 60);
    for (const Entry& entry : listed->entries) CHECK(*entry.value == std::string(200, 'v'));
    CHECK((*opened)->revision() == 60);
  }
  CHECK(refused > 20);
}

TEST_CASE("a log whose end is damaged, cut or gone is told: acknowledged writes are missing") {
  Folder folder;
  folder.killed(40);
  const std::string log = folder.file("registry.db-wal");
  const auto size = fs::file_size(log);
  SUBCASE("a flipped bit in the middle") { flip(log, size / 2); }
  SUBCASE("a flipped bit in the last commit") { flip(log, size - 100); }
  SUBCASE("cut") { fs::resize_file(log, size - 5000); }
  SUBCASE("gone") { fs::remove(log); }
  SUBCASE("the database is gone") { fs::remove(folder.file("registry.db")); }
  fs::remove(folder.file("registry.db-shm"));
  const std::string why = folder.refusal();
  CHECK_MESSAGE(has(why, "has lost acknowledged writes (revision 40 was written"), why);
  CHECK(folder.refusal() == why); // nothing was made or mended meanwhile

  // Whoever goes on with what is there says so, and revisions are not given twice.
  fs::remove(folder.file("mark"));
  const auto store = folder.open();
  const auto fresh = store->revision() == 0; // nothing was left
  if (!fresh) CHECK(store->revision() > 1'000'000'000);
}

TEST_CASE("a kill leaves the mark exact, and its damage is told") {
  Folder folder;
  folder.killed(10);
  CHECK(folder.open()->revision() == 10);
  SUBCASE("one of its two places") {
    flip(folder.file("mark"), 9);
    CHECK(folder.open()->revision() == 10);
  }
  SUBCASE("both") {
    flip(folder.file("mark"), 9);
    flip(folder.file("mark"), 2057);
    CHECK(has(folder.refusal(), "/mark is damaged"));
  }
}

TEST_CASE("a folder that was copied goes on beyond what the original gives out; one that was moved goes on") {
  Folder folder;
  {
    const auto store = folder.open();
    for (int i = 0; i < 5; ++i) REQUIRE(write(*store, "/k" + std::to_string(i)));
  }
  const std::string elsewhere = folder.work.path() + "/elsewhere";
  SUBCASE("copied") {
    fs::copy(folder.data, elsewhere, fs::copy_options::recursive);
    folder.data = elsewhere;
    const auto store = folder.open();
    CHECK(store->revision() > 1'000'000'000);
    CHECK(store->compacted() == store->revision() - 1);
    CHECK(count(*store) == 5);
    REQUIRE(folder.reports.size() == 1);
    CHECK(has(folder.reports[0], "was restored or copied"));
  }
  SUBCASE("moved") {
    fs::rename(folder.data, elsewhere);
    folder.data = elsewhere;
    CHECK(folder.open()->revision() == 5);
    CHECK(folder.reports.empty());
  }
}

TEST_CASE("schema 1 is brought to this one at the start, with all that is in it") {
  Folder folder;
  REQUIRE(fs::create_directory(folder.data));
  std::ofstream(folder.file("registry.db")).close();
  {
    Connection old({.file = folder.file("registry.db")});
    old.execute("PRAGMA journal_mode = WAL");
    old.execute("CREATE TABLE current (key TEXT PRIMARY KEY, value BLOB NOT NULL, created INTEGER NOT NULL,"
                " modified INTEGER NOT NULL) WITHOUT ROWID;"
                "CREATE TABLE history (revision INTEGER PRIMARY KEY, time INTEGER NOT NULL, before BLOB NOT NULL);"
                "INSERT INTO current VALUES ('/a', X'31', 1, 1), ('/b', X'32', 2, 2);"
                "INSERT INTO history VALUES (1, 100, X'022F6100'), (2, 100, X'022F6200');"
                "PRAGMA application_id = 1399279732; PRAGMA user_version = 1;");
  }
  {
    const auto store = folder.open();
    CHECK(store->revision() == 2);
    CHECK(*store->range({"/b", ""})->entries.at(0).value == "2");
    CHECK(store->range({"/", "0", 1})->entries.size() == 1); // the past, too
    CHECK(write(*store, "/c")->revision == 3);
  }
  CHECK(folder.open()->revision() == 3);
}

TEST_CASE("a folder that is no longer ours ends writing before the next acknowledgement, and reads go on") {
  Folder folder;
  auto store = folder.open();
  for (int i = 0; i < 5; ++i) REQUIRE(write(*store, "/k" + std::to_string(i)));
  const auto moved = [&](const char* name) { fs::rename(folder.file(name), folder.work.path() + "/away"); };
  Failure expected = Failure::unavailable;
  SUBCASE("deleted") { fs::remove_all(folder.data); }
  SUBCASE("moved") { fs::rename(folder.data, folder.data + ".moved"); }
  SUBCASE("the lock is gone") { fs::remove(folder.file("lock")); }
  SUBCASE("the log is gone") { fs::remove(folder.file("registry.db-wal")); }
  SUBCASE("the index is gone") { fs::remove(folder.file("registry.db-shm")); }
  SUBCASE("the mark is gone") { fs::remove(folder.file("mark")); }
  SUBCASE("the database was replaced") {
    moved("registry.db");
    fs::copy_file(folder.work.path() + "/away", folder.file("registry.db"));
  }
  SUBCASE("the log was cut") { fs::resize_file(folder.file("registry.db-wal"), 4096); }
  SUBCASE("the database was overwritten") {
    std::ofstream(folder.file("registry.db"), std::ios::binary) << std::string(40960, 'x');
    expected = Failure::corrupt;
  }
  const auto refused = write(*store, "/lost");
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().failure == expected);
  CHECK(has(refused.error().message, "nothing is written any more"));
  CHECK(store->trouble() == refused.error().message);
  CHECK_FALSE(write(*store, "/lost").has_value());
  CHECK(folder.reports.size() == 1); // once
  CHECK(store->revision() == 5);
}

TEST_CASE("an index that was cut short under the readers is made anew") {
  Folder folder;
  const auto store = folder.open();
  for (int i = 0; i < 50; ++i) REQUIRE(write(*store, "/k" + std::to_string(i)));
  const unsigned before = bus_faults();
  fs::resize_file(folder.file("registry.db-shm"), 0);
  CHECK(count(*store) == 50);
  CHECK(count(*store) == 50);
  CHECK(bus_faults() > before);
  CHECK_FALSE(write(*store, "/k").has_value());
  CHECK(has(store->trouble().value_or(""), "cut short"));
}

TEST_CASE("a second store is refused although the lock file is gone") {
  Folder folder;
  const auto store = folder.open();
  fs::remove(folder.file("lock"));
  CHECK(has(folder.refusal(), "another signpostd"));
}

TEST_CASE("stamps from a clock that was ahead do not keep history from being compacted") {
  Folder folder;
  {
    const auto store = folder.open();
    for (int i = 0; i < 300; ++i) REQUIRE(write(*store, "/k"));
  }
  {
    Connection database({.file = folder.file("registry.db")});
    Statement all(database, "SELECT revision, before, state FROM history");
    Statement put(database, "UPDATE history SET time = ?2, sum = ?3 WHERE revision = ?1");
    constexpr std::int64_t ahead = 4'000'000'000;
    auto row = all();
    database.execute("BEGIN");
    while (row.next()) put.run(row.number(0), ahead, history_sum(row.number(0), ahead, row.bytes(1), row.number(2)));
    database.execute("COMMIT");
  }
  const auto store = folder.open({.revisions = 10, .age = std::chrono::seconds(0)});
  while (store->compacted() != 290) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  CHECK(store->range({"/", "0"})->entries.size() == 1);
}

TEST_CASE("a full disk is told once, and so is that there is room again") {
  const TemporaryDirectory directory;
  std::vector<std::string> reports;
  const auto opened = SqliteStore::open({.directory = directory.path() + "/data",
                                         .history = {},
                                         .vfs = faulty_disk::install(),
                                         .report = [&](const std::string& s) { reports.push_back(s); }});
  REQUIRE(opened.has_value());
  SqliteStore& store = **opened;
  REQUIRE(write(store, "/a"));
  CHECK_FALSE(store.trouble());
  faulty_disk::write_result = SQLITE_FULL;
  for (int i = 0; i < 3; ++i) CHECK_FALSE(write(store, "/b").has_value());
  CHECK(has(store.trouble().value_or(""), "no space"));
  faulty_disk::repair();
  REQUIRE(write(store, "/b"));
  CHECK_FALSE(store.trouble());
  REQUIRE(reports.size() == 2);
  CHECK(has(reports[0], "no space"));
  CHECK(has(reports[1], "is written again"));
}

} // namespace signpost::store
