#include "discovery/registry/claims.hpp"

#include <charconv>

#include "discovery/registry/life_cycle.hpp"

namespace signpost::registry {
namespace {

void raise(std::atomic<store::Revision>& mark, store::Revision to) {
  store::Revision seen = mark.load();
  while (seen < to && !mark.compare_exchange_weak(seen, to)) {
  }
}

} // namespace

std::string address_claim_key(const model::Address& address) {
  return std::string(address_claims_prefix) + address.to_string();
}

std::string port_claim_key(int port) { return std::string(port_claims_prefix) + std::to_string(port); }

store::Value address_claim(std::string_view name_space, std::string_view name) {
  std::string text;
  text.reserve(name_space.size() + name.size() + 60);
  text.append(name_space).append(" ").append(name).append(" ").append(new_uid()).append(" ").append(now_text());
  return std::make_shared<const std::string>(std::move(text));
}

store::Value port_claim(std::string_view name_space, std::string_view name) {
  return std::make_shared<const std::string>(std::string(name_space) + ' ' + std::string(name));
}

std::optional<AddressClaim> read_address_claim(std::string_view value) {
  std::string_view parts[4];
  for (std::string_view& part : parts) {
    const std::size_t space = value.find(' ');
    part = value.substr(0, space);
    if (part.empty()) return std::nullopt;
    value = space == std::string_view::npos ? std::string_view() : value.substr(space + 1);
  }
  return AddressClaim{{std::string(parts[0]), std::string(parts[1])}, std::string(parts[2]), std::string(parts[3])};
}

Claims::Claims(const Settings& settings) : ports_(settings.node_port_first, settings.node_port_last) {
  if (settings.vips.empty()) problem_ = "no prefix for virtual IPs is configured";
  for (const model::Prefix& prefix : settings.vips) {
    const auto range = vip::Range::make(prefix);
    if (!range) {
      problem_ = range.error();
      return;
    }
    if (addresses(prefix.family()) != nullptr) {
      problem_ = "two prefixes for virtual IPs are of one family (" + prefix.to_string() +
                 "): give one, or one of each family";
      return;
    }
    families_.push_back(prefix.family());
    vip::Allocator& allocator = *ranges_.emplace_back(std::make_unique<vip::Allocator>(*range));
    if (const auto dns = range->dns()) allocator.withhold(*dns);
  }
  for (const model::Address& address : settings.reserved) {
    if (vip::Allocator* allocator = addresses(address.family())) allocator->withhold(address);
  }
}

tl::expected<void, std::string> Claims::check() const {
  if (!problem_.empty()) return tl::unexpected(problem_);
  return {};
}

vip::Allocator* Claims::addresses(model::Family family) {
  for (std::size_t i = 0; i < families_.size(); ++i) {
    if (families_[i] == family) return ranges_[i].get();
  }
  return nullptr;
}

void Claims::told(std::string_view key, bool exists) {
  if (key.substr(0, address_claims_prefix.size()) == address_claims_prefix) {
    const auto address = model::Address::parse(key.substr(address_claims_prefix.size()));
    vip::Allocator* allocator = address ? addresses(address->family()) : nullptr;
    if (allocator == nullptr) return;
    if (exists) {
      allocator->reserve(*address);
    } else {
      allocator->release(*address);
    }
  } else if (key.substr(0, port_claims_prefix.size()) == port_claims_prefix) {
    const std::string_view text = key.substr(port_claims_prefix.size());
    std::uint16_t port = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), port).ec != std::errc()) return;
    if (!ports_.contains(port)) return;
    if (exists) {
      ports_.reserve(port);
    } else {
      ports_.release(port);
    }
  }
}

void Claims::told_up_to(store::Revision revision) { raise(told_up_to_, revision); }

void Claims::wrote(store::Revision revision) { raise(wrote_, revision); }

} // namespace signpost::registry
