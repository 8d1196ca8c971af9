// A registry over a store in memory, with every call waited for: what the tests of this room talk to.
#pragma once

#include <chrono>
#include <fstream>
#include <functional>
#include <future>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>

#include "discovery/model/json.hpp"
#include "discovery/registry/registry.hpp"
#include "discovery/store/memory_store.hpp"

namespace signpost::registry::test {

using model::Json;
using model::Kind;

inline Settings settings_for(const std::vector<std::string>& prefixes) {
  Settings settings;
  for (const std::string& text : prefixes) settings.vips.push_back(model::Prefix::parse(text).value());
  return settings;
}

inline model::Object object_of(Kind kind, const Json& json) {
  auto object = model::decode_object(kind, json);
  if (!object) throw std::runtime_error(object.error().message + " in " + json.dump());
  return std::move(*object);
}

inline Json json_of(const Stored& stored) { return Json::parse(stored.json()); }

inline Json read_json(const std::string& path) {
  std::ifstream file(std::string(SIGNPOST_SOURCE_DIR) + "/" + path);
  if (!file) throw std::runtime_error("cannot read " + path);
  return Json::parse(file);
}

/// The Status as the API puts it into JSON.
inline Json json_of(const Status& status) {
  Json json{{"kind", "Status"},    {"apiVersion", "v1"},        {"metadata", Json::object()},
            {"status", "Failure"}, {"message", status.message}, {"code", status.code}};
  if (!status.reason.empty()) json["reason"] = status.reason;
  if (!status.has_details) return json;
  Json details = Json::object();
  const auto put = [](Json& into, const char* key, const std::string& value) {
    if (!value.empty()) into[key] = value;
  };
  put(details, "name", status.name);
  put(details, "group", status.group);
  put(details, "kind", status.kind);
  put(details, "uid", status.uid);
  for (const Cause& cause : status.causes) {
    Json one = Json::object();
    put(one, "reason", cause.reason);
    put(one, "message", cause.message);
    put(one, "field", cause.field);
    details["causes"].push_back(std::move(one));
  }
  json["details"] = std::move(details);
  return json;
}

/// What other threads bring about: looks again until it holds, or the patience is at its end.
inline bool eventually(const std::function<bool()>& holds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

class Client {
public:
  explicit Client(Registry& registry) : registry_(registry) {}

  Result<Stored> create(Kind kind, const std::string& name_space, const Json& body, bool dry_run = false) {
    return wait<Stored>(
        [&](auto done) { registry_.create(kind, name_space, object_of(kind, body), {dry_run}, std::move(done)); });
  }

  Result<std::pair<Stored, bool>> put(Kind kind, const std::string& name_space, const std::string& name,
                                      const Json& body, bool dry_run = false) {
    const model::Object object = object_of(kind, body);
    return wait<std::pair<Stored, bool>>([&](auto done) {
      registry_.update(
          kind, name_space, name, [object](const model::Object&, const Stored&) { return object; }, object, {dry_run},
          std::move(done));
    });
  }

  /// JSON merge patch.
  Result<Stored> patch(Kind kind, const std::string& name_space, const std::string& name, const Json& change) {
    auto result = wait<std::pair<Stored, bool>>([&](auto done) {
      registry_.update(kind, name_space, name, merge(kind, change), std::nullopt, {}, std::move(done));
    });
    if (!result) return tl::unexpected(result.error());
    return result->first;
  }

  Result<Stored> patch_status(Kind kind, const std::string& name_space, const std::string& name, const Json& change) {
    return wait<Stored>(
        [&](auto done) { registry_.update_status(kind, name_space, name, merge(kind, change), {}, std::move(done)); });
  }

  Result<Stored> remove(Kind kind, const std::string& name_space, const std::string& name, bool dry_run = false,
                        model::DeleteOptions options = {}) {
    return wait<Stored>(
        [&](auto done) { registry_.remove(kind, name_space, name, std::move(options), dry_run, std::move(done)); });
  }

  Result<Stored> get(Kind kind, const std::string& name_space, const std::string& name) {
    return registry_.get(kind, name_space, name);
  }

  Listing list(Kind kind, const std::string& name_space = {}) {
    auto listing = registry_.list({.kind = kind, .name_space = name_space});
    if (!listing) throw std::runtime_error(listing.error().message);
    return std::move(*listing);
  }

private:
  static Mutation merge(Kind kind, const Json& change) {
    return [kind, change](const model::Object&, const Stored& stored) -> Result<model::Object> {
      Json json = json_of(stored);
      json["metadata"].erase("resourceVersion");
      json.merge_patch(change);
      return object_of(kind, json);
    };
  }

  template <class T, class Call>
  Result<T> wait(Call&& call) {
    auto promise = std::make_shared<std::promise<Result<T>>>();
    auto future = promise->get_future();
    call([promise](Result<T> result) { promise->set_value(std::move(result)); });
    return future.get();
  }

  Registry& registry_;
};

/// A cluster as the cases describe one: these prefixes, nothing in it but what every cluster has.
class Cluster {
public:
  explicit Cluster(const std::vector<std::string>& prefixes)
      : registry(store, settings_for(prefixes)), client(registry) {
    if (auto opened = registry.open(); !opened) throw std::runtime_error(opened.error());
  }

  store::MemoryStore store;
  Registry registry;
  Client client;

  /// The claims there are, sorted, without their prefix: "ip/10.0.0.1", "port/30080".
  std::vector<std::string> claims() {
    const std::string prefix = "/claims/";
    auto found = store.range({.begin = prefix, .end = store::prefix_end(prefix)});
    std::vector<std::string> keys;
    for (const store::Entry& entry : found->entries) keys.push_back(entry.key.substr(prefix.size()));
    return keys;
  }
};

} // namespace signpost::registry::test
