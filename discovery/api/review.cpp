#include "discovery/api/review.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "discovery/api/body.hpp"
#include "discovery/api/status_json.hpp"
#include "discovery/model/access_review.hpp"

namespace signpost::api {
namespace {

constexpr std::string_view from_files = "this server shows objects from files and changes none";

bool is_read(std::string_view verb) { return verb == "get" || verb == "list" || verb == "watch" || verb == "head"; }

registry::Result<model::AccessReview> decode(const Request& request) {
  const auto refuse = [](std::string why) { return tl::make_unexpected(registry::bad_request(std::move(why))); };
  const auto format = body_format(request.content_type);
  if (format != BodyFormat::json && format != BodyFormat::yaml && format != BodyFormat::protobuf)
    return tl::make_unexpected(unsupported_media_type(body_types));
  const auto document = read_document(*format, request.body,
                                      *model::find_wire_message("authorization.k8s.io/v1", reviews[0].kind), nullptr);
  if (!document) return refuse(document.error().message);
  auto review = model::decode_access_review(*document);
  if (!review) return refuse(review.error().message);
  return std::move(*review);
}

} // namespace

bool is_review(std::string_view plural) {
  return std::any_of(std::begin(reviews), std::end(reviews), [&](const Review& one) { return one.plural == plural; });
}

Reply review(const registry::Registry& registry, std::string_view plural, const Request& request) {
  const bool read_only = registry.settings().read_only;
  if (plural == reviews[1].plural) {
    const std::string_view verbs = read_only ? R"(["get","list","watch"])" : R"(["*"])";
    return json_reply(201, fmt::format("{{\"kind\":\"SelfSubjectRulesReview\",\"apiVersion\":\"{}/v1\",\"metadata\":{{"
                                       "\"creationTimestamp\":null}},\"spec\":{{}},\"status\":{{\"resourceRules\":[{{"
                                       "\"verbs\":{},\"apiGroups\":[\"*\"],\"resources\":[\"*\"]}}],"
                                       "\"nonResourceRules\":[{{\"verbs\":[\"get\"],\"nonResourceURLs\":[\"*\"]}}],"
                                       "\"incomplete\":false}}}}",
                                       review_group, verbs));
  }
  const auto asked = decode(request);
  if (!asked) return status_reply(asked.error());
  const model::AccessReviewSpec& spec = asked->spec;
  if (spec.resource.has_value() == spec.non_resource.has_value()) {
    model::KindInfo kind = model::info(model::Kind::service);
    kind.name = reviews[0].kind;
    kind.group = review_group;
    return status_reply(registry::invalid(
        kind, "",
        {{"FieldValueInvalid",
          "Invalid value: exactly one of nonResourceAttributes or resourceAttributes must be specified",
          "spec.resourceAttributes"}}));
  }
  const bool allowed = !read_only || is_read(spec.resource ? spec.resource->verb : spec.non_resource->verb);
  std::string text = fmt::format("{{\"kind\":\"SelfSubjectAccessReview\",\"apiVersion\":\"{}/v1\",\"metadata\":{{"
                                 "\"creationTimestamp\":null}},\"spec\":",
                                 review_group);
  model::encode(spec, text);
  text += fmt::format(",\"status\":{{\"allowed\":{},\"reason\":\"{}\"}}}}", allowed, allowed ? "" : from_files);
  return json_reply(201, std::move(text));
}

} // namespace signpost::api
