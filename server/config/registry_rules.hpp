// What flags and Corefile say alike about the registry: its defaults and what they may be changed to.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "server/config/settings.hpp"

namespace signpost::server {

/// 10.96.0.0/12 and fd00:10:96::/112.
[[nodiscard]] std::vector<model::Prefix> default_vips();

/// The address the cluster's DNS service has by convention, the tenth of each prefix that is large enough.
[[nodiscard]] std::vector<model::Address> reserved_of(std::span<const model::Prefix> prefixes);

/// 127.0.0.1:8080.
[[nodiscard]] Endpoint default_api();

/// One prefix or two of different families. The error has no place.
[[nodiscard]] tl::expected<std::vector<model::Prefix>, std::string> vip_prefixes(std::span<const std::string> words);

/// A loopback address and port: others need TLS and credentials.
[[nodiscard]] tl::expected<Endpoint, std::string> api_endpoint(std::string_view word);

} // namespace signpost::server
