#include "client/resolver/lookup.hpp"

#include <algorithm>
#include <cstring>
#include <sys/random.h>

namespace signpost::resolver {

namespace {

constexpr int most_aliases = 16;

// The name that an alias chain of the answer section ends at, and the smallest TTL on the way.
std::pair<std::string, std::uint32_t> follow_aliases(const Exchange& exchange, std::string name) {
  std::uint32_t ttl = 0xffffffff;
  for (int hops = 0; hops < most_aliases; ++hops) {
    const auto& records = exchange.reply().records;
    const auto alias = std::ranges::find_if(records, [&](const Record& r) {
      return r.section == Section::answer && r.type == type::cname && r.owner == name;
    });
    if (alias == records.end()) break;
    std::size_t at = alias->rdata;
    auto target = read_name(exchange.message(), at, alias->rdata + alias->rdata_size);
    if (!target) break;
    ttl = std::min(ttl, alias->ttl);
    name = std::move(*target);
  }
  return {name, ttl};
}

// RFC 2782: within one priority, each place goes to one of the rest at random, in proportion to weight.
template <class Targets>
void order_by_weight(Targets& targets) {
  std::ranges::stable_sort(targets, {}, [](const auto& t) { return t.priority; });
  for (auto from = targets.begin(); from != targets.end(); ++from) {
    auto to = from;
    std::uint64_t sum = 0;
    for (; to != targets.end() && to->priority == from->priority; ++to) sum += to->weight + 1u;
    std::uint32_t random = 0;
    if (getrandom(&random, sizeof random, 0) < 0) return;
    auto left = static_cast<std::int64_t>(random % sum);
    auto chosen = from;
    while ((left -= chosen->weight + 1) >= 0) ++chosen;
    std::iter_swap(from, chosen);
  }
}

} // namespace

Lookup::Lookup(const Settings& settings, Watcher& watcher, Plan plan, Clock::time_point deadline)
    : settings_(settings), watcher_(watcher), plan_(std::move(plan)), deadline_(deadline) {
  result_.name = result_.canonical = plan_.name;
  if (plan_.srv) {
    services_ = std::make_unique<Exchange>(settings_, watcher_, plan_.name, type::srv);
    return;
  }
  auto& target = targets_.emplace_back();
  target.name = plan_.name;
  target.port = plan_.port;
  ask(target);
}

Result Lookup::failure(const std::string& name, Errc why) {
  Result result;
  result.error = why;
  result.name = result.canonical = name;
  return result;
}

void Lookup::ask(Target& target) {
  if (plan_.family != Family::ipv6)
    target.asked.push_back(std::make_unique<Exchange>(settings_, watcher_, target.name, type::a));
  if (plan_.family != Family::ipv4)
    target.asked.push_back(std::make_unique<Exchange>(settings_, watcher_, target.name, type::aaaa));
}

bool Lookup::ready(int fd, bool readable, bool writable) {
  if (services_) return services_->ready(fd, readable, writable);
  for (auto& target : targets_)
    for (auto& exchange : target.asked)
      if (exchange && exchange->ready(fd, readable, writable)) return true;
  return false;
}

Clock::time_point Lookup::next() const {
  auto next = std::min(deadline_, grace_);
  if (services_) next = std::min(next, services_->next());
  for (const auto& target : targets_)
    for (const auto& exchange : target.asked)
      if (exchange) next = std::min(next, exchange->next());
  return next;
}

void Lookup::advance(Clock::time_point now) {
  if (done_) return;
  if (services_) {
    services_->advance(now);
    if (services_->done()) harvest_services();
  }
  bool waiting = services_ != nullptr, usable = services_ == nullptr;
  for (auto& target : targets_) {
    bool asking = false;
    for (auto& exchange : target.asked) {
      if (!exchange) continue;
      exchange->advance(now);
      if (exchange->done()) {
        harvest(target, *exchange);
        exchange.reset();
      } else {
        asking = true;
      }
    }
    waiting |= asking;
    usable &= !asking || !target.found.empty();
  }
  if (done_) return;
  if (!waiting) return conclude(false, Errc::no_data);
  if (usable) grace_ = std::min(grace_, now + resolution_delay);
  if (now >= grace_ || now >= deadline_) conclude(true, Errc::timed_out);
}

void Lookup::harvest_services() {
  const auto exchange = std::move(services_);
  if (exchange->error()) {
    trouble_ = exchange->error();
    return;
  }
  missing_ = exchange->reply().rcode == 3;
  const auto& records = exchange->reply().records;
  const auto [owner, alias_ttl] = follow_aliases(*exchange, plan_.name);
  result_.canonical = owner;
  std::size_t asked = 0;
  for (const auto& record : records) {
    if (record.section != Section::answer || record.type != type::srv || record.owner != owner) continue;
    auto srv = read_srv(exchange->message(), record);
    if (!srv) trouble_ = Errc::bad_reply;
    if (!srv || srv->target.empty()) continue; // the root as target: no such service here (RFC 2782)
    Target target{srv->target, srv->port, srv->priority, srv->weight, std::min(record.ttl, alias_ttl), {}, {}};
    for (const auto& glue : records)
      if (glue.section == Section::additional && glue.owner == target.name)
        take_address(target, exchange->message(), glue, target.ttl);
    if (target.found.empty() && asked < most_targets_asked && canonical_name(target.name)) {
      ask(target);
      ++asked;
    }
    targets_.push_back(std::move(target));
  }
  order_by_weight(targets_);
}

void Lookup::harvest(Target& target, const Exchange& exchange) {
  if (exchange.error()) {
    trouble_ = exchange.error();
    return;
  }
  if (exchange.reply().rcode == 3) missing_ = true;
  const auto [owner, alias_ttl] = follow_aliases(exchange, target.name);
  if (!plan_.srv) result_.canonical = owner;
  for (const auto& record : exchange.reply().records)
    if (record.section == Section::answer && record.owner == owner && record.type == exchange.qtype())
      take_address(target, exchange.message(), record, std::min(target.ttl, alias_ttl));
}

void Lookup::take_address(Target& target, Bytes message, const Record& record, std::uint32_t ttl) const {
  const bool v4 = record.type == type::a;
  if ((!v4 && record.type != type::aaaa) || record.klass != 1 || record.rdata_size != (v4 ? 4 : 16)) return;
  if (plan_.family == (v4 ? Family::ipv6 : Family::ipv4)) return;
  Endpoint endpoint;
  endpoint.address.family = v4 ? Family::ipv4 : Family::ipv6;
  std::memcpy(endpoint.address.bytes.data(), message.data() + record.rdata, record.rdata_size);
  endpoint.port = target.port;
  endpoint.priority = target.priority;
  endpoint.weight = target.weight;
  endpoint.ttl = std::chrono::seconds(std::min(ttl, record.ttl));
  endpoint.target = record.owner;
  if (std::ranges::find(target.found, endpoint) == target.found.end()) target.found.push_back(std::move(endpoint));
}

void Lookup::conclude(bool partial, Errc otherwise) {
  done_ = true;
  services_.reset();
  for (auto& target : targets_) {
    target.asked.clear();
    std::ranges::stable_sort(target.found, {}, [](const Endpoint& e) { return e.address.family; });
    std::ranges::move(target.found, std::back_inserter(result_.endpoints));
  }
  if (!result_.endpoints.empty()) {
    result_.partial = partial || trouble_;
    return;
  }
  if (missing_)
    result_.error = Errc::not_found;
  else if (trouble_)
    result_.error = trouble_;
  else
    result_.error = otherwise;
}

} // namespace signpost::resolver
