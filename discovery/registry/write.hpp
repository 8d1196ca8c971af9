// What creates, updates and deletes have in common: one transaction under conditions, and what happens when one of them
// did not hold.
//
// Threads: the first attempt runs on the caller's thread, later ones on the registry's worker, callbacks on the
// store's.
#pragma once

#include "discovery/registry/state.hpp"
#include "discovery/registry/transaction.hpp"

namespace signpost::registry {

class Write : public std::enable_shared_from_this<Write> {
public:
  using Shared = std::shared_ptr<Registry::State>;

  Write(Shared state, model::Kind kind, std::string name_space)
      : state_(std::move(state)), kind_(model::info(kind)), rules_(strategy(kind)), name_space_(std::move(name_space)) {
  }
  virtual ~Write() = default;

  virtual void attempt() = 0;

protected:
  virtual void fail(Status status) = 0;
  virtual void succeed(store::Revision revision) = 0;
  /// The object came, changed or went meanwhile.
  virtual void lost_object() = 0;
  /// How often a write that lost a race is made again.
  [[nodiscard]] virtual int attempts_allowed() const { return most_attempts; }
  /// What to say after too many attempts.
  [[nodiscard]] virtual Status exhausted() const { return unavailable("too many writers at once, try again"); }

  /// Sends transaction_; plan_ stays held until its result is known.
  void submit(std::string name);
  /// Another attempt, if there have not been too many.
  void again();
  /// A full pool may only look full: if so, waits a little and tries again, else fails.
  void fail_or_wait(Status status);

  Shared state_;
  const model::KindInfo& kind_;
  const Strategy& rules_;
  std::string name_space_;
  ClaimPlan plan_;
  WriteTransaction transaction_;

private:
  void on_result(const store::Result<store::TransactionResult>& result, const store::Transaction& sent,
                 const std::string& name);
  void lose(std::size_t compare, const store::Transaction& sent, const std::string& name);

  void refuse_taken(const std::string& key, Cause cause, const std::string& name);

  int attempts_ = 1;
  int waits_ = 0;
};

/// POST, and PUT of what does not exist yet.
void start_create(Write::Shared state, model::Kind kind, std::string name_space, model::Object object,
                  WriteOptions options, WriteCallback done);

} // namespace signpost::registry
