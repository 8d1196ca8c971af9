// apply and delete: makes the registry hold what files say, or no longer hold it.
//
// Apply is a three-way merge, as kubectl's, and writes the same annotation, so that both may be used on one object:
// what the file says is set, what it said when it was last applied and no longer says is removed, all else is left to
// whoever set it. The change goes out as a merge patch that names the resourceVersion it was made from; if somebody
// else was faster, it is made again from what is there then.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "client/cli/command.hpp"

namespace signpost::cli {

enum class DryRun : std::uint8_t {
  none,
  client, // only compares; nothing is sent that could change anything
  server, // the server checks it and stores nothing
};

struct ApplyOptions {
  std::vector<std::string> files{}; // folders and URLs, too; "-": standard input
  bool recursive = false;           // folders in folders
  DryRun dry_run = DryRun::none;
};
[[nodiscard]] Exit apply(const Session& session, const ApplyOptions& options);

struct DeleteOptions {
  std::vector<std::string> what{};  // as for get
  std::vector<std::string> files{}; // as for apply
  bool recursive = false;
  std::string label_selector{};
  bool all = false; // of the kind, in the namespace
  bool ignore_not_found = false;
  DryRun dry_run = DryRun::none;
};
[[nodiscard]] Exit remove(const Session& session, const DeleteOptions& options);

inline constexpr const char* last_applied = "kubectl.kubernetes.io/last-applied-configuration";

/// The JSON merge patch (RFC 7386) that makes `current` what `wanted` says, given what was `applied` last (null: never,
/// or by other means). Ports of a service are matched by number and protocol, or by name, and keep what the server has
/// filled in. Empty object: nothing to do. Pure.
[[nodiscard]] Json merge_patch(const Json& applied, const Json& current, const Json& wanted);

} // namespace signpost::cli
