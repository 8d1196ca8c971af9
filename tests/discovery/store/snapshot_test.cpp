#include "discovery/store/snapshot.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "discovery/store/sqlite_store.hpp"

using namespace signpost::store;

namespace {

struct Directory {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("signpost-snapshot." + std::to_string(getpid()));
  Directory() { std::filesystem::create_directories(path); }
  ~Directory() { std::filesystem::remove_all(path); }
  std::string operator/(const std::string& name) const { return (path / name).string(); }
};

Revision put(SqliteStore& store, const std::string& key, const std::string& value) {
  const auto done = store.transact_and_wait({{}, {{key, std::make_shared<const std::string>(value)}}});
  REQUIRE(done);
  return done->revision;
}

std::unique_ptr<SqliteStore> open(const std::string& directory) {
  auto opened = SqliteStore::open({.directory = directory, .history = {}, .vfs = {}});
  REQUIRE_MESSAGE(opened, opened.error());
  return std::move(*opened);
}

} // namespace

TEST_CASE("a snapshot taken in use holds one revision, and a restored store goes on beyond all that was given out") {
  const Directory work;
  auto store = open(work / "data");
  put(*store, "a", "1");
  const Revision revision = put(*store, "b", "2");
  const auto saved = save_snapshot(work / "data", work / "snapshot");
  REQUIRE_MESSAGE(saved, saved.error());
  CHECK(saved->find("revision " + std::to_string(revision)) != std::string::npos);
  put(*store, "c", "3");

  const auto restored = restore_snapshot(work / "other", work / "snapshot");
  REQUIRE_MESSAGE(restored, restored.error());
  auto other = open(work / "other");
  const Revision begun = other->revision();
  CHECK(begun > store->revision() + 1'000'000'000);
  CHECK(begun < Revision{1} << 53); // a number that JavaScript can hold
  CHECK(other->compacted() == begun - 1);
  const auto range = other->range({"a", "z", 0, 0});
  REQUIRE(range);
  REQUIRE(range->entries.size() == 2);
  CHECK(*range->entries[1].value == "2");
  CHECK(put(*other, "d", "4") == begun + 1);
  const auto nothing = [](const std::shared_ptr<const Batch>&) {};
  CHECK(other->watch({"a", "z", revision}, nothing).error().failure == Failure::compacted);
  CHECK(other->watch({"a", "z", store->revision()}, nothing).error().failure == Failure::compacted);
  CHECK(other->watch({"a", "z", begun}, nothing).has_value());
  CHECK(other->watch({"a", "z", begun + 100}, nothing).error().failure == Failure::future);

  // A restart is no restore; restoring once more is.
  other.reset();
  CHECK(open(work / "other")->revision() == begun + 1);
  REQUIRE(restore_snapshot(work / "third", work / "snapshot"));
  CHECK(open(work / "third")->revision() != begun);
}

TEST_CASE("every flipped bit of a snapshot is found, and every cut") {
  const Directory work;
  {
    auto store = open(work / "data");
    for (int i = 0; i < 20; ++i) put(*store, "/k" + std::to_string(i), std::string(300, 'v'));
    put(*store, "/k1", "new");
  }
  REQUIRE(save_snapshot(work / "data", work / "snapshot"));
  std::ifstream file(work / "snapshot", std::ios::binary);
  const std::string good((std::istreambuf_iterator<char>(file)), {});
  const auto verdict = [&](const std::string& bytes) {
    std::ofstream(work / "bad", std::ios::binary) << bytes;
    return verify_snapshot(work / "bad").has_value();
  };
  CHECK(verdict(good));
  for (std::size_t at = 0; at<good.size(); at += at> good.size() - 20 ? 1 : 97) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ (1 << at % 8));
    CHECK_MESSAGE(!verdict(bad), at);
  }
  for (const std::size_t cut : {1, 8, 16, 17, 4096, 4112}) CHECK_FALSE(verdict(good.substr(0, good.size() - cut)));
  CHECK_FALSE(verdict({}));
  CHECK_FALSE(restore_snapshot(work / "other", work / "bad"));
  CHECK_FALSE(std::filesystem::exists(work / "other" + std::string("/registry.db")));
}

TEST_CASE("a snapshot takes the place of an older one, for its owner only") {
  const Directory work;
  auto store = open(work / "data");
  put(*store, "a", "1");
  REQUIRE(save_snapshot(work / "data", work / "snapshot"));
  put(*store, "b", "2");
  std::filesystem::permissions(work / "snapshot", std::filesystem::perms::all);
  const auto again = save_snapshot(work / "data", work / "snapshot");
  REQUIRE_MESSAGE(again, again.error());
  CHECK(again->find("revision 2, 2 keys") != std::string::npos);
  CHECK(std::filesystem::status(work / "snapshot").permissions() ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));

  std::ofstream(work / "letter") << "dear reader";
  CHECK_FALSE(save_snapshot(work / "data", work / "letter"));
  CHECK(std::filesystem::file_size(work / "letter") == 11);
  std::size_t left = 0;
  for (const auto& one : std::filesystem::directory_iterator(work.path))
    left += one.path().string().ends_with("letter") ? 0 : 1;
  CHECK(left == 2); // the folder and the snapshot
}

TEST_CASE("nothing of others is overwritten and what is wrong is said") {
  const Directory work;
  CHECK_FALSE(save_snapshot(work / "nowhere", work / "snapshot"));
  CHECK_FALSE(verify_snapshot(work / "missing"));
  {
    auto store = open(work / "data");
    put(*store, "a", "1");
    REQUIRE(save_snapshot(work / "data", work / "snapshot"));
    const auto in_use = restore_snapshot(work / "data", work / "snapshot");
    REQUIRE_FALSE(in_use);
    CHECK(in_use.error().find(work / "data") != std::string::npos);
  }
  CHECK_FALSE(restore_snapshot(work / "data", work / "snapshot"));

  std::ofstream(work / "text") << std::string(10000, 'x');
  CHECK_FALSE(verify_snapshot(work / "text"));
  CHECK_FALSE(restore_snapshot(work / "third", work / "text"));
  std::filesystem::resize_file(work / "snapshot", std::filesystem::file_size(work / "snapshot") / 2);
  CHECK_FALSE(verify_snapshot(work / "snapshot"));
  CHECK_FALSE(std::filesystem::exists(work / "third"));
}
