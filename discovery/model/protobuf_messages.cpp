#include <algorithm>
#include <array>

#include "discovery/model/protobuf.hpp"
#include "discovery/model/wire_schema.hpp"

namespace signpost::model {
namespace {

using enum WireForm;
using enum Presence;

#define MESSAGE(name, ...)                                                                                             \
  constexpr WireField name##_fields[]{__VA_ARGS__};                                                                    \
  constexpr WireMessage name{name##_fields};
namespace messages {
#include "discovery/model/wire_schema_messages.inc"
} // namespace messages
#undef MESSAGE

struct Named {
  std::string_view api_version; // empty: any
  std::string_view kind;
  const WireMessage* message;
};
/// What is no kind of ours.
constexpr std::array others{
    Named{"v1", "Status", &messages::Status},
    Named{"", "DeleteOptions", &messages::DeleteOptions},
    Named{"meta.k8s.io/v1", "PartialObjectMetadata", &messages::PartialObjectMetadata},
    Named{"meta.k8s.io/v1beta1", "PartialObjectMetadata", &messages::PartialObjectMetadata},
    Named{"authorization.k8s.io/v1", "SelfSubjectAccessReview", &messages::authorization_SelfSubjectAccessReview},
    Named{"authorization.k8s.io/v1", "SelfSubjectRulesReview", &messages::authorization_SelfSubjectRulesReview},
};

} // namespace

const WireMessage& wire_message(Kind kind) {
  switch (kind) {
  case Kind::name_space: return messages::Namespace;
  case Kind::service: return messages::Service;
  case Kind::endpoint_slice: return messages::discovery_EndpointSlice;
  case Kind::endpoints: return messages::Endpoints;
  case Kind::service_cidr: return messages::networking_ServiceCIDR;
  case Kind::ip_address: return messages::networking_IPAddress;
  case Kind::lease: return messages::coordination_Lease;
  case Kind::event: return messages::Event;
  case Kind::group_event: return messages::events_Event;
  case Kind::pod: return messages::Pod;
  case Kind::node: return messages::Node;
  }
  return messages::Status;
}

const WireMessage* find_wire_message(std::string_view api_version, std::string_view kind) {
  if (const KindInfo* const stored = find_kind(api_version, kind)) return &wire_message(stored->kind);
  auto const found = std::ranges::find_if(others, [&](const Named& one) {
    return one.kind == kind && (one.api_version.empty() || one.api_version == api_version);
  });
  return found == others.end() ? nullptr : found->message;
}

} // namespace signpost::model
