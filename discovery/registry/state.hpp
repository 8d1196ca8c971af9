// The registry's inside: what its parts (reads, views, writes, namespaces, watches) share.
//
// A write is an attempt: read what is needed, decide, one transaction under conditions. Lost to a faster writer, the
// attempt runs again on the worker thread, for the store's own thread must not block on reads.
// Threads: all functions may be called from any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <thread>

#include "discovery/model/json.hpp"
#include "discovery/registry/event_retention.hpp"
#include "discovery/registry/registry.hpp"
#include "discovery/registry/strategy.hpp"

namespace signpost::registry {

inline constexpr int most_attempts = 16;

/// One thread for what is rare and may block: attempts after the first, the contents of deleted namespaces.
class Worker {
public:
  Worker();
  ~Worker();
  /// false: it is ending, the task will not run.
  bool post(std::function<void()> task);
  /// A task for every `interval`, while nothing else is to be done.
  void every(std::chrono::milliseconds interval, std::function<void()> task);
  /// Runs what is queued, then ends.
  void stop();

private:
  void run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  std::chrono::milliseconds interval_{0}; // 0: nothing is regular
  std::function<void()> regular_;
  bool stopping_ = false;
  std::thread thread_;
};

/// The namespaces there are, as a create needs them: known without asking the store. May be behind it; a transaction
/// that depends on one says at which revision.
class Namespaces {
public:
  struct Known {
    store::Revision modified = 0;
    bool terminating = false;
  };
  [[nodiscard]] std::optional<Known> find(std::string_view name) const;
  void set(std::string_view name, Known known);
  void erase(std::string_view name);

private:
  mutable std::shared_mutex mutex_;
  std::map<std::string, Known, std::less<>> known_;
};

struct Registry::State : std::enable_shared_from_this<Registry::State> {
  State(store::Store& the_store, Settings the_settings)
      : store(the_store), settings(std::move(the_settings)), claims(settings) {}

  store::Store& store;
  const Settings settings;
  Claims claims;
  Namespaces namespaces;
  Worker worker;
  std::unique_ptr<store::Watch> claim_watch, namespace_watch, cidr_watch;
  std::unique_ptr<EventRetention> events;

  // registry.cpp: reads. An absent key is nullopt.
  [[nodiscard]] Result<std::optional<store::Entry>> read(const std::string& key);
  [[nodiscard]] Result<store::RangeResult> range(const store::RangeRequest& request);
  /// From the cache, else from the store. 404: there is none. 403: it is being deleted.
  [[nodiscard]] Result<store::Revision> need_namespace(const model::KindInfo& kind, std::string_view name,
                                                       std::string_view object);
  void learn_namespace(const std::string& name, const store::Entry* entry);

  // views.cpp
  [[nodiscard]] Result<Listing> list_endpoints(const ListRequest& request);
  /// What a client sees at the key. Endpoints that are computed, not stored, have `created` 0.
  [[nodiscard]] Result<std::optional<store::Entry>> read_shown(model::Kind kind, const std::string& key);

  // open.cpp
  [[nodiscard]] tl::expected<void, std::string> open();
  /// Service default/kubernetes stands on the first address of the primary prefix: made where it is missing, moved after a
  /// change of prefixes. Blocks.
  [[nodiscard]] tl::expected<void, std::string> ensure_kubernetes();

  // namespace_removal.cpp: deletes what is in a namespace that is marked, and the namespace, in one transaction.
  // Blocks; for the worker. `done`: may be empty.
  void finish_namespace(const std::string& name, std::function<void(Result<store::Revision>)> done);

  // service_cidrs.cpp; they block, for the worker.
  /// Makes the claims know the ServiceCIDR at this key as it is now.
  void learn_cidr(const std::string& key);
  /// Ends a deletion, unless an address still needs the ServiceCIDR: then it says so in its conditions.
  void finish_cidr(const std::string& name);
  /// The same of all that are to go.
  void finish_cidrs();

  /// After a transaction of ours that claimed or released something.
  void note_claims(const std::vector<store::Write>& writes, store::Revision revision);
};

[[nodiscard]] Status from_store(const store::Error& error);
/// The object's text as it is stored: without resourceVersion.
[[nodiscard]] store::Value encode_stored(model::Object& object);

/// Why a write is refused before it is looked at: read-only.
[[nodiscard]] std::optional<Status> refuse_write(const Settings& settings);

// The rules that are the same for POST, PUT and PATCH.
[[nodiscard]] std::optional<Status> check_scope(const model::KindInfo& kind, std::string_view name_space,
                                                model::ObjectMeta& metadata);

} // namespace signpost::registry
