// Manifests as a command was given them: a file, or "-" for the session's input.
#pragma once

#include <functional>
#include <string>
#include <tl/expected.hpp>

#include "client/cli/command.hpp"
#include "discovery/model/manifest.hpp"

namespace signpost::cli {

/// model::read_manifest() of `file`; `each` and the error as there.
[[nodiscard]] tl::expected<void, model::ManifestError>
read_manifests(const Session& session, const std::string& file,
               const std::function<tl::expected<void, model::ManifestError>(model::Json&& object)>& each);

} // namespace signpost::cli
