// Whose word counts for a name: what the upstreams of one block may say, and what is asked of somebody else.
//
// An upstream that is asked for a name of its block may answer with an alias into a zone of ours, or of another block;
// what it says about that name is not believed (RFC 2181 5.4.1). Built once, then only read: any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <tl/expected.hpp>

namespace signpost::server {

class Borders {
public:
  Borders() = default;
  Borders(Borders&&) = default;
  Borders& operator=(Borders&&) = default;

  /// The block's own zones, and those of others; where a name is in several, the longest decides, and the block's own
  /// before an equal one. The error names what is no domain name.
  [[nodiscard]] tl::expected<void, std::string> set(const std::vector<std::string>& own,
                                                    const std::vector<std::string>& others);

  /// Whether a name (wire form, lower case) is somebody else's. Names of nobody are the block's.
  [[nodiscard]] bool is_beyond(std::span<const std::uint8_t> name) const noexcept;

private:
  std::unordered_map<std::string_view, bool> others_; // zone in wire form -> whether it is another's
  std::vector<std::string> names_;                    // what the keys point to
};

} // namespace signpost::server
