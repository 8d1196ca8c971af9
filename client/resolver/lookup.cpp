#include "client/resolver/lookup.hpp"

#include <algorithm>

namespace signpost::resolver {

Lookup::Lookup(std::shared_ptr<const Settings> settings, Watcher& watcher, Plan plan, Clock::time_point deadline)
    : settings_(std::move(settings)), watcher_(watcher), plan_(std::move(plan)), deadline_(deadline) {
  result_.name = result_.canonical = plan_.name;
  begin();
}

Result Lookup::failure(const std::string& name, Errc why) {
  Result result;
  result.error = why;
  result.name = result.canonical = name;
  return result;
}

Result Lookup::known(const Plan& plan) {
  Result result;
  result.name = result.canonical = plan.name;
  if (plan.special == Special::nonexistent) {
    result.error = Errc::not_found;
  } else if (!plan.service.empty()) {
    result.error = Errc::no_port; // nobody can say which port it has
  } else {
    const auto addresses = plan.literal ? std::vector{*plan.literal} : loopback(plan.family);
    for (const auto& address : addresses)
      result.endpoints.push_back({.address = address, .port = plan.port, .target = plan.name});
  }
  return result;
}

bool Lookup::ready(int fd, bool readable, bool writable) {
  if (existence_ && existence_->ready(fd, readable, writable)) return true;
  return inquiry_ && inquiry_->ready(fd, readable, writable);
}

Clock::time_point Lookup::next() const {
  auto next = deadline_;
  if (existence_) next = std::min(next, existence_->next());
  if (inquiry_) next = std::min(next, inquiry_->next());
  return next;
}

void Lookup::advance(Clock::time_point now) {
  const bool last = now >= deadline_;
  while (!done_) {
    if (existence_) {
      existence_->advance(now);
      if (existence_->done())
        resolve_doubt();
      else if (last)
        conclude(Errc::timed_out);
      else
        return;
    } else {
      inquiry_->advance(now, last);
      if (!inquiry_->done()) return;
      take_inquiry();
    }
  }
}

void Lookup::begin() {
  const auto& reading = plan_.readings[at_];
  if (!reading.only_if.empty())
    doubt(Doubt::only_if, reading.only_if);
  else if (!reading.unless.empty())
    doubt(Doubt::unless, reading.unless);
  else
    begin_inquiry();
}

void Lookup::begin_inquiry() {
  inquiry_ = std::make_unique<Inquiry>(*settings_, watcher_, plan_.service, plan_.readings[at_].name, plan_.port,
                                       plan_.family);
}

void Lookup::doubt(Doubt what, const std::string& name) {
  doubt_ = what;
  existence_ = std::make_unique<Exchange>(*settings_, watcher_, name, type::a);
}

void Lookup::resolve_doubt() {
  const auto exchange = std::move(existence_);
  if (exchange->error()) return conclude(exchange->error());
  const bool alias = std::ranges::any_of(
      exchange->reply().records, [](const Record& r) { return r.section == Section::answer && r.type == type::cname; });
  const bool exists = exchange->reply().rcode == 0 || alias;
  switch (doubt_) {
  case Doubt::only_if: return exists ? begin_inquiry() : next_reading();
  case Doubt::unless: return exists ? conclude(Errc::not_found) : begin_inquiry();
  case Doubt::port:
    if (exists) return conclude(Errc::no_port);
    return plan_.readings[at_].only_if.empty() ? next_reading() : conclude(Errc::not_found);
  }
}

void Lookup::take_inquiry() {
  const auto inquiry = std::move(inquiry_);
  const auto& reading = plan_.readings[at_];
  const auto decide = [&](std::error_code error) {
    result_.name = plan_.service + reading.name;
    result_.canonical = inquiry->canonical();
    conclude(error);
  };
  switch (inquiry->outcome()) {
  case Inquiry::Outcome::found:
    result_.endpoints = inquiry->endpoints();
    result_.partial = inquiry->partial();
    return decide({});
  case Inquiry::Outcome::nothing: return decide(Errc::no_data);
  case Inquiry::Outcome::contradicts: return decide(Errc::not_found);
  case Inquiry::Outcome::dead_alias: return decide(Errc::dead_alias);
  case Inquiry::Outcome::no_name:
    if (!plan_.service.empty()) return doubt(Doubt::port, reading.name);
    // A reading that is tried because its service exists is the last: the name is the cluster's.
    return reading.only_if.empty() ? next_reading() : conclude(Errc::not_found);
  case Inquiry::Outcome::failed:
    // A server that knows the cluster only refuses what is outside; then the name is known not to be in the cluster.
    if (at_ > 0 && inquiry->error() == Errc::refused) return conclude(Errc::not_found);
    return decide(inquiry->error());
  }
}

void Lookup::next_reading() {
  if (++at_ < plan_.readings.size()) return begin();
  conclude(Errc::not_found);
}

void Lookup::conclude(std::error_code error) {
  done_ = true;
  inquiry_.reset();
  existence_.reset();
  result_.error = error;
}

} // namespace signpost::resolver
