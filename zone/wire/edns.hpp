// EDNS(0), RFC 6891: the OPT record of a query checked, the OPT record of a reply written, with Extended DNS Errors
// (RFC 8914) and the options that a client asked for.
//
//   reply's OPT   00 | 00 29 | size | rcode>>4 | 00 | DO | rdlength | [00 0f len code text] [option] [option] …
//
// The common query has an OPT without options and so has its reply. Options of a query that we know are checked, since
// a broken one deserves FORMERR; what the client wants of them is noted in the Query, and whoever knows the answer
// (server/listen/options.hpp) puts it into its ReplyOptions before the reply is written.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "zone/wire/octets.hpp"
#include "zone/wire/types.hpp"

namespace signpost::wire {

struct Query;

/// Octets of an OPT record without options.
inline constexpr std::size_t opt_size = 11;

/// OPTION-CODE, of those that are looked at.
namespace option {
inline constexpr std::uint16_t nsid = 3, client_subnet = 8, cookie = 10, tcp_keepalive = 11, extended_error = 15;
}

/// INFO-CODE of RFC 8914 in the lower eight bits; what is above tells apart those of one code that carry a text.
enum class ExtendedError : std::uint16_t {
  other = 0, // with partial_text: the reply holds less than all records though no other transport would hold more
  endless_alias = 0x100, // other, with endless_text: aliases lead in a circle, or further than they are followed
  stale_answer = 3,
  not_ready = 14,
  prohibited = 18,
  not_authoritative = 20,
  none = 0xffff,
};
inline constexpr std::string_view partial_text = "partial: more records than one message holds";
inline constexpr std::string_view endless_text = "aliases without an end";

/// EXTRA-TEXT of this error; empty: none.
[[nodiscard]] constexpr std::string_view extended_text(ExtendedError error) {
  if (error == ExtendedError::other) return partial_text;
  return error == ExtendedError::endless_alias ? endless_text : std::string_view();
}

/// Octets of the option that carries this error.
[[nodiscard]] constexpr std::size_t extended_error_size(ExtendedError error) {
  if (error == ExtendedError::none) return 0;
  return 6 + extended_text(error).size();
}

/// Options for a reply, in wire form, by value.
class ReplyOptions {
public:
  /// Longest NSID that is sure to fit beside the other options.
  static constexpr std::size_t max_nsid = 64;

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::span<const std::uint8_t> span() const { return {octets_.data(), size_}; }
  void clear() { size_ = 0; }
  /// Appends one option, or nothing if it does not fit.
  void add(std::uint16_t code, std::span<const std::uint8_t> data) noexcept;

private:
  std::uint8_t size_ = 0;
  std::array<std::uint8_t, 127> octets_{}; // cookie 28, keepalive 6, NSID 4 + max_nsid
};

/// True when the options of an OPT record fill its rdata exactly and those known here have a legal shape: client
/// subnet (RFC 7871), cookie (RFC 7873), tcp-keepalive (RFC 7828). Notes in `query` which answers they ask for.
[[nodiscard]] bool read_options(std::span<const std::uint8_t> rdata, Query& query) noexcept;

/// Writes `error` and `options` as an OPT record's rdata. Returns the octets written.
std::size_t write_opt_rdata(std::uint8_t* at, ExtendedError error, std::span<const std::uint8_t> options) noexcept;

/// Writes a reply's OPT record at `at`: opt_size + extended_error_size(error) + options.size() octets, which are
/// returned. `rcode` is the whole twelve-bit code; its upper eight bits go here.
inline std::size_t write_opt(std::uint8_t* at, std::uint16_t rcode, bool dnssec_ok,
                             ExtendedError error = ExtendedError::none,
                             std::span<const std::uint8_t> options = {}) noexcept {
  at[0] = 0;
  store32(at + 1, std::uint32_t{type::opt} << 16 | max_udp);
  store32(at + 5, (static_cast<std::uint32_t>(rcode >> 4) << 24) | (dnssec_ok ? 0x8000u : 0u));
  store16(at + 9, 0);
  if (error == ExtendedError::none && options.empty()) [[likely]]
    return opt_size;
  const std::size_t rdata = write_opt_rdata(at + opt_size, error, options);
  store16(at + 9, static_cast<std::uint16_t>(rdata));
  return opt_size + rdata;
}

} // namespace signpost::wire
