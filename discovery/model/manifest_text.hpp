// The text of a manifest, whole in memory or read from a file piece by piece, so that a list of a million endpoints
// takes a piece's memory and not the file's.
//
// A window of the text is in memory, from the present position to what has been read; looking ahead widens it, going on
// narrows it. Private to this room; one thread.
#pragma once

#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>

namespace signpost::model {

class ManifestText {
public:
  /// `whole` outlives this.
  explicit ManifestText(std::string_view whole);
  /// Reads a regular file from its start; the caller keeps and closes the descriptor.
  explicit ManifestText(int descriptor);
  ManifestText(const ManifestText&) = delete;
  ManifestText& operator=(const ManifestText&) = delete;

  static constexpr int end = -1;
  /// The octet `ahead` of the present position, 0…255, or `end`.
  [[nodiscard]] int peek(std::size_t ahead = 0) {
    while (static_cast<std::size_t>(end_ - at_) <= ahead)
      if (!widen()) return end;
    return static_cast<unsigned char>(at_[ahead]);
  }
  /// Goes on by `octets` that have been peeked at.
  void skip(std::size_t octets) { at_ += octets; }

  /// Octets before the present position.
  [[nodiscard]] std::size_t offset() const { return before_ + static_cast<std::size_t>(at_ - begin_); }
  /// Line of the present position, from 1.
  [[nodiscard]] std::size_t line() const;
  /// Everything from the present position on, valid as long as this.
  [[nodiscard]] std::string_view rest();
  /// Everything from an offset on, read again if need be: for saying what is wrong there.
  [[nodiscard]] std::string from(std::size_t offset) const;
  /// errno of the read that failed and so ended the text early; 0: none did.
  [[nodiscard]] int error() const { return error_; }

  /// Octets one by one, for a parser: taking one goes on by one. A default one is the end.
  class Iterator {
  public:
    using iterator_category = std::input_iterator_tag;
    using value_type = char;
    using difference_type = std::ptrdiff_t;
    using pointer = const char*;
    using reference = const char&;

    Iterator() = default;
    explicit Iterator(ManifestText& text) : text_(&text) {}
    reference operator*() const { return *text_->at_; }
    Iterator& operator++() {
      ++text_->at_;
      return *this;
    }
    /// Whether there is an octet; the other one is the end.
    bool operator!=(const Iterator&) const { return text_->at_ != text_->end_ || text_->widen(); }

  private:
    ManifestText* text_ = nullptr;
  };

private:
  /// Reads one more piece; false: there is none.
  bool widen();

  static constexpr int no_file = -1;
  int descriptor_ = no_file;
  int error_ = 0;
  std::string window_; // of a file
  const char *begin_, *at_, *end_;
  std::size_t before_ = 0, lines_before_ = 0; // octets and line ends before begin_
};

} // namespace signpost::model
