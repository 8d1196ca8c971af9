// What a write is told although it is accepted; the texts were compared with a kube-apiserver 1.35.
#include "discovery/registry/warnings.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "discovery/model/json.hpp"

using namespace signpost;
using model::Json;
using model::Kind;

namespace {

std::vector<std::string> of(Kind kind, const Json& json) {
  const auto object = model::decode_object(kind, json);
  REQUIRE(object);
  return registry::warnings_of(*object);
}

std::vector<std::string> of_service(const Json& spec) { return of(Kind::service, {{"spec", spec}}); }

using Texts = std::vector<std::string>;

} // namespace

TEST_CASE("what a service says in vain is pointed out") {
  CHECK(of_service({{"clusterIP", "10.96.0.5"}, {"externalIPs", {"1.2.3.4", "fd00::1"}}}).empty());
  CHECK(of_service({{"clusterIP", "None"},
                    {"loadBalancerIP", "1.2.3.4"},
                    {"externalIPs", {"1.2.3.4"}},
                    {"sessionAffinity", "ClientIP"}}) ==
        Texts{"spec.loadBalancerIP is ignored for headless services",
              "spec.externalIPs is ignored for headless services",
              "spec.SessionAffinity is ignored for headless services"});
  CHECK(of_service({{"clusterIPs", {"None"}}, {"sessionAffinity", "None"}}).empty());
  CHECK(of_service({{"type", "ExternalName"}, {"externalName", "a.b"}, {"externalIPs", {"1.2.3.4"}}}) ==
        Texts{"spec.externalIPs is ignored when spec.type is \"ExternalName\""});
  CHECK(of_service({{"externalName", "a.b"}}) ==
        Texts{"spec.externalName is ignored when spec.type is not \"ExternalName\""});
  CHECK(of_service({{"trafficDistribution", "PreferClose"}}) ==
        Texts{"spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\""});
  const Json hints{{"metadata", {{"annotations", {{"service.kubernetes.io/topology-aware-hints", "auto"}}}}}};
  CHECK(of(Kind::service, hints) == Texts{"annotation service.kubernetes.io/topology-aware-hints is deprecated, please "
                                          "use service.kubernetes.io/topology-mode instead"});
}

TEST_CASE("spellings of addresses that not everybody reads alike are pointed out") {
  const std::string invalid = " will be considered invalid in a future Kubernetes release: use ";
  CHECK(of_service({{"clusterIP", "010.96.0.5"}}) ==
        Texts{"spec.clusterIPs[0]: non-standard IP address \"010.96.0.5\"" + invalid + "\"10.96.0.5\""});
  CHECK(of_service({{"clusterIPs", {"10.96.0.5", "FD00::1"}}}) ==
        Texts{"spec.clusterIPs[1]: IPv6 address \"FD00::1\" should be in RFC 5952 canonical format (\"fd00::1\")"});
  CHECK(of_service({{"externalIPs", {"::ffff:1.2.3.4"}}}) ==
        Texts{"spec.externalIPs[0]: non-standard IP address \"::ffff:1.2.3.4\"" + invalid + "\"1.2.3.4\""});
  CHECK(of_service({{"externalIPs", {"nonsense"}}, {"loadBalancerSourceRanges", {"x", "1.2.3.4", "/", "1.2.3.4/33"}}})
            .empty());
  const std::string range = "spec.loadBalancerSourceRanges[0]: ";
  const auto of_range = [](const std::string& text) { return of_service({{"loadBalancerSourceRanges", {text}}}); };
  CHECK(of_range("1.2.3.0/24").empty());
  CHECK(of_range("fd00::/64").empty());
  CHECK(of_range("0.0.0.0/0").empty());
  CHECK(of_range("1.2.3.4/24") ==
        Texts{range +
              "CIDR value \"1.2.3.4/24\" is ambiguous in this context (should be \"1.2.3.0/24\" or \"1.2.3.4/32\"?)"});
  CHECK(of_range("fd00::1:1/112") ==
        Texts{range + "CIDR value \"fd00::1:1/112\" is ambiguous in this context (should be "
                      "\"fd00::1:0/112\" or \"fd00::1:1/128\"?)"});
  CHECK(of_range("FD00:0::/64") ==
        Texts{range + "IPv6 CIDR value \"FD00:0::/64\" should be in RFC 5952 canonical format (\"fd00::/64\")"});
  CHECK(of_range("01.2.3.0/24") ==
        Texts{range + "non-standard CIDR value \"01.2.3.0/24\"" + invalid + "\"1.2.3.0/24\""});
  CHECK(of_range("::ffff:1.2.3.0/120") ==
        Texts{range + "non-standard CIDR value \"::ffff:1.2.3.0/120\"" + invalid + "\"1.2.3.0/24\""});
  CHECK(of(Kind::endpoint_slice,
           {{"addressType", "IPv4"}, {"endpoints", {{{"addresses", {"10.0.0.1", "10.0.0.01"}}}}}}) ==
        Texts{"endpoints[0].addresses[1]: non-standard IP address \"10.0.0.01\"" + invalid + "\"10.0.0.1\""});
  CHECK(of(Kind::endpoint_slice, {{"addressType", "FQDN"}, {"endpoints", {{{"addresses", {"a.b"}}}}}}) ==
        Texts{"spec.addressType: FQDN endpoints are deprecated"});
  CHECK(of(Kind::pod, Json::object()).empty());
}
