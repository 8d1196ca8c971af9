// Options, environment and resolv.conf made into what an engine runs with.
//
// Options and environment are read once and may be wrong, which is an error. resolv.conf belongs to others and is
// followed: before each lookup its state is looked at (one stat(2)), and a change makes new settings for that lookup
// and later ones. It is never an error; where it names no server any more, the servers it named before are kept, for
// most likely it is being written.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <sys/stat.h>
#include <vector>

#include "client/resolver/resolv_conf.hpp"

namespace signpost::resolver {

inline constexpr unsigned most_tries = 8;

struct Settings {
  std::vector<Server> servers; // 1 … most_servers
  Home home;
  std::chrono::milliseconds timeout{5000};
  unsigned tries = 4;
  std::string error;              // empty: usable
  std::vector<std::string> notes; // on resolv.conf: what was left out, a sentence each
};

/// Any thread may call current().
class SettingsSource {
public:
  /// Reads the environment and the file.
  explicit SettingsSource(Options options);

  [[nodiscard]] std::shared_ptr<const Settings> current();

private:
  struct Seen {
    dev_t device = 0;
    ino_t inode = 0; // 0: there is no file
    off_t size = 0;
    std::chrono::nanoseconds modified{0}, changed{0};
    bool operator==(const Seen&) const = default;
  };
  [[nodiscard]] Seen look() const;
  [[nodiscard]] Settings settle(const Settings* before) const;

  const Options options_;
  const std::string dns_, name_space_, cluster_domain_; // of the environment
  std::mutex mutex_;
  std::shared_ptr<const Settings> current_;
  Seen seen_;
  bool fresh_ = false; // read so soon after its last change that the next one may show the same times
};

/// What a client that is opened now runs with.
[[nodiscard]] Settings settle(const Options& options);

} // namespace signpost::resolver
