#include "discovery/environment/environment.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "discovery/model/address_text.hpp"

namespace signpost::environment {
namespace {

std::string_view namespace_of(const model::Service& service) {
  return service.metadata.name_space.empty() ? std::string_view("default") : service.metadata.name_space;
}

/// As it is spelt, unless others would read that as another address: to C a leading zero means octal.
std::string primary_ip(const model::Service& service) {
  if (service.spec.type == "ExternalName") return {};
  std::string_view ip = service.spec.cluster_ip;
  if (ip.empty() && !service.spec.cluster_ips.empty()) ip = service.spec.cluster_ips.front();
  if (ip == "None") return {};
  auto const address = model::read_address(ip);
  return !address || model::Address::parse(ip) == address ? std::string(ip) : address->to_string();
}

char ascii_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }
char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = ascii_upper(c);
  return result;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = ascii_lower(c);
  return result;
}

// Only '-' is replaced: dots and leading digits stay, as in the kubelet.
std::string mangle(std::string_view name) {
  auto result = upper(name);
  std::replace(result.begin(), result.end(), '-', '_');
  return result;
}

void add_link(std::vector<Variable>& out, const std::string& prefix, std::string_view ip,
              const model::ServicePort& port, bool first) {
  std::string const protocol = port.protocol.empty() ? "TCP" : port.protocol;
  std::string const number = std::to_string(port.port);
  std::string const host = ip.find(':') == std::string_view::npos ? std::string(ip) : "[" + std::string(ip) + "]";
  std::string const url = lower(protocol) + "://" + host + ":" + number;
  if (first) out.push_back({prefix + "_PORT", url});
  std::string const group = prefix + "_PORT_" + number + "_" + upper(protocol);
  out.push_back({group, url});
  out.push_back({group + "_PROTO", lower(protocol)});
  out.push_back({group + "_PORT", number});
  out.push_back({group + "_ADDR", std::string(ip)});
}

bool is_master(std::string_view name, Generation generation) {
  return name == "kubernetes" || (generation == Generation::v0_6 && name == "kubernetes-ro");
}

bool wanted(const model::Service& service, const Options& options) {
  if (options.services.empty()) return true;
  return std::any_of(options.services.begin(), options.services.end(), [&](const std::string& glob) {
    return fnmatch(glob.c_str(), service.metadata.name.c_str(), 0) == 0;
  });
}

// The services a container sees: those of its namespace, and the master services unless it has its own of that name.
std::vector<const model::Service*> visible(std::span<const model::Service> services, const Options& options) {
  std::vector<const model::Service*> result;
  std::unordered_map<std::string_view, std::size_t> places;
  for (const auto& service : services) {
    if (primary_ip(service).empty()) continue;
    std::string_view const name = service.metadata.name;
    bool const own = options.service_links && namespace_of(service) == options.name_space;
    bool const master = namespace_of(service) == options.master_namespace && is_master(name, options.generation);
    if (!own && !master) continue;
    auto const [place, fresh] = places.try_emplace(name, result.size());
    if (fresh) {
      result.push_back(&service);
    } else if (own) {
      result[place->second] = nullptr;
      place->second = result.size();
      result.push_back(&service);
    }
  }
  std::erase(result, nullptr);
  if (options.order == Order::name) {
    std::stable_sort(result.begin(), result.end(),
                     [](const auto* a, const auto* b) { return a->metadata.name < b->metadata.name; });
  }
  return result;
}

// Ordered, each name once.
class Variables {
public:
  void set(Variable variable) {
    auto const [place, fresh] = places_.try_emplace(variable.name, all_.size());
    if (fresh) {
      all_.push_back(std::move(variable));
    } else {
      all_[place->second].value = std::move(variable.value);
    }
  }
  [[nodiscard]] const std::string* find(const std::string& name) const {
    auto const found = places_.find(name);
    return found == places_.end() ? nullptr : &all_[found->second].value;
  }
  [[nodiscard]] std::vector<Variable> take() && { return std::move(all_); }
  [[nodiscard]] const std::vector<Variable>& all() const { return all_; }

private:
  std::vector<Variable> all_;
  std::unordered_map<std::string, std::size_t> places_;
};

// $(NAME) becomes NAME's value, or stays if there is none; $$ becomes $ ("$$(NAME)" is thus "$(NAME)").
template <class Lookup>
std::string expand(std::string_view text, Lookup&& lookup) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '$' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    char const next = text[++i];
    auto const close = next == '(' ? text.find(')', i) : std::string_view::npos;
    if (next == '$') {
      out += '$';
    } else if (close != std::string_view::npos) {
      std::string const name(text.substr(i + 1, close - i - 1));
      const std::string* const value = lookup(name);
      out += value != nullptr ? *value : "$(" + name + ")";
      i = close;
    } else {
      out += '$';
      out += next;
    }
  }
  return out;
}

} // namespace

std::vector<Variable> variables_of(const model::Service& service, const Options& options) {
  std::string const ip = primary_ip(service);
  if (ip.empty()) return {};
  std::vector<Variable> result;
  std::string const prefix = mangle(service.metadata.name);
  const auto& ports = service.spec.ports;
  result.push_back({prefix + "_SERVICE_HOST", ip});
  if (!ports.empty()) result.push_back({prefix + "_SERVICE_PORT", std::to_string(ports.front().port)});
  if (options.generation == Generation::current) {
    for (const auto& port : ports) {
      if (port.name.empty()) continue;
      result.push_back({prefix + "_SERVICE_PORT_" + mangle(port.name), std::to_string(port.port)});
    }
  }
  if (options.docker_links) {
    for (std::size_t i = 0; i < ports.size(); ++i) {
      if (i > 0 && options.generation == Generation::v0_6) break;
      add_link(result, prefix, ip, ports[i], i == 0);
    }
  }
  if (!options.prefixes.empty()) {
    std::erase_if(result, [&](const Variable& variable) {
      return std::none_of(options.prefixes.begin(), options.prefixes.end(),
                          [&](const std::string& wanted_prefix) { return variable.name.starts_with(wanted_prefix); });
    });
  }
  return result;
}

std::vector<Variable> variables(std::span<const model::Service> services, const Options& options) {
  Variables from_services;
  for (const auto* service : visible(services, options)) {
    if (!wanted(*service, options)) continue;
    for (auto& variable : variables_of(*service, options)) from_services.set(std::move(variable));
  }
  std::unordered_map<std::string, bool> overridden;
  Variables result;
  for (const auto& own : options.own) {
    overridden[own.name] = true;
    auto value = expand(own.value, [&](const std::string& name) -> const std::string* {
      if (const auto* earlier = result.find(name)) return earlier;
      return overridden.contains(name) ? nullptr : from_services.find(name);
    });
    result.set({own.name, std::move(value)});
  }
  for (const auto& variable : from_services.all()) {
    if (!overridden.contains(variable.name)) result.set(variable);
  }
  return std::move(result).take();
}

tl::expected<Variable, std::string> parse_variable(std::string_view text) {
  auto const equals = text.find('=');
  std::string const shown(text.substr(0, text.find('\0')));
  if (equals == std::string_view::npos) return tl::unexpected("\"" + shown + "\" is not of the form NAME=VALUE");
  if (equals == 0) return tl::unexpected("\"" + shown + "\" has no name before the =");
  if (text.find('\0') != std::string_view::npos) return tl::unexpected("\"" + shown + "\" is followed by a NUL byte");
  return Variable{std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

std::optional<Generation> parse_generation(std::string_view text) {
  if (text == "current") return Generation::current;
  if (text == "v0.6") return Generation::v0_6;
  return std::nullopt;
}

} // namespace signpost::environment
