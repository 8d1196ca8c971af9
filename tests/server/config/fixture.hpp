// A machine for configuration tests: lo and eth0, a few variables, and a directory of files.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "server/config/host.hpp"

namespace signpost::server {

inline model::Address address(const char* text) { return *model::Address::parse(text); }

inline Host test_host() {
  return {.interfaces = {{"lo", {address("127.0.0.1"), address("::1")}}, {"eth0", {address("192.0.2.7")}}},
          .wildcards = {},
          .environment = [](const std::string& name) -> std::optional<std::string> {
            if (name == "ZONE") return "cluster.local";
            if (name == "TWO") return "a b";
            return std::nullopt;
          }};
}

/// A directory that is gone with its owner.
class Directory {
public:
  Directory() {
    std::string name = (std::filesystem::temp_directory_path() / "signpost-config.XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  std::string write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name) << text;
    return (path_ / name).string();
  }
  [[nodiscard]] std::string path(const std::string& name) const { return (path_ / name).string(); }

private:
  std::filesystem::path path_;
};

} // namespace signpost::server
