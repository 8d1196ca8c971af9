#include "zone/wire/cookie.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "zone/wire/octets.hpp"

namespace signpost::wire {
namespace {

std::uint64_t little(const std::uint8_t* at) noexcept {
  const std::uint64_t word = load_word(at);
  return std::endian::native == std::endian::little ? word : __builtin_bswap64(word);
}

struct Sip {
  std::uint64_t a, b, c, d;

  void rounds(int count) noexcept {
    for (; count > 0; --count) {
      a += b;
      c += d;
      b = std::rotl(b, 13) ^ a;
      d = std::rotl(d, 16) ^ c;
      a = std::rotl(a, 32) + d;
      c += b;
      b = std::rotl(b, 17) ^ c;
      d = std::rotl(d, 21) ^ a;
      c = std::rotl(c, 32);
    }
  }
  void take(std::uint64_t word) noexcept {
    d ^= word;
    rounds(2);
    a ^= word;
  }
};

} // namespace

std::uint64_t siphash(const CookieSecret& key, std::span<const std::uint8_t> data) noexcept {
  const std::uint64_t low = little(key.data()), high = little(key.data() + 8);
  Sip sip{low ^ 0x736f6d6570736575u, high ^ 0x646f72616e646f6du, low ^ 0x6c7967656e657261u, high ^ 0x7465646279746573u};
  const std::uint64_t length = data.size();
  for (; data.size() >= 8; data = data.subspan(8)) sip.take(little(data.data()));
  std::array<std::uint8_t, 8> last{};
  std::copy(data.begin(), data.end(), last.begin());
  sip.take(little(last.data()) | length << 56);
  sip.c ^= 0xff;
  sip.rounds(4);
  return sip.a ^ sip.b ^ sip.c ^ sip.d;
}

Cookie make_cookie(const CookieSecret& secret, const ClientCookie& client, std::uint32_t seconds,
                   std::span<const std::uint8_t> address) noexcept {
  constexpr std::size_t head = 16; // client cookie, version, reserved octets, time
  Cookie cookie{};
  std::copy(client.begin(), client.end(), cookie.begin());
  cookie[8] = 1;
  store32(&cookie[12], seconds);
  std::array<std::uint8_t, head + 16> hashed{};
  std::copy_n(cookie.begin(), head, hashed.begin());
  const std::size_t length = std::min<std::size_t>(address.size(), 16);
  std::copy_n(address.begin(), length, hashed.begin() + head);
  std::uint64_t hash = siphash(secret, {hashed.data(), head + length});
  if constexpr (std::endian::native == std::endian::big) hash = __builtin_bswap64(hash);
  std::memcpy(&cookie[head], &hash, 8);
  return cookie;
}

} // namespace signpost::wire
