// What each line of a server block means: one function per directive, one table of their names.
//
// A directive changes the block it stands in, and the settings of the whole daemon where it speaks of those. Options
// within a directive's block are tables too: name, how many arguments, what they do, or why they are refused.
#pragma once

#include <map>
#include <set>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "server/config/host.hpp"
#include "server/config/settings.hpp"
#include "server/config/syntax.hpp"

namespace signpost::server::corefile {

using Done = tl::expected<void, std::string>;

/// What the lines of one server block are read into.
struct Reading {
  Settings& settings;
  ServerBlock& block;
  std::vector<Binding> bindings; // one per `bind`; empty: all of the host
  std::string& registry_place;   // of the one `registry` of the file; empty: none yet
  std::set<std::string>& told;   // directives without effect that were warned of
  const Host& host;
  Findings& findings;
  std::map<std::string, std::string, std::less<>> seen; // directive -> its place in this block

  /// Notes what is wrong, so that reading goes on.
  void note(const Done& done) {
    if (!done) findings.problems.push_back(done.error());
  }
  void warn(const Line& line, const std::string& text) { findings.warnings.push_back(line.place() + text); }
};

[[nodiscard]] Done read_directive(const Line& line, Reading& reading);

/// A directive or an option, as the manual shows it.
struct Entry {
  std::string_view usage;     // what to write
  std::string_view meaning;   // what it does, without a capital and a full stop
  std::vector<Entry> options; // of its block
};

/// Every directive, in the order of the table.
[[nodiscard]] std::vector<Entry> directive_reference();

// One each; called through the table.
[[nodiscard]] Done read_bind(const Line& line, Reading& reading);
[[nodiscard]] Done read_nsid(const Line& line, Reading& reading);
[[nodiscard]] Done read_local(const Line& line, Reading& reading);
[[nodiscard]] Done read_log(const Line& line, Reading& reading);
[[nodiscard]] Done read_errors(const Line& line, Reading& reading);
[[nodiscard]] Done read_forward(const Line& line, Reading& reading);
[[nodiscard]] Done read_cache(const Line& line, Reading& reading);
[[nodiscard]] Done read_registry(const Line& line, Reading& reading);
[[nodiscard]] Done read_objects(const Line& line, Reading& reading);
[[nodiscard]] Done read_kubernetes(const Line& line, Reading& reading);
[[nodiscard]] Done read_debug(const Line& line, Reading& reading);
[[nodiscard]] Done read_prometheus(const Line& line, Reading& reading);
[[nodiscard]] Done read_health(const Line& line, Reading& reading);
[[nodiscard]] Done read_ready(const Line& line, Reading& reading);
[[nodiscard]] Done read_reload(const Line& line, Reading& reading);
[[nodiscard]] Done read_loop(const Line& line, Reading& reading);
[[nodiscard]] Done read_loadbalance(const Line& line, Reading& reading);
[[nodiscard]] Done read_bufsize(const Line& line, Reading& reading);
[[nodiscard]] Done read_minimal(const Line& line, Reading& reading);

// The options in their blocks.
[[nodiscard]] std::vector<Entry> bind_options();
[[nodiscard]] std::vector<Entry> log_options();
[[nodiscard]] std::vector<Entry> prometheus_options();
[[nodiscard]] std::vector<Entry> health_options();
[[nodiscard]] std::vector<Entry> ready_options();
[[nodiscard]] std::vector<Entry> forward_options();
[[nodiscard]] std::vector<Entry> cache_options();
[[nodiscard]] std::vector<Entry> registry_options();
[[nodiscard]] std::vector<Entry> objects_options();

/// Whether `name` is `zone` or below it; both as parse_zone() gives them.
[[nodiscard]] bool is_at_or_below(std::string_view name, std::string_view zone);
[[nodiscard]] bool is_reverse(std::string_view zone);

} // namespace signpost::server::corefile
