// A read-only store over manifest files: what an `objects FILE...` source shows through the API, at no memory of its
// own.
//
// Nothing is kept but the file names and a revision: every range reads the files again, so that a daemon with 100,000
// services from files pays for the zone alone; only while a list is read in pages, what is left of it is held. Files
// that change are noticed by whoever feeds the zone, who calls reloaded(); the revision goes up, watchers are told that
// their history is lost, and they list again.
//
// Threads: as store::Store says.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "discovery/model/kind.hpp"
#include "discovery/store/store.hpp"

namespace signpost::objects {

struct ReadSummary {
  std::size_t objects = 0;
  std::size_t skipped = 0; // kinds that are not ours
};

/// What may stand for a file: pipes are read once, at the start. Whoever waits for one that nobody writes to waits for
/// ever, so what reads again wants files.
enum class Readable { anything, regular_file };

/// Hands over each object of a kind we know, file by file in order (others are skipped and counted). Objects without a
/// namespace get "default", as kubectl would. The error is one sentence with file and line; what came before it was
/// handed over. A file without any document is an error: it was cut off, or is about to be written.
[[nodiscard]] tl::expected<ReadSummary, std::string> read_files(const std::vector<std::string>& files,
                                                                const std::function<void(model::Object&&)>& each,
                                                                Readable readable = Readable::anything);

/// Tells whether the files have the contents they had before, at the price of reading them. nullopt: one is no regular
/// file, which could not be read a second time, or cannot be read.
[[nodiscard]] std::optional<std::uint64_t> digest(const std::vector<std::string>& files);

class ObjectsStore final : public store::Store {
public:
  explicit ObjectsStore(std::vector<std::string> files);
  ~ObjectsStore() override;

  /// The files have new contents: counts the revision up and ends all watches.
  void reloaded();

  store::Result<store::RangeResult> range(const store::RangeRequest& request) override;
  void transact(store::Transaction transaction,
                std::function<void(store::Result<store::TransactionResult>)> done) override;
  store::Result<std::unique_ptr<store::Watch>> watch(const store::WatchRequest& request,
                                                     store::WatchCallback callback) override;
  store::Revision revision() const override;
  store::Revision compacted() const override;

private:
  struct State;
  std::shared_ptr<State> state_;
};

} // namespace signpost::objects
