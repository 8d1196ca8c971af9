// Objects from files as a source: read at the start, and again when a file changes.
#include <malloc.h>
#include <sys/stat.h>

#include <condition_variable>
#include <mutex>
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
    if (auto read = load(); !read) return read;
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

  tl::expected<void, std::string> load() {
    const auto read = objects::read_files(
        files_, [this](model::Object&& object) { publisher_.catalog().put(object, publisher_.changes()); });
    if (!read) return tl::make_unexpected(read.error());
    publisher_.publish();
    if (read->skipped != 0)
      log::warning("source", "objects of kinds that DNS does not need were skipped",
                   {{"skipped", std::uint64_t{read->skipped}}});
    return {};
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
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false; // guarded by mutex_
};

void FilesSource::reload() {
  // The new contents are read in whole, then once to see that they are sound, before any of them counts: a file that is
  // being written changes nothing. Objects would take five times the memory of their text.
  const auto texts = objects::read_texts(files_);
  const auto sound = texts ? objects::read_objects(*texts, [](model::Object&&) {})
                           : tl::expected<objects::ReadSummary, std::string>(tl::unexpect, texts.error());
  if (!sound) {
    log::warning("source", "the files have changed but cannot be read; the last state is served on",
                 {{"why", sound.error()}});
    return;
  }
  publisher_.catalog().begin_replace();
  (void)objects::read_objects(
      *texts, [this](model::Object&& object) { publisher_.catalog().put(object, publisher_.changes()); });
  publisher_.catalog().end_replace(publisher_.changes());
  publisher_.publish();
  if (store_ != nullptr) store_->reloaded();
  malloc_trim(0); // what reading took and left free
  log::info("source", "objects reloaded", {{"services", std::uint64_t{publisher_.service_count()}}});
}

} // namespace

std::unique_ptr<Source> follow_files(std::vector<std::string> files, zone::Zone& zone, objects::ObjectsStore* store) {
  return std::make_unique<FilesSource>(std::move(files), zone, store);
}

} // namespace signpost::server
