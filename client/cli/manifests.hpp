// Manifests as a command was given them: a file, a folder of them, an http:// URL, or "-" for the session's input.
#pragma once

#include <functional>
#include <string>
#include <tl/expected.hpp>

#include "client/cli/command.hpp"
#include "discovery/model/manifest.hpp"

namespace signpost::cli {

/// The files of a folder that -f names: *.yaml, *.yml and *.json, in the order of their names, with `recursive` also
/// those of the folders in it. What is no folder is given back as it is.
[[nodiscard]] Expected<std::vector<std::string>> manifest_files(const std::string& file, bool recursive);

/// model::read_manifest() of `file`; `each` and the error as there.
[[nodiscard]] tl::expected<std::size_t, model::ManifestError>
read_manifests(const Session& session, const std::string& file,
               const std::function<tl::expected<void, model::ManifestError>(model::Json&& object)>& each);

} // namespace signpost::cli
