// Reading connections of SqliteStore: each read is one consistent view of the newest committed revision.
//
// What is read is checked: a row with a wrong sum, or a gap in the history, is damage, never an answer.
// A reader belongs to one thread at a time; ReaderPool opens a few at the start (later another file may stand where the
// database was) and lends them out.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "discovery/store/feed.hpp"
#include "discovery/store/sqlite.hpp"

namespace signpost::store {

class Reader {
public:
  /// Throws SqliteError, as all functions.
  Reader(const std::string& file, const std::string& vfs);

  [[nodiscard]] Result<RangeResult> range(const RangeRequest& request);
  [[nodiscard]] Result<Feed::Batches> changes(const WatchRequest& request, Revision until);
  /// The newest committed revision.
  [[nodiscard]] Revision revision();

  /// Connection's.
  void forget_index() { connection_.forget_index(); }

private:
  struct Extent {
    Revision newest, compacted;
  };
  class View;

  [[nodiscard]] Extent extent();
  /// One more than reaches the limits of the request; fewer: these are all.
  [[nodiscard]] std::vector<Entry> entries(const RangeRequest& request, Revision at, bool& all);
  [[nodiscard]] std::size_t count(const KeyRange& range, Revision at);
  template <class Visit>
  void visit(Revision after, Visit visit, const std::function<bool()>& enough = {});

  Connection connection_;
  Statement begin_, commit_, extent_, find_, range_, count_, history_;
};

class ReaderPool {
public:
  /// Throws SqliteError.
  ReaderPool(const std::string& file, const std::string& vfs);

  /// A reader on loan; waits if all are in use.
  class Loan {
  public:
    Loan(ReaderPool& pool, std::unique_ptr<Reader> reader) : pool_(pool), reader_(std::move(reader)) {}
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    ~Loan() { pool_.give_back(std::move(reader_)); }
    Reader* operator->() const { return reader_.get(); }

  private:
    ReaderPool& pool_;
    std::unique_ptr<Reader> reader_;
  };
  [[nodiscard]] Loan borrow();

private:
  void give_back(std::unique_ptr<Reader> reader);

  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Reader>> idle_;
  unsigned trusted_faults_; // bus_faults() when the index was last known to be whole
};

} // namespace signpost::store
