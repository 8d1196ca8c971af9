#include "server/listen/listeners.hpp"

#include <algorithm>
#include <system_error>

#include "server/listen/cores.hpp"
#include "zone/index/epoch.hpp"

namespace signpost::server {
namespace {

constexpr std::size_t most_workers = 256;               // of all addresses together, unless more are asked for
constexpr auto late_answers = std::chrono::seconds(30); // longer than any upstream is waited for

std::size_t family_of(const Endpoint& endpoint) { return endpoint.address.is_v4() ? 0 : 1; }

} // namespace

Listeners::~Listeners() { stop(); }

tl::expected<std::unique_ptr<Listeners>, std::string> Listeners::open(std::vector<ListenAddress> addresses,
                                                                      const ListenSettings& settings) {
  std::unique_ptr<Listeners> listeners(new Listeners);
  std::vector<Endpoint> endpoints;
  for (const ListenAddress& address : addresses) endpoints.push_back(address.endpoint);
  auto claims = claim(endpoints);
  if (!claims) return tl::unexpected(claims.error());

  const auto share = static_cast<unsigned>(most_workers / std::max<std::size_t>(1, addresses.size()));
  listeners->workers_ = settings.workers != 0 ? settings.workers : std::clamp(share, 1u, usable_cores());
  listeners->tcp_ = std::make_unique<TcpListener>(settings.tcp);
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    auto opened = listeners->open_claimed(std::move((*claims)[i]), addresses[i].router);
    if (!opened) return tl::unexpected(opened.error());
    listeners->open_.push_back(std::move(*opened));
  }
  return listeners;
}

tl::expected<Listeners::Open, std::string> Listeners::open_claimed(Claim claim,
                                                                   const std::shared_ptr<const Router>& router) {
  const Endpoint endpoint = claim.endpoint;
  auto udp = UdpListener::open(endpoint, router, workers_);
  if (!udp) return tl::unexpected(udp.error());
  tcp_->add(std::move(claim), router);
  return Open{.endpoint = endpoint, .udp = std::move(*udp)};
}

void Listeners::start() {
  for (const Open& one : open_) one.udp->start();
  tcp_->start();
}

void Listeners::stop() {
  for (const Open& one : open_) one.udp->stop();
  if (tcp_) tcp_->stop();
}

Listeners::Update Listeners::update(const std::vector<ListenAddress>& addresses) {
  Update update;
  forget_closed();
  const auto wanted = [&](const Open& one) {
    return std::any_of(addresses.begin(), addresses.end(),
                       [&](const ListenAddress& address) { return address.endpoint == one.endpoint; });
  };
  const auto leaving = std::stable_partition(open_.begin(), open_.end(), wanted);
  for (auto one = leaving; one != open_.end(); ++one) {
    tcp_->remove(one->endpoint);
    one->udp->stop();
    one->udp->release();
    one->closed_at = std::chrono::steady_clock::now();
    update.closed.push_back(one->endpoint);
  }
  {
    const std::lock_guard lock(mutex_);
    std::move(leaving, open_.end(), std::back_inserter(closed_));
    open_.erase(leaving, open_.end());
  }
  for (const ListenAddress& address : addresses) {
    const auto is_it = [&](const Open& one) { return one.endpoint == address.endpoint; };
    if (const auto here = std::find_if(open_.begin(), open_.end(), is_it); here != open_.end()) {
      here->udp->route(address.router);
      continue;
    }
    auto claims = claim({&address.endpoint, 1});
    auto opened = claims ? open_claimed(std::move(claims->front()), address.router)
                         : tl::expected<Open, std::string>(tl::unexpect, claims.error());
    if (!opened) {
      update.failed.push_back(opened.error());
      continue;
    }
    try {
      opened->udp->start();
    } catch (const std::system_error& error) {
      tcp_->remove(opened->endpoint);
      update.failed.push_back(opened->endpoint.to_string() + ": no thread can be started: " + error.code().message());
      continue; // closes it
    }
    update.opened.push_back(opened->endpoint);
    const std::lock_guard lock(mutex_);
    open_.push_back(std::move(*opened));
  }
  std::vector<std::pair<Endpoint, std::shared_ptr<const Router>>> routers;
  for (const ListenAddress& address : addresses) routers.emplace_back(address.endpoint, address.router);
  tcp_->route(std::move(routers));
  zone::synchronize();
  return update;
}

void Listeners::forget_closed() {
  const auto now = std::chrono::steady_clock::now();
  const std::lock_guard lock(mutex_);
  std::erase_if(closed_, [&](const Open& one) {
    if (now - one.closed_at < late_answers) return false;
    one.udp->add_to(gone_[family_of(one.endpoint)]);
    return true;
  });
}

std::vector<Endpoint> Listeners::endpoints() const {
  const std::lock_guard lock(mutex_);
  std::vector<Endpoint> all;
  for (const Open& one : open_) all.push_back(one.endpoint);
  return all;
}

Totals Listeners::totals(wire::Transport transport, std::optional<model::Family> family) const {
  const std::lock_guard lock(mutex_);
  Totals totals;
  for (const auto wanted : {model::Family::ipv4, model::Family::ipv6}) {
    if (family && *family != wanted) continue;
    if (transport == wire::Transport::tcp) {
      tcp_->add_to(totals, wanted);
      continue;
    }
    const std::size_t index = wanted == model::Family::ipv4 ? 0 : 1;
    totals.add(gone_[index]);
    for (const auto* list : {&open_, &closed_})
      for (const Open& one : *list)
        if (family_of(one.endpoint) == index) one.udp->add_to(totals);
  }
  return totals;
}

} // namespace signpost::server
