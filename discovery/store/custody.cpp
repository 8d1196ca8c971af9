#include "discovery/store/custody.hpp"

#include <sys/stat.h>

namespace signpost::store {

void Custody::look(File& file) {
  struct stat found {};
  file.there = ::stat(file.path.c_str(), &found) == 0;
  if (!file.there) return;
  file.device = found.st_dev;
  file.inode = found.st_ino;
  file.size = found.st_size;
  file.changed = std::int64_t{found.st_mtim.tv_sec} * 1'000'000'000 + found.st_mtim.tv_nsec;
}

Custody::Custody(const std::string& path) {
  const std::string inside = path + "/";
  files_[folder].path = path;
  files_[lock].path = inside + "lock";
  files_[database].path = inside + "registry.db";
  files_[log].path = inside + "registry.db-wal";
  files_[index].path = inside + "registry.db-shm";
  files_[mark].path = inside + "mark";
  for (File& file : files_) look(file);
}

void Custody::note() {
  for (const Which which : {database, log}) {
    File now{.path = files_[which].path};
    look(now);
    if (!files_[which].there) files_[which] = now;  // the log, made by the first write
    if (now.inode != files_[which].inode) continue; // missing() says it
    files_[which].size = now.size;
    files_[which].changed = now.changed;
  }
}

std::optional<std::string> Custody::missing() const {
  for (const File& file : files_) {
    if (!file.there) continue;
    File now{.path = file.path};
    look(now);
    if (!now.there) return file.path + " was removed or moved";
    if (now.inode != file.inode || now.device != file.device) return file.path + " was replaced";
    if (&file == &files_[index] && now.size < file.size) return file.path + " was cut short";
  }
  return std::nullopt;
}

Custody::Foreign Custody::written() const {
  for (const Which which : {log, database}) {
    const File& known = files_[which];
    if (!known.there) continue;
    File now{.path = known.path};
    look(now);
    if (now.there && now.inode == known.inode && (now.size != known.size || now.changed != known.changed)) {
      return which == log ? Foreign::log : Foreign::database;
    }
  }
  return Foreign::none;
}

} // namespace signpost::store
