// The registry's store as a source: everything at one revision, then every batch after it.
#include <condition_variable>
#include <deque>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "discovery/model/json.hpp"
#include "discovery/registry/registry.hpp"
#include "server/log/log.hpp"
#include "server/source/publisher.hpp"
#include "server/source/source.hpp"

namespace signpost::server {

namespace {

constexpr model::Kind followed[] = {model::Kind::name_space, model::Kind::service, model::Kind::endpoint_slice};
constexpr std::size_t page = 1000; // entries read at once: bounds the memory of the start

class StoreSource final : public Source {
public:
  StoreSource(store::Store& store, zone::Zone& zone) : store_(store), zone_(zone), publisher_(zone) {}

  ~StoreSource() override {
    watch_.reset();
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
  }

  tl::expected<void, std::string> start() override {
    const auto revision = load();
    if (!revision) return tl::make_unexpected(revision.error());
    publisher_.publish();
    zone_.set_ready();
    auto watch = store_.watch({"/registry/", store::prefix_end("/registry/"), *revision},
                              [this](const std::shared_ptr<const store::Batch>& batch) { post(batch); });
    if (!watch) return tl::make_unexpected("the registry cannot be watched: " + watch.error().message);
    watch_ = std::move(*watch);
    thread_ = std::thread([this] { run(); });
    return {};
  }

  std::size_t services() const override { return publisher_.service_count(); }

private:
  tl::expected<store::Revision, std::string> load() {
    store::Revision revision = store_.revision();
    for (const model::Kind kind : followed) {
      const std::string prefix = registry::object_prefix(kind, {});
      store::RangeRequest request{prefix, store::prefix_end(prefix), revision, page};
      while (true) {
        const auto range = store_.range(request);
        if (!range) return tl::make_unexpected("the registry cannot be read: " + range.error().message);
        for (const store::Entry& entry : range->entries) put(kind, *entry.value);
        if (!range->more) break;
        request.begin = range->entries.back().key + '\0';
      }
    }
    return revision;
  }

  void put(model::Kind kind, const std::string& text) {
    const auto json = model::parse_json(text);
    const auto object = json ? model::decode_object(kind, *json)
                             : tl::expected<model::Object, model::DecodeError>(tl::unexpect, json.error());
    if (object)
      publisher_.catalog().put(*object, publisher_.changes());
    else
      log::error("source", "a stored object cannot be read and is not served", {{"why", object.error().message}});
  }

  void post(const std::shared_ptr<const store::Batch>& batch) {
    if (!batch) return;
    {
      const std::lock_guard lock(mutex_);
      queue_.push_back(batch);
    }
    wake_.notify_one();
  }

  void run() {
    std::deque<std::shared_ptr<const store::Batch>> batches;
    while (true) {
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        if (stopping_) return;
        batches.swap(queue_);
      }
      for (const auto& batch : batches)
        for (const store::Change& change : batch->changes) apply(change);
      batches.clear();
      publisher_.publish();
    }
  }

  void apply(const store::Change& change) {
    const auto named = registry::parse_object_key(followed, change.entry.key);
    if (!named) return;
    if (change.entry.value)
      put(named->kind, *change.entry.value);
    else
      publisher_.catalog().erase(named->kind, named->name_space, named->name, publisher_.changes());
  }

  store::Store& store_;
  zone::Zone& zone_;
  Publisher publisher_;
  std::unique_ptr<store::Watch> watch_;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::shared_ptr<const store::Batch>> queue_; // guarded by mutex_
  bool stopping_ = false;                                 // guarded by mutex_
};

} // namespace

std::unique_ptr<Source> follow_store(store::Store& store, zone::Zone& zone) {
  return std::make_unique<StoreSource>(store, zone);
}

} // namespace signpost::server
