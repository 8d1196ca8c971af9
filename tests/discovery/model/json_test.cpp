#include "discovery/model/json.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/discovery/model/random_object.hpp"

using namespace signpost::model;

namespace {

Service service_of(std::string_view text) {
  auto object = decode_object(Kind::service, *parse_json(text));
  REQUIRE(object);
  return std::get<Service>(*object);
}

std::string decode_error(Kind kind, std::string_view text) {
  auto json = parse_json(text);
  REQUIRE(json);
  auto object = decode_object(kind, *json);
  return object ? "" : object.error().message;
}

} // namespace

TEST_CASE("a service is read field for field") {
  auto const service = service_of(R"({"kind":"Service","apiVersion":"v1",
    "metadata":{"name":"web","namespace":"shop","uid":"u","resourceVersion":"7","generation":2,
      "creationTimestamp":"2026-11-23T23:30:00.5+01:00","deletionTimestamp":null,"deletionGracePeriodSeconds":0,
      "labels":{"app":"web","none":null},"annotations":null,"finalizers":["a/b"],"managedFields":[{"x":1}],
      "ownerReferences":[{"apiVersion":"v1","kind":"K","name":"n","uid":"u","controller":true}]},
    "spec":{"ports":[{"name":"http","port":80,"targetPort":"web"},{"port":53,"protocol":"UDP","targetPort":5353}],
      "selector":{"app":"web"},"clusterIP":"10.96.0.5","clusterIPs":["10.96.0.5"],"type":"ClusterIP",
      "ipFamilyPolicy":"SingleStack","ipFamilies":["IPv4"],"publishNotReadyAddresses":true,
      "sessionAffinity":"ClientIP","sessionAffinityConfig":{"clientIP":{"timeoutSeconds":5}},
      "allocateLoadBalancerNodePorts":false},
    "status":{"loadBalancer":{"ingress":[{"ip":"1.2.3.4","ports":[{"port":1,"protocol":"TCP"}]}]}}})");
  CHECK(service.metadata.name == "web");
  CHECK(service.metadata.name_space == "shop");
  CHECK(service.metadata.generation == 2);
  CHECK(service.metadata.creation_timestamp == "2026-11-23T22:30:00Z");
  CHECK(service.metadata.deletion_timestamp.empty());
  CHECK(service.metadata.deletion_grace_period_seconds == 0);
  CHECK(service.metadata.labels == std::map<std::string, std::string>{{"app", "web"}, {"none", ""}});
  CHECK(service.metadata.owner_references.at(0).controller == true);
  CHECK_FALSE(service.metadata.owner_references.at(0).block_owner_deletion);
  REQUIRE(service.spec.ports.size() == 2);
  CHECK(service.spec.ports[0].target_port == IntOrString{"web"});
  CHECK(service.spec.ports[1].target_port == IntOrString{5353});
  CHECK_FALSE(service.spec.ports[0].app_protocol);
  CHECK(service.spec.publish_not_ready_addresses);
  CHECK(service.spec.session_affinity_config->client_ip->timeout_seconds == 5);
  CHECK(service.spec.allocate_load_balancer_node_ports == false);
  CHECK_FALSE(service.spec.load_balancer_class);
  CHECK(service.status.load_balancer.ingress.at(0).ports.at(0).port == 1);
}

TEST_CASE("objects are written compactly, in the API's order, without what is empty") {
  struct Row {
    Kind kind;
    const char* text;
  };
  // Each is written exactly as it is read here.
  for (
      const auto& [kind, text] : std::initializer_list<Row>{
          {Kind::service,
           R"({"kind":"Service","apiVersion":"v1","metadata":{"name":"web"},"spec":{},"status":{"loadBalancer":{}}})"},
          {Kind::service,
           R"({"kind":"Service","apiVersion":"v1","metadata":{"name":"web","namespace":"shop","labels":{"a":"b","c":""}},)"
           R"("spec":{"ports":[{"name":"dns","protocol":"UDP","port":53,"targetPort":0},{"port":0,"targetPort":"x"}],)"
           R"("clusterIP":"None","clusterIPs":["None"],"type":"ClusterIP","ipFamilies":["IPv4"],)"
           R"("ipFamilyPolicy":"SingleStack","allocateLoadBalancerNodePorts":false},"status":{"loadBalancer":{}}})"},
          {Kind::name_space,
           R"({"kind":"Namespace","apiVersion":"v1","metadata":{"name":"a"},"spec":{},"status":{"phase":"Active"}})"},
          {Kind::endpoint_slice,
           R"({"kind":"EndpointSlice","apiVersion":"discovery.k8s.io/v1","metadata":{"name":"a"},"addressType":"IPv4",)"
           R"("endpoints":[],"ports":[]})"},
          {Kind::endpoint_slice,
           R"({"kind":"EndpointSlice","apiVersion":"discovery.k8s.io/v1","metadata":{"name":"a"},"addressType":"IPv4",)"
           R"("endpoints":[{"addresses":["10.0.0.1"],"conditions":{}},{"addresses":[],"conditions":{"ready":false},)"
           R"("hostname":"","targetRef":{"kind":"Pod","name":"p"},"hints":{"forZones":[{"name":"z"}]}}],)"
           R"("ports":[{},{"name":"","protocol":"TCP","port":80}]})"},
          {Kind::endpoints, R"({"kind":"Endpoints","apiVersion":"v1","metadata":{"name":"a"},)"
                            R"("subsets":[{"addresses":[{"ip":"10.0.0.1"}],"ports":[{"port":80}]}]})"},
          {Kind::service_cidr,
           R"({"kind":"ServiceCIDR","apiVersion":"networking.k8s.io/v1","metadata":{"name":"kubernetes"},)"
           R"("spec":{"cidrs":["10.96.0.0/12"]},"status":{"conditions":[{"type":"Ready","status":"True",)"
           R"("lastTransitionTime":"2026-01-01T00:00:00Z","reason":"","message":""}]}})"},
          {Kind::ip_address,
           R"({"kind":"IPAddress","apiVersion":"networking.k8s.io/v1","metadata":{"name":"10.96.0.1"},)"
           R"("spec":{"parentRef":{"resource":"services","namespace":"default","name":"kubernetes"}}})"},
          {Kind::lease, R"({"kind":"Lease","apiVersion":"coordination.k8s.io/v1","metadata":{"name":"a"},"spec":)"
                        R"({"holderIdentity":"","leaseDurationSeconds":15,"acquireTime":"2026-01-01T00:00:00.000001Z",)"
                        R"("renewTime":"2026-01-01T00:00:01.500000Z","leaseTransitions":0}})"},
      }) {
    auto const object = decode_object(kind, *parse_json(text));
    REQUIRE(object);
    CHECK(encode(*object) == text);
  }
  CHECK(encode(Object(Service{})).find(R"("metadata":{"name":"")") != std::string::npos);
}

TEST_CASE("what is not looked into is kept as it came, and no field of it is unknown") {
  const std::string text =
      R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"a"},"spec":{"containers":[{"name":"c","ports":)"
      R"([{"containerPort":80}],"image":"i:1","resources":{"limits":{"cpu":"1.50"}}}],"nodeName":"n",)"
      R"("volumes":[{"emptyDir":{},"name":"v"}],"zero":0.10},"status":{"phase":"Running","conditions":)"
      R"([{"type":"Ready","status":"True","lastProbeTime":"x"}],"podIP":"10.1.0.1","podIPs":[{"ip":"10.1.0.1"}],)"
      R"("containerStatuses":[{"name":"c","ready":false,"restartCount":0,"state":{}}]}})";
  DecodeNotes notes;
  const auto pod = decode_object(Kind::pod, *parse_json(text), &notes);
  REQUIRE(pod);
  CHECK(notes.unknown_fields.empty());
  std::string expected = text;
  expected.replace(expected.find("0.10"), 4, "0.1");
  CHECK(encode(*pod) == expected);
  CHECK(std::get<Pod>(*pod).spec.others.at("volumes") == R"([{"emptyDir":{},"name":"v"}])");
}

TEST_CASE("times in microseconds have six digits") {
  const auto renewed = [](const std::string& time) {
    const auto json = parse_json(R"({"spec":{"renewTime":")" + time + R"("}})");
    const auto object = decode_object(Kind::lease, *json);
    return object ? std::get<Lease>(*object).spec.renew_time : object.error().message;
  };
  CHECK(renewed("2026-01-01T02:00:00.250000+02:00") == "2026-01-01T00:00:00.250000Z");
  const auto refused = [&](const std::string& time, const std::string& rest, const std::string& element) {
    CHECK(renewed(time) == "parsing time \"" + time + "\" as \"2006-01-02T15:04:05.000000Z07:00\": cannot parse \"" +
                               rest + "\" as \"" + element + "\"");
  };
  refused("2026-01-01T00:00:00Z", "Z", ".000000");
  refused("2026-01-01T00:00:00.1Z", ".1Z", ".000000");
  refused("2026-01-01T00:00:00.1234567Z", "7Z", "Z07:00");
  CHECK(renewed("yesterday") == "parsing time \"yesterday\" as \"2006-01-02T15:04:05.000000Z07:00\": cannot parse "
                                "\"yesterday\" as \"2006\"");
}

TEST_CASE("strings are escaped, and bytes that are no UTF-8 replaced") {
  struct Row {
    std::string_view text, literal;
  };
  for (const auto& [text, literal] : std::initializer_list<Row>{
           {"a\"b\\c", R"("a\"b\\c")"},
           {"\n\r\t\x01\x1f\x7f", "\"\\n\\r\\t\\u0001\\u001f\x7f\""},
           {std::string_view("\0", 1), R"("\u0000")"},
           {"ü日😀", "\"ü日😀\""},
           {"a\xff"
            "b",
            "\"a\xef\xbf\xbd"
            "b\""},
           {"\xc3", "\"\xef\xbf\xbd\""},
           {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
           {"\xc0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
           {"\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
       }) {
    Namespace object;
    object.metadata.name = text;
    auto const encoded = encode(Object(object));
    CHECK(encoded.find("\"name\":" + std::string(literal)) != std::string::npos);
    CHECK(parse_json(encoded));
  }
}

TEST_CASE("random objects come back from JSON as they were") {
  RandomObject random(20261123);
  for (int i = 0; i < 2000; ++i) {
    Object const object = random.any();
    auto const text = encode(object);
    CAPTURE(text);
    DecodeNotes notes;
    auto const json = parse_json(text, &notes);
    REQUIRE(json);
    auto const back = decode_object(kind_of(object), *json, &notes);
    REQUIRE(back);
    REQUIRE(*back == object);
    CHECK(encode(*back) == text);
    CHECK(notes.unknown_fields.empty());
    CHECK(notes.duplicate_fields.empty());
  }
}

TEST_CASE("a value of the wrong type is refused in Go's words") {
  struct Row {
    Kind kind;
    const char *text, *error;
  };
  for (
      const auto& [kind, text, error] : std::initializer_list<Row>{
          {Kind::service, R"({"spec":{"ports":[{"port":"eighty"}]}})",
           "json: cannot unmarshal string into Go struct field ServicePort.spec.ports.port of type int32"},
          {Kind::service, R"({"spec":{"ports":[{"port":1.5}]}})",
           "json: cannot unmarshal number 1.5 into Go struct field ServicePort.spec.ports.port of type int32"},
          {Kind::service, R"({"spec":{"ports":[{"port":4294967376}]}})",
           "json: cannot unmarshal number 4294967376 into Go struct field ServicePort.spec.ports.port of type int32"},
          {Kind::service, R"({"spec":{"ports":[{"port":-2147483649}]}})",
           "json: cannot unmarshal number -2147483649 into Go struct field ServicePort.spec.ports.port of type int32"},
          {Kind::service, R"({"spec":{"ports":{}}})",
           "json: cannot unmarshal object into Go struct field ServiceSpec.spec.ports of type []v1.ServicePort"},
          {Kind::service, R"({"spec":{"ports":[7]}})",
           "json: cannot unmarshal number into Go struct field ServiceSpec.spec.ports of type v1.ServicePort"},
          {Kind::service, R"({"spec":{"type":5}})",
           "json: cannot unmarshal number into Go struct field ServiceSpec.spec.type of type v1.ServiceType"},
          {Kind::service, R"({"spec":{"ipFamilies":"IPv4"}})",
           "json: cannot unmarshal string into Go struct field ServiceSpec.spec.ipFamilies of type []v1.IPFamily"},
          {Kind::service, R"({"spec":{"ipFamilyPolicy":[]}})",
           "json: cannot unmarshal array into Go struct field ServiceSpec.spec.ipFamilyPolicy of type v1.IPFamilyPolicy"},
          {Kind::service, R"({"spec":{"publishNotReadyAddresses":"yes"}})",
           "json: cannot unmarshal string into Go struct field ServiceSpec.spec.publishNotReadyAddresses of type bool"},
          {Kind::service, R"({"spec":{"ports":[{"targetPort":true}]}})",
           "json: cannot unmarshal bool into Go struct field ServicePort.spec.ports.targetPort of type int32"},
          {Kind::service, R"({"spec":[]})",
           "json: cannot unmarshal array into Go struct field Service.spec of type v1.ServiceSpec"},
          {Kind::service, R"({"metadata":{"labels":{"a":5}}})",
           "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string"},
          {Kind::service, R"({"metadata":{"labels":["a"]}})",
           "json: cannot unmarshal array into Go struct field ObjectMeta.metadata.labels of type map[string]string"},
          {Kind::service, R"({"metadata":{"uid":5}})",
           "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.uid of type types.UID"},
          {Kind::service, R"({"metadata":{"generation":9223372036854775808}})",
           "json: cannot unmarshal number 9223372036854775808 into Go struct field ObjectMeta.metadata.generation of type "
           "int64"},
          {Kind::service, R"({"metadata":{"creationTimestamp":5}})",
           "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.creationTimestamp of type string"},
          {Kind::service, R"({"metadata":{"creationTimestamp":"yesterday"}})",
           R"(parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006")"},
          {Kind::service, R"({"metadata":{"creationTimestamp":"2026-02-29T00:00:00Z"}})",
           R"(parsing time "2026-02-29T00:00:00Z": day out of range)"},
          {Kind::service, R"({"metadata":{"creationTimestamp":"2026-02-28T00:00:00"}})",
           R"(parsing time "2026-02-28T00:00:00" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "Z07:00")"},
          {Kind::endpoint_slice, R"({"endpoints":[{"conditions":{"ready":1}}]})",
           "json: cannot unmarshal number into Go struct field EndpointConditions.endpoints.conditions.ready of type bool"},
          {Kind::endpoint_slice, R"([])", "json: cannot unmarshal array into Go value of type v1.EndpointSlice"},
          {Kind::name_space, R"("x")", "json: cannot unmarshal string into Go value of type v1.Namespace"},
          {Kind::service_cidr, R"({"spec":{"cidrs":[1]}})",
           "json: cannot unmarshal number into Go struct field ServiceCIDRSpec.spec.cidrs of type string"},
      }) {
    CAPTURE(text);
    CHECK(decode_error(kind, text) == error);
  }
}

TEST_CASE("null is absent everywhere") {
  auto const service = service_of(R"({"metadata":null,"spec":{"ports":[null],"selector":null,"type":null,
    "clusterIPs":[null],"sessionAffinityConfig":null,"ipFamilyPolicy":null,"healthCheckNodePort":null}})");
  Service expected;
  expected.spec.ports.resize(1);
  expected.spec.cluster_ips.resize(1);
  CHECK(service == expected);
}

TEST_CASE("unknown and duplicate fields are noted with their path") {
  DecodeNotes notes;
  auto const json =
      parse_json(R"({"foo":1,"kind":"Service","apiVersion":"v1","metadata":{"name":"a","name":"b","bar":{},
    "labels":{"x":"1","x":"2"},"managedFields":[{"zzz":1}],"selfLink":"/x"},
    "spec":{"foo":1,"Type":"x","type":"A","type":"B","ports":[{"port":1},{"port":1,"bar":2,"port":2}]}})",
                 &notes);
  REQUIRE(json);
  auto const object = decode_object(Kind::service, *json, &notes);
  REQUIRE(object);
  CHECK(notes.unknown_fields == std::vector<std::string>{"unknown field \"foo\"", "unknown field \"metadata.bar\"",
                                                         "unknown field \"spec.Type\"", "unknown field \"spec.foo\"",
                                                         "unknown field \"spec.ports[1].bar\""});
  CHECK(notes.duplicate_fields ==
        std::vector<std::string>{"duplicate field \"metadata.name\"", "duplicate field \"metadata.labels.x\"",
                                 "duplicate field \"spec.type\"", "duplicate field \"spec.ports[1].port\""});
  CHECK(std::get<Service>(*object).metadata.name == "b");
  CHECK(std::get<Service>(*object).spec.type == "B");
}

TEST_CASE("notes are bounded") {
  std::string text = "{";
  for (int i = 0; i < 1000; ++i) text += "\"f" + std::to_string(i) + "\":1,\"f" + std::to_string(i) + "\":1,";
  text.back() = '}';
  DecodeNotes notes;
  auto const json = parse_json(text, &notes);
  REQUIRE(json);
  REQUIRE(decode_object(Kind::service, *json, &notes));
  CHECK(notes.unknown_fields.size() == 100);
  CHECK(notes.duplicate_fields.size() == 100);
}

TEST_CASE("broken JSON is refused in Go's words") {
  struct Row {
    std::string_view text;
    const char* error;
  };
  for (const auto& [text, error] : std::initializer_list<Row>{
           {"", "unexpected end of JSON input"},
           {"{\"kind\":", "unexpected end of JSON input"},
           {"{", "unexpected end of JSON input"},
           {"[1", "unexpected end of JSON input"},
           {"[1,", "unexpected end of JSON input"},
           {"\"abc", "unexpected end of JSON input"},
           {"\"abc\\", "unexpected end of JSON input"},
           {"\"\\u12", "unexpected end of JSON input"},
           {"tru", "unexpected end of JSON input"},
           {"-", "unexpected end of JSON input"},
           {"hello", "invalid character 'h' looking for beginning of value"},
           {"{'a':1}", "invalid character '\\'' looking for beginning of object key string"},
           {"{\"a\" 1}", "invalid character '1' after object key"},
           {"{\"a\":1 \"b\"", "invalid character '\"' after object key:value pair"},
           {"{\"a\":1,}", "invalid character '}' looking for beginning of object key string"},
           {"[1 2]", "invalid character '2' after array element"},
           {"[1,]", "invalid character ']' looking for beginning of value"},
           {"{} x", "invalid character 'x' after top-level value"},
           {"{}{}", "invalid character '{' after top-level value"},
           {"txue", "invalid character 'x' in literal true (expecting 'r')"},
           {"nul!", "invalid character '!' in literal null (expecting 'l')"},
           {"01", "invalid character '1' after top-level value"},
           {"-a", "invalid character 'a' in numeric literal"},
           {"1.x", "invalid character 'x' after decimal point in numeric literal"},
           {"1ex", "invalid character 'x' in exponent of numeric literal"},
           {"\"a\nb\"", "invalid character '\\n' in string literal"},
           {"\"\\x\"", "invalid character 'x' in string escape code"},
           {"\"\\u12g4\"", "invalid character 'g' in \\u hexadecimal character escape"},
           {"\x01", "invalid character '\\x01' looking for beginning of value"},
           {"\xff", "invalid character 'ÿ' looking for beginning of value"},
           {"apiVersion: v1", "invalid character 'a' looking for beginning of value"},
           {"\"\xff\"", "invalid UTF-8 or number out of range in JSON"},
           {"1e999", "invalid UTF-8 or number out of range in JSON"},
       }) {
    CAPTURE(text);
    auto const json = parse_json(text);
    REQUIRE_FALSE(json);
    CHECK(json.error().message == error);
  }
  CHECK(parse_json(" {\"a\":[1,-2.5e3,\"x\",true,null]} \n"));
}

TEST_CASE("nesting is bounded") {
  auto const nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK(parse_json(nested(64)));
  CHECK(parse_json(nested(65)).error().message == "invalid character '[' exceeded max depth");
  CHECK(parse_json(nested(3), nullptr, {.depth = 2}).error().message == "invalid character '[' exceeded max depth");
  CHECK(parse_json(std::string(1000000, '[')).error().message == "invalid character '[' exceeded max depth");
  std::string objects;
  for (int i = 0; i < 100000; ++i) objects += "{\"a\":";
  CHECK(parse_json(objects).error().message == "invalid character '{' exceeded max depth");
}

TEST_CASE("mutated JSON never does worse than an error") {
  RandomObject random(7);
  for (int i = 0; i < 3000; ++i) {
    Object const object = random.any();
    auto text = encode(object);
    for (auto n = random.below(4) + 1; n-- > 0;) {
      auto const at = random.below(text.size());
      switch (random.below(4)) {
      case 0: text[at] = static_cast<char>(random.below(256)); break;
      case 1: text.erase(at, random.below(8)); break;
      case 2: text.insert(at, text.substr(random.below(text.size()), random.below(16))); break;
      default: text[at] = "{}[],:\"0-e"[random.below(10)]; break;
      }
      if (text.empty()) text = "{";
    }
    DecodeNotes notes;
    auto const json = parse_json(text, &notes);
    if (!json) {
      CHECK_FALSE(json.error().message.empty());
      continue;
    }
    auto const back = decode_object(kind_of(object), *json, &notes);
    if (back) CHECK(parse_json(encode(*back)));
  }
}
