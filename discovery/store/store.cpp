#include "discovery/store/store.hpp"

#include <future>
#include <utility>

namespace signpost::store {

Result<TransactionResult> Store::transact_and_wait(Transaction transaction) {
  // Shared, so that the promise is not destroyed while the callback is still returning from setting it.
  const auto promise = std::make_shared<std::promise<Result<TransactionResult>>>();
  auto future = promise->get_future();
  transact(std::move(transaction),
           [promise](Result<TransactionResult> result) { promise->set_value(std::move(result)); });
  return future.get();
}

std::string prefix_end(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  if (end.empty()) return std::string(16, '\xff'); // nothing is behind it: behind every key that is used
  end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

} // namespace signpost::store
