// The health pages: /healthz, /livez, /readyz, as a whole and check by check, with ?verbose and ?exclude=.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "discovery/api/request.hpp"

namespace signpost::api {

/// The page of a path; nullopt: it is none of these. `ready` says why requests cannot be served yet, or nothing;
/// `trouble`, why nothing can be written: that is shown, but fails no page. Either may be empty.
[[nodiscard]] std::optional<Reply> health_page(const Target& target,
                                               const std::function<std::optional<std::string>()>& ready,
                                               const std::function<std::optional<std::string>()>& trouble);

} // namespace signpost::api
