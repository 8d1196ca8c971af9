#include "server/listen/listeners.hpp"

#include "server/listen/guard.hpp"

namespace signpost::server {

Listeners::~Listeners() { stop(); }

tl::expected<std::unique_ptr<Listeners>, std::string> Listeners::open(std::vector<ListenAddress> addresses,
                                                                      const ListenSettings& settings) {
  std::unique_ptr<Listeners> listeners(new Listeners);
  for (const ListenAddress& address : addresses) listeners->endpoints_.push_back(address.endpoint);
  auto claims = claim(listeners->endpoints_);
  if (!claims) return tl::unexpected(claims.error());

  listeners->tcp_ = std::make_unique<TcpListener>(settings.tcp);
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    Claim& claim = (*claims)[i];
    listeners->endpoints_[i] = claim.endpoint;
    auto udp = UdpListener::open(claim.endpoint, addresses[i].router, settings.workers);
    if (!udp) return tl::unexpected(udp.error());
    listeners->udp_.push_back(std::move(*udp));
    listeners->tcp_->add(std::move(claim), addresses[i].router);
  }
  return listeners;
}

void Listeners::start() {
  for (const auto& udp : udp_) udp->start();
  tcp_->start();
}

void Listeners::stop() {
  for (const auto& udp : udp_) udp->stop();
  if (tcp_) tcp_->stop();
}

Totals Listeners::totals(wire::Transport transport, std::optional<model::Family> family) const {
  Totals totals;
  for (const auto wanted : {model::Family::ipv4, model::Family::ipv6}) {
    if (family && *family != wanted) continue;
    if (transport == wire::Transport::tcp) tcp_->add_to(totals, wanted);
    for (std::size_t i = 0; transport == wire::Transport::udp && i < udp_.size(); ++i)
      if (endpoints_[i].address.is_v4() == (wanted == model::Family::ipv4)) udp_[i]->add_to(totals);
  }
  return totals;
}

} // namespace signpost::server
