// The upstreams of a route that stand in files which others write (resolv.conf): read, and followed.
//
// A file is never fatal: what cannot be used is told once and passed over, a server that is ourselves is left out, and
// a file that names nobody, as one that is being written, keeps what it said before.
//
// Threads: made, read and started by one thread; from then on the watch's own does the rest, until the destructor has
// waited for it.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "server/config/settings.hpp"
#include "server/files/file_watch.hpp"

namespace signpost::server {

class UpstreamFiles {
public:
  using Tell = std::function<void(std::string_view)>;

  /// `own`: where we listen. `tell` may be null.
  UpstreamFiles(const ForwardSettings& settings, std::vector<Endpoint> own, Tell tell);

  /// The upstreams of the route now, in the order of its words, each once, at most max_upstreams.
  [[nodiscard]] std::vector<Endpoint> read();

  /// Calls `changed` with read() whenever a file has changed and that is another list than before.
  void start(std::function<void(std::vector<Endpoint>)> changed);

private:
  struct File {
    std::string path;
    std::size_t before; // its servers stand before settings.upstreams[before]
    std::vector<Endpoint> servers;
  };

  void read(File& file, std::set<std::string>& problems);

  std::vector<Endpoint> written_;
  std::vector<File> files_;
  std::vector<Endpoint> own_;
  Tell tell_;
  std::set<std::string> told_; // as long as they are true
  std::vector<Endpoint> last_;
  FileWatch watch_; // last: its thread uses the others
};

} // namespace signpost::server
