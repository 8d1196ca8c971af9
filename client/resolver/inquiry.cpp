#include "client/resolver/inquiry.hpp"

#include <algorithm>
#include <cstring>
#include <sys/random.h>
#include <unordered_map>

namespace signpost::resolver {

namespace {

constexpr std::size_t services = static_cast<std::size_t>(-1); // Question::target of the SRV question

bool has_authority(const Reply& reply) {
  return std::ranges::any_of(reply.records,
                             [](const Record& r) { return r.section == Section::authority && r.type == type::soa; });
}

// RFC 2782: within one priority, each place goes to one of the rest at random, in proportion to weight.
template <class Targets>
void order_by_weight(Targets& targets) {
  std::ranges::stable_sort(targets, {}, [](const auto& t) { return t.priority; });
  std::uint64_t sum = 0;
  auto to = targets.begin();
  for (auto from = targets.begin(); from != targets.end(); ++from) {
    for (; to != targets.end() && to->priority == from->priority; ++to) sum += to->weight + 1u;
    std::uint64_t random = 0;
    if (getrandom(&random, sizeof random, 0) < 0) return;
    auto left = static_cast<std::int64_t>(random % sum);
    auto chosen = from;
    while ((left -= chosen->weight + 1) >= 0) ++chosen;
    sum -= chosen->weight + 1u;
    std::iter_swap(from, chosen);
  }
}

// "10-2-0-1.web.shop.svc.cluster.local" of the service web: endpoints without a hostname are named by their address.
std::optional<Address> address_label(std::string_view target, std::string_view service) {
  const auto dot = target.find('.');
  if (dot == std::string_view::npos || target.substr(dot + 1) != service) return std::nullopt;
  for (const char separator : {'.', ':'}) {
    std::string text(target.substr(0, dot));
    std::ranges::replace(text, '-', separator);
    if (const auto address = read_address(text)) return address;
  }
  return std::nullopt;
}

} // namespace

Inquiry::Inquiry(const Settings& settings, Watcher& watcher, const std::string& service, std::string name,
                 std::uint16_t port, Family family)
    : settings_(settings), watcher_(watcher), name_(std::move(name)), srv_(!service.empty()), family_(family),
      canonical_(service + name_) {
  if (srv_) {
    questions_.push_back({.target = services,
                          .exchange = std::make_unique<Exchange>(settings_, watcher_, canonical_, type::srv),
                          .name = canonical_});
    return;
  }
  targets_.push_back({.name = name_, .port = port});
  ask(0);
}

void Inquiry::ask(std::size_t target) {
  for (const auto qtype : {type::a, type::aaaa}) {
    if (family_ == (qtype == type::a ? Family::ipv6 : Family::ipv4)) continue;
    const auto& name = targets_[target].name;
    questions_.push_back(
        {.target = target, .exchange = std::make_unique<Exchange>(settings_, watcher_, name, qtype), .name = name});
  }
}

bool Inquiry::ready(int fd, bool readable, bool writable) {
  return std::ranges::any_of(questions_, [&](auto& q) { return q.exchange->ready(fd, readable, writable); });
}

Clock::time_point Inquiry::next() const {
  auto next = Clock::time_point::max();
  for (const auto& question : questions_) {
    next = std::min(next, question.exchange->next());
    if (question.target != services) next = std::min(next, targets_[question.target].grace);
  }
  return next;
}

void Inquiry::advance(Clock::time_point now, bool last) {
  if (done_) return;
  for (;;) {
    bool moved = false;
    // By index and from the back: harvesting may add questions, which are looked at in the next round.
    for (std::size_t i = questions_.size(); i-- > 0;) {
      questions_[i].exchange->advance(now);
      const bool out_of_time = questions_[i].target != services && now >= targets_[questions_[i].target].grace;
      if (!questions_[i].exchange->done() && !out_of_time) continue;
      auto question = std::move(questions_[i]);
      questions_.erase(questions_.begin() + static_cast<std::ptrdiff_t>(i));
      moved = true;
      if (!question.exchange->done())
        partial_ = true;
      else if (question.target == services)
        harvest_services(question);
      else
        harvest(question, now);
    }
    if (pool_ && std::ranges::none_of(questions_, [&](const Question& q) { return q.target == *pool_; })) take_pool();
    ask_waiting();
    if (!moved) break;
  }
  if (last && !questions_.empty()) {
    if (!trouble_) trouble_ = Errc::timed_out;
    questions_.clear();
  }
  done_ = questions_.empty();
}

void Inquiry::ask_waiting() {
  while (!pool_ && !waiting_.empty() && questions_.size() < 2 * most_targets_asked) {
    ask(waiting_.front());
    waiting_.pop_front();
  }
}

Inquiry::Outcome Inquiry::outcome() const {
  if (std::ranges::any_of(targets_, [](const Target& t) { return !t.found.empty(); })) return Outcome::found;
  if (dead_alias_) return Outcome::dead_alias;
  if (missing_) return exists_ ? Outcome::contradicts : Outcome::no_name;
  return trouble_ ? Outcome::failed : Outcome::nothing;
}

std::vector<Endpoint> Inquiry::endpoints() {
  add_spare();
  if (srv_) order_by_weight(targets_);
  std::vector<Endpoint> out;
  for (auto& target : targets_) {
    std::ranges::stable_sort(target.found, {}, [](const Endpoint& e) { return e.address.family; });
    std::ranges::move(target.found, std::back_inserter(out));
  }
  partial_ |= static_cast<bool>(trouble_);
  return out;
}

// Goes along the aliases of a reply. ask_again: they lead to a name that the reply says nothing about, or nothing that
// is to be believed: what a stranger's zone says about the cluster's names is not (RFC 2181 5.4.1).
Inquiry::Chain Inquiry::follow(Question& question, bool has_answer) {
  const auto& exchange = *question.exchange;
  const auto& reply = exchange.reply();
  std::unordered_map<std::string_view, const Record*> aliases;
  for (const auto& record : reply.records)
    if (record.section == Section::answer && record.type == type::cname) aliases.emplace(record.owner, &record);
  const auto asked = question.name;
  for (auto alias = aliases.find(question.name); alias != aliases.end(); alias = aliases.find(question.name)) {
    std::size_t at = alias->second->rdata;
    auto target = read_name(exchange.message(), at, alias->second->rdata + alias->second->rdata_size);
    if (!target || target->empty()) return Chain::dead;
    question.links.insert(question.name);
    if (question.links.contains(*target) || question.links.size() > most_aliases) return Chain::dead;
    question.ttl = std::min(question.ttl, alias->second->ttl);
    question.name = std::move(*target);
  }
  if (question.name == asked) return reply.rcode == 3 && !question.links.empty() ? Chain::dead : Chain::ends;
  const bool believed =
      within(asked, settings_.home.cluster_domain) || !within(question.name, settings_.home.cluster_domain);
  if (believed && (reply.rcode == 3 || has_authority(reply) || has_answer))
    return reply.rcode == 3 ? Chain::dead : Chain::ends;
  if (!believed || !has_answer)
    return canonical_name(question.name) && !special_name(question.name, settings_.home) ? Chain::ask_again
                                                                                         : Chain::dead;
  return Chain::ends;
}

void Inquiry::harvest_services(Question& question) {
  const auto& exchange = *question.exchange;
  if (exchange.error()) {
    trouble_ = exchange.error();
    return;
  }
  const auto& records = exchange.reply().records;
  const bool has_answer =
      std::ranges::any_of(records, [](const Record& r) { return r.section == Section::answer && r.type == type::srv; });
  const auto chain = follow(question, has_answer);
  canonical_ = question.name;
  if (chain == Chain::dead) {
    dead_alias_ = true;
  } else if (chain == Chain::ask_again) {
    question.exchange = std::make_unique<Exchange>(settings_, watcher_, question.name, type::srv);
    questions_.push_back(std::move(question));
  } else {
    missing_ = exchange.reply().rcode == 3;
    in_part_ = exchange.reply().in_part();
    partial_ |= in_part_;
    add_services(question);
  }
}

void Inquiry::add_services(const Question& question) {
  const auto& exchange = *question.exchange;
  std::unordered_multimap<std::string_view, const Record*> glue;
  for (const auto& record : exchange.reply().records)
    if (record.section == Section::additional) glue.emplace(record.owner, &record);
  for (const auto& record : exchange.reply().records) {
    if (record.section != Section::answer || record.type != type::srv || record.owner != question.name) continue;
    auto srv = read_srv(exchange.message(), record);
    if (!srv) trouble_ = Errc::bad_reply;
    if (!srv || srv->target.empty()) continue; // the root as target: no such service here (RFC 2782)
    Target target{.name = srv->target,
                  .port = srv->port,
                  .priority = srv->priority,
                  .weight = srv->weight,
                  .ttl = std::min(record.ttl, question.ttl)};
    const auto [from, to] = glue.equal_range(target.name);
    for (auto it = from; it != to; ++it) take_address(target, exchange.message(), *it->second, target.ttl);
    const auto special = special_name(target.name, settings_.home);
    if (special == Special::loopback)
      for (const auto& address : loopback(family_)) add(target, {.address = address, .target = target.name});
    if (target.found.empty() && !special && canonical_name(target.name)) waiting_.push_back(targets_.size());
    targets_.push_back(std::move(target));
  }
  // One question for the service's own addresses is worth many for those of its endpoints.
  if (waiting_.size() <= most_targets_asked && !in_part_) return;
  pool_ = targets_.size();
  targets_.push_back({.name = name_});
  ask(*pool_);
}

// The service's own addresses have come, as far as they do.
void Inquiry::take_pool() {
  auto pool = std::move(targets_.back());
  targets_.pop_back();
  pool_.reset();
  std::unordered_map<std::string, std::uint32_t> ttls;
  for (const auto& endpoint : pool.found)
    ttls.emplace(endpoint.address.to_string(), static_cast<std::uint32_t>(endpoint.ttl.count()));
  std::erase_if(waiting_, [&](std::size_t i) {
    auto& target = targets_[i];
    const auto address = address_label(target.name, name_);
    const auto known = address ? ttls.find(address->to_string()) : ttls.end();
    if (known == ttls.end()) return false;
    add(target,
        {.address = *address, .ttl = std::chrono::seconds(std::min(known->second, target.ttl)), .target = target.name});
    return true;
  });
  if (in_part_) spare_ = std::move(pool.found);
}

// Endpoints whose SRV records did not fit have the port that all others have; where there is no such port, nobody can
// say. Either way `partial` is set.
void Inquiry::add_spare() {
  const bool alike = !targets_.empty() && std::ranges::all_of(targets_, [&](const Target& t) {
    return t.port == targets_[0].port && t.priority == targets_[0].priority && t.weight == targets_[0].weight;
  });
  if (!alike) return;
  std::set<Address> covered;
  for (const auto& target : targets_) covered.insert(target.seen.begin(), target.seen.end());
  const auto like = Target{
      .port = targets_[0].port, .priority = targets_[0].priority, .weight = targets_[0].weight, .ttl = targets_[0].ttl};
  for (auto& endpoint : spare_) {
    if (!covered.insert(endpoint.address).second) continue;
    endpoint.ttl = std::min(endpoint.ttl, std::chrono::seconds(like.ttl));
    add(targets_.emplace_back(like), std::move(endpoint));
  }
}

void Inquiry::harvest(Question& question, Clock::time_point now) {
  const bool pooled = pool_ == question.target;
  auto& target = targets_[question.target];
  const auto& exchange = *question.exchange;
  if (exchange.error()) {
    if (pooled) return; // the targets are asked for themselves then
    trouble_ = exchange.error();
    return;
  }
  const auto& reply = exchange.reply();
  const bool has_answer = std::ranges::any_of(
      reply.records, [&](const Record& r) { return r.section == Section::answer && r.type == exchange.qtype(); });
  const auto chain = follow(question, has_answer);
  if (!srv_) canonical_ = question.name;
  if (chain == Chain::ask_again) {
    question.exchange = std::make_unique<Exchange>(settings_, watcher_, question.name, exchange.qtype());
    questions_.push_back(std::move(question));
    return;
  }
  partial_ |= reply.in_part();
  if (chain == Chain::ends)
    for (const auto& record : reply.records)
      if (record.section == Section::answer && record.owner == question.name && record.type == exchange.qtype())
        take_address(target, exchange.message(), record, std::min(target.ttl, question.ttl));
  // NXDOMAIN holds for all types (RFC 8020): no reason to wait long for the other family.
  const bool no_name = reply.rcode == 3 && chain == Chain::ends;
  if (!target.found.empty() || no_name) target.grace = std::min(target.grace, now + resolution_delay);
  if (srv_) return;
  dead_alias_ |= chain == Chain::dead;
  missing_ |= no_name;
  exists_ |= !no_name;
}

void Inquiry::take_address(Target& target, Bytes message, const Record& record, std::uint32_t ttl) const {
  const bool v4 = record.type == type::a;
  if ((!v4 && record.type != type::aaaa) || record.klass != 1 || record.rdata_size != (v4 ? 4 : 16)) return;
  if (family_ == (v4 ? Family::ipv6 : Family::ipv4)) return;
  Endpoint endpoint;
  endpoint.address.family = v4 ? Family::ipv4 : Family::ipv6;
  std::memcpy(endpoint.address.bytes.data(), message.data() + record.rdata, record.rdata_size);
  endpoint.ttl = std::chrono::seconds(std::min(ttl, record.ttl));
  endpoint.target = record.owner;
  add(target, std::move(endpoint));
}

void Inquiry::add(Target& target, Endpoint endpoint) const {
  if (!target.seen.insert(endpoint.address).second) return;
  endpoint.port = target.port;
  endpoint.priority = target.priority;
  endpoint.weight = target.weight;
  target.found.push_back(std::move(endpoint));
}

} // namespace signpost::resolver
