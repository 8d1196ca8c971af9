#include "discovery/registry/write.hpp"

#include "discovery/registry/views.hpp"

namespace signpost::registry {
namespace {

constexpr int most_waits = 200;
constexpr auto wait_step = std::chrono::milliseconds(1);

Status closing() { return unavailable("the registry is closing"); }

} // namespace

void Write::submit(std::string name) {
  auto sent = std::make_shared<const store::Transaction>(transaction_.take());
  store::Transaction copy = *sent;
  state_->store.transact(std::move(copy),
                         [self = shared_from_this(), sent, name = std::move(name)](
                             store::Result<store::TransactionResult> result) { self->on_result(result, *sent, name); });
}

void Write::on_result(const store::Result<store::TransactionResult>& result, const store::Transaction& sent,
                      const std::string& name) {
  if (!result) {
    plan_ = {};
    fail(from_store(result.error()));
  } else if (!result->succeeded) {
    lose(result->failed, sent, name);
  } else {
    plan_.commit();
    if (transaction_.has_claims()) state_->note_claims(sent.writes, result->revision);
    succeed(result->revision);
  }
}

void Write::lose(std::size_t compare, const store::Transaction& sent, const std::string& name) {
  switch (transaction_.loss(compare)) {
  case WriteTransaction::Loss::name_space:
    state_->namespaces.erase(name_space_);
    again();
    return;
  case WriteTransaction::Loss::object:
    plan_ = {};
    lost_object();
    return;
  case WriteTransaction::Loss::requested:
    plan_ = {};
    refuse_taken(sent.compares[compare].key, transaction_.cause(compare), name);
    return;
  case WriteTransaction::Loss::chosen:
    state_->claims.told(sent.compares[compare].key, true);
    again();
    return;
  case WriteTransaction::Loss::range:
    if (!state_->worker.post([state = state_, key = sent.compares[compare].key] { state->learn_cidr(key); })) {
      return fail(closing());
    }
    again();
    return;
  }
}

void Write::refuse_taken(const std::string& key, Cause cause, const std::string& name) {
  // Off the store's thread: who holds it has to be read.
  const bool posted = state_->worker.post([self = shared_from_this(), key, cause, name]() mutable {
    const auto claim = self->state_->read(key);
    if (claim && *claim) cause.message += holder_text((*claim)->key, *(*claim)->value);
    self->fail(invalid(self->kind_, name, {std::move(cause)}));
  });
  if (!posted) fail(closing());
}

void Write::again() {
  plan_ = {};
  transaction_ = {};
  if (++attempts_ > attempts_allowed()) {
    fail(exhausted());
    return;
  }
  if (!state_->worker.post([self = shared_from_this()] { self->attempt(); })) fail(closing());
}

void Write::fail_or_wait(Status status) {
  plan_ = {};
  transaction_ = {};
  if (!is_range_full(status) || !state_->claims.behind() || ++waits_ > most_waits) {
    fail(std::move(status));
    return;
  }
  const bool posted = state_->worker.post([self = shared_from_this()] {
    std::this_thread::sleep_for(wait_step);
    self->attempt();
  });
  if (!posted) this->fail(closing());
}

} // namespace signpost::registry
