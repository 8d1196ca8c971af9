#include "discovery/store/sqlite.hpp"

#include <cerrno>
#include <cstring>
#include <sqlite3.h>
#include <utility>

namespace signpost::store {

bool SqliteError::full() const {
  if ((code & 0xff) == SQLITE_FULL) return true;
  // A quota or a file size limit reaches us as a failed write. A failed fsync is not a matter of space, whatever it
  // says.
  const bool space = system_errno == ENOSPC || system_errno == EDQUOT || system_errno == EFBIG;
  return space && (code & 0xff) == SQLITE_IOERR && code != SQLITE_IOERR_FSYNC && code != SQLITE_IOERR_DIR_FSYNC;
}

bool SqliteError::damaged() const {
  const int kind = code & 0xff;
  return kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB;
}

bool SqliteError::unmapped() const {
  return code == SQLITE_IOERR_SHMOPEN || code == SQLITE_IOERR_SHMSIZE || code == SQLITE_IOERR_SHMMAP ||
         code == SQLITE_IOERR_SHMLOCK;
}

bool SqliteError::disk() const { return (code & 0xff) == SQLITE_IOERR && code != SQLITE_IOERR_NOMEM && !full(); }

Connection::Connection(const Settings& settings) {
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const char* const vfs = settings.vfs.empty() ? nullptr : settings.vfs.c_str();
  const int opened = sqlite3_open_v2(settings.file.c_str(), &handle_, flags, vfs);
  if (opened != SQLITE_OK) {
    SqliteError failed = error(opened);
    sqlite3_close_v2(std::exchange(handle_, nullptr));
    throw failed;
  }
  // The data is ours alone, yet a file put in its place must not be able to run anything.
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  sqlite3_limit(handle_, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_busy_timeout(handle_, 2000);
  try {
    execute("PRAGMA mmap_size = 0");
    execute("PRAGMA cell_size_check = ON");
    execute("PRAGMA temp_store = MEMORY");
    execute(("PRAGMA cache_size = -" + std::to_string(settings.cache_kib)).c_str());
    if (settings.query_only) execute("PRAGMA query_only = ON");
  } catch (const SqliteError&) {
    sqlite3_close_v2(std::exchange(handle_, nullptr));
    throw;
  }
}

Connection::Connection(Connection&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}

Connection& Connection::operator=(Connection&& other) noexcept {
  std::swap(handle_, other.handle_);
  return *this;
}

Connection::~Connection() { sqlite3_close_v2(handle_); }

void Connection::execute(const char* sql) {
  const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) throw error(code);
}

std::int64_t Connection::number(const char* sql) {
  Statement statement(*this, sql);
  auto rows = statement();
  return rows.next() ? rows.number(0) : 0;
}

std::string Connection::text(const char* sql) {
  Statement statement(*this, sql);
  auto rows = statement();
  return rows.next() ? std::string(rows.bytes(0)) : std::string();
}

bool Connection::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

SqliteError Connection::error(int code) const {
  if (handle_ == nullptr) return {code, 0, sqlite3_errstr(code)};
  const int extended = sqlite3_extended_errcode(handle_);
  const int kind = code & 0xff;
  const bool input_output = kind == SQLITE_IOERR || kind == SQLITE_FULL || kind == SQLITE_CANTOPEN;
  return {(extended & 0xff) == kind ? extended : code, input_output ? sqlite3_system_errno(handle_) : 0,
          sqlite3_errmsg(handle_)};
}

void Connection::leave_log() { sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr); }

void Connection::forget_index() {
  sqlite3_file* file = nullptr;
  if (sqlite3_file_control(handle_, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK) return;
  if (file == nullptr || file->pMethods == nullptr || file->pMethods->iVersion < 2) return;
  // The index begins with its header, twice (sqlite.org/walformat.html, 2.2): one that holds zeros counts as lost.
  constexpr int region_size = 32768;
  constexpr std::size_t headers_size = 96;
  void volatile* region = nullptr;
  if (file->pMethods->xShmMap(file, 0, region_size, 0, &region) != SQLITE_OK || region == nullptr) return;
  std::memset(const_cast<void*>(region), 0, headers_size);
}

Statement::Statement(Connection& connection, std::string_view sql) : connection_(connection) {
  const int code = sqlite3_prepare_v3(connection.handle(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement_, nullptr);
  if (code != SQLITE_OK) throw connection.error(code);
}

Statement::~Statement() { sqlite3_finalize(statement_); }

void Statement::bind(int at, std::int64_t number) { sqlite3_bind_int64(statement_, at, number); }

void Statement::bind(int at, std::string_view text) {
  const char* const bytes = text.data() == nullptr ? "" : text.data();
  const int code = sqlite3_bind_text64(statement_, at, bytes, text.size(), SQLITE_STATIC, SQLITE_UTF8);
  if (code != SQLITE_OK) throw connection_.error(code);
}

void Statement::bind(int at, const Blob& blob) {
  const char* const bytes = blob.bytes.data() == nullptr ? "" : blob.bytes.data();
  const int code = sqlite3_bind_blob64(statement_, at, bytes, blob.bytes.size(), SQLITE_STATIC);
  if (code != SQLITE_OK) throw connection_.error(code);
}

Statement::Rows::~Rows() { sqlite3_reset(statement_.statement_); }

bool Statement::Rows::next() {
  const int code = sqlite3_step(statement_.statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  throw statement_.connection_.error(code);
}

std::int64_t Statement::Rows::number(int column) const { return sqlite3_column_int64(statement_.statement_, column); }

std::string_view Statement::Rows::bytes(int column) const {
  const void* const bytes = sqlite3_column_blob(statement_.statement_, column);
  const int size = sqlite3_column_bytes(statement_.statement_, column);
  return {static_cast<const char*>(bytes), bytes == nullptr ? 0 : static_cast<std::size_t>(size)};
}

} // namespace signpost::store
