#include "discovery/store/mark.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "discovery/store/checksum.hpp"

namespace signpost::store {
namespace {

constexpr off_t place_distance = 2048; // never in one sector
constexpr off_t file_size = 2 * place_distance;
constexpr std::uint64_t magic = 0x316b72616d705367; // "gSpmark1"

// In the byte order of the machine: what another one reads is not sound, and then said.
struct Place {
  std::uint64_t magic;
  std::int64_t revision;
  std::uint64_t inode;
  std::uint64_t sum;
};

std::uint64_t sum_of(const Place& place) {
  return crc32({reinterpret_cast<const char*>(&place), offsetof(Place, sum)});
}

std::optional<Place> read_place(int file, int at) {
  Place place{};
  if (::pread(file, &place, sizeof place, at * place_distance) != sizeof place) return std::nullopt;
  if (place.magic != magic || place.sum != sum_of(place) || place.revision < 0) return std::nullopt;
  return place;
}

std::uint64_t inode_of(int file) {
  struct stat found {};
  return ::fstat(file, &found) == 0 ? found.st_ino : 0;
}

bool sync_folder(const std::string& file) {
  const std::string folder = std::filesystem::path(file).parent_path().string();
  const int descriptor = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool done = ::fsync(descriptor) == 0;
  ::close(descriptor);
  return done;
}

} // namespace

tl::expected<Mark, std::string> Mark::open(const std::string& path) {
  int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0 && (errno == EROFS || errno == EACCES)) {
    file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  }
  if (file < 0 && errno != ENOENT) return tl::make_unexpected("cannot read " + path + ": " + std::strerror(errno));
  Mark mark(path, file);
  if (file < 0) return mark;
  mark.inode_ = inode_of(file);
  for (int at = 0; at < 2; ++at) {
    const auto place = read_place(file, at);
    if (!place || place->revision < mark.revision_.value_or(0)) continue;
    mark.revision_ = place->revision;
    mark.copied_ = place->inode != mark.inode_;
    mark.next_ = 1 - at;
  }
  if (!mark.revision_) {
    return tl::make_unexpected(path + " is damaged: remove it, if the registry beside it is known to be whole");
  }
  return mark;
}

Mark::Mark(Mark&& other) noexcept
    : path_(std::move(other.path_)), file_(std::exchange(other.file_, -1)), revision_(other.revision_),
      copied_(other.copied_), inode_(other.inode_), next_(other.next_) {}

Mark& Mark::operator=(Mark&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(file_, other.file_);
  revision_ = other.revision_;
  copied_ = other.copied_;
  inode_ = other.inode_;
  next_ = other.next_;
  return *this;
}

Mark::~Mark() {
  if (file_ >= 0) ::close(file_);
}

bool Mark::put(Revision revision, int place) {
  Place written{magic, revision, inode_, 0};
  written.sum = sum_of(written);
  const ssize_t size = ::pwrite(file_, &written, sizeof written, place * place_distance);
  if (size >= 0 && size != sizeof written) errno = ENOSPC;
  return size == sizeof written;
}

bool Mark::settle(Revision revision) {
  const bool fresh = file_ < 0;
  if (fresh) {
    file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file_ < 0) return false;
    inode_ = inode_of(file_);
    const std::array<char, file_size> zeros{}; // so that writing it later needs no room
    if (::pwrite(file_, zeros.data(), zeros.size(), 0) != file_size) {
      ::unlink(path_.c_str());
      return false;
    }
  }
  return put(revision, 0) && put(revision, 1) && ::fdatasync(file_) == 0 && (!fresh || sync_folder(path_));
}

bool Mark::write(Revision revision) {
  const int place = std::exchange(next_, 1 - next_);
  if (!put(revision, place)) return false;
  // On its way, not waited for. Where that is not possible the kernel writes it in its own time.
  (void)::sync_file_range(file_, place * place_distance, sizeof(Place), SYNC_FILE_RANGE_WRITE);
  return true;
}

} // namespace signpost::store
