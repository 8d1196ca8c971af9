#include "discovery/registry/claims.hpp"

#include <algorithm>
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
  if (value.starts_with('{')) return std::nullopt; // an object that a client wrote, whatever words are in it
  std::string_view parts[4];
  for (std::string_view& part : parts) {
    const std::size_t space = value.find(' ');
    part = value.substr(0, space);
    if (part.empty()) return std::nullopt;
    value = space == std::string_view::npos ? std::string_view() : value.substr(space + 1);
  }
  return AddressClaim{{std::string(parts[0]), std::string(parts[1])}, std::string(parts[2]), std::string(parts[3])};
}

Claims::Claims(const Settings& settings)
    : reserved_(settings.reserved), ports_(settings.node_port_first, settings.node_port_last) {
  if (settings.vips.empty()) problem_ = "no prefix for virtual IPs is configured";
  for (const model::Prefix& prefix : settings.vips) {
    const auto range = vip::Range::make(prefix);
    if (!range) {
      problem_ = range.error();
      return;
    }
    if (std::find(families_.begin(), families_.end(), prefix.family()) != families_.end()) {
      problem_ = "two prefixes for virtual IPs are of one family (" + prefix.to_string() +
                 "): give one, or one of each family";
      return;
    }
    if (!primary_) primary_ = *range;
    families_.push_back(prefix.family());
  }
}

tl::expected<void, std::string> Claims::check() const {
  if (!problem_.empty()) return tl::unexpected(problem_);
  return {};
}

ServiceRanges Claims::ranges(model::Family family) const {
  const std::shared_lock lock(mutex_);
  ServiceRanges chosen;
  for (const auto& range : ranges_) {
    if (range->ready && range->allocator.range().prefix().family() == family) chosen.push_back(range);
  }
  return chosen;
}

ServiceRanges Claims::learn(const std::string& cidr, const model::ServiceCidr* object, store::Revision revision) {
  const std::lock_guard lock(mutex_);
  if (cidrs_[cidr].revision >= revision) return {};
  const auto drop = [&](const auto& unwanted) {
    std::erase_if(ranges_, [&](const auto& range) { return range->cidr == cidr && unwanted(*range); });
  };
  if (object == nullptr) {
    drop([](const ServiceRange&) { return true; });
    cidrs_.erase(cidr);
    return {};
  }
  const bool terminating = !object->metadata.deletion_timestamp.empty();
  cidrs_[cidr] = {revision, terminating};
  const bool refused = std::any_of(object->status.conditions.begin(), object->status.conditions.end(),
                                   [](const auto& one) { return one.type == "Ready" && one.status == "False"; });
  std::vector<model::Prefix> prefixes;
  for (const std::string& text : object->spec.cidrs) {
    if (const auto prefix = model::Prefix::parse(text)) prefixes.push_back(*prefix);
  }
  drop([&](const ServiceRange& range) {
    return std::find(prefixes.begin(), prefixes.end(), range.allocator.range().prefix()) == prefixes.end();
  });
  ServiceRanges fresh;
  for (const model::Prefix& prefix : prefixes) {
    const auto known = std::find_if(ranges_.begin(), ranges_.end(), [&](const auto& range) {
      return range->cidr == cidr && range->allocator.range().prefix() == prefix;
    });
    if (known != ranges_.end()) {
      (*known)->revision = revision;
      (*known)->ready = !terminating && !refused;
      continue;
    }
    const auto range = vip::Range::make(prefix, 1);
    if (!range) continue;
    auto& added = ranges_.emplace_back(std::make_shared<ServiceRange>(*range, cidr));
    if (const auto dns = range->dns()) added->allocator.withhold(*dns);
    for (const model::Address& address : reserved_) added->allocator.withhold(address);
    added->revision = revision;
    if (!terminating && !refused) fresh.push_back(added);
  }
  return fresh;
}

void Claims::open(const ServiceRanges& ranges) {
  for (const auto& range : ranges) range->ready = true;
}

std::vector<std::string> Claims::terminating() const {
  const std::shared_lock lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, known] : cidrs_) {
    if (known.terminating) names.push_back(name);
  }
  return names;
}

void Claims::told(std::string_view key, bool exists) {
  if (key.substr(0, address_claims_prefix.size()) == address_claims_prefix) {
    const auto address = model::Address::parse(key.substr(address_claims_prefix.size()));
    if (!address) return;
    const std::shared_lock lock(mutex_);
    for (const auto& range : ranges_) {
      if (exists) {
        range->allocator.reserve(*address);
      } else {
        range->allocator.release(*address);
      }
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
