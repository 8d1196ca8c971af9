#include "discovery/objects/objects_store.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "discovery/registry/registry.hpp"

using namespace signpost;

namespace {

struct Directory {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("signpost-objects." + std::to_string(getpid()));
  Directory() { std::filesystem::create_directories(path); }
  ~Directory() { std::filesystem::remove_all(path); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path / name) << text;
    return (path / name).string();
  }
};

std::string service(const std::string& name, const std::string& extra = "") {
  return "apiVersion: v1\nkind: Service\nmetadata: {name: " + name + "}\nspec: {ports: [{port: 80}]" + extra +
         "}\n---\n";
}

store::RangeRequest all(std::size_t limit = 0) {
  const std::string prefix = registry::object_prefix(model::Kind::service, {});
  return {prefix, store::prefix_end(prefix), 0, limit};
}

} // namespace

TEST_CASE("objects come from the files, ordered by key, the last of a name counts") {
  const Directory directory;
  const std::string one = directory.write("one.yaml", service("web") + service("api"));
  const std::string two = directory.write("two.yaml", service("web", ", externalName: second"));
  objects::ObjectsStore store({one, two});

  const auto range = store.range(all());
  REQUIRE(range);
  REQUIRE(range->entries.size() == 2);
  CHECK(range->total == 2);
  CHECK(range->entries[0].key == registry::object_key(model::Kind::service, "default", "api"));
  CHECK(range->entries[1].key == registry::object_key(model::Kind::service, "default", "web"));
  CHECK(range->entries[1].value->find("second") != std::string::npos);

  const auto first = store.range(all(1));
  REQUIRE(first);
  CHECK(first->entries.size() == 1);
  CHECK(first->more);
  CHECK(first->total == 2);

  const auto exact = store.range({registry::object_key(model::Kind::service, "default", "web"), "", 0, 0});
  REQUIRE(exact);
  CHECK(exact->entries.size() == 1);
}

TEST_CASE("a list in pages reads the files once") {
  const Directory directory;
  std::string text;
  for (int i = 100; i < 200; ++i) text += service("s" + std::to_string(i));
  const std::string file = directory.write("o.yaml", text);
  objects::ObjectsStore store({file});
  auto page = all(7);
  std::size_t seen = 0;
  while (true) {
    const auto got = store.range(page);
    REQUIRE(got);
    CHECK(got->total == 100 - seen);
    seen += got->entries.size();
    if (!got->more) break;
    if (seen == 7) std::filesystem::remove(file); // what is not read cannot be missed
    page.begin = got->entries.back().key + '\0';
    page.revision = got->revision;
  }
  CHECK(seen == 100);
  CHECK_FALSE(store.range(all(7))); // the last page has let go of it
  directory.write("o.yaml", text);
  auto sized = all();
  sized.bytes = 1;
  REQUIRE(store.range(sized));
  CHECK(store.range(sized)->entries.size() == 1);
  CHECK(store.range(sized)->more);
  store.reloaded(); // what was held is of the past
  std::filesystem::remove(file);
  CHECK_FALSE(store.range(sized));
}

TEST_CASE("a file without a document is an error, one with a list of nothing is not") {
  const Directory directory;
  for (const char* text : {"", " \n\n", "# to be done\n", "---\n", "---\n---\n", "\xef\xbb\xbf"}) {
    CAPTURE(text);
    const std::string file = directory.write("o.yaml", text);
    const auto read = objects::read_files({file}, [](model::Object&&) {});
    REQUIRE_FALSE(read);
    CHECK(read.error().find("o.yaml: there is nothing in it") != std::string::npos);
  }
  for (const char* text :
       {"apiVersion: v1\nkind: List\nitems: []\n", R"({"apiVersion":"v1","kind":"ServiceList","items":[]})",
        R"({"apiVersion":"v1","kind":"List"})"}) {
    CAPTURE(text);
    CHECK(objects::read_files({directory.write("o.yaml", text)}, [](model::Object&&) {}));
  }
}

TEST_CASE("a pipe that stands where a file stood is not waited for") {
  const Directory directory;
  const std::string file = directory.write("o.yaml", service("web"));
  objects::ObjectsStore store({file});
  REQUIRE(store.range(all()));
  std::filesystem::remove(file);
  REQUIRE(mkfifo(file.c_str(), 0600) == 0);
  const auto range = store.range(all());
  REQUIRE_FALSE(range);
  CHECK(range.error().message.find("o.yaml: is no file") != std::string::npos);
  CHECK_FALSE(objects::read_files(
      {file}, [](model::Object&&) {}, objects::Readable::regular_file));
}

TEST_CASE("other kinds are skipped and counted, bad objects are named") {
  const Directory directory;
  const std::string other =
      directory.write("o.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\n---\n" + service("web"));
  std::size_t seen = 0;
  const auto summary = objects::read_files({other}, [&](model::Object&&) { ++seen; });
  REQUIRE(summary);
  CHECK(seen == 1);
  CHECK(summary->objects == 1);
  CHECK(summary->skipped == 1);

  const auto refused = [&](const std::string& text, const std::string& says) {
    const std::string file = directory.write("bad.yaml", text);
    const auto read = objects::read_files({file}, [](model::Object&&) {});
    REQUIRE_FALSE(read);
    CHECK_MESSAGE(read.error().find(says) != std::string::npos, read.error());
    CHECK(read.error().find("bad.yaml") != std::string::npos);
  };
  refused("apiVersion: v1\nkind: Service\nmetadata: {}\n", "metadata.name");
  refused("apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {ports: eighty}\n", "ports");
  CHECK_FALSE(objects::read_files({(directory.path / "missing").string()}, [](model::Object&&) {}));
}

TEST_CASE("a digest tells contents apart, not times or names") {
  const Directory directory;
  const std::string one = directory.write("one.yaml", service("web")),
                    two = directory.write("two.yaml", service("api"));
  const auto before = objects::digest({one, two});
  REQUIRE(before);
  std::filesystem::last_write_time(one, std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
  CHECK(objects::digest({one, two}) == before);
  CHECK(objects::digest({two, one}) != before);
  CHECK(objects::digest({one}) != before);
  directory.write("one.yaml", service("wec"));
  CHECK(objects::digest({one, two}) != before);
  directory.write("one.yaml", service("web") + service("api")); // what stood in two files
  directory.write("two.yaml", "");
  CHECK(objects::digest({one, two}) != before);

  std::string large(200'000, '#'); // more than a piece: the end counts as the start does
  const auto first = objects::digest({directory.write("one.yaml", large)});
  large.back() = '\n';
  CHECK(objects::digest({directory.write("one.yaml", large)}) != first);

  CHECK_FALSE(objects::digest({one, (directory.path / "missing").string()}));
  CHECK_FALSE(objects::digest({directory.path.string()}));
}

TEST_CASE("a reload is a new revision, ends watches and expires the old revision") {
  const Directory directory;
  objects::ObjectsStore store({directory.write("one.yaml", service("web"))});
  const store::Revision before = store.revision();

  int ended = 0;
  auto watch = store.watch({"/registry/", store::prefix_end("/registry/"), before},
                           [&](const std::shared_ptr<const store::Batch>& batch) { ended += batch == nullptr; });
  REQUIRE(watch);
  store.reloaded();
  CHECK(ended == 1);
  CHECK(store.revision() == before + 1);
  store.reloaded();
  CHECK(ended == 1);

  auto old = all();
  old.revision = before;
  const auto range = store.range(old);
  REQUIRE_FALSE(range);
  CHECK(range.error().failure == store::Failure::compacted);
  old.revision = store.revision() + 1;
  CHECK(store.range(old).error().failure == store::Failure::future);
  const auto again = store.watch({"/registry/", "", before}, [](const auto&) {});
  REQUIRE_FALSE(again);
  CHECK(again.error().failure == store::Failure::compacted);
}

TEST_CASE("writes are refused") {
  objects::ObjectsStore store({});
  bool refused = false;
  store.transact({}, [&](const auto& result) { refused = !result; });
  CHECK(refused);
}
