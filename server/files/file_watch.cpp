#include "server/files/file_watch.hpp"

#include <sys/stat.h>

#include <chrono>
#include <utility>

namespace signpost::server {

namespace {

constexpr auto interval = std::chrono::seconds(1);

} // namespace

FileWatch::FileWatch(std::vector<std::string> files) : files_(std::move(files)), stamps_(look()) {}

FileWatch::~FileWatch() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void FileWatch::start(std::function<void()> changed) {
  changed_ = std::move(changed);
  thread_ = std::thread([this] { run(); });
}

std::vector<FileWatch::Stamp> FileWatch::look() const {
  std::vector<Stamp> all;
  for (const std::string& file : files_) {
    struct stat s {};
    all.push_back(stat(file.c_str(), &s) == 0
                      ? Stamp{s.st_dev, s.st_ino, s.st_size, s.st_mtim.tv_sec, s.st_mtim.tv_nsec}
                      : Stamp{});
  }
  return all;
}

void FileWatch::run() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, interval, [this] { return stopping_; })) {
    lock.unlock();
    if (auto now = look(); now != stamps_) {
      stamps_ = std::move(now);
      changed_();
    }
    lock.lock();
  }
}

} // namespace signpost::server
