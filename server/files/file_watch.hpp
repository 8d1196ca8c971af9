// Files that others write, looked at once a second: whoever reads them hears when they are not what they were.
//
//   FileWatch watch({"/etc/resolv.conf"});
//   read();                                // what changes from the look above on is noticed
//   watch.start([&] { read(); });
//
// By their status, not by inotify: that follows links and replaced files, and works on every file system. A file that
// is not there is a state as any other.
//
// Threads: made, started and stopped by one thread; `changed` runs on the watch's own, one call at a time.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <ctime>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

namespace signpost::server {

class FileWatch {
public:
  /// Looks at the files for the first time.
  explicit FileWatch(std::vector<std::string> files);
  /// Waits for a call that is under way.
  ~FileWatch();
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;

  /// Calls `changed`, which does not throw, after every look that finds another state than the one before. Once.
  void start(std::function<void()> changed);

  /// Whether the files still are what they were at the last look. Before start(), and within `changed`.
  [[nodiscard]] bool still() const { return look() == stamps_; }

private:
  /// What tells one state of a file from another; all zero: not there.
  using Stamp = std::tuple<dev_t, ino_t, off_t, time_t, long>;

  [[nodiscard]] std::vector<Stamp> look() const;
  void run();

  const std::vector<std::string> files_;
  std::vector<Stamp> stamps_; // of the last look
  std::function<void()> changed_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false; // guarded by mutex_
  std::thread thread_;
};

} // namespace signpost::server
