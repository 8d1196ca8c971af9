// JSON string literals, UTF-8 (RFC 3629). Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace signpost::model {

/// Appends the text as a JSON string, quotes included. Bytes that are no UTF-8 become U+FFFD, one each.
void append_json_string(std::string& out, std::string_view text);

/// Length of the UTF-8 sequence at the front of the text, 1…4; 0: there is none (or the text is empty).
[[nodiscard]] std::size_t utf8_length(std::string_view text);

} // namespace signpost::model
