#include "server/files/file_watch.hpp"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>

using signpost::server::FileWatch;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

class Directory {
public:
  Directory() {
    std::string name = (fs::temp_directory_path() / "signpost-files.XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Directory() { fs::remove_all(path_); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  [[nodiscard]] fs::path operator/(const char* name) const { return path_ / name; }

private:
  fs::path path_;
};

void write(const fs::path& path, const char* text) { std::ofstream(path) << text; }

bool comes_to(const std::atomic<int>& calls, int count) {
  for (int i = 0; i < 20000 && calls < count; ++i) std::this_thread::sleep_for(1ms);
  return calls == count;
}

} // namespace

TEST_CASE("every way in which a file becomes another is noticed, once") {
  const Directory directory;
  const fs::path file = directory / "file";
  write(file, "one");
  FileWatch watch({file.string(), (directory / "link").string()});
  CHECK(watch.still());
  std::atomic<int> calls{0};
  watch.start([&] { ++calls; });
  SUBCASE("written") { write(file, "two two"); }
  SUBCASE("emptied") { fs::resize_file(file, 0); }
  SUBCASE("gone") { fs::remove(file); }
  SUBCASE("replaced") {
    write(directory / "new", "two");
    fs::rename(directory / "new", file);
  }
  SUBCASE("a link that comes") { fs::create_symlink(file, directory / "link"); }
  CHECK(comes_to(calls, 1));
  write(directory / "link", "there, too, and longer");
  CHECK(comes_to(calls, 2));
}

TEST_CASE("what changes between the first look and the start is noticed") {
  const Directory directory;
  FileWatch watch({(directory / "file").string()});
  write(directory / "file", "came");
  CHECK_FALSE(watch.still());
  std::atomic<int> calls{0};
  watch.start([&] {
    CHECK(watch.still());
    ++calls;
  });
  CHECK(comes_to(calls, 1));
}
