#include "discovery/store/follower.hpp"

#include <utility>

namespace signpost::store {
namespace {

constexpr std::size_t page = 1000; // entries read at once: bounds the memory of the start

} // namespace

Follower::~Follower() { watch_.reset(); }

Result<void> Follower::start(const std::vector<std::string>& prefixes, const std::string& range,
                             const std::function<void(const Change&)>& take) {
  watch_.reset();
  const Revision revision = store_.revision();
  for (const std::string& prefix : prefixes) {
    RangeRequest request{prefix, prefix_end(prefix), revision, page};
    while (true) {
      auto found = store_.range(request);
      if (!found) return tl::unexpected(std::move(found.error()));
      for (Entry& entry : found->entries) {
        request.begin = entry.key + '\0';
        take({std::move(entry), nullptr});
      }
      if (!found->more) break;
    }
  }
  auto watch = store_.watch({range, prefix_end(range), revision}, [this](const std::shared_ptr<const Batch>& batch) {
    {
      const std::lock_guard lock(mutex_);
      if (batch == nullptr) {
        news_.lost = true;
      } else {
        news_.batches.push_back(batch);
      }
    }
    called_.notify_one();
  });
  if (!watch) return tl::unexpected(std::move(watch.error()));
  watch_ = std::move(*watch);
  return {};
}

Follower::News Follower::wait(std::optional<Clock::time_point> until) {
  std::unique_lock lock(mutex_);
  const auto called = [this] { return woken_ || news_.stopped || news_.lost || !news_.batches.empty(); };
  if (until) {
    called_.wait_until(lock, *until, called);
  } else {
    called_.wait(lock, called);
  }
  woken_ = false;
  News news = std::exchange(news_, {});
  news_.stopped = news.stopped;
  return news;
}

void Follower::wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  called_.notify_one();
}

void Follower::stop() {
  {
    const std::lock_guard lock(mutex_);
    news_.stopped = true;
  }
  called_.notify_one();
}

} // namespace signpost::store
