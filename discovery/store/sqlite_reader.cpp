#include "discovery/store/sqlite_reader.hpp"

#include "discovery/store/bus_fault.hpp"
#include "discovery/store/checksum.hpp"

#include <limits>

namespace signpost::store {
namespace {

constexpr int cache_kib = 256;           // the system has the file in memory anyway
constexpr std::size_t readers_limit = 4; // at the same time; a read takes micro- to milliseconds

[[noreturn]] void damaged(const char* what) { throw SqliteError{sqlite_damaged, 0, what}; }

// Columns: value, created, modified, sum. A damaged row is never given to anybody.
Entry checked_entry(std::string key, Statement::Rows& rows, int first) {
  const std::string_view value = rows.bytes(first);
  if (rows.number(first + 3) != row_sum(key, value, rows.number(first + 1), rows.number(first + 2))) {
    damaged("a row is not as it was written");
  }
  return {std::move(key), std::make_shared<const std::string>(value), rows.number(first + 1), rows.number(first + 2)};
}

// One past the last key; the key right behind a single one is that with a zero byte appended.
std::string end_of(const KeyRange& range) { return range.end.empty() ? range.begin + '\0' : range.end; }

} // namespace

// One read transaction: everything in it sees the same revision.
class Reader::View {
public:
  explicit View(Reader& reader) : reader_(reader) { reader_.begin_.run(); }
  View(const View&) = delete;
  View& operator=(const View&) = delete;
  ~View() {
    try {
      if (reader_.connection_.in_transaction()) reader_.commit_.run();
    } catch (const SqliteError&) { // a transaction that only read has nothing to lose
    }
  }

private:
  Reader& reader_;
};

Reader::Reader(const std::string& file, const std::string& vfs)
    : connection_({.file = file, .vfs = vfs, .cache_kib = cache_kib, .query_only = true}), begin_(connection_, "BEGIN"),
      commit_(connection_, "COMMIT"),
      extent_(connection_, "SELECT min(revision), (SELECT max(revision) FROM history) FROM history"),
      find_(connection_, "SELECT value, created, modified, sum FROM current WHERE key = ?1"),
      range_(connection_, "SELECT key, value, created, modified, sum FROM current "
                          "WHERE key >= ?1 AND key < ?2 AND modified <= ?3 ORDER BY key"),
      count_(connection_, "SELECT count(*) FROM current WHERE key >= ?1 AND key < ?2 AND modified <= ?3"),
      history_(connection_,
               "SELECT revision, time, before, state, sum FROM history WHERE revision > ?1 ORDER BY revision") {}

Reader::Extent Reader::extent() {
  auto rows = extent_();
  if (!rows.next()) return {0, 0};
  const Revision first = rows.number(0); // 0 while there is no history
  return {rows.number(1), first == 0 ? 0 : first - 1};
}

Revision Reader::revision() { return extent().newest; }

std::vector<Entry> Reader::entries(const RangeRequest& request, Revision at, bool& all) {
  std::vector<Entry> entries;
  const std::string end = end_of({request.begin, request.end});
  auto rows = range_(request.begin, end, at);
  std::size_t bytes = 0;
  bool enough = false;
  while (!enough && rows.next()) {
    enough = (request.limit != 0 && entries.size() == request.limit) || (request.bytes != 0 && bytes >= request.bytes);
    entries.push_back(checked_entry(std::string(rows.bytes(0)), rows, 1));
    bytes += entries.back().value->size();
  }
  all = !enough;
  return entries;
}

std::size_t Reader::count(const KeyRange& range, Revision at) {
  const std::string end = end_of(range);
  auto rows = count_(range.begin, end, at);
  return rows.next() ? static_cast<std::size_t>(rows.number(0)) : 0;
}

// Every revision after `after` is there, and as it was written.
template <class Visit>
void Reader::visit(Revision after, Visit visit, const std::function<bool()>& enough) {
  auto rows = history_(after);
  for (Revision expected = after + 1; (!enough || !enough()) && rows.next(); ++expected) {
    const Revision revision = rows.number(0);
    const std::string_view before = rows.bytes(2);
    if (revision != expected) damaged("revisions are missing in the history");
    if (rows.number(4) != history_sum(revision, rows.number(1), before, rows.number(3)) ||
        !decode(before, [&](const Before& one) { visit(revision, one); })) {
      damaged("a row of the history is not as it was written");
    }
  }
}

Result<RangeResult> Reader::range(const RangeRequest& request) {
  const KeyRange range{request.begin, request.end};
  const View view(*this);
  const auto [newest, compacted] = extent();
  if (request.revision > newest) return tl::make_unexpected(future_error(request.revision, newest));
  if (request.revision != 0 && !within_history(request.revision, compacted)) {
    return tl::make_unexpected(compacted_error(request.revision, compacted));
  }
  const Revision at = request.revision == 0 ? newest : request.revision;
  bool all = false;
  std::vector<Entry> unchanged = entries(request, at, all);
  const bool counted = request.bytes == 0;
  const std::size_t total = all || !counted ? unchanged.size() : count(range, at);
  Undo undo(all || counted ? range : KeyRange{range.begin, unchanged.back().key + '\0'});
  if (at != newest) visit(at, [&](Revision, const Before& before) { undo.add(before); });
  RangeResult result = undo.finish(std::move(unchanged), total, request);
  result.revision = at;
  return result;
}

Result<Feed::Batches> Reader::changes(const WatchRequest& request, Revision until) {
  const View view(*this);
  const auto [newest, compacted] = extent();
  if (!within_history(request.after, compacted)) return tl::make_unexpected(compacted_error(request.after, compacted));
  Replay replay({request.begin, request.end}, request.most_past_bytes);
  visit(
      request.after, [&](Revision revision, const Before& before) { replay.add(revision, before); },
      [&] { return replay.full(); });
  if (replay.full()) return tl::make_unexpected(past_error(request.after));
  return replay.finish(until, [&](const std::string& key) -> std::optional<Entry> {
    auto rows = find_(key);
    if (!rows.next()) return std::nullopt;
    return checked_entry(key, rows, 0);
  });
}

ReaderPool::ReaderPool(const std::string& file, const std::string& vfs) : trusted_faults_(bus_faults()) {
  for (std::size_t i = 0; i < readers_limit; ++i) {
    idle_.push_back(std::make_unique<Reader>(file, vfs));
    (void)idle_.back()->revision(); // SQLite opens the log with the first transaction
  }
}

ReaderPool::Loan ReaderPool::borrow() {
  std::unique_lock lock(mutex_);
  returned_.wait(lock, [this] { return !idle_.empty(); });
  auto reader = std::move(idle_.back());
  idle_.pop_back();
  if (const unsigned faults = bus_faults(); faults != trusted_faults_) {
    reader->forget_index();
    trusted_faults_ = faults;
  }
  return {*this, std::move(reader)};
}

void ReaderPool::give_back(std::unique_ptr<Reader> reader) {
  {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(reader));
  }
  returned_.notify_one();
}

} // namespace signpost::store
