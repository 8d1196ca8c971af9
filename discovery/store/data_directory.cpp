#include "discovery/store/data_directory.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace signpost::store {
namespace {

std::string reason() { return std::strerror(errno); }

std::string cannot_write(const std::string& path) {
  const int error = errno;
  std::string text = "cannot write in " + path + ": " + std::strerror(error);
  if (error == EACCES || error == EPERM)
    text += "; give its owner to the user that signpostd runs as, or choose another folder";
  if (error == EROFS) text += "; choose a folder on a file system that can be written";
  if (error == ENOSPC || error == EDQUOT) text += "; make room there";
  return text;
}

tl::expected<void, std::string> make_directory(const std::string& path) {
  std::error_code failed;
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent, failed);
  if (!failed && ::mkdir(path.c_str(), 0700) == 0) return {};
  const int error = failed ? failed.value() : errno;
  struct stat found {};
  if (::stat(path.c_str(), &found) == 0) {
    if (S_ISDIR(found.st_mode)) return {};
    return tl::make_unexpected(path + " is not a folder; choose another one for the data");
  }
  return tl::make_unexpected("cannot create the folder " + path + ": " + std::strerror(error) +
                             "; choose another folder for the data");
}

std::string holder(int lock) {
  std::array<char, 32> text{};
  const ssize_t size = ::pread(lock, text.data(), text.size() - 1, 0);
  const std::string pid(text.data(), size > 0 ? std::strcspn(text.data(), "\n") : 0);
  return pid.empty() ? "" : " (pid " + pid + ")";
}

} // namespace

tl::expected<DataDirectory, std::string> DataDirectory::open(const std::string& given) {
  std::string path = given;
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  if (path.empty()) return tl::make_unexpected(std::string("the folder for the data has an empty name"));
  if (auto made = make_directory(path); !made) return tl::make_unexpected(made.error());

  DataDirectory directory(path);
  // The folder itself is locked, too: the file can be removed under us.
  directory.folder_ = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::string file = path + "/lock";
  directory.lock_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (directory.lock_ < 0 && errno == EROFS) {
    directory.read_only_ = true;
    directory.lock_ = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (directory.lock_ < 0 && errno == ENOENT) errno = EROFS;
  }
  if (directory.lock_ < 0) return tl::make_unexpected(cannot_write(path));
  for (const int held : {directory.folder_, directory.lock_}) {
    if (held < 0 || ::flock(held, LOCK_EX | LOCK_NB) == 0) continue;
    if (errno == EWOULDBLOCK) {
      return tl::make_unexpected("another signpostd" + holder(directory.lock_) + " uses " + path +
                                 "; stop it or choose another folder");
    }
    if (held == directory.lock_) return tl::make_unexpected("cannot lock " + file + ": " + reason());
  }
  // Only for the sentence above: a full disk is no reason not to start.
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (!directory.read_only_ && ::ftruncate(directory.lock_, 0) == 0) {
    (void)!::pwrite(directory.lock_, pid.data(), pid.size(), 0);
  }
  return directory;
}

DataDirectory::DataDirectory(DataDirectory&& other) noexcept
    : path_(std::move(other.path_)), folder_(std::exchange(other.folder_, -1)), lock_(std::exchange(other.lock_, -1)),
      read_only_(other.read_only_) {}

DataDirectory& DataDirectory::operator=(DataDirectory&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(folder_, other.folder_);
  std::swap(lock_, other.lock_);
  std::swap(read_only_, other.read_only_);
  return *this;
}

DataDirectory::~DataDirectory() {
  if (lock_ >= 0) ::close(lock_);
  if (folder_ >= 0) ::close(folder_);
}

tl::expected<std::string, std::string> DataDirectory::file(const std::string& name) const {
  std::string path = path_ + "/" + name;
  const int access = read_only_ ? O_RDONLY : O_RDWR | O_CREAT;
  const int file = ::open(path.c_str(), access | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) {
    if (errno == ELOOP) return tl::make_unexpected(path + " is a symbolic link; the data must be a file of its own");
    return tl::make_unexpected(cannot_write(path_));
  }
  ::close(file);
  return path;
}

} // namespace signpost::store
