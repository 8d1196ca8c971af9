// What may be a name, a label, a port name, an address in an object's fields, with kube-apiserver's sentences for what
// may not. Hand-written matchers: a regular expression per field would cost more than the rest of a write.
//
// Each check gives the sentences of what is wrong, usually none. Pure functions, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "discovery/model/address_text.hpp"

namespace signpost::registry {

using Complaints = std::vector<std::string>;

[[nodiscard]] Complaints check_dns1035_label(std::string_view text);
[[nodiscard]] Complaints check_dns1123_label(std::string_view text);
[[nodiscard]] Complaints check_dns1123_subdomain(std::string_view text);
/// prefix/name, as label keys, annotation keys and finalizers are.
[[nodiscard]] Complaints check_qualified_name(std::string_view text);
[[nodiscard]] Complaints check_label_value(std::string_view text);
/// An IANA service name: what targetPort may hold instead of a number.
[[nodiscard]] Complaints check_port_name(std::string_view text);
/// A domain name of at least two labels.
[[nodiscard]] Complaints check_fqdn(std::string_view text);
[[nodiscard]] bool is_port(std::int64_t number); // 1…65535
inline constexpr std::string_view port_complaint = "must be between 1 and 65535, inclusive";

/// "10.0.0.0/8"; host bits may be set.
[[nodiscard]] bool is_prefix_text(std::string_view text);
/// Why an address cannot be an endpoint or an external address: unspecified, loopback, link-local, multicast. Empty: it
/// can.
[[nodiscard]] std::string_view special_address_complaint(const model::Address& address);

} // namespace signpost::registry
