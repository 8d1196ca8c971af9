#include "discovery/api/gzip.hpp"

#include <zlib.h>

namespace signpost::api {
namespace {

constexpr int fastest = 1; // the last tenth of the size would take most of the time
// Of 8 KiB: a stream then takes 96 KiB, not 256, for lists that are larger by a twentieth.
constexpr int gzip_window = 13 + 16, memory_level = 7;
constexpr std::size_t state_bytes = 96 << 10;

class Compressor {
public:
  Compressor() {
    ready_ = deflateInit2(&stream_, fastest, Z_DEFLATED, gzip_window, memory_level, Z_DEFAULT_STRATEGY) == Z_OK;
  }
  ~Compressor() {
    if (ready_) deflateEnd(&stream_);
  }
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  /// false: there was no memory.
  [[nodiscard]] bool ready() const { return ready_; }

  /// Appends what is ready to be sent; all of it with the last piece.
  void add(std::string_view piece, bool last, std::string& out) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data())); // zlib only reads there
    stream_.avail_in = static_cast<uInt>(piece.size());
    int state = Z_OK;
    do {
      char part[16 * 1024];
      stream_.next_out = reinterpret_cast<Bytef*>(part);
      stream_.avail_out = sizeof part;
      state = deflate(&stream_, last ? Z_FINISH : Z_NO_FLUSH);
      out.append(part, sizeof part - stream_.avail_out);
    } while (stream_.avail_out == 0 && state == Z_OK);
  }

private:
  z_stream stream_{};
  bool ready_ = false;
};

class CompressedStream final : public Stream {
public:
  CompressedStream(std::unique_ptr<Compressor> compressor, std::string begin, std::unique_ptr<Stream> rest)
      : compressor_(std::move(compressor)), begin_(std::move(begin)), rest_(std::move(rest)) {}

  Step next(std::string& out) override {
    if (!begin_.empty()) {
      compressor_->add(begin_, false, out);
      begin_ = {};
      return Step::more;
    }
    std::string piece;
    const Step step = rest_->next(piece);
    if (!piece.empty() || step == Step::done) compressor_->add(piece, step == Step::done, out);
    return step;
  }
  void rest() override { rest_->rest(); }
  [[nodiscard]] std::size_t held() const override { return state_bytes + begin_.capacity() + rest_->held(); }

private:
  std::unique_ptr<Compressor> compressor_;
  std::string begin_;
  std::unique_ptr<Stream> rest_;
};

void mark(Reply& reply) {
  reply.headers.emplace_back("Content-Encoding", "gzip");
  reply.headers.emplace_back("Vary", "Accept-Encoding");
}

} // namespace

void compress(Reply& reply) {
  auto step = reply.stream ? Stream::Step::more : Stream::Step::done;
  std::string begin = std::move(reply.body);
  reply.body.clear();
  // What is not at its end after so many pieces is longer, however little of it is there.
  constexpr std::size_t enough = compressed_from / piece_bytes + 1;
  for (std::size_t i = 0; i < enough && step == Stream::Step::more && begin.size() <= compressed_from; ++i)
    step = reply.stream->next(begin);
  if (step == Stream::Step::failed) {
    reply.stream = std::make_unique<ResumedStream>(std::move(begin), nullptr);
    return;
  }
  const bool longer = step == Stream::Step::more || begin.size() > compressed_from;
  auto compressor = longer ? std::make_unique<Compressor>() : nullptr;
  const bool compressing = compressor != nullptr && compressor->ready();
  if (step == Stream::Step::done) {
    reply.stream = nullptr;
    if (!compressing) {
      reply.body = std::move(begin);
      return;
    }
    compressor->add(begin, true, reply.body);
  } else if (compressing) {
    reply.stream = std::make_unique<CompressedStream>(std::move(compressor), std::move(begin), std::move(reply.stream));
  } else {
    reply.stream = std::make_unique<ResumedStream>(std::move(begin), std::move(reply.stream));
    return;
  }
  mark(reply);
}

} // namespace signpost::api
