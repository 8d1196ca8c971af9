// One lookup: the readings of its name, tried until one is a name that exists.
//
// The next reading comes only after NXDOMAIN for the one before: a server that fails or is silent ends the lookup, for
// else an outage would send names of the cluster to strangers. Some readings are tried, or left out, by whether
// another name exists (a service of that name, a namespace), which is one question.
//
// A plain state machine like Inquiry, of which it owns one. Not thread-safe; one thread owns it.
#pragma once

#include "client/resolver/inquiry.hpp"

namespace signpost::resolver {

class Lookup {
public:
  /// `plan` has readings.
  Lookup(std::shared_ptr<const Settings> settings, Watcher& watcher, Plan plan, Clock::time_point deadline);

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
  /// The result of a plan without readings: an address, or a name that is not asked for.
  [[nodiscard]] static Result known(const Plan& plan);

private:
  // What existence_ decides.
  enum class Doubt : std::uint8_t { only_if, unless, port };

  void begin();
  void begin_inquiry();
  void doubt(Doubt what, const std::string& name);
  void resolve_doubt();
  void take_inquiry();
  void next_reading();
  void conclude(std::error_code error);

  std::shared_ptr<const Settings> settings_;
  Watcher& watcher_;
  Plan plan_;
  Clock::time_point deadline_;
  std::size_t at_ = 0; // reading
  std::unique_ptr<Inquiry> inquiry_;
  std::unique_ptr<Exchange> existence_;
  Doubt doubt_ = Doubt::only_if;
  bool done_ = false;
  Result result_;
};

} // namespace signpost::resolver
