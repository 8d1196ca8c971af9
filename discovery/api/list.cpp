#include "discovery/api/list.hpp"

#include <charconv>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "discovery/api/list_stream.hpp"
#include "discovery/api/status_json.hpp"
#include "discovery/model/text.hpp"

namespace signpost::api {
namespace {

using registry::bad_request;
using registry::ListRequest;
using registry::Status;

tl::unexpected<Status> refuse(Status status) { return tl::make_unexpected(std::move(status)); }

Status forbidden_option(std::string_view field, std::string_view why) {
  return invalid_option("ListOptions", {"FieldValueForbidden", fmt::format("Forbidden: {}", why), std::string(field)});
}

struct ListPlan {
  ListRequest request;
  Selector selector;
  IncludeObject include = IncludeObject::metadata;
  bool continued = false;
};

std::optional<Status> check_match(const Query& query) {
  const std::string_view revision = query.get("resourceVersion"), match = query.get("resourceVersionMatch");
  if (query.flag("sendInitialEvents"))
    return forbidden_option("sendInitialEvents", "sendInitialEvents is forbidden for list");
  if (match.empty()) return std::nullopt;
  if (revision.empty())
    return forbidden_option("resourceVersionMatch",
                            "resourceVersionMatch is forbidden unless resourceVersion is provided");
  if (!query.get("continue").empty())
    return forbidden_option("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided");
  if (match != "Exact" && match != "NotOlderThan")
    return invalid_option("ListOptions", {"FieldValueNotSupported",
                                          fmt::format("Unsupported value: \"{}\": supported values: \"Exact\", "
                                                      "\"NotOlderThan\", \"\"",
                                                      match),
                                          "resourceVersionMatch"});
  if (match == "Exact" && revision == "0")
    return forbidden_option("resourceVersionMatch", "resourceVersionMatch \"exact\" is forbidden for resourceVersion "
                                                    "\"0\"");
  return std::nullopt;
}

/// Which revision to read, and from where.
std::optional<Status> place(const Query& query, const registry::Registry& registry, ListPlan& plan) {
  const std::string_view revision_text = query.get("resourceVersion");
  if (const std::string_view token_text = query.get("continue"); !token_text.empty()) {
    if (!revision_text.empty() && revision_text != "0")
      return bad_request("specifying resource version is not allowed when using continue");
    const auto token = decode_continue(token_text);
    if (!token) return bad_request("invalid continue token: continue key is not valid: it was not made by this server");
    plan.request.from = token->from;
    plan.request.revision = std::max<store::Revision>(token->revision, 0);
    plan.continued = true;
    return std::nullopt;
  }
  if (revision_text.empty()) return std::nullopt;
  const auto revision = parse_revision(revision_text);
  if (!revision) return invalid_revision(revision_text);
  if (!registry.reached(*revision)) return too_large_revision(*revision, registry.revision());
  if (*revision == 0) plan.request.limit = 0; // "whatever is at hand" is given whole, as upstream's cache does
  const std::string_view match = query.get("resourceVersionMatch");
  const bool exact = match == "Exact" || (match.empty() && plan.request.limit != 0 && *revision != 0);
  if (exact) plan.request.revision = *revision;
  return std::nullopt;
}

registry::Result<ListPlan> make_plan(const Route& route, const Query& query, const registry::Registry& registry) {
  ListPlan plan;
  plan.request.kind = route.kind;
  plan.request.name_space = route.name_space;
  if (auto wrong = check_match(query)) return refuse(std::move(*wrong));
  auto selector = parse_selector(query, route.kind);
  if (!selector) return refuse(selector.error());
  plan.selector = std::move(*selector);
  auto include = parse_include(query);
  if (!include) return refuse(include.error());
  plan.include = *include;
  const auto limit = parse_number(query, "limit"), timeout = parse_number(query, "timeoutSeconds");
  if (!limit) return refuse(limit.error());
  if (!timeout) return refuse(timeout.error());
  if (*limit > 0) plan.request.limit = static_cast<std::size_t>(*limit);
  if (auto wrong = place(query, registry, plan)) return refuse(std::move(*wrong));
  return plan;
}

constexpr std::size_t page_room = 4 << 10; // for what stands around the objects, and what is over a piece

constexpr std::string_view base64url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string encode_base64url(std::string_view bytes) {
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(c);
    count += 8;
    while (count >= 6) out += base64url[(bits >> (count -= 6)) & 63];
  }
  if (count > 0) out += base64url[(bits << (6 - count)) & 63];
  return out;
}

std::optional<std::string> decode_base64url(std::string_view text) {
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  while (text.ends_with('=')) text.remove_suffix(1);
  for (const char c : text) {
    const std::size_t value = base64url.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = (bits << 6) | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) out += static_cast<char>((bits >> (count -= 8)) & 255);
  }
  return out;
}

} // namespace

registry::Result<Selector> parse_selector(const Query& query, model::Kind kind) {
  Selector selector;
  auto labels = LabelSelector::parse(query.get("labelSelector"));
  if (!labels) return refuse(bad_request(labels.error()));
  auto fields = FieldSelector::parse(query.get("fieldSelector"), kind);
  if (!fields) return refuse(bad_request(fields.error()));
  selector.labels = std::move(*labels);
  selector.fields = std::move(*fields);
  return selector;
}

registry::Result<IncludeObject> parse_include(const Query& query) {
  const std::string_view text = query.get("includeObject");
  if (text.empty() || text == "Metadata") return IncludeObject::metadata;
  if (text == "None") return IncludeObject::none;
  if (text == "Object") return IncludeObject::object;
  return refuse(
      bad_request(fmt::format("Unable to convert to Table as requested: includeObject: Invalid value: \"{}\": "
                              "must be 'Metadata', 'Object', 'None', or empty",
                              text)));
}

registry::Result<std::int64_t> parse_number(const Query& query, std::string_view name) {
  const std::string_view text = query.get(name);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || (error == std::errc{} && end == text.data() + text.size())) return number;
  return refuse(bad_request(fmt::format("strconv.ParseInt: parsing \"{}\": invalid syntax", text)));
}

std::optional<store::Revision> parse_revision(std::string_view text) {
  store::Revision revision = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), revision);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size() || revision < 0) return std::nullopt;
  return revision;
}

std::string encode_continue(const ContinueToken& token) {
  std::string json = fmt::format("{{\"v\":\"meta.k8s.io/v1\",\"rv\":{},\"start\":", token.revision);
  model::append_json_string(json, token.from);
  return encode_base64url(json + "}");
}

std::optional<ContinueToken> decode_continue(std::string_view text) {
  const auto json_text = decode_base64url(text);
  if (!json_text) return std::nullopt;
  const auto json = nlohmann::json::parse(*json_text, nullptr, false);
  if (!json.is_object() || json.value("v", nlohmann::json()) != "meta.k8s.io/v1") return std::nullopt;
  const auto revision = json.find("rv"), start = json.find("start");
  if (revision == json.end() || !revision->is_number_integer() || start == json.end() || !start->is_string())
    return std::nullopt;
  ContinueToken token{revision->get<store::Revision>(), start->get<std::string>()};
  if (token.revision < -1 || token.from.empty()) return std::nullopt;
  return token;
}

Reply list_collection(registry::Registry& registry, const Route& route, const Query& query, const Encoding& encoding) {
  auto plan = make_plan(route, query, registry);
  if (!plan) return status_reply(plan.error());
  const std::size_t most = std::exchange(plan->request.limit, 0);
  const std::string from = plan->request.from;
  auto items = ItemSource::open(registry, std::move(plan->request), std::move(plan->selector), most);
  const auto rest = items ? items->behind() : tl::make_unexpected(items.error());
  if (!rest) {
    if (rest.error().code != 410 || !plan->continued) return status_reply(rest.error());
    // The client may go on with what there is now, knowing that it no longer fits what it has.
    return json_reply(410, status_json(rest.error(), encode_continue({-1, from})));
  }
  Reply reply;
  reply.body.reserve(std::min(items->held(), piece_bytes) + page_room);
  ListMeta meta{items->revision(), {}, rest->remaining};
  if (!rest->from.empty()) meta.token = encode_continue({meta.revision, rest->from});
  std::unique_ptr<Stream> stream = make_list_stream(std::move(*items), route.kind, encoding, plan->include, meta);
  reply.content_type = media_type(encoding.format);
  // What fits into one piece gets a length instead of chunks.
  const Stream::Step step = stream->next(reply.body);
  if (step == Stream::Step::failed)
    return status_reply(registry::internal_error("the list could not be read to its end"));
  if (step == Stream::Step::more) {
    reply.stream = std::make_unique<ResumedStream>(std::move(reply.body), std::move(stream));
    reply.body.clear();
  }
  return reply;
}

} // namespace signpost::api
