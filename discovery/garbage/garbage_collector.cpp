#include "discovery/garbage/garbage_collector.hpp"

#include <algorithm>
#include <chrono>
#include <future>
#include <thread>

#include "discovery/garbage/owner_index.hpp"
#include "discovery/store/follower.hpp"

namespace signpost::garbage {
namespace {

using model::ObjectMeta;
using model::OwnerReference;

constexpr std::size_t page = 1000;              // entries read at once: bounds the memory of the start
constexpr auto pause = std::chrono::seconds(1); // before what failed is tried again

bool has_finalizer(const ObjectMeta& metadata, std::string_view name) {
  return std::find(metadata.finalizers.begin(), metadata.finalizers.end(), name) != metadata.finalizers.end();
}

} // namespace

struct GarbageCollector::State {
  State(store::Store& the_store, registry::Registry& the_registry)
      : store(the_store), registry(the_registry), follower(the_store) {}

  store::Store& store;
  registry::Registry& registry;

  store::Follower follower;

  // The thread's own.
  OwnerIndex index;
  std::set<std::string> concerned; // keys to look at
  std::thread thread;

  tl::expected<void, std::string> load();
  void run();
  /// false: it could not be done, later.
  bool look_at(const std::string& key);
  bool collect(const model::Object& object, store::Revision revision);
  bool let_go(const model::Object& object);
  std::optional<bool> exists(const OwnerReference& owner, const std::string& name_space);

  std::optional<store::Entry> read(const std::string& key);
  bool change(const model::Object& object, std::function<void(ObjectMeta&)> edit);
  bool remove(const model::Object& object, std::optional<store::Revision> revision);
};

tl::expected<void, std::string> GarbageCollector::State::load() {
  index = {};
  const auto started = follower.start({"/registry/"}, "/registry/",
                                      [this](const store::Change& change) { index.apply(change, concerned); });
  if (!started) return tl::unexpected("the registry cannot be read: " + started.error().message);
  return {};
}

void GarbageCollector::State::run() {
  bool unread = false; // load() failed
  while (true) {
    const bool later = unread || !concerned.empty();
    const store::Follower::News news =
        follower.wait(later ? std::optional(store::Follower::Clock::now() + pause) : std::nullopt);
    if (news.stopped) return;
    for (const auto& batch : news.batches) {
      for (const store::Change& one : batch->changes) index.apply(one, concerned);
    }
    if (news.lost || unread) unread = !load();
    std::set<std::string> failed;
    for (const std::string& key : concerned) {
      if (!look_at(key)) failed.insert(key);
    }
    concerned = std::move(failed);
  }
}

std::optional<store::Entry> GarbageCollector::State::read(const std::string& key) {
  auto found = store.range({.begin = key, .end = {}});
  if (!found || found->entries.empty()) return std::nullopt;
  return std::move(found->entries.front());
}

bool GarbageCollector::State::look_at(const std::string& key) {
  const auto entry = read(key);
  if (!entry) return true;
  const auto object = decode_at(key, entry->value);
  if (!object) return true;
  const ObjectMeta& metadata = model::metadata(*object);
  if (!metadata.deletion_timestamp.empty() &&
      (has_finalizer(metadata, registry::orphan_finalizer) || has_finalizer(metadata, registry::foreground_finalizer)))
    return let_go(*object);
  return collect(*object, entry->modified);
}

std::optional<bool> GarbageCollector::State::exists(const OwnerReference& owner, const std::string& name_space) {
  const std::string key = owner_key(owner, name_space);
  if (key.empty()) return true;
  const auto found = store.range({.begin = key, .end = {}});
  if (!found) return std::nullopt;
  if (found->entries.empty()) return false;
  const auto object = decode_at(key, found->entries.front().value);
  return !object || model::metadata(*object).uid == owner.uid;
}

/// What has lost all its owners goes; of several, the names of those that are gone do.
bool GarbageCollector::State::collect(const model::Object& object, store::Revision revision) {
  const ObjectMeta& metadata = model::metadata(object);
  std::vector<OwnerReference> left;
  for (const OwnerReference& owner : metadata.owner_references) {
    const auto there = exists(owner, metadata.name_space);
    if (!there) return false;
    if (*there) left.push_back(owner);
  }
  if (left.size() == metadata.owner_references.size()) return true;
  if (left.empty()) return remove(object, revision);
  return change(object, [&](ObjectMeta& changed) { changed.owner_references = left; });
}

/// An owner that waits: for what it owns to go, or to forget it.
bool GarbageCollector::State::let_go(const model::Object& object) {
  const ObjectMeta& metadata = model::metadata(object);
  const bool orphan = has_finalizer(metadata, registry::orphan_finalizer);
  bool held = false;
  for (const std::string& at : index.dependents(metadata.uid)) {
    const auto entry = read(at);
    if (!entry) continue;
    const auto dependent = decode_at(at, entry->value);
    if (!dependent) continue;
    const auto& owners = model::metadata(*dependent).owner_references;
    const auto names = [&](const OwnerReference& owner) { return owner.uid == metadata.uid; };
    const auto reference = std::find_if(owners.begin(), owners.end(), names);
    if (reference == owners.end()) continue;
    if (orphan) {
      if (!change(*dependent, [&](ObjectMeta& changed) { std::erase_if(changed.owner_references, names); }))
        return false;
      continue;
    }
    if (!remove(*dependent, std::nullopt)) return false;
    held = held || (reference->block_owner_deletion.value_or(false) && read(at)); // a finalizer of its own
  }
  if (held) return true; // its end will be told
  return change(object, [&](ObjectMeta& changed) {
    std::erase(changed.finalizers, orphan ? registry::orphan_finalizer : registry::foreground_finalizer);
  });
}

bool GarbageCollector::State::change(const model::Object& object, std::function<void(ObjectMeta&)> edit) {
  const ObjectMeta& metadata = model::metadata(object);
  auto promise = std::make_shared<std::promise<bool>>();
  auto future = promise->get_future();
  registry.update(
      model::kind_of(object), metadata.name_space, metadata.name,
      [edit = std::move(edit), uid = metadata.uid](const model::Object& current, const registry::Stored&) {
        model::Object wanted = current;
        // Another one of the same name is left as it is.
        if (model::metadata(current).uid == uid) edit(model::metadata(wanted));
        return registry::Result<model::Object>(std::move(wanted));
      },
      std::nullopt, {},
      [promise](const registry::Result<std::pair<registry::Stored, bool>>& result) {
        promise->set_value(result || result.error().code == 404);
      });
  return future.get();
}

bool GarbageCollector::State::remove(const model::Object& object, std::optional<store::Revision> revision) {
  const ObjectMeta& metadata = model::metadata(object);
  if (!metadata.deletion_timestamp.empty()) return true; // under way
  model::DeleteOptions options;
  options.precondition_uid = metadata.uid;
  if (revision) options.precondition_resource_version = std::to_string(*revision);
  auto promise = std::make_shared<std::promise<bool>>();
  auto future = promise->get_future();
  registry.remove(model::kind_of(object), metadata.name_space, metadata.name, std::move(options), false,
                  [promise](const registry::Result<registry::Stored>& result) {
                    // What may not be deleted (a namespace, an address in use) is not asked for again and again.
                    const int code = result ? 200 : result.error().code;
                    promise->set_value(code == 200 || code == 403 || code == 404);
                  });
  return future.get();
}

GarbageCollector::GarbageCollector(store::Store& store, registry::Registry& registry)
    : state_(std::make_unique<State>(store, registry)) {}

GarbageCollector::~GarbageCollector() {
  state_->follower.stop();
  if (state_->thread.joinable()) state_->thread.join();
}

tl::expected<void, std::string> GarbageCollector::start() {
  if (auto loaded = state_->load(); !loaded) return loaded;
  state_->thread = std::thread([state = state_.get()] { state->run(); });
  return {};
}

} // namespace signpost::garbage
