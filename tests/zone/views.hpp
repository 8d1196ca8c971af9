// Short ways to write services for tests.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "discovery/model/service_view.hpp"

namespace signpost::test {

inline model::Address address(std::string_view text) {
  const auto parsed = model::Address::parse(text);
  if (!parsed) throw std::invalid_argument(std::string(text));
  return *parsed;
}

inline std::vector<model::Address> addresses(std::initializer_list<std::string_view> texts) {
  std::vector<model::Address> result;
  for (const auto text : texts) result.push_back(address(text));
  return result;
}

inline model::ServiceView cluster_ip(std::string name_space, std::string name,
                                     std::initializer_list<std::string_view> ips,
                                     std::vector<model::PortView> ports = {}) {
  model::ServiceView view;
  view.key = {std::move(name_space), std::move(name)};
  view.cluster_ips = addresses(ips);
  view.ports = std::move(ports);
  return view;
}

inline model::EndpointView endpoint(std::initializer_list<std::string_view> ips, std::string hostname = "",
                                    bool ready = true) {
  const auto all = addresses(ips);
  return {{all.begin(), all.end()}, std::move(hostname), ready};
}

inline model::ServiceView headless(std::string name_space, std::string name, std::vector<model::EndpointGroup> groups) {
  model::ServiceView view;
  view.key = {std::move(name_space), std::move(name)};
  view.form = model::ServiceView::Form::headless;
  view.groups = std::move(groups);
  return view;
}

inline model::ServiceView external(std::string name_space, std::string name, std::string target) {
  model::ServiceView view;
  view.key = {std::move(name_space), std::move(name)};
  view.form = model::ServiceView::Form::external_name;
  view.external_name = std::move(target);
  return view;
}

inline constexpr auto tcp = model::Protocol::tcp;
inline constexpr auto udp = model::Protocol::udp;

} // namespace signpost::test
