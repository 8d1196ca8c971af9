// A disk that fails when a test says so: an SQLite VFS over the system's, named "faulty".
#pragma once

#include <atomic>
#include <sqlite3.h>

namespace signpost::store::faulty_disk {

/// Result codes that writes and fsyncs of any file give from now on; SQLITE_OK: they work.
inline std::atomic<int> write_result = SQLITE_OK;
inline std::atomic<int> sync_result = SQLITE_OK;
/// So many more writes work before write_result counts.
inline std::atomic<int> writes_left = 0;
inline std::atomic<int> syncs = 0;           // seen so far
inline std::atomic<bool> hold_syncs = false; // they take until this is false again

inline void repair() {
  write_result = SQLITE_OK;
  sync_result = SQLITE_OK;
  writes_left = 0;
}

struct File {
  sqlite3_file base;
  sqlite3_file* real; // behind this struct
};

inline sqlite3_file* real(sqlite3_file* file) { return reinterpret_cast<File*>(file)->real; }

inline int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 at) {
  if (write_result != SQLITE_OK && writes_left-- <= 0) {
    // Half of it arrives, as on a disk that fails in the middle.
    (void)real(file)->pMethods->xWrite(real(file), bytes, size / 2, at);
    return write_result;
  }
  return real(file)->pMethods->xWrite(real(file), bytes, size, at);
}
inline int sync(sqlite3_file* file, int flags) {
  ++syncs;
  hold_syncs.wait(true);
  if (sync_result != SQLITE_OK) return sync_result;
  return real(file)->pMethods->xSync(real(file), flags);
}

inline const sqlite3_io_methods* methods() {
  static const sqlite3_io_methods table = [] {
    sqlite3_io_methods m{};
    m.iVersion = 2;
    m.xClose = [](sqlite3_file* f) { return real(f)->pMethods->xClose(real(f)); };
    m.xRead = [](sqlite3_file* f, void* b, int n, sqlite3_int64 at) {
      return real(f)->pMethods->xRead(real(f), b, n, at);
    };
    m.xWrite = write;
    m.xTruncate = [](sqlite3_file* f, sqlite3_int64 size) { return real(f)->pMethods->xTruncate(real(f), size); };
    m.xSync = sync;
    m.xFileSize = [](sqlite3_file* f, sqlite3_int64* size) { return real(f)->pMethods->xFileSize(real(f), size); };
    m.xLock = [](sqlite3_file* f, int lock) { return real(f)->pMethods->xLock(real(f), lock); };
    m.xUnlock = [](sqlite3_file* f, int lock) { return real(f)->pMethods->xUnlock(real(f), lock); };
    m.xCheckReservedLock = [](sqlite3_file* f, int* out) {
      return real(f)->pMethods->xCheckReservedLock(real(f), out);
    };
    m.xFileControl = [](sqlite3_file* f, int op, void* arg) {
      return real(f)->pMethods->xFileControl(real(f), op, arg);
    };
    m.xSectorSize = [](sqlite3_file* f) { return real(f)->pMethods->xSectorSize(real(f)); };
    m.xDeviceCharacteristics = [](sqlite3_file* f) { return real(f)->pMethods->xDeviceCharacteristics(real(f)); };
    m.xShmMap = [](sqlite3_file* f, int page, int size, int extend, void volatile** out) {
      return real(f)->pMethods->xShmMap(real(f), page, size, extend, out);
    };
    m.xShmLock = [](sqlite3_file* f, int offset, int n, int flags) {
      return real(f)->pMethods->xShmLock(real(f), offset, n, flags);
    };
    m.xShmBarrier = [](sqlite3_file* f) { real(f)->pMethods->xShmBarrier(real(f)); };
    m.xShmUnmap = [](sqlite3_file* f, int remove) { return real(f)->pMethods->xShmUnmap(real(f), remove); };
    return m;
  }();
  return &table;
}

inline int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out) {
  auto* const system = static_cast<sqlite3_vfs*>(vfs->pAppData);
  auto* const own = reinterpret_cast<File*>(file);
  own->real = reinterpret_cast<sqlite3_file*>(own + 1);
  const int code = system->xOpen(system, name, own->real, flags, out);
  own->base.pMethods = code == SQLITE_OK ? methods() : nullptr;
  return code;
}

/// Registers it once; gives its name.
inline const char* install() {
  static sqlite3_vfs vfs = [] {
    sqlite3_vfs* const system = sqlite3_vfs_find(nullptr);
    sqlite3_vfs own = *system;
    own.zName = "faulty";
    own.pNext = nullptr;
    own.pAppData = system;
    own.szOsFile = static_cast<int>(sizeof(File)) + system->szOsFile;
    own.xOpen = open;
    return own;
  }();
  sqlite3_vfs_register(&vfs, 0);
  return vfs.zName;
}

} // namespace signpost::store::faulty_disk
