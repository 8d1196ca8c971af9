#include "discovery/objects/objects_store.hpp"

#include <fcntl.h>
#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>

#include "discovery/model/manifest.hpp"
#include "discovery/registry/registry.hpp"

namespace signpost::objects {

namespace {

bool in_range(const std::string& key, const store::RangeRequest& request) {
  if (request.end.empty()) return key == request.begin;
  return key >= request.begin && key < request.end;
}

} // namespace

tl::expected<ReadSummary, std::string> read_files(const std::vector<std::string>& files,
                                                  const std::function<void(model::Object&&)>& each, Readable readable) {
  ReadSummary summary;
  for (const std::string& file : files) {
    struct stat status {};
    if (readable == Readable::regular_file && stat(file.c_str(), &status) == 0 && !S_ISREG(status.st_mode))
      return tl::make_unexpected(file + ": is no file; put one in its place");
    const auto fail = [&file](const std::string& why) {
      return tl::make_unexpected(model::ManifestError{file + ": " + why});
    };
    const auto read =
        model::read_manifest_file(file, [&](model::Json&& json) -> tl::expected<void, model::ManifestError> {
          if (!json.is_object()) return fail("an object was expected; see `kubectl get -o yaml`");
          const model::KindInfo* kind =
              model::find_kind(model::text_member(json, "apiVersion"), model::text_member(json, "kind"));
          if (kind == nullptr) {
            ++summary.skipped;
            return {};
          }
          auto object = model::decode_object(kind->kind, json);
          if (!object) return fail(std::string(kind->name) + ": " + object.error().message);
          model::ObjectMeta& metadata = model::metadata(*object);
          if (metadata.name.empty()) return fail("a " + std::string(kind->name) + " has no metadata.name; give it one");
          if (kind->namespaced && metadata.name_space.empty()) metadata.name_space = "default";
          if (!kind->namespaced) metadata.name_space.clear();
          ++summary.objects;
          each(std::move(*object));
          return {};
        });
    if (!read) return tl::make_unexpected(read.error().message);
    // What whoever writes it has just cut off would count as "nothing exists any more".
    if (*read == 0)
      return tl::make_unexpected(file + ": there is nothing in it; write \"{apiVersion: v1, kind: List, items: []}\" "
                                        "if nothing is meant");
  }
  return summary;
}

namespace {

/// `so_far` with the contents of a regular file; nullopt: it is none, or cannot be read.
std::optional<std::uint64_t> add_contents(std::uint64_t so_far, const std::string& file) {
  const int descriptor = open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return std::nullopt;
  struct stat status {};
  bool sound = fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
  std::vector<char> buffer(sizeof so_far + 64 * 1024); // the digest so far, then the next piece
  while (sound) {
    std::memcpy(buffer.data(), &so_far, sizeof so_far);
    const ssize_t got = read(descriptor, buffer.data() + sizeof so_far, buffer.size() - sizeof so_far);
    if (got < 0 && errno == EINTR) continue;
    sound = got >= 0;
    // The end counts too, as an empty piece: contents that move from one file to the next are others.
    so_far = std::hash<std::string_view>()(
        {buffer.data(), sizeof so_far + static_cast<std::size_t>(std::max<ssize_t>(got, 0))});
    if (got <= 0) break;
  }
  close(descriptor);
  return sound ? std::optional(so_far) : std::nullopt;
}

} // namespace

std::optional<std::uint64_t> digest(const std::vector<std::string>& files) {
  std::optional<std::uint64_t> all = 0;
  for (const std::string& file : files)
    if (all) all = add_contents(*all, file);
  return all;
}

namespace {

/// What was read for a page and those behind it ask for, until the last of them: else a list in n pages would read the
/// files n times. Thread-safe.
class PagesUnderWay {
public:
  using Entries = std::shared_ptr<const std::vector<store::Entry>>;

  /// nullptr: they have to be read.
  Entries find(const store::RangeRequest& request, store::Revision now) {
    const std::lock_guard lock(mutex_);
    forget(now);
    for (Reading& reading : readings_)
      if (reading.end == request.end && reading.begin <= request.begin) {
        reading.used = Clock::now();
        return reading.entries;
      }
    return nullptr;
  }

  void keep(const store::RangeRequest& request, store::Revision now, Entries entries) {
    const std::lock_guard lock(mutex_);
    forget(now);
    if (readings_.size() == most) readings_.erase(readings_.begin());
    readings_.push_back({request.begin, request.end, now, Clock::now(), std::move(entries)});
  }

  /// The last page has been given.
  void end(const store::RangeRequest& request) {
    const std::lock_guard lock(mutex_);
    std::erase_if(readings_, [&](const Reading& one) { return one.end == request.end && one.begin <= request.begin; });
  }

private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t most = 4; // lists at a time
  static constexpr auto patience = std::chrono::seconds(10);

  struct Reading {
    std::string begin, end;
    store::Revision revision;
    Clock::time_point used;
    Entries entries;
  };

  void forget(store::Revision now) {
    std::erase_if(readings_,
                  [&](const Reading& one) { return one.revision != now || Clock::now() - one.used > patience; });
  }

  std::mutex mutex_;
  std::vector<Reading> readings_;
};

} // namespace

struct ObjectsStore::State {
  struct Watcher final : store::Watch {
    std::weak_ptr<State> state;
    store::WatchCallback callback;
    ~Watcher() override {
      if (const auto owner = state.lock()) {
        const std::lock_guard lock(owner->mutex);
        std::erase(owner->watchers, this);
      }
    }
  };

  std::vector<std::string> files;
  std::recursive_mutex mutex; // a callback may end its own watch
  std::vector<Watcher*> watchers;
  std::atomic<store::Revision> revision{1};
  PagesUnderWay pages;
};

ObjectsStore::ObjectsStore(std::vector<std::string> files) : state_(std::make_shared<State>()) {
  state_->files = std::move(files);
}

ObjectsStore::~ObjectsStore() = default;

void ObjectsStore::reloaded() {
  const std::lock_guard lock(state_->mutex);
  state_->revision.fetch_add(1, std::memory_order_relaxed);
  const std::vector<State::Watcher*> ended = std::exchange(state_->watchers, {});
  for (State::Watcher* watcher : ended) watcher->callback(nullptr);
}

namespace {

tl::expected<std::vector<store::Entry>, std::string>
read_range(const std::vector<std::string>& files, const store::RangeRequest& request, store::Revision now) {
  std::vector<store::Entry> entries;
  const auto read = read_files(
      files,
      [&](model::Object&& object) {
        const model::ObjectMeta& metadata = model::metadata(object);
        std::string key = registry::object_key(model::kind_of(object), metadata.name_space, metadata.name);
        if (!in_range(key, request)) return;
        model::metadata(object).resource_version.clear();
        entries.push_back({std::move(key), std::make_shared<const std::string>(model::encode(object)), now, now});
      },
      Readable::regular_file);
  if (!read) return tl::make_unexpected(read.error());
  std::stable_sort(entries.begin(), entries.end(),
                   [](const store::Entry& a, const store::Entry& b) { return a.key < b.key; });
  // An object that stands in the files twice counts as it stands last.
  const auto last_of_each = std::unique(entries.rbegin(), entries.rend(),
                                        [](const store::Entry& a, const store::Entry& b) { return a.key == b.key; });
  entries.erase(entries.begin(), last_of_each.base());
  return entries;
}

store::RangeResult page_of(const std::vector<store::Entry>& entries, const store::RangeRequest& request) {
  const auto first =
      std::lower_bound(entries.begin(), entries.end(), request.begin,
                       [](const store::Entry& entry, const std::string& key) { return entry.key < key; });
  store::RangeResult result;
  result.total = static_cast<std::size_t>(entries.end() - first);
  std::size_t bytes = 0;
  for (auto entry = first; entry != entries.end(); ++entry) {
    if ((request.limit != 0 && result.entries.size() == request.limit) ||
        (request.bytes != 0 && bytes >= request.bytes)) {
      result.more = true;
      break;
    }
    bytes += entry->value->size();
    result.entries.push_back(*entry);
  }
  return result;
}

} // namespace

store::Result<store::RangeResult> ObjectsStore::range(const store::RangeRequest& request) {
  const store::Revision now = state_->revision.load(std::memory_order_relaxed);
  if (request.revision != 0 && request.revision < now)
    return tl::make_unexpected(store::Error{store::Failure::compacted, "the files have changed since; list again"});
  if (request.revision > now)
    return tl::make_unexpected(store::Error{store::Failure::future, "there is no such revision yet"});

  const bool paged = !request.end.empty() && (request.limit != 0 || request.bytes != 0);
  PagesUnderWay::Entries entries = paged ? state_->pages.find(request, now) : nullptr;
  const bool fresh = entries == nullptr;
  if (fresh) {
    auto read = read_range(state_->files, request, now);
    if (!read) return tl::make_unexpected(store::Error{store::Failure::unavailable, read.error()});
    entries = std::make_shared<const std::vector<store::Entry>>(std::move(*read));
  }
  store::RangeResult result = page_of(*entries, request);
  result.revision = now;
  if (paged && result.more) {
    if (fresh) state_->pages.keep(request, now, std::move(entries));
  } else if (paged) {
    entries.reset();
    if (!fresh) state_->pages.end(request);
    malloc_trim(0); // a page is a small part of what was read for it
  }
  return result;
}

void ObjectsStore::transact(store::Transaction, std::function<void(store::Result<store::TransactionResult>)> done) {
  done(tl::make_unexpected(store::Error{store::Failure::unavailable, "objects from files cannot be written"}));
}

store::Result<std::unique_ptr<store::Watch>> ObjectsStore::watch(const store::WatchRequest& request,
                                                                 store::WatchCallback callback) {
  const std::lock_guard lock(state_->mutex);
  if (request.after < state_->revision.load(std::memory_order_relaxed))
    return tl::make_unexpected(store::Error{store::Failure::compacted, "the files have changed since; list again"});
  auto watcher = std::make_unique<State::Watcher>();
  watcher->state = state_;
  watcher->callback = std::move(callback);
  state_->watchers.push_back(watcher.get());
  return watcher;
}

store::Revision ObjectsStore::revision() const { return state_->revision.load(std::memory_order_relaxed); }
store::Revision ObjectsStore::compacted() const { return revision() - 1; }

} // namespace signpost::objects
