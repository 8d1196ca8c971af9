// What store.hpp promises, for every store of our own.
#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <map>
#include <mutex>
#include <thread>

#include "discovery/store/memory_store.hpp"
#include "discovery/store/sqlite_store.hpp"
#include "tests/discovery/store/temporary_directory.hpp"

namespace signpost::store {
namespace {

Value text(const std::string& value) { return std::make_shared<const std::string>(value); }
Write put(const std::string& key, const std::string& value) { return {key, text(value)}; }
Write erase(const std::string& key) { return {key, nullptr}; }

struct InMemory {
  std::unique_ptr<Store> open(const HistorySettings& history = {}, std::size_t recent_bytes = 1 << 20) {
    return std::make_unique<MemoryStore>(MemoryStore::Settings{.history = history, .recent_bytes = recent_bytes});
  }
};

struct OnDisk {
  TemporaryDirectory directory;
  std::unique_ptr<Store> open(const HistorySettings& history = {}, std::size_t recent_bytes = 1 << 20) {
    auto opened =
        SqliteStore::open({.directory = directory.path(), .history = history, .recent_bytes = recent_bytes, .vfs = {}});
    REQUIRE_MESSAGE(opened.has_value(), opened.error());
    return std::move(*opened);
  }
};

TransactionResult write(Store& store, std::vector<Write> writes, std::vector<Compare> compares = {}) {
  const auto result = store.transact_and_wait({std::move(compares), std::move(writes)});
  REQUIRE(result.has_value());
  return *result;
}

// "key=value@created/modified" of a range, joined by blanks.
std::string state(Store& store, const RangeRequest& request) {
  const auto result = store.range(request);
  if (!result) return "failure " + std::to_string(static_cast<int>(result.error().failure));
  std::string out;
  for (const Entry& e : result->entries) {
    out += e.key + "=" + *e.value + "@" + std::to_string(e.created) + "/" + std::to_string(e.modified) + " ";
  }
  if (!out.empty()) out.pop_back();
  return out;
}
std::string all(Store& store, Revision revision = 0) { return state(store, {"/", "0", revision, 0}); }

// Collects what a watch gets, as "revision:key=value(previous)" words.
class Recorder {
public:
  WatchCallback callback() {
    return [this](const std::shared_ptr<const Batch>& batch) {
      const std::lock_guard lock(mutex_);
      CHECK(batch->revision > revision_);
      for (const Change& change : batch->changes) {
        CHECK(change.entry.modified >= last_);
        CHECK(change.entry.modified > revision_);
        CHECK(change.entry.modified <= batch->revision);
        last_ = change.entry.modified;
        words_ += std::to_string(change.entry.modified) + ":" + change.entry.key + "=" +
                  (change.entry.value ? *change.entry.value : "-") + "(" + (change.previous ? *change.previous : "-") +
                  ")" + std::to_string(change.entry.created) + " ";
      }
      revision_ = batch->revision;
      arrived_.notify_all();
    };
  }
  std::string until(Revision revision) {
    std::unique_lock lock(mutex_);
    arrived_.wait_for(lock, std::chrono::seconds(60), [&] { return revision_ >= revision; });
    CHECK(revision_ >= revision);
    return words_;
  }

private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::string words_;
  Revision revision_ = 0, last_ = 0;
};

std::unique_ptr<Watch> watch(Store& store, Recorder& recorder, Revision after, const std::string& begin = "/",
                             const std::string& end = "0") {
  auto watch = store.watch({begin, end, after}, recorder.callback());
  REQUIRE(watch.has_value());
  return std::move(*watch);
}

} // namespace

TEST_CASE_TEMPLATE("an empty store is at revision 0", Kind, InMemory, OnDisk) {
  Kind kind;
  const auto store = kind.open();
  CHECK(store->revision() == 0);
  CHECK(store->compacted() == 0);
  CHECK(all(*store).empty());
}

TEST_CASE_TEMPLATE("each writing transaction has its own revision, which all its writes carry", Kind, InMemory,
                   OnDisk) {
  Kind kind;
  const auto store = kind.open();
  CHECK(write(*store, {put("/b", "1"), put("/a", "2")}).revision == 1);
  CHECK(write(*store, {put("/a", "3"), put("/c", "")}).revision == 2);
  CHECK(all(*store) == "/a=3@1/2 /b=1@1/1 /c=@2/2");
  CHECK(write(*store, {erase("/a")}).revision == 3);
  CHECK(write(*store, {put("/a", "new")}).revision == 4);
  CHECK(all(*store) == "/a=new@4/4 /b=1@1/1 /c=@2/2");
  CHECK(store->revision() == 4);
}

TEST_CASE_TEMPLATE("a transaction that changes nothing has no revision", Kind, InMemory, OnDisk) {
  Kind kind;
  const auto store = kind.open();
  write(*store, {put("/a", "1")});
  const TransactionResult nothing = write(*store, {erase("/absent")});
  CHECK(nothing.succeeded);
  CHECK(nothing.revision == 1);
  const TransactionResult none = write(*store, {}, {{"/a", 1}});
  CHECK(none.succeeded);
  CHECK(none.revision == 1);
  CHECK(store->revision() == 1);
}

TEST_CASE_TEMPLATE("all compares must hold", Kind, InMemory, OnDisk) {
  Kind kind;
  const auto store = kind.open();
  write(*store, {put("/a", "1")});
  write(*store, {put("/b", "2")});
  struct Row {
    std::vector<Compare> compares;
    bool succeeded;
    std::size_t failed;
  };
  const Row rows[] = {
      {{{"/a", 0}}, false, 0},            // exists
      {{{"/a", 1}, {"/b", 1}}, false, 1}, // another revision
      {{{"/x", 1}}, false, 0},            // does not exist
      {{{"/a", 1}, {"/b", 2}, {"/x", 0}}, true, 0},
  };
  for (const Row& row : rows) {
    const TransactionResult result = write(*store, {put("/x", "3")}, row.compares);
    CHECK(result.succeeded == row.succeeded);
    CHECK(result.failed == row.failed);
    if (!row.succeeded) CHECK(result.revision == 2);
  }
  CHECK(all(*store) == "/a=1@1/1 /b=2@2/2 /x=3@3/3");
  CHECK_FALSE(write(*store, {put("/x", "4")}, {{"/x", 0}}).succeeded); // compared and written
  CHECK(write(*store, {put("/x", "4")}, {{"/x", 3}}).succeeded);
}

TEST_CASE_TEMPLATE("many compares and writes in one transaction", Kind, InMemory, OnDisk) {
  Kind kind;
  const auto store = kind.open();
  std::vector<Write> writes;
  std::vector<Compare> compares;
  for (int i = 0; i < 500; ++i) {
    writes.push_back(put("/k" + std::to_string(i), std::string(2000, 'v')));
    compares.push_back({"/k" + std::to_string(i), 0});
  }
  CHECK(write(*store, writes, compares).succeeded);
  CHECK_FALSE(write(*store, writes, compares).succeeded);
  CHECK(store->range({"/", "0", 0, 0})->entries.size() == 500);
  for (Write& w : writes) w.value = nullptr;
  CHECK(write(*store, writes).revision == 2);
  CHECK(store->range({"/", "0", 0, 0})->entries.empty());
  CHECK(store->range({"/", "0", 1, 0})->entries.size() == 500);
}

TEST_CASE_TEMPLATE("ranges are ordered bytewise, bounded and counted", Kind, InMemory, OnDisk) {
  Kind kind;
  const auto store = kind.open();
  write(*store,
        {put("/a", "1"), put("/a/b", "2"), put("/a-b", "3"), put("/a\xff", "4"), put("/B", "5"), put("/b", "6")});
  CHECK(all(*store) == "/B=5@1/1 /a=1@1/1 /a-b=3@1/1 /a/b=2@1/1 /a\xff=4@1/1 /b=6@1/1");
  CHECK(state(*store, {"/a", ""}) == "/a=1@1/1");
  CHECK(state(*store, {"/nothing", ""}).empty());
  CHECK(state(*store, {"/a", prefix_end("/a")}) == "/a=1@1/1 /a-b=3@1/1 /a/b=2@1/1 /a\xff=4@1/1");
  CHECK(state(*store, {"/a/", prefix_end("/a/")}) == "/a/b=2@1/1");
  CHECK(state(*store, {"/b", "/a"}).empty());
  struct Row {
    std::size_t limit, entries;
    bool more;
  };
  for (const Row& row : {Row{0, 6, false}, Row{1, 1, true}, Row{5, 5, true}, Row{6, 6, false}, Row{7, 6, false}}) {
    const auto result = store->range({"/", "0", 0, row.limit});
    CHECK(result->entries.size() == row.entries);
    CHECK(result->more == row.more);
    CHECK(result->total == 6);
    CHECK(result->revision == 1);
  }
}

TEST_CASE_TEMPLATE("an older revision is read as it was", Kind, InMemory, OnDisk) {
  Kind kind;
  const auto store = kind.open();
  write(*store, {put("/a", "1"), put("/b", "1")}); // 1
  write(*store, {put("/a", "2"), put("/c", "2")}); // 2
  write(*store, {erase("/b"), put("/d", "3")});    // 3
  write(*store, {put("/b", "4"), erase("/a")});    // 4
  const std::map<Revision, std::string> expected = {
      {1, "/a=1@1/1 /b=1@1/1"},
      {2, "/a=2@1/2 /b=1@1/1 /c=2@2/2"},
      {3, "/a=2@1/2 /c=2@2/2 /d=3@3/3"},
      {4, "/b=4@4/4 /c=2@2/2 /d=3@3/3"},
  };
  for (const auto& [revision, words] : expected) {
    CHECK(all(*store, revision) == words);
    for (std::size_t limit = 1; limit < 4; ++limit) { // page by page
      std::string pages, from = "/";
      std::size_t rest = 0;
      do {
        const auto page = store->range({from, "0", revision, limit});
        REQUIRE(page.has_value());
        CHECK(page->revision == revision);
        CHECK(page->more == (page->total > page->entries.size()));
        for (const Entry& e : page->entries) {
          pages += e.key + "=" + *e.value + "@" + std::to_string(e.created) + "/" + std::to_string(e.modified) + " ";
        }
        rest = page->total - page->entries.size();
        from = page->entries.back().key + '\0';
      } while (rest != 0);
      CHECK(pages == words + " ");
    }
  }
  CHECK(all(*store, 5) == "failure 1");
}

TEST_CASE_TEMPLATE("a watch gets every change once, in order, with the value before", Kind, InMemory, OnDisk) {
  Kind kind;
  const auto store = kind.open();
  Recorder recorder;
  const auto live = watch(*store, recorder, 0);
  write(*store, {put("/a", "1"), put("/b", "1")});
  write(*store, {put("/a", "2")});
  write(*store, {erase("/a"), erase("/b"), erase("/x")});
  write(*store, {put("/a", "4")});
  const std::string words = "1:/a=1(-)1 1:/b=1(-)1 2:/a=2(1)1 3:/a=-(2)1 3:/b=-(1)1 4:/a=4(-)4 ";
  CHECK(recorder.until(4) == words);

  SUBCASE("also from the past") {
    for (Revision after = 0; after <= 4; ++after) {
      Recorder late;
      const auto joined = watch(*store, late, after);
      const auto start = after >= 4 ? words.size() : words.find(std::to_string(after + 1) + ":");
      if (after < 4) CHECK(late.until(4) == words.substr(start));
    }
  }
  SUBCASE("and of its range only, but learns how far the store is") {
    Recorder narrow;
    const auto joined = watch(*store, narrow, 1, "/b", "");
    CHECK(narrow.until(4) == "3:/b=-(1)1 ");
    write(*store, {put("/c", "5")});
    CHECK(narrow.until(5) == "3:/b=-(1)1 ");
  }
}

TEST_CASE_TEMPLATE("a watch from further back than memory reads the history", Kind, InMemory, OnDisk) {
  Kind kind;
  const auto store = kind.open({}, 0); // keeps nothing in memory
  std::string words;
  for (int i = 1; i <= 600; ++i) {
    write(*store, {put("/k" + std::to_string(i % 7), std::to_string(i)), put("/other", "x")});
    const Revision created = i < 7 ? i : (i % 7 == 0 ? 7 : i % 7);
    words += std::to_string(i) + ":/k" + std::to_string(i % 7) + "=" + std::to_string(i) + "(" +
             (i <= 7 ? "-" : std::to_string(i - 7)) + ")" + std::to_string(created) + " ";
  }
  for (const Revision after : {0, 1, 300, 599}) {
    Recorder late;
    const auto joined = watch(*store, late, after, "/k", "/l");
    const auto from = words.find(" " + std::to_string(after + 1) + ":");
    CHECK(late.until(600) == (after == 0 ? words : words.substr(from + 1)));
  }
}

TEST_CASE_TEMPLATE("a watch joins in a storm of writes without gap or duplicate", Kind, InMemory, OnDisk) {
  Kind kind;
  const auto store = kind.open({}, 4096);
  constexpr int writes = 1500;
  std::thread writer([&] {
    for (int i = 1; i <= writes; ++i) {
      if (i % 16 == 0) {
        (void)store->transact_and_wait({{}, {put("/k", std::to_string(i))}});
      } else {
        store->transact({{}, {put("/k", std::to_string(i))}},
                        [](const Result<TransactionResult>& r) { CHECK(r.has_value()); });
      }
    }
  });
  std::vector<std::unique_ptr<Recorder>> recorders;
  std::vector<std::unique_ptr<Watch>> watches;
  std::vector<Revision> starts;
  while (store->revision() < writes) {
    starts.push_back(store->revision() / 2);
    recorders.push_back(std::make_unique<Recorder>());
    watches.push_back(watch(*store, *recorders.back(), starts.back()));
    if (recorders.size() == 40) break;
  }
  writer.join();
  std::string words;
  std::vector<std::size_t> offsets;
  for (int i = 1; i <= writes; ++i) {
    offsets.push_back(words.size());
    words += std::to_string(i) + ":/k=" + std::to_string(i) + "(" + (i == 1 ? "-" : std::to_string(i - 1)) + ")1 ";
  }
  for (std::size_t i = 0; i < recorders.size(); ++i) {
    CHECK(recorders[i]->until(writes) == words.substr(offsets[static_cast<std::size_t>(starts[i])]));
  }
}

TEST_CASE_TEMPLATE("a range limited in octets goes on behind its last entry, at its revision", Kind, InMemory, OnDisk) {
  Kind kind;
  const auto store = kind.open();
  for (int i = 10; i < 40; ++i)
    write(*store, {put("/k" + std::to_string(i), std::string(static_cast<std::size_t>(i), 'a'))});
  for (int i = 10; i < 40; i += 3) write(*store, {put("/k" + std::to_string(i), "new")});
  write(*store, {put("/k", "before all"), put("/k155", "between")});
  for (const std::size_t bytes : {1u, 30u, 100u, 100'000u}) {
    for (const std::size_t limit : {0u, 4u}) {
      std::vector<std::string> sizes;
      std::string begin = "/";
      bool more = true;
      while (more) {
        const auto page = store->range({.begin = begin, .end = "0", .revision = 30, .limit = limit, .bytes = bytes});
        REQUIRE(page.has_value());
        CHECK(page->revision == 30);
        REQUIRE(!page->entries.empty());
        std::size_t sum = 0;
        for (const Entry& entry : page->entries) {
          CHECK(sum < bytes);
          sum += entry.value->size();
          sizes.push_back(entry.key + "=" + std::to_string(entry.value->size()));
        }
        more = page->more;
        begin = page->entries.back().key + '\0';
      }
      std::vector<std::string> wanted;
      for (int i = 10; i < 40; ++i) wanted.push_back("/k" + std::to_string(i) + "=" + std::to_string(i));
      CHECK(sizes == wanted);
    }
  }
}

TEST_CASE_TEMPLATE("after its end a watch's callback does not run", Kind, InMemory, OnDisk) {
  Kind kind;
  const auto store = kind.open();
  std::atomic<int> calls = 0;
  auto ended = *store->watch({"/", "0", 0}, [&](const auto&) { ++calls; });
  write(*store, {put("/a", "1")});
  CHECK(calls == 1); // delivered before the write was reported done
  ended.reset();
  write(*store, {put("/a", "2")});
  CHECK(calls == 1);

  std::unique_ptr<Watch> self; // ends from within its own callback
  std::atomic<int> own = 0;
  self = std::move(*store->watch({"/", "0", 2}, [&](const auto&) {
    ++own;
    self.reset();
  }));
  write(*store, {put("/a", "3")});
  write(*store, {put("/a", "4")});
  CHECK(own == 1);
}

TEST_CASE_TEMPLATE("callbacks may write", Kind, InMemory, OnDisk) {
  Kind kind;
  const auto store = kind.open();
  std::promise<Revision> done;
  store->transact({{}, {put("/a", "1")}}, [&](const Result<TransactionResult>& first) {
    store->transact({{{"/a", first->revision}}, {put("/a", "2")}},
                    [&](const Result<TransactionResult>& second) { done.set_value(second->revision); });
  });
  CHECK(done.get_future().get() == 2);
  CHECK(all(*store) == "/a=2@1/2");
}

TEST_CASE_TEMPLATE("what was submitted is committed before the store ends", Kind, InMemory, OnDisk) {
  Kind kind;
  std::atomic<int> done = 0;
  {
    const auto store = kind.open();
    for (int i = 0; i < 2000; ++i) {
      store->transact({{}, {put("/" + std::to_string(i), "v")}}, [&](const auto& r) { done += r.has_value() ? 1 : 0; });
    }
  }
  CHECK(done == 2000);
}

TEST_CASE_TEMPLATE("compares are judged against what is before them in the same group", Kind, InMemory, OnDisk) {
  Kind kind;
  std::atomic<int> won = 0, lost = 0;
  {
    const auto store = kind.open();
    for (int i = 0; i < 1000; ++i) { // ten want each key
      store->transact({{{"/" + std::to_string(i / 10), 0}}, {put("/" + std::to_string(i / 10), std::to_string(i))}},
                      [&](const auto& r) { ++(r->succeeded ? won : lost); });
    }
  }
  CHECK(won == 100);
  CHECK(lost == 900);
}

TEST_CASE_TEMPLATE("history beyond both limits is compacted", Kind, InMemory, OnDisk) {
  Kind kind;
  const auto fill = [](Store& store) {
    for (int i = 1; i <= 200; ++i) write(store, {put("/k" + std::to_string(i % 10), std::to_string(i))});
  };
  SUBCASE("old and many: the newest so many are kept") {
    const auto store = kind.open({.revisions = 50, .age = std::chrono::seconds(0)}, 0);
    fill(*store);
    CHECK(store->compacted() == 150);
    CHECK(all(*store, 150) == "failure 0");
    CHECK(all(*store, 1) == "failure 0");
    CHECK(store->range({"/", "0", 151, 0})->entries.size() == 10);
    CHECK(*store->range({"/k1", "", 151, 0})->entries.at(0).value == "151");
    CHECK(*store->range({"/k2", "", 151, 0})->entries.at(0).value == "142");
    for (const Revision after : {0, 1, 150}) {
      const auto refused = store->watch({"/", "0", after}, [](const auto&) {});
      REQUIRE_FALSE(refused.has_value());
      CHECK(refused.error().failure == Failure::compacted);
    }
    Recorder recorder;
    const auto joined = watch(*store, recorder, 198);
    CHECK(recorder.until(200) == "199:/k9=199(189)9 200:/k0=200(190)10 ");
  }
  SUBCASE("many, but not old") {
    const auto store = kind.open({.revisions = 50, .age = std::chrono::seconds(3600)}, 0);
    fill(*store);
    CHECK(store->compacted() == 0);
    CHECK(all(*store, 1) == "/k1=1@1/1");
  }
  SUBCASE("old, but not many") {
    const auto store = kind.open({.revisions = 500, .age = std::chrono::seconds(0)}, 0);
    fill(*store);
    CHECK(store->compacted() == 0);
  }
}

TEST_CASE_TEMPLATE("watching the future is refused", Kind, InMemory, OnDisk) {
  Kind kind;
  const auto store = kind.open();
  write(*store, {put("/a", "1")});
  const auto refused = store->watch({"/", "0", 2}, [](const auto&) {});
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().failure == Failure::future);
}

TEST_CASE("the end of a prefix") {
  CHECK(prefix_end("/a") == "/b");
  CHECK(prefix_end("/a\xff") == "/b");
  CHECK(prefix_end("/") == "0");
  CHECK(prefix_end("\xff") > "\xff\xff\xff");
  CHECK(prefix_end("") > "/z");
}

TEST_CASE_TEMPLATE("a watch reads at most so much of the past, or counts as compacted", Kind, InMemory, OnDisk) {
  Kind kind;
  const auto store = kind.open();
  const std::string value(100'000, 'x');
  for (int i = 0; i < 50; ++i) write(*store, {put("/a", value + std::to_string(i))});
  Recorder all, none;
  CHECK(store->watch({"/", "0", 1, 6'000'000}, all.callback()).has_value());
  const auto refused = store->watch({"/", "0", 1, 4'000'000}, none.callback());
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().failure == Failure::compacted);
  CHECK(store->watch({"/b", "0", 1, 1}, none.callback()).has_value()); // others' changes do not count
}

} // namespace signpost::store
