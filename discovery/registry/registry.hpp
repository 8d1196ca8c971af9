// The registry: the rules by which objects come, change and go, over a store. Defaults, validation, immutability,
// virtual IPs and node ports, life cycle (uid, timestamps, finalizers, namespaces). What the HTTP API serves.
//
// Everything a write does (the object, its claimed addresses and ports, a namespace's contents) is one store
// transaction: it is wholly there or not at all, and no address can be given twice. Optimistic: read, decide, commit
// with compares, again if someone was faster.
//
// Threads: reads from any thread (they touch the database, microseconds to milliseconds); so do the first attempts of
// writes. Writes call back exactly once: on the store's thread or the registry's own, which must not be blocked, or,
// when they are refused or change nothing, before the call returns. Mutations run on the caller's thread or the
// registry's own.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "discovery/model/address.hpp"
#include "discovery/model/delete_options.hpp"
#include "discovery/model/kind.hpp"
#include "discovery/registry/status.hpp"
#include "discovery/store/store.hpp"

namespace signpost::registry {

struct Settings {
  std::vector<model::Prefix> vips;      // one or two of different families; the first is the primary
  std::vector<model::Address> reserved; // given to who asks, else last (a prefix's DNS address always is one)
  std::uint16_t node_port_first = 30000, node_port_last = 32767;
  bool read_only = false; // an `objects` source: writes answer 405
};

/// A stored object: its JSON text without metadata.resourceVersion, and the revision that belongs there.
struct Stored {
  store::Value text;
  store::Revision revision = 0;

  /// The text as clients get it, with metadata.resourceVersion in it. Appends.
  void write(std::string& out) const;
  [[nodiscard]] std::string json() const;
};

struct Listing {
  std::vector<Stored> items;    // ordered by namespace, then name
  store::Revision revision = 0; // the list's resourceVersion
  std::string next;             // where to go on; empty: complete
  std::size_t remaining = 0;    // items behind `next`; 0 where they were chosen, or octets were asked for
};

struct ListRequest {
  model::Kind kind;
  std::string name_space;                         // empty: all
  std::size_t limit = 0;                          // 0: all
  std::string from;                               // `next` of an earlier listing
  store::Revision revision = 0;                   // exactly this one; 0: newest
  std::size_t bytes = 0;                          // of texts: the item that reaches them is the last; 0: any number
  std::function<bool(const Stored&)> chosen = {}; // those to be given, and counted by `limit`; empty: all
};

/// What an owner that is deleted waits for (DELETE with propagationPolicy): that those it owns have forgotten it, or
/// that they are gone. The garbage collector takes them away.
inline constexpr std::string_view orphan_finalizer = "orphan";
inline constexpr std::string_view foreground_finalizer = "foregroundDeletion";

struct WriteOptions {
  bool dry_run = false;
};

/// One change as a watcher of a kind sees it.
struct Event {
  Stored object;         // after a deletion: the last state, with the revision of the deletion
  store::Value previous; // text before; nullptr: created
  bool deleted = false;
};
struct EventBatch {
  std::vector<Event> events;
  store::Revision revision = 0; // everything up to here is included: what a bookmark says
};
/// Ends the stream when destroyed. Its callback gets nullptr, as the last call, when the history is lost: watchers are
/// to be told 410 Expired and list again.
class EventStream {
public:
  virtual ~EventStream() = default; // the callback does not run afterwards
};

using WriteCallback = std::function<void(Result<Stored>)>;
/// From the object as stored to the object as wanted, as the client sent it (before defaults).
using Mutation = std::function<Result<model::Object>(const model::Object& current, const Stored& stored)>;

class Registry {
public:
  Registry(store::Store& store, Settings settings);
  ~Registry();

  /// Brings a new store up (namespaces default and kube-system, service default/kubernetes), checks an old one
  /// against the settings (addresses in use outside the prefixes are an error that names them). Blocks; call once.
  [[nodiscard]] tl::expected<void, std::string> open();

  [[nodiscard]] Result<Stored> get(model::Kind kind, std::string_view name_space, std::string_view name);
  [[nodiscard]] Result<Listing> list(const ListRequest& request);

  void create(model::Kind kind, std::string name_space, model::Object object, WriteOptions options, WriteCallback done);
  /// PUT and PATCH. The mutation may run several times (another writer was faster), unless the object it returns
  /// names a resourceVersion: then a mismatch is 409. `create_if_absent`: PUT of a missing object, for the kinds that
  /// allow it; the bool tells 201 from 200.
  void update(model::Kind kind, std::string name_space, std::string name, Mutation mutation,
              std::optional<model::Object> create_if_absent, WriteOptions options,
              std::function<void(Result<std::pair<Stored, bool>>)> done);
  /// PATCH/PUT of the status sub-resource: only .status is taken from the mutation's result.
  void update_status(model::Kind kind, std::string name_space, std::string name, Mutation mutation,
                     WriteOptions options, WriteCallback done);
  /// Gives the object as it was (or, while finalizers hold it, as it is).
  void remove(model::Kind kind, std::string name_space, std::string name, model::DeleteOptions options, bool dry_run,
              WriteCallback done);

  /// Changes after a revision, in order. Fails with 410 when the history no longer reaches back that far, or when more
  /// than `most_past_bytes` (0: no bound) would have to be read from it. The callback gets nullptr once, as its last
  /// call, when what came in between can no longer be told: list again.
  [[nodiscard]] Result<std::unique_ptr<EventStream>>
  watch(model::Kind kind, std::string_view name_space, store::Revision after,
        std::function<void(const std::shared_ptr<const EventBatch>&)> callback, std::size_t most_past_bytes = 0);

  /// The newest revision.
  [[nodiscard]] store::Revision revision() const;
  /// Whether there is such a revision. One that a list has just shown counts although revision() may not say it yet.
  [[nodiscard]] bool reached(store::Revision revision) const;
  [[nodiscard]] const Settings& settings() const;

  struct State; // the inside, state.hpp

private:
  std::shared_ptr<State> state_; // shared with writes that wait for the store
};

/// Whether PUT of a missing object of the kind creates it: the registry then wants to be given the object.
[[nodiscard]] bool creates_on_update(model::Kind kind);

/// The store key of an object: "/registry/services/default/web". Cluster-scoped kinds have no namespace part.
[[nodiscard]] std::string object_key(model::Kind kind, std::string_view name_space, std::string_view name);
/// Everything of a kind (in a namespace): a prefix for range and watch.
[[nodiscard]] std::string object_prefix(model::Kind kind, std::string_view name_space);

/// The reverse of object_key(). The names point into the key.
struct ObjectKey {
  model::Kind kind;
  std::string_view name_space, name;
};
/// nullopt: not the key of an object of one of these kinds.
[[nodiscard]] std::optional<ObjectKey> parse_object_key(std::span<const model::Kind> kinds, std::string_view key);

/// The stored text as an object. A damaged text is an internal error.
[[nodiscard]] Result<model::Object> decode_stored(model::Kind kind, const store::Entry& entry);

} // namespace signpost::registry
