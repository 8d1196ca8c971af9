// Objects from files as a source: read at the start, and again when a file changes.
#include <malloc.h>
#include <sys/stat.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <tuple>

#include "server/log/log.hpp"
#include "server/source/publisher.hpp"
#include "server/source/source.hpp"

namespace signpost::server {

namespace {

/// What tells one state of a file from another; all zero: not there.
using Stamp = std::tuple<dev_t, ino_t, off_t, time_t, long>;

Stamp stamp(const std::string& file) {
  struct stat s {};
  if (stat(file.c_str(), &s) != 0) return {};
  return {s.st_dev, s.st_ino, s.st_size, s.st_mtim.tv_sec, s.st_mtim.tv_nsec};
}

class FilesSource final : public Source {
public:
  FilesSource(std::vector<std::string> files, zone::Zone& zone, objects::ObjectsStore* store)
      : files_(std::move(files)), zone_(zone), store_(store), publisher_(zone) {}

  ~FilesSource() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
  }

  tl::expected<void, std::string> start() override {
    stamps_ = stamps();
    digest_ = objects::digest(files_);
    const auto read = load();
    if (!read) return tl::make_unexpected(read.error());
    if (stamps() != stamps_) digest_.reset();
    if (read->skipped != 0)
      log::warning("source", "objects of kinds that DNS does not need were skipped",
                   {{"skipped", std::uint64_t{read->skipped}}});
    zone_.set_ready();
    thread_ = std::thread([this] { run(); });
    return {};
  }

  std::size_t services() const override { return publisher_.service_count(); }

private:
  std::vector<Stamp> stamps() const {
    std::vector<Stamp> all;
    for (const std::string& file : files_) all.push_back(stamp(file));
    return all;
  }

  /// Reads all files into a fresh catalog; only when they are sound does any of it count.
  tl::expected<objects::ReadSummary, std::string> load() {
    catalog::Catalog fresh;
    catalog::Changes unused;
    auto read = objects::read_files(files_, [&](model::Object&& object) {
      fresh.put(object, unused);
      unused.services.clear();
      unused.namespaces.clear();
    });
    if (!read) return read;
    publisher_.replace(std::move(fresh));
    publisher_.publish();
    return read;
  }

  void run() {
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, std::chrono::seconds(1), [this] { return stopping_; })) {
      lock.unlock();
      if (auto now = stamps(); now != stamps_) {
        stamps_ = std::move(now);
        reload();
      }
      lock.lock();
    }
  }

  void reload();

  std::vector<std::string> files_;
  zone::Zone& zone_;
  objects::ObjectsStore* store_;
  Publisher publisher_;
  std::vector<Stamp> stamps_;
  std::optional<std::uint64_t> digest_; // of what is served, if known
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false; // guarded by mutex_
};

void FilesSource::reload() {
  const std::optional<std::uint64_t> digest = objects::digest(files_);
  if (digest && digest == digest_) return; // new times, old contents
  const auto read = load();
  if (read) {
    // Of files that changed meanwhile nobody knows which contents the digest is of.
    digest_ = stamps() == stamps_ ? digest : std::nullopt;
    if (store_ != nullptr) store_->reloaded();
    log::info("source", "objects reloaded", {{"services", std::uint64_t{publisher_.service_count()}}});
  } else {
    log::warning("source", "the files have changed but cannot be read; the last state is served on",
                 {{"why", read.error()}});
  }
  malloc_trim(0); // what reading took and left free
}

} // namespace

std::unique_ptr<Source> follow_files(std::vector<std::string> files, zone::Zone& zone, objects::ObjectsStore* store) {
  return std::make_unique<FilesSource>(std::move(files), zone, store);
}

} // namespace signpost::server
