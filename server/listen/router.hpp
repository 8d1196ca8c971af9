// Which server block answers a name: the longest zone wins, as in CoreDNS; no block at all is REFUSED.
//
// Built once per listening address and never changed. UDP workers and the TCP loop ask it for every query, so both
// answer alike (serve.hpp); forwarding asks it again where an alias leads to another name (alias_chain.hpp).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "server/forward/aliases.hpp"
#include "server/forward/outside.hpp"
#include "zone/authority/special.hpp"
#include "zone/zone.hpp"

namespace signpost::server {

class QueryLog; // log/query_log.hpp

/// One server block as a listening address sees it. What is pointed to outlives the listener's threads.
struct BlockRoute {
  std::vector<std::string> zones;   // names at or below these, as ServerBlock::zones_on() gives them
  const zone::Zone* zone = nullptr; // answers its own origins; null: the block has no source
  Outside* outside = nullptr;       // answers the block's other names; null: REFUSED
  bool stays_here = false;          // `outside` asks nobody but servers of this machine
  bool keeps_private = false;       // reverse names of private addresses do not leave this address
  std::vector<std::string> falls;   // zones whose names others are asked for where `zone` does not know them
  QueryLog* log = nullptr;          // gets every query of the block; null: none
  std::string nsid;                 // told to whoever asks for it; empty: nothing
};

class Router final : public Aliases {
public:
  explicit Router(std::vector<BlockRoute> routes);
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  /// The block of a lower-cased name in wire form; null: none. A malformed name has none.
  [[nodiscard]] const BlockRoute* find(std::span<const std::uint8_t> name) const noexcept;

  /// Who is asked for a name that its block's zone denied, and leaves to others: the block itself, or the next longer
  /// way to the root that forwards it. Null: nobody.
  [[nodiscard]] Outside* beyond(std::span<const std::uint8_t> name) const noexcept;

  /// The special zone that this name is in, unless a block here is for that zone or one below it, or leaves such a name
  /// on this machine. Null: none.
  [[nodiscard]] const zone::SpecialZone* special(std::span<const std::uint8_t> name) const noexcept;

  /// The block whose zone may be asked before find(), since nothing below its origins belongs to another block. Null:
  /// there is none.
  [[nodiscard]] const BlockRoute* first() const noexcept { return first_; }

  /// Whether any block here has a log.
  [[nodiscard]] bool logs() const noexcept { return logs_; }

  /// Whether any block here forwards: clients are told by RA, in every reply.
  [[nodiscard]] bool forwards() const noexcept { return forwards_; }

  void follow(Question question) const noexcept override;
  void go_on(Question question, const AnswerView& answer, std::uint32_t age) const noexcept override;

private:
  struct Suffix {
    std::vector<std::uint8_t> name; // wire form, lower case
    std::size_t labels = 0;
    const BlockRoute* route = nullptr;
    std::vector<std::vector<std::uint8_t>> falls; // of the route, in wire form
  };
  /// Calls see(Suffix) for those that a name ends in, the longest first, until it returns false.
  template <class See>
  void each_suffix(std::span<const std::uint8_t> name, See&& see) const noexcept;

  std::vector<BlockRoute> routes_;
  std::vector<Suffix> suffixes_; // most labels first
  const BlockRoute* first_ = nullptr;
  bool logs_ = false, forwards_ = false, keeps_private_ = false;
};

} // namespace signpost::server
