#include "server/listen/options.hpp"

#include <netinet/in.h>
#include <sys/random.h>

#include <array>
#include <ctime>
#include <span>

#include "zone/wire/octets.hpp"

namespace signpost::server {
namespace {

/// Drawn once per process: a client that meets another server gets a new cookie from it.
const wire::CookieSecret& cookie_secret() noexcept {
  static const wire::CookieSecret secret = [] {
    wire::CookieSecret drawn{};
    while (::getrandom(drawn.data(), drawn.size(), 0) != static_cast<ssize_t>(drawn.size())) {
    }
    return drawn;
  }();
  return secret;
}

std::span<const std::uint8_t> octets_of(const sockaddr* peer) noexcept {
  if (peer->sa_family == AF_INET)
    return {reinterpret_cast<const std::uint8_t*>(&reinterpret_cast<const sockaddr_in*>(peer)->sin_addr), 4};
  return {reinterpret_cast<const std::uint8_t*>(&reinterpret_cast<const sockaddr_in6*>(peer)->sin6_addr), 16};
}

} // namespace

void answer_options(wire::Query& query, const OptionAnswers& answers) noexcept {
  query.options.clear();
  if ((query.asked & wire::Query::cookie) != 0) {
    const auto now = static_cast<std::uint32_t>(std::time(nullptr));
    query.options.add(wire::option::cookie,
                      wire::make_cookie(cookie_secret(), query.client_cookie, now, octets_of(answers.peer)));
  }
  if ((query.asked & wire::Query::keepalive) != 0 && answers.keepalive != 0) {
    std::array<std::uint8_t, 2> units;
    wire::store16(units.data(), answers.keepalive);
    query.options.add(wire::option::tcp_keepalive, units);
  }
  if ((query.asked & wire::Query::nsid) != 0 && !answers.nsid.empty())
    query.options.add(wire::option::nsid,
                      {reinterpret_cast<const std::uint8_t*>(answers.nsid.data()), answers.nsid.size()});
}

} // namespace signpost::server
