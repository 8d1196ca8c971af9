#include "discovery/api/list_stream.hpp"

#include <ctime>
#include <fmt/format.h>

#include "discovery/api/reply_format.hpp"

namespace signpost::api {
namespace {

/// apiVersion and kind.
std::pair<std::string, std::string> list_type(model::Kind kind, const Encoding& encoding) {
  const model::KindInfo& info = model::info(kind);
  if (encoding.shape == Shape::object) return {std::string(info.api_version()), fmt::format("{}List", info.name)};
  return {fmt::format("meta.k8s.io/{}", encoding.version),
          encoding.shape == Shape::table ? "Table" : "PartialObjectMetadataList"};
}

/// What all formats do: head, items, end.
class ListStream : public Stream {
public:
  explicit ListStream(ItemSource items) : items_(std::move(items)) {}

  Step next(std::string& out) final {
    if (failed_) return Step::failed;
    const std::size_t start = out.size();
    if (!prepare()) return failed_ ? Step::failed : Step::more;
    out += head_;
    head_ = {};
    bool page_read = false;
    while (!failed_ && out.size() - start < piece_bytes) {
      if (const registry::Stored* item = items_.next()) {
        append(*item, out);
        first_ = false;
        continue;
      }
      if (page_read) break;
      const ItemSource::Page page = items_.read_page();
      page_read = true;
      if (page == ItemSource::Page::end) append_end(out);
      failed_ = failed_ || page == ItemSource::Page::failed;
      if (!failed_ && page == ItemSource::Page::end) return Step::done;
    }
    return failed_ ? Step::failed : Step::more;
  }
  void rest() override { items_.rest(); }
  [[nodiscard]] std::size_t held() const override { return head_.capacity() + items_.held(); }

protected:
  /// Does a piece's work of what has to be done before the first octet is sent. false: there is more of it, or failed_.
  virtual bool prepare() { return true; }
  virtual void append(const registry::Stored& item, std::string& out) = 0;
  virtual void append_end(std::string& out) = 0;

  ItemSource items_;
  std::string head_;
  bool first_ = true; // no item has been appended
  bool failed_ = false;
};

class JsonListStream final : public ListStream {
public:
  JsonListStream(ItemSource items, model::Kind kind, const Encoding& encoding, IncludeObject include,
                 const ListMeta& meta)
      : ListStream(std::move(items)), kind_(kind), encoding_(encoding), include_(include), now_(std::time(nullptr)) {
    const auto [version, name] = list_type(kind, encoding);
    head_ = fmt::format("{{\"kind\":\"{}\",\"apiVersion\":\"{}\",\"metadata\":{{\"resourceVersion\":\"{}\"", name,
                        version, meta.revision);
    if (!meta.token.empty()) head_ += fmt::format(",\"continue\":\"{}\"", meta.token);
    if (meta.remaining != 0) head_ += fmt::format(",\"remainingItemCount\":{}", meta.remaining);
    head_ += "},";
    if (encoding.shape == Shape::table) append_columns(kind, head_);
    head_ += encoding.shape == Shape::table ? ",\"rows\":[" : "\"items\":[";
  }

private:
  void append(const registry::Stored& item, std::string& out) override {
    if (!first_) out += ',';
    switch (encoding_.shape) {
    case Shape::object: item.write(out); break;
    case Shape::table: append_row(kind_, item.json(), include_, encoding_.version, now_, out); break;
    case Shape::metadata: append_partial(item.json(), encoding_.version, out); break;
    }
  }
  void append_end(std::string& out) override { out += "]}"; }

  const model::Kind kind_;
  const Encoding encoding_;
  const IncludeObject include_;
  const std::int64_t now_;
};

/// What the list says about itself comes last.
class YamlListStream final : public ListStream {
public:
  YamlListStream(ItemSource items, model::Kind kind, const Encoding& encoding, const ListMeta& meta)
      : ListStream(std::move(items)), encoding_(encoding) {
    const auto [version, name] = list_type(kind, encoding);
    head_ = fmt::format("apiVersion: {}\n", version);
    tail_ = fmt::format("kind: {}\nmetadata:\n  resourceVersion: \"{}\"\n", name, meta.revision);
    if (!meta.token.empty()) tail_ += fmt::format("  continue: \"{}\"\n", meta.token);
    if (meta.remaining != 0) tail_ += fmt::format("  remainingItemCount: {}\n", meta.remaining);
  }

private:
  void append(const registry::Stored& item, std::string& out) override {
    if (first_) out += "items:\n";
    std::string json;
    if (encoding_.shape == Shape::object)
      item.write(json);
    else
      append_partial(item.json(), encoding_.version, json);
    failed_ = !append_yaml_item(json, out);
  }
  void append_end(std::string& out) override {
    if (first_) out += "items: []\n";
    out += tail_;
  }

  const Encoding encoding_;
  std::string tail_;
};

/// A message begins with its length: the objects are gone through twice, at the same revision, rather than kept.
class ProtobufListStream final : public ListStream {
public:
  ProtobufListStream(ItemSource items, model::Kind kind, const Encoding& encoding, ListMeta meta)
      : ListStream(items), message_(message_of(kind, encoding)), type_(list_type(kind, encoding)),
        meta_(std::move(meta)), measured_(std::move(items)) {}

private:
  static const model::WireMessage& message_of(model::Kind kind, const Encoding& encoding) {
    return encoding.shape == Shape::object ? model::wire_message(kind)
                                           : *model::find_wire_message("meta.k8s.io/v1", "PartialObjectMetadata");
  }
  bool prepare() override {
    if (!measured_) return true;
    std::string item;
    const std::size_t start = left_;
    while (const registry::Stored* stored = left_ - start < piece_bytes ? measured_->next() : nullptr) {
      item.clear();
      failed_ = !append_list_item(message_, stored->json(), item);
      if (failed_) return false;
      left_ += item.size();
    }
    if (left_ - start >= piece_bytes) return false;
    const ItemSource::Page page = measured_->read_page();
    failed_ = page == ItemSource::Page::failed;
    if (page != ItemSource::Page::end) return false;
    measured_.reset();
    append_list_head({type_.first, type_.second, std::to_string(meta_.revision), meta_.token, meta_.remaining, left_},
                     head_);
    return true;
  }
  void rest() override {
    ListStream::rest();
    if (measured_) measured_->rest();
  }
  [[nodiscard]] std::size_t held() const override { return ListStream::held() + (measured_ ? measured_->held() : 0); }
  void append(const registry::Stored& item, std::string& out) override {
    const std::size_t before = out.size();
    failed_ = !append_list_item(message_, item.json(), out) || out.size() - before > left_;
    left_ -= std::min(left_, out.size() - before);
  }
  void append_end(std::string&) override { failed_ = left_ != 0; }

  const model::WireMessage& message_;
  const std::pair<std::string, std::string> type_;
  const ListMeta meta_;
  std::optional<ItemSource> measured_; // until all have been
  std::size_t left_ = 0;               // bytes of items to come
};

} // namespace

std::unique_ptr<Stream> make_list_stream(ItemSource items, model::Kind kind, const Encoding& encoding,
                                         IncludeObject include, const ListMeta& meta) {
  switch (encoding.format) {
  case Format::yaml: return std::make_unique<YamlListStream>(std::move(items), kind, encoding, meta);
  case Format::protobuf: return std::make_unique<ProtobufListStream>(std::move(items), kind, encoding, meta);
  default: return std::make_unique<JsonListStream>(std::move(items), kind, encoding, include, meta);
  }
}

} // namespace signpost::api
