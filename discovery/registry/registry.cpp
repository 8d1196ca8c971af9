#include "discovery/registry/registry.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "discovery/registry/event_faces.hpp"
#include "discovery/registry/state.hpp"
#include "discovery/registry/views.hpp"

namespace signpost::registry {
namespace {

constexpr std::size_t objects_a_read = 500; // where few of those read may be chosen

} // namespace

std::string object_key(model::Kind kind, std::string_view name_space, std::string_view name) {
  std::string key = object_prefix(kind, name_space);
  return key.append(name);
}

std::string object_prefix(model::Kind kind, std::string_view name_space) {
  std::string prefix = "/registry/";
  if (kind == model::Kind::ip_address) return std::string(address_claims_prefix); // the object is the claim
  prefix.append(model::info(kind).plural).append("/");
  if (!name_space.empty()) prefix.append(name_space).append("/");
  return prefix;
}

std::optional<ObjectKey> parse_object_key(std::span<const model::Kind> kinds, std::string_view key) {
  for (const model::Kind kind : kinds) {
    const std::string prefix = object_prefix(kind, {});
    if (key.size() <= prefix.size() || key.substr(0, prefix.size()) != prefix) continue;
    const std::string_view rest = key.substr(prefix.size());
    if (!model::info(kind).namespaced) return ObjectKey{kind, {}, rest};
    const std::size_t slash = rest.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    return ObjectKey{kind, rest.substr(0, slash), rest.substr(slash + 1)};
  }
  return std::nullopt;
}

void Stored::write(std::string& out) const {
  static constexpr std::string_view opening = "\"metadata\":{";
  const std::size_t at = text->find(opening);
  if (revision == 0 || at == std::string::npos) {
    out += *text;
    return;
  }
  const std::size_t inside = at + opening.size();
  out.append(*text, 0, inside).append("\"resourceVersion\":\"").append(std::to_string(revision)).append("\"");
  if (inside < text->size() && (*text)[inside] != '}') out += ',';
  out.append(*text, inside);
}

std::string Stored::json() const {
  std::string out;
  out.reserve(text->size() + 40);
  write(out);
  return out;
}

Status from_store(const store::Error& error) {
  switch (error.failure) {
  case store::Failure::compacted: return expired("The resourceVersion for the provided list is too old.");
  case store::Failure::future: {
    Status status;
    status.code = 504;
    status.reason = "Timeout";
    status.message = error.message;
    status.has_details = true;
    status.causes.push_back({"ResourceVersionTooLarge", "Too large resource version", ""});
    status.retry_after_seconds = 1;
    return status;
  }
  case store::Failure::unavailable: return unavailable(error.message);
  case store::Failure::corrupt: return internal_error(error.message);
  }
  return internal_error(error.message);
}

Result<model::Object> decode_stored(model::Kind kind, const store::Entry& entry) {
  const auto json = model::parse_json(*entry.value);
  if (!json) return tl::unexpected(internal_error(entry.key + " is damaged: " + json.error().message));
  auto object = model::decode_object(kind, *json);
  if (!object) return tl::unexpected(internal_error(entry.key + " is damaged: " + object.error().message));
  return std::move(*object);
}

store::Value encode_stored(model::Object& object) {
  model::metadata(object).resource_version.clear();
  std::string text;
  model::encode(object, text);
  return std::make_shared<const std::string>(std::move(text));
}

std::optional<Status> refuse_write(const Settings& settings) {
  if (!settings.read_only) return std::nullopt;
  return method_not_allowed("this server shows objects from files; change the files, not the server");
}

std::optional<Status> check_scope(const model::KindInfo& kind, std::string_view name_space,
                                  model::ObjectMeta& metadata) {
  if (metadata.name_space.empty()) metadata.name_space = name_space;
  if (metadata.name_space == name_space) return std::nullopt;
  return bad_request(kind.namespaced
                         ? "the namespace of the provided object does not match the namespace sent on the request"
                         : "namespace may not be set on objects of this kind");
}

Result<std::optional<store::Entry>> Registry::State::read(const std::string& key) {
  auto result = range({.begin = key, .end = {}});
  if (!result) return tl::unexpected(std::move(result.error()));
  if (result->entries.empty()) return std::nullopt;
  return std::move(result->entries.front());
}

Result<store::RangeResult> Registry::State::range(const store::RangeRequest& request) {
  auto result = store.range(request);
  if (!result) return tl::unexpected(from_store(result.error()));
  return std::move(*result);
}

void Registry::State::learn_namespace(const std::string& name, const store::Entry* entry) {
  if (entry == nullptr || entry->value == nullptr) {
    namespaces.erase(name);
    return;
  }
  const auto object = decode_stored(model::Kind::name_space, *entry);
  namespaces.set(name, {entry->modified, object && !model::metadata(*object).deletion_timestamp.empty()});
}

Result<store::Revision> Registry::State::need_namespace(const model::KindInfo& kind, std::string_view name,
                                                        std::string_view object) {
  auto known = namespaces.find(name);
  if (!known) {
    const auto found = read(object_key(model::Kind::name_space, {}, name));
    if (!found) return tl::unexpected(found.error());
    if (!*found) return tl::unexpected(not_found(model::info(model::Kind::name_space), name));
    learn_namespace(std::string(name), &**found);
    known = namespaces.find(name);
    if (!known) return tl::unexpected(not_found(model::info(model::Kind::name_space), name));
  }
  if (known->terminating) {
    const std::string which(name);
    Status status = forbidden(kind, object,
                              "unable to create new content in namespace " + which + " because it is being terminated");
    status.causes.push_back(
        {"NamespaceTerminating", "namespace " + which + " is being terminated", "metadata.namespace"});
    return tl::unexpected(std::move(status));
  }
  return known->modified;
}

void Registry::State::note_claims(const std::vector<store::Write>& writes, store::Revision revision) {
  claims.wrote(revision);
  for (const store::Write& write : writes) {
    if (write.value == nullptr) claims.told(write.key, false);
  }
}

Registry::Registry(store::Store& store, Settings settings)
    : state_(std::make_shared<State>(store, std::move(settings))) {}

Registry::~Registry() {
  state_->claim_watch.reset();
  state_->namespace_watch.reset();
  state_->cidr_watch.reset();
  state_->worker.stop();
  state_->events.reset();
}

tl::expected<void, std::string> Registry::open() { return state_->open(); }

Result<Stored> Registry::get(model::Kind kind, std::string_view name_space, std::string_view name) {
  if (kind == model::Kind::group_event) {
    const auto core = get(model::Kind::event, name_space, name);
    return core ? group_event(*core) : tl::unexpected(group_status(core.error()));
  }
  auto found = state_->read_shown(kind, object_key(kind, name_space, name));
  if (!found) return tl::unexpected(std::move(found.error()));
  if (!*found) return tl::unexpected(not_found(model::info(kind), name));
  return Stored{std::move((*found)->value), (*found)->modified};
}

Result<Listing> Registry::list(const ListRequest& request) {
  if (request.kind == model::Kind::endpoints) return state_->list_endpoints(request);
  if (request.kind == model::Kind::group_event) {
    ListRequest core = request;
    core.kind = model::Kind::event;
    if (request.chosen) {
      core.chosen = [&request](const Stored& stored) {
        const auto face = group_event(stored);
        return face && request.chosen(*face);
      };
    }
    return list(core).and_then([](Listing listing) { return group_events(std::move(listing)); });
  }
  const std::string prefix = object_prefix(request.kind, request.name_space);
  store::RangeRequest wanted{.begin = prefix + request.from,
                             .end = store::prefix_end(prefix),
                             .revision = request.revision,
                             .limit = request.limit,
                             .bytes = request.bytes};
  if (request.chosen && request.limit != 0) wanted.limit = std::max(request.limit, objects_a_read);
  Listing listing;
  while (true) {
    auto found = state_->range(wanted);
    if (!found) return tl::unexpected(std::move(found.error()));
    listing.revision = found->revision;
    // The smallest key behind one, without the prefix that the next request adds again.
    const auto behind = [&](const store::Entry& entry) { return entry.key.substr(prefix.size()) + '\0'; };
    for (store::Entry& entry : found->entries) {
      if (request.kind == model::Kind::ip_address) entry.value = address_text(entry.key, entry.value);
      Stored stored{std::move(entry.value), entry.modified};
      if (request.chosen && !request.chosen(stored)) continue;
      listing.items.push_back(std::move(stored));
      const bool more = found->more || &entry != &found->entries.back();
      if (listing.items.size() != request.limit || !more) continue;
      listing.next = behind(entry);
      if (!request.chosen && request.bytes == 0) listing.remaining = found->total - found->entries.size();
      return listing;
    }
    if (!found->more || found->entries.empty()) return listing;
    if (request.bytes != 0) {
      listing.next = behind(found->entries.back());
      return listing;
    }
    wanted.begin = prefix + behind(found->entries.back());
    wanted.revision = found->revision;
  }
}

store::Revision Registry::revision() const { return state_->store.revision(); }

bool Registry::reached(store::Revision revision) const {
  if (revision <= state_->store.revision()) return true;
  const auto read = state_->store.range({.begin = "/registry/", .end = {}, .revision = revision});
  return read.has_value() || read.error().failure != store::Failure::future;
}

const Settings& Registry::settings() const { return state_->settings; }

} // namespace signpost::registry
