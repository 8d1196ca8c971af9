// Runs a fuzz target without libFuzzer: every seed of a folder as it is, then mutations of them. The same numbers every
// time, so that a failure can be repeated; the last input is written out when the target aborts.
//
// usage: fuzz_TARGET CORPUS [MUTATIONS]
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes mutate(const std::vector<Bytes>& seeds, std::mt19937_64& random) {
  const auto below = [&](std::size_t bound) { return static_cast<std::size_t>(random() % bound); };
  Bytes bytes = seeds[below(seeds.size())];
  for (std::size_t rounds = 1 + below(6); rounds > 0; --rounds) {
    const std::size_t at = bytes.empty() ? 0 : below(bytes.size());
    switch (below(7)) {
    case 0: // one octet becomes another
      if (!bytes.empty()) bytes[at] = static_cast<std::uint8_t>(random());
      break;
    case 1: // one bit
      if (!bytes.empty()) bytes[at] ^= static_cast<std::uint8_t>(1u << below(8));
      break;
    case 2: // cut
      bytes.resize(at);
      break;
    case 3: // a part goes
      bytes.erase(bytes.begin() + static_cast<long>(at),
                  bytes.begin() + static_cast<long>(at + below(bytes.size() - at + 1)));
      break;
    case 4: // a part of another seed comes
    {
      const Bytes& other = seeds[below(seeds.size())];
      if (other.empty()) break;
      const std::size_t from = below(other.size());
      const std::size_t length = below(other.size() - from) + 1;
      bytes.insert(bytes.begin() + static_cast<long>(at), other.begin() + static_cast<long>(from),
                   other.begin() + static_cast<long>(from + length));
      break;
    }
    case 5: // a part again
      if (!bytes.empty()) {
        const Bytes part(bytes.begin() + static_cast<long>(at),
                         bytes.begin() + static_cast<long>(at + 1 + below(bytes.size() - at)));
        bytes.insert(bytes.begin() + static_cast<long>(at), part.begin(), part.end());
      }
      break;
    default: // a telling octet
    {
      static constexpr std::uint8_t telling[] = {0, 1, 0x7f, 0x80, 0xc0, 0xff, '"', '{', '[', '\\', '\n', '&'};
      bytes.insert(bytes.begin() + static_cast<long>(at), telling[below(std::size(telling))]);
    }
    }
  }
  if (bytes.size() > 65535) bytes.resize(65535);
  return bytes;
}

Bytes current;

void save_current(int) {
  std::ofstream file("crash-input", std::ios::binary);
  file.write(reinterpret_cast<const char*>(current.data()), static_cast<std::streamsize>(current.size()));
  file.close();
  std::fputs("the input stands in ./crash-input\n", stderr);
  std::signal(SIGABRT, SIG_DFL);
  std::abort();
}

} // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: fuzz_TARGET CORPUS [MUTATIONS]\n", stderr);
    return 2;
  }
  const int mutations = argc > 2 ? std::atoi(argv[2]) : 20000;
  std::signal(SIGABRT, save_current);
  std::vector<Bytes> seeds;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
    std::ifstream file(entry.path(), std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  if (seeds.empty()) {
    std::fprintf(stderr, "%s holds no seeds\n", argv[1]);
    return 1;
  }
  for (const Bytes& seed : seeds) {
    current = seed;
    LLVMFuzzerTestOneInput(current.data(), current.size());
  }
  std::mt19937_64 random(1);
  for (int i = 0; i < mutations; ++i) {
    current = mutate(seeds, random);
    LLVMFuzzerTestOneInput(current.data(), current.size());
  }
  std::printf("%zu seeds and %d mutations ran\n", seeds.size(), mutations);
}
