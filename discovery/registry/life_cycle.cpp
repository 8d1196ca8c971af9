#include "discovery/registry/life_cycle.hpp"

#include <array>
#include <ctime>
#include <random>
#include <unistd.h>

namespace signpost::registry {
namespace {

class Random {
public:
  std::uint64_t next() {
    // A forked child must not repeat its parent's identifiers.
    if (const pid_t now = getpid(); now != process_) {
      process_ = now;
      std::random_device device;
      std::array<std::uint32_t, 16> seed;
      for (std::uint32_t& word : seed) word = device();
      std::seed_seq sequence(seed.begin(), seed.end());
      engine_.seed(sequence);
    }
    return engine_();
  }

private:
  pid_t process_ = -1;
  std::mt19937_64 engine_;
};

Random& randomness() {
  thread_local Random random;
  return random;
}

} // namespace

std::string new_uid() {
  static constexpr char digits[] = "0123456789abcdef";
  std::uint64_t words[2] = {randomness().next(), randomness().next()};
  words[0] = (words[0] & ~0xf000ull) | 0x4000ull;       // version 4
  words[1] = (words[1] & ~(3ull << 62)) | (2ull << 62); // variant 10
  std::string out;
  out.reserve(36);
  for (int i = 0; i < 32; ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) out += '-';
    out += digits[(words[i / 16] >> (60 - 4 * (i % 16))) & 15];
  }
  return out;
}

std::string now_text() {
  thread_local std::time_t at = 0;
  thread_local std::array<char, 24> text{};
  if (const std::time_t now = std::time(nullptr); now != at) {
    std::tm parts{};
    gmtime_r(&now, &parts);
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    at = now;
  }
  return text.data();
}

std::string generated_name(std::string_view prefix) {
  static constexpr std::string_view alphabet = "bcdfghjklmnpqrstvwxz2456789";
  std::string out(prefix.substr(0, 58));
  for (int i = 0; i < 5; ++i) out += alphabet[randomness().next() % alphabet.size()];
  return out;
}

} // namespace signpost::registry
