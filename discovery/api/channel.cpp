#include "discovery/api/channel.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "discovery/api/watch_frame.hpp"

namespace signpost::api {
namespace {

constexpr std::size_t tail_events = 512; // kept for the next watch although everybody has seen them

} // namespace

std::string to_chunk(std::string_view text) {
  std::string out = fmt::format("{:x}\r\n", text.size());
  out.reserve(out.size() + text.size() + 2);
  out += text;
  out += "\r\n";
  return out;
}

WatchEvent::WatchEvent(const registry::Event& event) : event_(event) {}

std::size_t WatchEvent::bytes() const {
  return (event_.object.text ? event_.object.text->size() : 0) + (event_.previous ? event_.previous->size() : 0);
}

const ObjectSummary& WatchEvent::summary() const {
  const std::lock_guard lock(mutex_);
  if (!summary_) summary_ = std::make_unique<ObjectSummary>(read_summary(*event_.object.text));
  return *summary_;
}

const ObjectSummary& WatchEvent::previous_summary() const {
  const std::lock_guard lock(mutex_);
  if (!previous_summary_)
    previous_summary_ =
        std::make_unique<ObjectSummary>(event_.previous ? read_summary(*event_.previous) : ObjectSummary{});
  return *previous_summary_;
}

std::shared_ptr<const std::string> WatchEvent::frame(Format format, Line line) const {
  const std::lock_guard lock(mutex_);
  auto& frame = frames_[format == Format::protobuf ? 1 : 0][static_cast<std::size_t>(line)];
  if (!frame) {
    std::string text;
    append_watch_frame(format, types[static_cast<std::size_t>(line)],
                       (line == Line::left ? previous() : event_.object).json(), text);
    frame = std::make_shared<const std::string>(to_chunk(text));
  }
  return frame;
}

Channel::Channel(store::Revision after, BacklogLimits limits, std::function<void()> wake)
    : limits_(limits), wake_(std::move(wake)), floor_(after), revision_(after) {}

Channel::~Channel() { stream_.reset(); }

registry::Result<std::unique_ptr<Channel::Position>> Channel::open(registry::Registry& registry, model::Kind kind,
                                                                   store::Revision after, BacklogLimits limits,
                                                                   std::function<void()> wake) {
  std::shared_ptr<Channel> channel(new Channel(after, limits, std::move(wake)));
  auto first = join(channel, after);
  // The stream ends before the channel does, so the plain pointer is safe.
  auto stream = registry.watch(
      kind, "", after,
      [raw = channel.get()](const std::shared_ptr<const registry::EventBatch>& batch) { raw->take(batch); },
      limits.bytes);
  if (!stream) return tl::make_unexpected(stream.error());
  channel->stream_ = std::move(*stream);
  const std::lock_guard lock(channel->mutex_);
  if (channel->first_ != 0)
    return tl::make_unexpected(
        registry::expired(fmt::format("too old resource version: {} ({})", after, channel->floor_)));
  return std::move(*first);
}

void Channel::take(const std::shared_ptr<const registry::EventBatch>& batch) {
  if (!batch) { // the source's way to say that what comes next does not follow from what came
    lost_.store(true, std::memory_order_release);
    wake_();
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    for (const registry::Event& event : batch->events) {
      if (!event.object.text) continue;
      backlog_.push_back(std::make_shared<const WatchEvent>(event));
      bytes_ += backlog_.back()->bytes();
    }
    revision_ = std::max(revision_, batch->revision);
    end_.store(first_ + backlog_.size(), std::memory_order_release);
    trim();
  }
  if (!batch->events.empty()) wake_();
}

void Channel::trim() {
  std::uint64_t seen = first_ + backlog_.size();
  for (const Position* position : positions_) seen = std::min(seen, position->next_.load(std::memory_order_relaxed));
  const auto drop = [&] {
    bytes_ -= std::min(bytes_, backlog_.front()->bytes());
    floor_ = backlog_.front()->revision();
    backlog_.pop_front();
    ++first_;
  };
  while (backlog_.size() > limits_.events || (bytes_ > limits_.bytes && backlog_.size() > 1)) drop();
  while (backlog_.size() > tail_events && first_ < seen) drop();
}

std::optional<std::unique_ptr<Channel::Position>> Channel::join(const std::shared_ptr<Channel>& channel,
                                                                store::Revision after) {
  const std::lock_guard lock(channel->mutex_);
  if (after < channel->floor_ || channel->lost()) return std::nullopt;
  const auto found = std::upper_bound(channel->backlog_.begin(), channel->backlog_.end(), after,
                                      [](store::Revision revision, const std::shared_ptr<const WatchEvent>& event) {
                                        return revision < event->revision();
                                      });
  const std::uint64_t next = channel->first_ + static_cast<std::uint64_t>(found - channel->backlog_.begin());
  return std::unique_ptr<Position>(new Position(channel, next));
}

Channel::Position::Position(std::shared_ptr<Channel> channel, std::uint64_t next)
    : channel_(std::move(channel)), next_(next) {
  place_ = channel_->positions_.insert(channel_->positions_.end(), this);
}

Channel::Position::~Position() {
  const std::lock_guard lock(channel_->mutex_);
  channel_->positions_.erase(place_);
}

bool Channel::Position::pending() const {
  return next_.load(std::memory_order_relaxed) < channel_->end_.load(std::memory_order_acquire) || channel_->lost();
}

Channel::Position::Read Channel::Position::read(std::size_t max_events) {
  Read result;
  const std::lock_guard lock(channel_->mutex_);
  const std::uint64_t next = next_.load(std::memory_order_relaxed);
  if (next < channel_->first_) {
    result.behind = true;
    return result;
  }
  const std::size_t from = static_cast<std::size_t>(next - channel_->first_);
  const std::size_t count = std::min(max_events, channel_->backlog_.size() - from);
  const auto begin = channel_->backlog_.begin() + static_cast<std::ptrdiff_t>(from);
  result.events.assign(begin, begin + static_cast<std::ptrdiff_t>(count));
  next_.store(next + count, std::memory_order_relaxed);
  result.revision = channel_->revision_;
  result.lost = count == 0 && channel_->lost();
  return result;
}

Hub::Hub(registry::Registry& registry, BacklogLimits limits, std::function<void()> wake)
    : registry_(registry), limits_(limits), wake_(std::move(wake)) {}

registry::Result<std::unique_ptr<Channel::Position>> Hub::join(model::Kind kind, store::Revision after) {
  const std::lock_guard lock(mutex_);
  if (closed_) return tl::make_unexpected(registry::unavailable("the server is shutting down"));
  Channels& channels = channels_[kind];
  if (channels.common && channels.common->lost()) channels.common.reset();
  if (channels.common) {
    if (auto position = Channel::join(channels.common, after)) return std::move(*position);
  }
  std::erase_if(channels.deeper, [](const std::weak_ptr<Channel>& channel) { return channel.expired(); });
  for (const std::weak_ptr<Channel>& weak : channels.deeper) {
    const std::shared_ptr<Channel> channel = weak.lock();
    if (!channel) continue;
    if (auto position = Channel::join(channel, after)) return std::move(*position);
  }
  if (channels.deeper.size() >= limits_.deeper)
    return tl::make_unexpected(registry::expired(fmt::format(
        "too old resource version: {} (too many watches read the history at the moment; list again)", after)));
  // A revision that is still to come is waited for from where things are.
  auto opened = Channel::open(registry_, kind, std::min(after, registry_.revision()), limits_, wake_);
  if (!opened) return opened;
  if (channels.common)
    channels.deeper.push_back((*opened)->channel());
  else
    channels.common = (*opened)->channel();
  return opened;
}

bool Hub::settle(model::Kind kind, store::Revision read, std::unique_ptr<Channel::Position>& position) {
  std::unique_ptr<Channel::Position> left; // ends without the lock: it may be the last of its channel
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) return false; // somebody reads the history; there is no hurry
  const auto channels = channels_.find(kind);
  if (channels == channels_.end() || !channels->second.common) return false;
  const std::shared_ptr<Channel>& common = channels->second.common;
  if (position->channel() == common) return true;
  auto moved = Channel::join(common, read);
  if (!moved) return false;
  left = std::exchange(position, std::move(*moved));
  return true;
}

void Hub::close() {
  std::map<model::Kind, Channels> ended;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    ended.swap(channels_);
  }
}

} // namespace signpost::api
