// Reading connections of SqliteStore: each read is one consistent view of the newest committed revision.
//
// A reader belongs to one thread at a time; ReaderPool lends them out and keeps a few.
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
  ReaderPool(std::string file, std::string vfs) : file_(std::move(file)), vfs_(std::move(vfs)) {}

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

  const std::string file_, vfs_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Reader>> idle_;
  std::size_t lent_ = 0;
};

} // namespace signpost::store
