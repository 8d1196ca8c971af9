// The word that somebody meant who mistyped one. Pure.
#pragma once

#include <span>
#include <string_view>

namespace signpost::model {

/// The known word that is the fewest letters away (inserted, removed, replaced or swapped); empty: none is near enough
/// to be meant, which is a third of the word's letters, at least one.
[[nodiscard]] std::string_view closest(std::string_view word, std::span<const std::string_view> known);

} // namespace signpost::model
