#include "discovery/model/manifest_text.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace signpost::model {
namespace {

constexpr std::size_t piece = 64 * 1024;

std::size_t line_ends(const char* begin, const char* end) {
  return static_cast<std::size_t>(std::count(begin, end, '\n'));
}

/// Octets read at `offset`, 0 at the end; negative: errno says why not.
ssize_t read_at(int descriptor, char* to, std::size_t size, std::size_t offset) {
  while (true) {
    ssize_t const got = pread(descriptor, to, size, static_cast<off_t>(offset));
    if (got >= 0 || errno != EINTR) return got;
  }
}

} // namespace

ManifestText::ManifestText(std::string_view whole)
    : begin_(whole.data()), at_(whole.data()), end_(whole.data() + whole.size()) {}

ManifestText::ManifestText(int descriptor)
    : descriptor_(descriptor), begin_(window_.data()), at_(begin_), end_(begin_) {}

bool ManifestText::widen() {
  if (descriptor_ == no_file || error_ != 0) return false;
  before_ += static_cast<std::size_t>(at_ - begin_);
  lines_before_ += line_ends(begin_, at_);
  window_.erase(0, static_cast<std::size_t>(at_ - begin_));
  std::size_t const kept = window_.size();
  window_.resize(kept + piece);
  ssize_t const got = read_at(descriptor_, window_.data() + kept, piece, before_ + kept);
  if (got < 0) error_ = errno;
  window_.resize(kept + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  begin_ = at_ = window_.data();
  end_ = begin_ + window_.size();
  return got > 0;
}

std::size_t ManifestText::line() const { return 1 + lines_before_ + line_ends(begin_, at_); }

std::string_view ManifestText::rest() {
  struct stat status {};
  if (descriptor_ != no_file && fstat(descriptor_, &status) == 0) {
    std::size_t const left = static_cast<std::size_t>(status.st_size) -
                             std::min<std::size_t>(static_cast<std::size_t>(status.st_size), before_);
    std::size_t const position = static_cast<std::size_t>(at_ - begin_), size = window_.size();
    window_.reserve(left + 2 * piece); // in one go: doubling would double the peak
    begin_ = window_.data();
    at_ = begin_ + position;
    end_ = begin_ + size;
  }
  while (widen()) {
  }
  return {at_, static_cast<std::size_t>(end_ - at_)};
}

std::string ManifestText::from(std::size_t offset) const {
  if (descriptor_ == no_file) return {begin_ + offset, end_};
  std::string text;
  while (true) {
    std::size_t const size = text.size();
    text.resize(size + piece);
    ssize_t const got = read_at(descriptor_, text.data() + size, piece, offset + size);
    text.resize(size + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got <= 0) return text;
  }
}

} // namespace signpost::model
