#include "server/config/registry_rules.hpp"

#include <algorithm>

#include "server/config/values.hpp"

namespace signpost::server {
namespace {

constexpr int spare_bits = 5; // a prefix of 32 addresses has room for a reserved tenth

/// The prefix that a word with host bits set was meant to be; empty: the word is no prefix at all.
std::string without_host_bits(std::string_view word) {
  const auto slash = word.find('/');
  if (slash == std::string_view::npos) return {};
  const auto address = model::Address::parse(word.substr(0, slash));
  if (!address) return {};
  std::vector<std::uint8_t> bytes(address->bytes().begin(), address->bytes().end());
  const auto length = corefile::parse_number(word.substr(slash + 1), 0, bytes.size() * 8);
  if (!length) return {};
  for (std::size_t bit = *length; bit < bytes.size() * 8; ++bit)
    bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] & ~(0x80 >> bit % 8));
  return model::Address::from_bytes(bytes).to_string() + "/" + std::to_string(*length);
}

} // namespace

std::vector<model::Prefix> default_vips() {
  return {*model::Prefix::parse("10.96.0.0/12"), *model::Prefix::parse("fd00:10:96::/112")};
}

std::vector<model::Address> reserved_of(std::span<const model::Prefix> prefixes) {
  std::vector<model::Address> reserved;
  for (const model::Prefix& prefix : prefixes) {
    std::vector<std::uint8_t> bytes(prefix.base.bytes().begin(), prefix.base.bytes().end());
    if (static_cast<int>(bytes.size()) * 8 - prefix.length < spare_bits) continue;
    bytes.back() = static_cast<std::uint8_t>(bytes.back() + 10);
    reserved.push_back(model::Address::from_bytes(bytes));
  }
  return reserved;
}

Endpoint default_api() { return *Endpoint::parse("127.0.0.1:8080"); }

tl::expected<std::vector<model::Prefix>, std::string> vip_prefixes(std::span<const std::string> words) {
  std::vector<model::Prefix> prefixes;
  for (const std::string& word : words) {
    const auto prefix = model::Prefix::parse(word);
    if (!prefix) {
      const std::string meant = without_host_bits(word);
      return tl::unexpected(
          "\"" + word + "\" is not an address prefix" +
          (meant.empty() ? "; instead: one like 10.96.0.0/12" : ": host bits are set; instead: " + meant));
    }
    prefixes.push_back(*prefix);
  }
  if (prefixes.size() > 2)
    return tl::unexpected(std::string("more than two VIP prefixes; instead: give one, or one of each family"));
  if (prefixes.size() == 2 && prefixes[0].family() == prefixes[1].family())
    return tl::unexpected("the VIP prefixes " + words[0] + " and " + words[1] +
                          " are of one family; instead: give one, or one of each family");
  return prefixes;
}

tl::expected<Endpoint, std::string> api_endpoint(std::string_view word) {
  const auto endpoint = Endpoint::parse(word);
  if (!endpoint)
    return tl::unexpected("\"" + std::string(word) +
                          "\" is not an address with a port; instead: one like 127.0.0.1:8080");
  if (!endpoint->address.is_loopback())
    return tl::unexpected(
        "the API on " + endpoint->to_string() +
        " needs TLS and credentials, which Signpost does not have yet; instead: use a loopback address");
  return *endpoint;
}

} // namespace signpost::server
