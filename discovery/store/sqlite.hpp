// SQLite as the store uses it: a restricted connection and prepared statements, over the C API.
//
// Failures are thrown as SqliteError inside this room only; SqliteStore turns them into values.
// Threads: a connection and its statements belong to one thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace signpost::store {

struct SqliteError {
  int code = 0;         // extended result code
  int system_errno = 0; // of the system call that failed, 0: none
  std::string message;

  [[nodiscard]] bool full() const;     // no space: it can work again later
  [[nodiscard]] bool damaged() const;  // not a database, or a broken one
  [[nodiscard]] bool disk() const;     // the disk failed: what has been written is no longer certain
  [[nodiscard]] bool unmapped() const; // the shared index of the log could not be made or read
};

/// SQLITE_CORRUPT, for damage that SQLite itself does not see.
constexpr int sqlite_damaged = 11;

class Connection {
public:
  struct Settings {
    std::string file;
    std::string vfs;      // empty: the system's
    int cache_kib = 1024; // pages kept in memory
    bool query_only = false;
  };

  Connection() = default;
  /// Throws SqliteError. The file must exist (it may be empty).
  explicit Connection(const Settings& settings);
  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection&& other) noexcept;
  ~Connection();

  void execute(const char* sql);
  [[nodiscard]] std::int64_t number(const char* sql); // of the first column of the first row
  [[nodiscard]] std::string text(const char* sql);

  [[nodiscard]] bool in_transaction() const;
  [[nodiscard]] SqliteError error(int code) const;
  [[nodiscard]] sqlite3* handle() const { return handle_; }

  /// Closes without copying the log into the database, after the disk failed.
  void leave_log();
  /// The shared index of the log has holes (bus_fault.hpp): the next transaction makes it anew from the log.
  void forget_index();

private:
  sqlite3* handle_ = nullptr;
};

/// A prepared statement, used again and again:
///
///     auto rows = statement(key, 7);
///     while (rows.next()) rows.number(0);
class Statement {
public:
  class Rows {
  public:
    explicit Rows(Statement& statement) : statement_(statement) {}
    ~Rows();
    Rows(const Rows&) = delete;
    Rows& operator=(const Rows&) = delete;

    bool next();
    [[nodiscard]] std::int64_t number(int column) const;
    [[nodiscard]] std::string_view bytes(int column) const; // valid until next()

  private:
    Statement& statement_;
  };

  Statement(Connection& connection, std::string_view sql);
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement();

  /// Binds texts (as they are, not copied: they must outlive the rows) and numbers to ?1, ?2, …
  template <class... Arguments>
  [[nodiscard]] Rows operator()(const Arguments&... arguments) {
    int at = 0;
    (bind(++at, arguments), ...);
    return Rows(*this);
  }

  /// Runs a statement that gives no rows.
  template <class... Arguments>
  void run(const Arguments&... arguments) {
    (void)operator()(arguments...).next();
  }

  struct Blob {
    std::string_view bytes;
  };

private:
  void bind(int at, std::int64_t number);
  void bind(int at, std::string_view text);
  void bind(int at, const Blob& blob);

  Connection& connection_;
  sqlite3_stmt* statement_ = nullptr;
};

} // namespace signpost::store
