#include "discovery/endpoints/endpoints_controller.hpp"

#include <atomic>
#include <chrono>
#include <deque>
#include <mutex>
#include <thread>

#include "discovery/endpoints/cluster_index.hpp"
#include "discovery/endpoints/slice_plan.hpp"
#include "discovery/store/follower.hpp"

namespace signpost::endpoints {
namespace {

using Clock = store::Follower::Clock;
using model::Kind;
using model::ServiceKey;

constexpr std::size_t most_passes = 64; // at once: enough to share the store's commits
constexpr auto first_wait = std::chrono::milliseconds(10);
constexpr auto longest_wait = std::chrono::seconds(60);

/// What a pass has written.
struct Written {
  std::string slice;
  store::Revision revision = 0; // 0: deleted
};

/// The writes of one pass, until the last one is answered.
struct Pass {
  explicit Pass(ServiceKey the_key) : key(std::move(the_key)) {}

  const ServiceKey key;
  std::mutex mutex;
  std::size_t open = 1; // writes without an answer, and the pass itself
  bool failed = false;
  std::vector<Written> written;
};

} // namespace

struct EndpointsController::State : std::enable_shared_from_this<State> {
  State(store::Store& the_store, registry::Registry& the_registry)
      : store(the_store), registry(the_registry), follower(the_store) {}

  store::Store& store;
  registry::Registry& registry;
  std::atomic<std::uint64_t> passes{0}, writes{0}, failures{0};

  store::Follower follower;
  std::mutex mutex;
  std::vector<std::shared_ptr<Pass>> finished; // guarded by mutex

  // The thread's own.
  ClusterIndex index;
  std::deque<ServiceKey> ready; // for a pass
  std::set<ServiceKey> queued;  // what is in `ready`
  std::multimap<Clock::time_point, ServiceKey> waiting;
  std::map<ServiceKey, int> failed; // passes in a row
  std::set<ServiceKey> busy;        // a pass has writes without an answer
  std::set<ServiceKey> again;       // of those: something came in meanwhile
  std::thread thread;

  tl::expected<void, std::string> load();
  void run();
  std::optional<Clock::time_point> next_work(bool unread) const;
  void take(const store::Batch& batch);
  void take(Pass& pass);
  void enqueue(const ServiceKey& key);
  void start_passes();
  void make_pass(const ServiceKey& key);

  bool select(const std::optional<model::Service>& service, const std::shared_ptr<Pass>& pass);
  bool mirror(const std::optional<model::Service>& service, const std::shared_ptr<Pass>& pass);
  template <class T>
  registry::Result<std::optional<T>> read(Kind kind, const ServiceKey& key, store::Revision* revision = nullptr);
  /// The controller's slices of the service, of one writer; false: they cannot be read.
  bool read_slices(const ServiceKey& key, std::string_view writer, std::vector<ExistingSlice>& slices);

  void carry_out(SlicePlan plan, const std::shared_ptr<Pass>& pass);
  void answered(const std::shared_ptr<Pass>& pass, std::optional<Written> written);
};

tl::expected<void, std::string> EndpointsController::State::load() {
  index = {};
  std::vector<std::string> prefixes;
  for (const Kind kind : ClusterIndex::kinds) prefixes.push_back(registry::object_prefix(kind, {}));
  std::set<ServiceKey> concerned;
  const auto started =
      follower.start(prefixes, "/registry/", [&](const store::Change& change) { index.apply(change, concerned); });
  for (const ServiceKey& key : concerned) enqueue(key);
  if (!started) return tl::unexpected("the registry cannot be read: " + started.error().message);
  return {};
}

void EndpointsController::State::run() {
  bool unread = false; // load() failed
  while (true) {
    const store::Follower::News news = follower.wait(next_work(unread));
    if (news.stopped) return;
    std::vector<std::shared_ptr<Pass>> done;
    {
      const std::lock_guard lock(mutex);
      done.swap(finished);
    }
    // Before the news: a pass that is over knows its slices' revisions, so that they are no news.
    for (const auto& pass : done) take(*pass);
    for (const auto& batch : news.batches) take(*batch);
    if (news.lost || unread) unread = !load();
    while (!waiting.empty() && waiting.begin()->first <= Clock::now()) {
      const ServiceKey key = waiting.begin()->second;
      waiting.erase(waiting.begin());
      enqueue(key);
    }
    start_passes();
  }
}

/// nullopt: only news or the end of a pass give something to do.
std::optional<Clock::time_point> EndpointsController::State::next_work(bool unread) const {
  if (!ready.empty() && busy.size() < most_passes) return Clock::now();
  std::optional<Clock::time_point> next;
  if (!waiting.empty()) next = waiting.begin()->first;
  if (unread) next = std::min(next.value_or(Clock::time_point::max()), Clock::now() + std::chrono::seconds(1));
  return next;
}

void EndpointsController::State::take(const store::Batch& batch) {
  std::set<ServiceKey> concerned;
  for (const store::Change& change : batch.changes) index.apply(change, concerned);
  for (const ServiceKey& key : concerned) enqueue(key);
}

void EndpointsController::State::take(Pass& pass) {
  for (const Written& one : pass.written) index.wrote(pass.key, one.slice, one.revision);
  busy.erase(pass.key);
  if (pass.failed) {
    failures.fetch_add(1, std::memory_order_relaxed);
    const int count = std::min(++failed[pass.key], 20);
    const auto wait = std::min<Clock::duration>(first_wait * (1 << (count - 1)), longest_wait);
    waiting.emplace(Clock::now() + wait, pass.key);
  } else {
    failed.erase(pass.key);
  }
  if (again.erase(pass.key) != 0) enqueue(pass.key);
}

void EndpointsController::State::enqueue(const ServiceKey& key) {
  if (queued.insert(key).second) ready.push_back(key);
}

void EndpointsController::State::start_passes() {
  // Those that only look are over at once and never busy: so many at a time, then the news again.
  for (std::size_t i = 0; i < most_passes && !ready.empty() && busy.size() < most_passes; ++i) {
    const ServiceKey key = std::move(ready.front());
    ready.pop_front();
    queued.erase(key);
    if (busy.contains(key)) {
      again.insert(key);
    } else {
      make_pass(key);
    }
  }
}

template <class T>
registry::Result<std::optional<T>> EndpointsController::State::read(Kind kind, const ServiceKey& key,
                                                                    store::Revision* revision) {
  const auto found = store.range({.begin = registry::object_key(kind, key.name_space, key.name), .end = {}});
  if (!found) return tl::unexpected(registry::internal_error(found.error().message));
  if (found->entries.empty()) return std::nullopt;
  auto object = registry::decode_stored(kind, found->entries.front());
  if (!object) return tl::unexpected(std::move(object.error()));
  if (revision != nullptr) *revision = found->entries.front().modified;
  return std::get<T>(std::move(*object));
}

void EndpointsController::State::make_pass(const ServiceKey& key) {
  passes.fetch_add(1, std::memory_order_relaxed);
  const auto pass = std::make_shared<Pass>(key);
  busy.insert(key);
  const auto service = read<model::Service>(Kind::service, key);
  if (!service || !select(*service, pass) || !mirror(*service, pass)) {
    const std::lock_guard lock(pass->mutex);
    pass->failed = true;
  }
  answered(pass, std::nullopt);
}

bool EndpointsController::State::select(const std::optional<model::Service>& service,
                                        const std::shared_ptr<Pass>& pass) {
  // A service that lost its selector keeps its slices: somebody means to care for them.
  if (service && (service->spec.selector.empty() || service->spec.type == "ExternalName")) return true;
  std::vector<ExistingSlice> existing;
  if (!read_slices(pass->key, selecting_writer, existing)) return false;
  DesiredSlices desired;
  if (service) {
    const auto pods = index.pods(pass->key.name_space, service->spec.selector);
    desired = select_endpoints(*service, pods, [this](const std::string& node) { return index.zone_of(node); });
  }
  carry_out(plan_slices(desired, std::move(existing)), pass);
  return true;
}

bool EndpointsController::State::mirror(const std::optional<model::Service>& service,
                                        const std::shared_ptr<Pass>& pass) {
  std::vector<ExistingSlice> existing;
  if (!read_slices(pass->key, mirroring_writer, existing)) return false;
  DesiredSlices desired;
  if (service && index.has_endpoints(pass->key)) {
    store::Revision revision = 0;
    const auto endpoints = read<model::Endpoints>(Kind::endpoints, pass->key, &revision);
    if (!endpoints) return false;
    const bool selected = !service->spec.selector.empty();
    if (*endpoints && !selected && !wants_no_mirror((*endpoints)->metadata)) desired = mirror_slices(**endpoints);
    // Where the selector says what the endpoints are, nobody else does.
    if (*endpoints && selected && service->spec.type != "ExternalName" && !wants_no_mirror((*endpoints)->metadata)) {
      model::DeleteOptions options;
      options.precondition_resource_version = std::to_string(revision);
      registry.remove(Kind::endpoints, pass->key.name_space, pass->key.name, std::move(options), false,
                      [](const auto&) {}); // if it was changed meanwhile, that is a pass of its own
    }
  }
  carry_out(plan_slices(desired, std::move(existing)), pass);
  return true;
}

bool EndpointsController::State::read_slices(const ServiceKey& key, std::string_view writer,
                                             std::vector<ExistingSlice>& slices) {
  for (const std::string& name : index.slices(key)) {
    store::Revision revision = 0;
    auto slice = read<model::EndpointSlice>(Kind::endpoint_slice, {key.name_space, name}, &revision);
    if (!slice) return false;
    if (!*slice) continue;
    const auto& labels = (*slice)->metadata.labels;
    const auto is = [&](const char* label, std::string_view value) {
      const auto found = labels.find(label);
      return found != labels.end() && found->second == value;
    };
    if (is(managed_by_label, writer) && is(model::service_name_label, key.name)) {
      slices.push_back({std::move(**slice), revision});
    }
  }
  return true;
}

void EndpointsController::State::carry_out(SlicePlan plan, const std::shared_ptr<Pass>& pass) {
  const std::size_t count = plan.create.size() + plan.update.size() + plan.remove.size();
  writes.fetch_add(count, std::memory_order_relaxed);
  {
    const std::lock_guard lock(pass->mutex);
    pass->open += count;
  }
  const std::string& name_space = pass->key.name_space;
  const auto self = shared_from_this();
  // What comes before what goes: the store keeps the order, so nobody sees a moment without endpoints.
  for (model::EndpointSlice& slice : plan.create) {
    registry.create(Kind::endpoint_slice, name_space, std::move(slice), {},
                    [self, pass](registry::Result<registry::Stored> stored) {
                      if (!stored) return self->answered(pass, Written{});
                      const auto made = registry::decode_stored(Kind::endpoint_slice, {{}, stored->text, 0, 0});
                      if (!made) return self->answered(pass, Written{});
                      self->answered(pass, Written{model::metadata(*made).name, stored->revision});
                    });
  }
  for (ExistingSlice& one : plan.update) {
    const std::string name = one.slice.metadata.name;
    one.slice.metadata.resource_version = std::to_string(one.revision);
    model::Object wanted = std::move(one.slice);
    registry.update(
        Kind::endpoint_slice, name_space, name,
        [wanted = std::move(wanted)](const model::Object&, const registry::Stored&) { return wanted; }, std::nullopt,
        {},
        [self, pass, name](registry::Result<std::pair<registry::Stored, bool>> stored) {
          self->answered(pass, stored ? Written{name, stored->first.revision} : Written{});
        });
  }
  for (const ExistingSlice& one : plan.remove) {
    const std::string name = one.slice.metadata.name;
    model::DeleteOptions options;
    options.precondition_resource_version = std::to_string(one.revision);
    registry.remove(Kind::endpoint_slice, name_space, name, std::move(options), false,
                    [self, pass, name](const registry::Result<registry::Stored>& removed) {
                      const bool gone = removed || removed.error().code == 404;
                      self->answered(pass, gone ? Written{name, 0} : Written{});
                    });
  }
}

/// `written` without a name: the write failed. nullopt: the pass has asked for all that it wants.
void EndpointsController::State::answered(const std::shared_ptr<Pass>& pass, std::optional<Written> written) {
  {
    const std::lock_guard lock(pass->mutex);
    if (written && written->slice.empty()) pass->failed = true;
    if (written && !written->slice.empty()) pass->written.push_back(std::move(*written));
    if (--pass->open != 0) return;
  }
  {
    const std::lock_guard lock(mutex);
    finished.push_back(pass);
  }
  follower.wake();
}

EndpointsController::EndpointsController(store::Store& store, registry::Registry& registry)
    : state_(std::make_shared<State>(store, registry)) {}

EndpointsController::~EndpointsController() {
  state_->follower.stop();
  if (state_->thread.joinable()) state_->thread.join();
}

tl::expected<void, std::string> EndpointsController::start() {
  if (auto loaded = state_->load(); !loaded) return loaded;
  state_->thread = std::thread([state = state_.get()] { state->run(); });
  return {};
}

EndpointsController::Counters EndpointsController::counters() const {
  return {state_->passes.load(std::memory_order_relaxed), state_->writes.load(std::memory_order_relaxed),
          state_->failures.load(std::memory_order_relaxed)};
}

} // namespace signpost::endpoints
