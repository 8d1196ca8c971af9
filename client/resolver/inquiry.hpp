// What the servers say about one name: its addresses, or the endpoints of one of its ports.
//
// Both address families are asked at once. Whichever comes first is enough: the other gets 50 ms more (RFC 8305 3), so
// that a server that never answers AAAA costs 50 ms and not the whole time. A port asks SRV first; addresses of its
// targets are taken from the additional section, else, where there are many, from the service's own addresses, else
// asked for one by one. Aliases are followed, within a reply and by asking again. What is known to be missing is said
// by `partial`.
//
// A plain state machine like Exchange, of which it owns some. Not thread-safe; one thread owns it.
#pragma once

#include <deque>
#include <set>

#include "client/resolver/exchange.hpp"

namespace signpost::resolver {

inline constexpr std::chrono::milliseconds resolution_delay{50};
/// Targets of SRV records that are asked for at one time.
inline constexpr std::size_t most_targets_asked = 16;
/// Links of one chain of aliases; longer ones count as leading nowhere.
inline constexpr std::size_t most_aliases = 64;

class Inquiry {
public:
  enum class Outcome : std::uint8_t {
    found,       // endpoints() has one or more
    nothing,     // the name exists, but not with what was asked for
    no_name,     // there is no such name
    contradicts, // one family says that there is no such name, the other that there is
    dead_alias,  // the name is an alias of a name that does not exist, or of itself
    failed,      // error() says why
  };

  /// `service`: "_http._tcp." to ask for a port, else empty. `port`: for each endpoint, where there is no service.
  Inquiry(const Settings& settings, Watcher& watcher, const std::string& service, std::string name, std::uint16_t port,
          Family family);

  /// False: the descriptor is none of this inquiry's.
  bool ready(int fd, bool readable, bool writable);
  /// `last`: no more time; it is done after this.
  void advance(Clock::time_point now, bool last);
  [[nodiscard]] Clock::time_point next() const;

  [[nodiscard]] bool done() const { return done_; }
  /// With done().
  [[nodiscard]] Outcome outcome() const;
  [[nodiscard]] std::error_code error() const { return trouble_; }
  [[nodiscard]] bool partial() const { return partial_; }
  [[nodiscard]] const std::string& canonical() const { return canonical_; }
  /// With done(), once.
  [[nodiscard]] std::vector<Endpoint> endpoints();

private:
  struct Target {
    std::string name;
    std::uint16_t port = 0, priority = 0, weight = 0;
    std::uint32_t ttl = 0xffffffff; // of its SRV record
    std::vector<Endpoint> found{};
    std::set<Address> seen{}; // addresses of `found`
    Clock::time_point grace = Clock::time_point::max();
  };
  // A name with a type, and where its aliases have led.
  struct Question {
    std::size_t target = 0;
    std::unique_ptr<Exchange> exchange;
    std::string name;
    std::uint32_t ttl = 0xffffffff;
    std::set<std::string> links{};
  };
  enum class Chain : std::uint8_t { ends, dead, ask_again };

  void ask(std::size_t target);
  void ask_waiting();
  [[nodiscard]] Chain follow(Question& question, bool has_answer);
  void harvest_services(Question& question);
  void add_services(const Question& question);
  void take_pool();
  void add_spare();
  void harvest(Question& question, Clock::time_point now);
  void take_address(Target& target, Bytes message, const Record& record, std::uint32_t ttl) const;
  void add(Target& target, Endpoint endpoint) const;

  const Settings& settings_;
  Watcher& watcher_;
  std::string name_;
  bool srv_;
  Family family_;
  std::vector<Question> questions_; // under way
  std::vector<Target> targets_;
  std::deque<std::size_t> waiting_; // targets to ask for
  std::optional<std::size_t> pool_; // the target that stands for the service itself, while it is asked for
  std::vector<Endpoint> spare_;     // the service's own addresses, where in_part_
  bool in_part_ = false;            // the SRV reply did not hold all records
  bool missing_ = false, exists_ = false, dead_alias_ = false, partial_ = false, done_ = false;
  std::error_code trouble_;
  std::string canonical_;
};

} // namespace signpost::resolver
