#include "discovery/registry/life_cycle.hpp"
#include "discovery/registry/state.hpp"

namespace signpost::registry {
namespace {

using State = Registry::State;
using FinishCallback = std::function<void(Result<store::Revision>)>;

/// What one transaction has to do to the contents of a namespace.
struct Clearing {
  store::Transaction transaction;
  bool held = false; // an object has finalizers, so it and the namespace stay for now
};

Result<void> clear_object(Clearing& clearing, model::Kind kind, const store::Entry& entry) {
  clearing.transaction.compares.push_back({entry.key, entry.modified});
  const bool plain =
      strategy(kind).append_claims == nullptr && entry.value->find("\"finalizers\"") == std::string::npos;
  if (plain) {
    clearing.transaction.writes.push_back({entry.key, nullptr});
    return {};
  }
  auto object = decode_stored(kind, entry);
  if (!object) return tl::unexpected(std::move(object.error()));
  model::ObjectMeta& metadata = model::metadata(*object);
  if (metadata.finalizers.empty()) {
    clearing.transaction.writes.push_back({entry.key, nullptr});
    std::vector<std::string> claims;
    if (strategy(kind).append_claims != nullptr) strategy(kind).append_claims(*object, claims);
    for (std::string& claim : claims) {
      // Objects that go with this one are in the namespace too, and are found themselves.
      if (claim.starts_with(claims_prefix)) clearing.transaction.writes.push_back({std::move(claim), nullptr});
    }
    return {};
  }
  clearing.held = true;
  if (!metadata.deletion_timestamp.empty()) {
    clearing.transaction.compares.pop_back();
    return {};
  }
  metadata.deletion_timestamp = now_text();
  metadata.deletion_grace_period_seconds = 0;
  clearing.transaction.writes.push_back({entry.key, encode_stored(*object)});
  return {};
}

Result<Clearing> plan_clearing(State& state, const std::string& name) {
  Clearing clearing;
  for (const model::Kind kind : namespace_contents()) {
    const std::string prefix = object_prefix(kind, name);
    const auto found = state.range({.begin = prefix, .end = store::prefix_end(prefix)});
    if (!found) return tl::unexpected(found.error());
    for (const store::Entry& entry : found->entries) {
      if (auto done = clear_object(clearing, kind, entry); !done) return tl::unexpected(std::move(done.error()));
    }
  }
  return clearing;
}

void attempt(const std::shared_ptr<State>& state, const std::string& name, const FinishCallback& done, int attempts) {
  const auto finish = [&](Result<store::Revision> result) {
    if (done) done(std::move(result));
  };
  const std::string key = object_key(model::Kind::name_space, {}, name);
  const auto found = state->read(key);
  if (!found) return finish(tl::unexpected(found.error()));
  if (!*found) return finish(state->store.revision()); // another writer did it
  auto object = decode_stored(model::Kind::name_space, **found);
  if (!object) return finish(tl::unexpected(object.error()));
  const model::ObjectMeta& metadata = model::metadata(*object);
  if (metadata.deletion_timestamp.empty()) return finish((*found)->modified);

  // Since the mark nothing new can come in, so what is read now is all there will be.
  auto clearing = plan_clearing(*state, name);
  if (!clearing) return finish(tl::unexpected(clearing.error()));
  if (!clearing->held && metadata.finalizers.empty()) {
    clearing->transaction.compares.push_back({key, (*found)->modified});
    clearing->transaction.writes.push_back({key, nullptr});
  }
  if (clearing->transaction.writes.empty()) return finish((*found)->modified);
  auto sent = std::make_shared<const store::Transaction>(std::move(clearing->transaction));
  state->store.transact(*sent, [=](const store::Result<store::TransactionResult>& result) {
    if (!result) {
      if (done) done(tl::unexpected(from_store(result.error())));
    } else if (result->succeeded) {
      state->note_claims(sent->writes, result->revision);
      if (!sent->writes.empty() && sent->writes.back().key == key) state->namespaces.erase(name);
      if (done) done(result->revision);
    } else if (attempts < most_attempts) {
      const bool posted = state->worker.post([=] { attempt(state, name, done, attempts + 1); });
      if (!posted && done) done(tl::unexpected(unavailable("the registry is closing")));
    } else if (done) {
      done(tl::unexpected(unavailable("the contents of the namespace keep changing, try again")));
    }
  });
}

} // namespace

void Registry::State::finish_namespace(const std::string& name, std::function<void(Result<store::Revision>)> done) {
  attempt(shared_from_this(), name, done, 1);
}

} // namespace signpost::registry
