#include "discovery/api/selector.hpp"

#include <doctest/doctest.h>

using signpost::api::FieldSelector;
using signpost::api::LabelSelector;
using signpost::api::ObjectSummary;
using signpost::model::Kind;

namespace {

using Labels = std::map<std::string, std::string, std::less<>>;

TEST_CASE("label selectors choose by every operator") {
  const Labels labels = {{"app", "web"}, {"tier", "front"}, {"weight", "10"}, {"example.com/x", ""}};
  struct Case {
    const char* selector;
    bool matches;
  };
  for (const Case& c : {Case{"", true},
                        {"app", true},
                        {"!app", false},
                        {"missing", false},
                        {"!missing", true},
                        {"! missing", true},
                        {"app=web", true},
                        {"app==web", true},
                        {"app = web", true},
                        {"app=api", false},
                        {"app!=web", false},
                        {"app!=api", true},
                        {"missing!=x", true},
                        {"missing=", false},
                        {"example.com/x=", true},
                        {"example.com/x", true},
                        {"app in (web,api)", true},
                        {"app in (api)", false},
                        {"app notin (web)", false},
                        {"app notin (api,db)", true},
                        {"missing notin (a)", true},
                        {"missing in (a,)", false},
                        {"example.com/x in (a,)", true},
                        {"app in (web),tier in (front,back)", true},
                        {"app=web,tier!=front", false},
                        {"weight>9", true},
                        {"weight>10", false},
                        {"weight<11", true},
                        {"app>1", false},
                        {"in=1", false},
                        {"!service.kubernetes.io/service-proxy-name,!service.kubernetes.io/headless", true}}) {
    CAPTURE(c.selector);
    const auto selector = LabelSelector::parse(c.selector);
    REQUIRE(selector);
    CHECK(selector->matches(labels) == c.matches);
  }
}

TEST_CASE("label selectors that cannot be read give the API's texts") {
  struct Case {
    const char* selector;
    const char* message;
  };
  for (const Case& c :
       {Case{"a in", "unable to parse requirement: found '' expected: '('"},
        {"a in (", "unable to parse requirement: found '', expected: ',', ')' or identifier"},
        {"a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"},
        {"=a", "found '=', expected: !, identifier, or 'end of string'"},
        {"a=(", "unable to parse requirement: found '(', expected: identifier"},
        {"a=b c", "found 'c', expected: ',' or 'end of string'"},
        {"a,", "found '', expected: identifier after ','"},
        {"a>b", "unable to parse requirement: values[0]: Invalid value: \"b\": for 'Gt', 'Lt' operators, the value "
                "must be an integer"}}) {
    CAPTURE(c.selector);
    const auto selector = LabelSelector::parse(c.selector);
    REQUIRE_FALSE(selector);
    CHECK(selector.error() == c.message);
  }
  CHECK_FALSE(LabelSelector::parse("-a=b"));
  CHECK_FALSE(LabelSelector::parse("a=-b"));
  CHECK_FALSE(LabelSelector::parse("Example.com/a=b"));
  CHECK_FALSE(LabelSelector::parse("a/b/c=d"));
  CHECK_FALSE(LabelSelector::parse("a=" + std::string(64, 'x')));
}

TEST_CASE("field selectors compare the fields a kind offers") {
  ObjectSummary summary;
  summary.name = "web";
  summary.name_space = "default";
  summary.fields["spec.clusterIP"] = "None";
  summary.fields["spec.type"] = "ClusterIP";
  struct Case {
    const char* selector;
    bool matches;
  };
  for (const Case& c : {Case{"", true},
                        {"metadata.name=web", true},
                        {"metadata.name==web", true},
                        {"metadata.name!=web", false},
                        {"metadata.name=we\\,b", false},
                        {"metadata.namespace=default,metadata.name=web", true},
                        {"spec.clusterIP!=None", false},
                        {"spec.clusterIP=None", true},
                        {"spec.type=ExternalName", false}}) {
    CAPTURE(c.selector);
    const auto selector = FieldSelector::parse(c.selector, Kind::service);
    REQUIRE(selector);
    CHECK(selector->matches(summary) == c.matches);
  }
  CHECK(FieldSelector::parse("spec.clusterIP=None", Kind::service)->needs_whole());
  CHECK_FALSE(FieldSelector::parse("metadata.name=a", Kind::service)->needs_whole());
  CHECK(FieldSelector::parse("spec.foo=1", Kind::service).error() == "field label not supported: spec.foo");
  CHECK(FieldSelector::parse("spec.foo=1", Kind::endpoint_slice).error() ==
        "\"spec.foo\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"");
  CHECK_FALSE(FieldSelector::parse("metadata.name", Kind::service));
  CHECK_FALSE(FieldSelector::parse("metadata.name=a\\x", Kind::service));
}

TEST_CASE("a summary reads names and labels, and what selectors need") {
  const std::string_view text =
      R"({"kind":"Service","apiVersion":"v1","metadata":{"name":"web","namespace":"ns","uid":"u","labels":{"a":"b","name":"no"},)"
      R"("ownerReferences":[{"name":"owner","uid":"x"}],"deletionTimestamp":"2026-01-01T00:00:00Z"},)"
      R"("spec":{"ports":[{"name":"p","type":"no"}],"clusterIP":"10.0.0.1","type":"NodePort"},"status":{"phase":"Active"}})";
  const auto short_one = signpost::api::read_summary(text);
  CHECK(short_one.name == "web");
  CHECK(short_one.name_space == "ns");
  CHECK(short_one.uid == "u");
  CHECK(short_one.deleting);
  CHECK(short_one.labels.at("a") == "b");
  CHECK(short_one.fields.empty());
  const auto whole = signpost::api::read_whole_summary(text);
  CHECK(whole.fields.at("spec.clusterIP") == "10.0.0.1");
  CHECK(whole.fields.at("spec.type") == "NodePort");
  CHECK(whole.fields.at("kind") == "Service");
  CHECK(whole.fields.at("status.phase") == "Active");
  CHECK(signpost::api::read_whole_summary("[[[").name.empty());
}

} // namespace
