// The words of a Corefile: which exist in CoreDNS, which here, and what to say of others.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace signpost::server::corefile {

/// A directive of CoreDNS 1.14 (its plugins; also those that Signpost has).
[[nodiscard]] bool is_coredns_directive(std::string_view name);

/// What is wrong with a directive that Signpost does not have, and what to do: one sentence, without a place.
[[nodiscard]] std::string unknown_directive(std::string_view name);

/// The same of a word within a directive's block; `known` are the words it may be.
[[nodiscard]] std::string unknown_option(std::string_view directive, std::string_view option,
                                         std::span<const std::string_view> known);

} // namespace signpost::server::corefile
