#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <unistd.h>

#include "client/cli/completion.hpp"
#include "tests/client/cli/command_line.hpp"

using testing::run;

namespace {

std::string shell(const std::string& command) {
  std::string out;
  FILE* const pipe = popen(command.c_str(), "r");
  std::array<char, 4096> buffer;
  for (std::size_t got; (got = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) out.append(buffer.data(), got);
  pclose(pipe);
  return out;
}

const std::vector<std::string> commands{"get",     "describe", "watch", "apply",      "delete",
                                        "resolve", "env",      "exec",  "completion", "version"};

} // namespace

TEST_CASE("wrong usage is code 2 and one line") {
  for (const auto& words : std::vector<std::vector<std::string>>{{},
                                                                 {"frobnicate"},
                                                                 {"get"},
                                                                 {"get", "svc", "--nosuch"},
                                                                 {"get", "svc", "-o", "xml"},
                                                                 {"get", "nosuch"},
                                                                 {"get", "svc", "web", "-A"},
                                                                 {"get", "svc/"},
                                                                 {"get", "svc/a", "b"},
                                                                 {"get", ","},
                                                                 {"watch", "svc,ep"},
                                                                 {"watch", "svc", "a", "b"},
                                                                 {"apply"},
                                                                 {"resolve"},
                                                                 {"completion"},
                                                                 {"completion", "tcsh"},
                                                                 {"exec"},
                                                                 {"--server"}}) {
    const auto ran = run(words);
    CHECK(ran.code == 2);
    CHECK(ran.out.empty());
    CHECK(ran.err.starts_with("signpost: "));
    CHECK(ran.err.find('\n') == ran.err.size() - 1);
  }
  CHECK(run({"frobnicate"}).err.find("\"frobnicate\"") != std::string::npos);
}

TEST_CASE("help teaches, for every command") {
  const auto ran = run({"--help"});
  CHECK(ran.code == 0);
  CHECK(ran.err.empty());
  for (const auto& name : commands) {
    CHECK(ran.out.find("  " + name + " ") != std::string::npos);
    const auto help = run({name, "--help"});
    CHECK(help.code == 0);
    CHECK(help.out.find("Examples:") != std::string::npos);
    CHECK(help.out.find("signpost " + name) != std::string::npos);
  }
  CHECK(ran.out.find("3 not found, 4 server unreachable or not ready, 5 conflict") != std::string::npos);
}

TEST_CASE("the version") {
  CHECK(run({"version"}).out.starts_with("signpost 0."));
  CHECK(run({"--version"}).out == run({"version"}).out);
}

TEST_CASE("completion scripts know every command") {
  for (const auto& name : signpost::cli::completion_shells()) {
    const auto ran = run({"completion", name});
    CHECK(ran.code == 0);
    for (const auto& command : commands) CHECK(ran.out.find(command) != std::string::npos);
    CHECK(ran.out.find("endpointslices") != std::string::npos);
    CHECK(ran.out.find("wide") != std::string::npos);
  }
}

TEST_CASE("bash completes what the program takes") {
  const auto path = std::filesystem::temp_directory_path() / ("signpost-completion-" + std::to_string(getpid()));
  std::ofstream(path) << run({"completion", "bash"}).out;
  const auto complete = [&](const std::string& line) {
    return shell("bash -c 'source " + path.string() + "; COMP_LINE=\"" + line +
                 "\"; COMP_POINT=" + std::to_string(line.size()) + "; _signpost; echo ${COMPREPLY[@]}'");
  };
  CHECK(complete("signpost g") == "get\n");
  CHECK(complete("signpost get s") == "services svc servicecidrs\n");
  CHECK(complete("signpost -n shop get endpoints") == "endpointslices endpoints\n");
  CHECK(complete("signpost get svc -o y") == "yaml\n");
  CHECK(complete("signpost get svc --no-h") == "--no-headers\n");
  CHECK(complete("signpost env --format d") == "docker\n");
  CHECK(complete("signpost get --ser") == "--server\n");
  CHECK(complete("signpost resolve --format") == "\n");
  CHECK(complete("signpost completion f") == "fish\n");
  std::filesystem::remove(path);
}
