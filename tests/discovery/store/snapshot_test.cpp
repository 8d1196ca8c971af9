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

TEST_CASE("a snapshot taken in use holds one revision and goes on counting where restored") {
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
  CHECK(other->revision() == revision);
  const auto range = other->range({"a", "z", 0, 0});
  REQUIRE(range);
  REQUIRE(range->entries.size() == 2);
  CHECK(*range->entries[1].value == "2");
  CHECK(put(*other, "d", "4") == revision + 1);
}

TEST_CASE("nothing that exists is overwritten and what is wrong is said") {
  const Directory work;
  CHECK_FALSE(save_snapshot(work / "nowhere", work / "snapshot"));
  CHECK_FALSE(verify_snapshot(work / "missing"));
  {
    auto store = open(work / "data");
    put(*store, "a", "1");
    REQUIRE(save_snapshot(work / "data", work / "snapshot"));
    CHECK_FALSE(save_snapshot(work / "data", work / "snapshot"));
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
