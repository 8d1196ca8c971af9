// What the registry gives every object: a uid, a time of birth, a name when only a prefix was wished for.
// Any thread.
#pragma once

#include <string>
#include <string_view>

namespace signpost::registry {

/// A random UUID, version 4 (RFC 9562).
[[nodiscard]] std::string new_uid();

/// Now, in RFC 3339 UTC whole seconds: "2026-01-31T12:00:00Z".
[[nodiscard]] std::string now_text();

/// The prefix, cut to 58 characters, and five random ones that spell no words.
[[nodiscard]] std::string generated_name(std::string_view prefix);

} // namespace signpost::registry
