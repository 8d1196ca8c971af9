#include "discovery/registry/write.hpp"

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
    fail(invalid(kind_, name, {transaction_.cause(compare)}));
    return;
  case WriteTransaction::Loss::chosen:
    state_->claims.told(sent.compares[compare].key, true);
    again();
    return;
  }
}

void Write::again() {
  plan_ = {};
  transaction_ = {};
  if (++attempts_ > most_attempts) {
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
