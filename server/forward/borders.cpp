#include "server/forward/borders.hpp"

#include "zone/wire/name.hpp"

namespace signpost::server {

tl::expected<void, std::string> Borders::set(const std::vector<std::string>& own,
                                             const std::vector<std::string>& others) {
  names_.reserve(own.size() + others.size());
  for (const auto* zones : {&own, &others}) {
    for (const std::string& text : *zones) {
      const auto name = wire::name_from_text(text);
      if (!name) return tl::unexpected("forward: \"" + text + "\" is not a domain name");
      names_.emplace_back(reinterpret_cast<const char*>(name->octets.data()), name->length);
      others_.emplace(names_.back(), zones == &others);
    }
  }
  return {};
}

bool Borders::is_beyond(std::span<const std::uint8_t> name) const noexcept {
  for (std::size_t at = 0; at < name.size(); at += name[at] + 1u) {
    const auto found = others_.find({reinterpret_cast<const char*>(name.data() + at), name.size() - at});
    if (found != others_.end()) return found->second;
    if (name[at] == 0) break;
  }
  return false;
}

} // namespace signpost::server
