// Cookies against the test vectors of RFC 9018, SipHash against those of its authors.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "zone/wire/cookie.hpp"

using namespace signpost;

namespace {

template <class Octets>
Octets unhex(const std::string& hex) {
  Octets octets{};
  if constexpr (requires { octets.resize(1); }) octets.resize(hex.size() / 2);
  for (std::size_t i = 0; i < octets.size(); ++i)
    octets[i] = static_cast<std::uint8_t>(std::stoul(hex.substr(2 * i, 2), nullptr, 16));
  return octets;
}

} // namespace

TEST_CASE("server cookies are those of RFC 9018 appendix A") {
  struct Case {
    const char *secret, *client, *address;
    std::uint32_t seconds;
    const char* cookie;
  };
  for (const auto& [secret, client, address, seconds, cookie] :
       std::vector<Case>{{"e5e973e5a6b2a43f48e7dc849e37bfcf", "2464c4abcf10c957", "c6336464", 1559731985,
                          "2464c4abcf10c957010000005cf79f111f8130c3eee29480"},
                         {"e5e973e5a6b2a43f48e7dc849e37bfcf", "2464c4abcf10c957", "c6336464", 1559734385,
                          "2464c4abcf10c957010000005cf7a871d4a564a1442aca77"},
                         {"445536bcd2513298075a5d379663c962", "22681ab97d52c298", "20010db80220000159ded0f4876982b8",
                          1559741961, "22681ab97d52c298010000005cf7c609a6bb79d16625507a"}}) {
    const auto made = wire::make_cookie(unhex<wire::CookieSecret>(secret), unhex<wire::ClientCookie>(client), seconds,
                                        unhex<std::vector<std::uint8_t>>(address));
    CHECK(made == unhex<wire::Cookie>(cookie));
  }
}

TEST_CASE("SipHash-2-4 of the octets 0, 1, 2, …") {
  const auto key = unhex<wire::CookieSecret>("000102030405060708090a0b0c0d0e0f");
  const std::vector<std::pair<std::size_t, std::uint64_t>> expected{{0, 0x726fdb47dd0e0e31},
                                                                    {1, 0x74f839c593dc67fd},
                                                                    {7, 0xab0200f58b01d137},
                                                                    {8, 0x93f5f5799a932462},
                                                                    {15, 0xa129ca6149be45e5}};
  std::vector<std::uint8_t> data;
  for (std::size_t i = 0; i < 16; ++i) data.push_back(static_cast<std::uint8_t>(i));
  for (const auto& [length, hash] : expected) CHECK(wire::siphash(key, std::span(data).first(length)) == hash);
}
