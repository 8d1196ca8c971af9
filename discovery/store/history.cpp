#include "discovery/store/history.hpp"

#include <algorithm>
#include <iterator>
#include <unordered_map>

namespace signpost::store {
namespace {

constexpr std::size_t replay_batch = 256; // changes; a batch holds whole revisions, so it may be longer

void put_number(std::string& out, std::uint64_t number) {
  while (number >= 0x80) {
    out.push_back(static_cast<char>(number | 0x80));
    number >>= 7;
  }
  out.push_back(static_cast<char>(number));
}

bool take_number(std::string_view& bytes, std::uint64_t& number) {
  number = 0;
  for (int shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<std::uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    number |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

bool take_text(std::string_view& bytes, std::string_view& text) {
  std::uint64_t size = 0;
  if (!take_number(bytes, size) || size > bytes.size()) return false;
  text = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return true;
}

Value value_of(const Before& before) {
  return before.existed() ? std::make_shared<const std::string>(before.value) : nullptr;
}

} // namespace

// key, modified, and if it existed: created, value. Numbers as LEB128, texts with their length before them.
void encode(std::string& out, const Before& before) {
  put_number(out, before.key.size());
  out.append(before.key);
  put_number(out, static_cast<std::uint64_t>(before.modified));
  if (!before.existed()) return;
  put_number(out, static_cast<std::uint64_t>(before.created));
  put_number(out, before.value.size());
  out.append(before.value);
}

bool decode(std::string_view bytes, const std::function<void(const Before&)>& visit) {
  while (!bytes.empty()) {
    Before before;
    std::uint64_t modified = 0;
    std::uint64_t created = 0;
    if (!take_text(bytes, before.key) || !take_number(bytes, modified)) return false;
    if (modified != 0 && (!take_number(bytes, created) || !take_text(bytes, before.value))) return false;
    before.modified = static_cast<Revision>(modified);
    before.created = static_cast<Revision>(created);
    visit(before);
  }
  return true;
}

void Undo::add(const Before& before) {
  if (!range_.contains(before.key) || earlier_.contains(before.key)) return;
  std::optional<Entry> entry;
  if (before.existed()) entry = Entry{std::string(before.key), value_of(before), before.created, before.modified};
  earlier_.emplace(std::string(before.key), std::move(entry));
}

RangeResult Undo::finish(std::vector<Entry> entries, std::size_t unchanged, const RangeRequest& request) const {
  std::vector<Entry> changed;
  for (const auto& [key, entry] : earlier_) {
    if (entry) changed.push_back(*entry);
  }
  const std::size_t total = unchanged + changed.size();
  std::vector<Entry> all;
  all.reserve(entries.size() + changed.size());
  std::merge(std::make_move_iterator(entries.begin()), std::make_move_iterator(entries.end()),
             std::make_move_iterator(changed.begin()), std::make_move_iterator(changed.end()), std::back_inserter(all),
             [](const Entry& a, const Entry& b) { return a.key < b.key; });
  return limited(std::move(all), total, request);
}

void Replay::add(Revision revision, const Before& before) {
  if (!range_.contains(before.key) || full()) return;
  bytes_ += sizeof(Change) + before.key.size() + before.value.size();
  if (full()) {
    changes_.clear();
    return;
  }
  changes_.push_back({{std::string(before.key), nullptr, before.created, revision}, value_of(before)});
}

std::vector<std::shared_ptr<const Batch>>
Replay::finish(Revision until, const std::function<std::optional<Entry>(const std::string& key)>& current) {
  // Backwards, what a key was before its next change is what this change made of it.
  std::unordered_map<std::string, Value> next;
  for (auto change = changes_.rbegin(); change != changes_.rend(); ++change) {
    Entry& entry = change->entry;
    const auto [found, first] = next.try_emplace(entry.key);
    if (first) {
      if (auto now = current(entry.key)) found->second = std::move(now->value);
    }
    entry.value = found->second;
    if (!change->previous && entry.value) entry.created = entry.modified;
    found->second = change->previous;
  }

  std::vector<std::shared_ptr<const Batch>> batches;
  auto batch = std::make_shared<Batch>();
  for (std::size_t i = 0; i < changes_.size() && changes_[i].entry.modified <= until; ++i) {
    const Revision revision = changes_[i].entry.modified;
    if (batch->changes.size() >= replay_batch && revision != batch->revision) {
      batches.push_back(std::move(batch));
      batch = std::make_shared<Batch>();
    }
    batch->revision = revision;
    batch->changes.push_back(std::move(changes_[i]));
  }
  batch->revision = until;
  batches.push_back(std::move(batch));
  changes_.clear();
  return batches;
}

Error compacted_error(Revision asked, Revision compacted) {
  return {Failure::compacted, "revision " + std::to_string(asked) +
                                  " is older than the history kept, which begins after " + std::to_string(compacted)};
}

Error past_error(Revision asked) {
  return {Failure::compacted, "more was written after revision " + std::to_string(asked) + " than is read again"};
}

Error future_error(Revision asked, Revision newest) {
  return {Failure::future,
          "revision " + std::to_string(asked) + " is not reached yet, the newest is " + std::to_string(newest)};
}

RangeResult limited(std::vector<Entry> entries, std::size_t total, const RangeRequest& request) {
  RangeResult result;
  result.total = total;
  std::size_t kept = request.limit != 0 ? std::min(request.limit, entries.size()) : entries.size();
  for (std::size_t i = 0, bytes = 0; request.bytes != 0 && i < kept; ++i) {
    bytes += entries[i].value->size();
    if (bytes >= request.bytes) kept = i + 1;
  }
  entries.resize(kept);
  result.more = entries.size() < total;
  result.entries = std::move(entries);
  return result;
}

} // namespace signpost::store
