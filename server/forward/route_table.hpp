// Which route a name takes: the longest zone that holds it and does not except it.
//
// Built once, then only read: any thread. A name is compared with each zone from its label offsets, without a walk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "server/config/settings.hpp"
#include "zone/wire/name.hpp"
#include "zone/wire/query.hpp"

namespace signpost::server {

/// A lower-cased name with its label offsets: of a Query or a WireName.
struct LabelledName {
  std::span<const std::uint8_t> octets;
  const std::uint8_t* label_offset;
  std::size_t labels;

  LabelledName(const wire::Query& query)
      : octets(query.qname()), label_offset(query.label_offset.data()), labels(query.labels) {}
  LabelledName(const wire::WireName& name)
      : octets(name.span()), label_offset(name.label_offset.data()), labels(name.labels) {}

  /// Whether this is `zone` or below it.
  [[nodiscard]] bool within(const wire::WireName& zone) const noexcept;
};

class RouteTable {
public:
  /// Route `index` takes names below those of `zones` that are below `settings.from` (or below `from`, where that is
  /// below a zone), but those below settings.except. The error names what is no domain name or leaves nothing.
  [[nodiscard]] tl::expected<void, std::string> add(std::uint16_t index, const std::vector<std::string>& zones,
                                                    const ForwardSettings& settings);

  /// Names below `zone` take no route whatever add() said.
  [[nodiscard]] tl::expected<void, std::string> keep(const std::string& zone);

  [[nodiscard]] std::optional<std::uint16_t> find(const LabelledName& name) const noexcept;
  [[nodiscard]] bool kept(const LabelledName& name) const noexcept;

private:
  struct Entry {
    wire::WireName zone;
    std::uint16_t route;
  };
  std::vector<Entry> entries_;                       // longest zone first
  std::vector<std::vector<wire::WireName>> excepts_; // by route
  std::vector<wire::WireName> kept_;
};

} // namespace signpost::server
