// Objects from files as a source: read at the start, and again when a file changes.
#include <malloc.h>

#include <optional>

#include "server/files/file_watch.hpp"
#include "server/log/log.hpp"
#include "server/source/publisher.hpp"
#include "server/source/source.hpp"

namespace signpost::server {

namespace {

class FilesSource final : public Source {
public:
  FilesSource(std::vector<std::string> files, zone::Zone& zone, objects::ObjectsStore* store)
      : files_(std::move(files)), zone_(zone), store_(store), publisher_(zone), watch_(files_) {}

  tl::expected<void, std::string> start() override {
    digest_ = objects::digest(files_);
    const auto read = load(objects::Readable::anything);
    if (!read) return tl::make_unexpected(read.error());
    if (!watch_.still()) digest_.reset();
    if (read->skipped != 0)
      log::warning("source", "objects of kinds that DNS does not need were skipped",
                   {{"skipped", std::uint64_t{read->skipped}}});
    zone_.set_ready();
    watch_.start([this] { reload(); });
    return {};
  }

  std::size_t services() const override { return publisher_.service_count(); }

private:
  /// Reads all files into a fresh catalog; only when they are sound does any of it count.
  tl::expected<objects::ReadSummary, std::string> load(objects::Readable readable) {
    catalog::Catalog fresh;
    catalog::Changes unused;
    auto read = objects::read_files(
        files_,
        [&](model::Object&& object) {
          fresh.put(object, unused);
          unused.services.clear();
          unused.namespaces.clear();
        },
        readable);
    if (!read) return read;
    publisher_.replace(std::move(fresh));
    publisher_.publish();
    return read;
  }

  void reload();

  std::vector<std::string> files_;
  zone::Zone& zone_;
  objects::ObjectsStore* store_;
  Publisher publisher_;
  std::optional<std::uint64_t> digest_; // of what is served, if known
  FileWatch watch_;                     // last: its thread uses the others
};

void FilesSource::reload() {
  const std::optional<std::uint64_t> digest = objects::digest(files_);
  if (digest && digest == digest_) return; // new times, old contents
  const auto read = load(objects::Readable::regular_file);
  if (read) {
    // Of files that changed meanwhile nobody knows which contents the digest is of.
    digest_ = watch_.still() ? digest : std::nullopt;
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
