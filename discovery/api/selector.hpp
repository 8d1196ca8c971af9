// Label and field selectors: the full grammar of Kubernetes, with its error texts. Pure.
//
//   auto selector = LabelSelector::parse("app=web,tier in (a,b),!old");
//   if (!selector) return bad_request(selector.error());
//   selector->matches(labels);
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "discovery/api/object_summary.hpp"
#include "discovery/model/kind.hpp"

namespace signpost::api {

/// Comma-separated requirements, all of which must hold: k, !k, k=v, k==v, k!=v, k in (a,b), k notin (a,b), k>1, k<1.
class LabelSelector {
public:
  /// Empty text selects everything. The error is the API's 400 text.
  [[nodiscard]] static tl::expected<LabelSelector, std::string> parse(std::string_view text);

  [[nodiscard]] bool empty() const { return requirements_.empty(); }
  [[nodiscard]] bool matches(const std::map<std::string, std::string, std::less<>>& labels) const;

  enum class Operator : std::uint8_t { exists, does_not_exist, in, not_in, greater, less };
  struct Requirement {
    std::string key;
    Operator op = Operator::exists;
    std::vector<std::string> values;
  };

private:
  std::vector<Requirement> requirements_;
};

/// Comma-separated comparisons, all of which must hold: metadata.name=x, spec.type!=ExternalName.
class FieldSelector {
public:
  /// Fields that the kind does not offer are an error (400 text).
  [[nodiscard]] static tl::expected<FieldSelector, std::string> parse(std::string_view text, model::Kind kind);

  [[nodiscard]] bool empty() const { return terms_.empty(); }
  /// Needs more than metadata: matches() wants a whole summary.
  [[nodiscard]] bool needs_whole() const { return needs_whole_; }
  [[nodiscard]] bool matches(const ObjectSummary& summary) const;

private:
  struct Term {
    std::string field, value;
    bool equal = true;
  };
  std::vector<Term> terms_;
  bool needs_whole_ = false;
};

/// Both, as a request names them.
struct Selector {
  LabelSelector labels;
  FieldSelector fields;

  [[nodiscard]] bool empty() const { return labels.empty() && fields.empty(); }
  [[nodiscard]] bool matches(const ObjectSummary& summary) const {
    return labels.matches(summary.labels) && fields.matches(summary);
  }
  [[nodiscard]] ObjectSummary summarize(std::string_view json) const {
    return fields.needs_whole() ? read_whole_summary(json) : read_summary(json);
  }
};

} // namespace signpost::api
