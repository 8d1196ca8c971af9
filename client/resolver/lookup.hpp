// One lookup: the questions it takes, and the result made of their answers.
//
// Both address families are asked at once. Whichever comes first is enough: the other gets 50 ms more (RFC 8305 3), so
// that a server that never answers AAAA costs 50 ms and not the whole time. A named port asks SRV first; addresses of
// its targets are taken from the additional section, and asked for only where they are missing.
//
// A plain state machine like Exchange, of which it owns some. Not thread-safe; one thread owns it.
#pragma once

#include "client/resolver/exchange.hpp"

namespace signpost::resolver {

inline constexpr std::chrono::milliseconds resolution_delay{50};
/// SRV targets without an address in the reply that are asked for; more are left out.
inline constexpr std::size_t most_targets_asked = 16;

class Lookup {
public:
  Lookup(const Settings& settings, Watcher& watcher, Plan plan, Clock::time_point deadline);

  /// False: the descriptor is none of this lookup's.
  bool ready(int fd, bool readable, bool writable);
  void advance(Clock::time_point now);

  [[nodiscard]] bool done() const { return done_; }
  /// When advance() must be called again; never later than the deadline.
  [[nodiscard]] Clock::time_point next() const;
  [[nodiscard]] Clock::time_point deadline() const { return deadline_; }

  /// With done(): the result, once.
  [[nodiscard]] Result take() { return std::move(result_); }
  /// The result of a lookup that ends before its answer.
  [[nodiscard]] static Result failure(const std::string& name, Errc why);

private:
  struct Target {
    std::string name;
    std::uint16_t port = 0, priority = 0, weight = 0;
    std::uint32_t ttl = 0xffffffff;               // of its SRV record
    std::vector<std::unique_ptr<Exchange>> asked; // one for each family; reset once harvested
    std::vector<Endpoint> found;
  };

  void ask(Target& target);
  void harvest_services();
  void harvest(Target& target, const Exchange& exchange);
  void take_address(Target& target, Bytes message, const Record& record, std::uint32_t ttl) const;
  void conclude(bool partial, Errc otherwise);

  const Settings& settings_;
  Watcher& watcher_;
  Plan plan_;
  Clock::time_point deadline_, grace_ = Clock::time_point::max();
  std::unique_ptr<Exchange> services_; // SRV
  std::vector<Target> targets_;
  bool missing_ = false; // some answer was NXDOMAIN
  std::error_code trouble_;
  bool done_ = false;
  Result result_;
};

} // namespace signpost::resolver
