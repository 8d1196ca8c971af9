#include "discovery/model/protobuf.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "discovery/model/delete_options.hpp"

#include "tests/discovery/model/random_object.hpp"

using namespace signpost::model;

namespace {

std::span<const std::uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

// A writer of the test's own.
struct Encoder {
  std::string out;

  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
    out += static_cast<char>(value);
  }
  void tag(unsigned number, unsigned type) { varint(number << 3 | type); }
  void bytes(unsigned number, std::string_view text) {
    tag(number, 2);
    varint(text.size());
    out += text;
  }
  void number(unsigned field, std::int64_t value) {
    tag(field, 0);
    varint(static_cast<std::uint64_t>(value));
  }
};

std::string protobuf_of(const Object& object) {
  std::string out;
  write_protobuf(wire_message(kind_of(object)), *parse_json(encode(object)), out);
  return out;
}

tl::expected<Object, DecodeError> decode_protobuf(Kind kind, std::span<const std::uint8_t> raw) {
  auto const document = read_protobuf(wire_message(kind), raw);
  if (!document) return tl::unexpected(document.error());
  return decode_object(kind, *document);
}

tl::expected<DeleteOptions, DecodeError> decode_protobuf_options(std::span<const std::uint8_t> raw) {
  auto const document = read_protobuf(*find_wire_message("v1", "DeleteOptions"), raw);
  if (!document) return tl::unexpected(document.error());
  return decode_delete_options(*document);
}

/// Go's JSON has null where a time is not set.
Json without_nulls(Json json) {
  if (json.is_object())
    for (auto member = json.begin(); member != json.end();)
      member = member->is_null() ? json.erase(member) : (*member = without_nulls(*member), std::next(member));
  else if (json.is_array())
    for (Json& element : json) element = without_nulls(element);
  return json;
}

// A target port of zero or no name is none on this wire; a condition of a Namespace has no generation.
void forget_what_has_no_place(Object& object) {
  if (auto* const name_space = std::get_if<Namespace>(&object))
    for (Condition& condition : name_space->status.conditions) condition.observed_generation = 0;
  auto* const service = std::get_if<Service>(&object);
  if (service == nullptr) return;
  for (auto& port : service->spec.ports) {
    if (port.target_port == IntOrString{0} || port.target_port == IntOrString{""}) port.target_port.reset();
  }
}

std::string error_of(std::string_view hex) {
  auto const object = decode_protobuf(Kind::service, bytes_of(from_hex(hex)));
  return object ? "" : object.error().message;
}

} // namespace

TEST_CASE("both encodings are Go's") {
  // Objects of all types, with nothing set and with everything set; tests/e2e/kubernetes/wire-schema makes them.
  std::ifstream samples(SIGNPOST_SOURCE_DIR "/tests/discovery/model/wire_samples.jsonl");
  std::size_t count = 0;
  for (std::string line; std::getline(samples, line); ++count) {
    Json const sample = *parse_json(line);
    auto const kind = sample["kind"].get<std::string>();
    CAPTURE(kind);
    const WireMessage* const message = find_wire_message(sample["apiVersion"].get<std::string>(), kind);
    REQUIRE(message != nullptr);
    auto const bytes = from_hex(sample["protobuf"].get<std::string>());
    auto const document = read_protobuf(*message, bytes_of(bytes));
    REQUIRE(document);
    Json const wanted = without_nulls(sample["json"]);
    CHECK(*document == wanted);
    std::string back;
    write_protobuf(*message, wanted, back);
    if (count % 2 == 1) CHECK(back == bytes); // Go writes what is not set, too, as zero
  }
  CHECK(count == 32);
}

TEST_CASE("members that a message has not, or not so, are left out") {
  std::string bytes;
  write_protobuf(wire_message(Kind::pod), *parse_json(R"({"metadata":{"name":5,"labels":{"a":1,"b":"c"}},"spec":{
    "containers":[7,{"name":"c","image":null,"ports":{},"resources":{"limits":{"cpu":1,"memory":"1Gi"}}}],
    "priority":2147483648,"activeDeadlineSeconds":9223372036854775808,"hostNetwork":"yes","unheard":{"of":1}},
    "status":{"startTime":"soon","qosClass":[]},"more":1})"),
                 bytes);
  CHECK(*read_protobuf(wire_message(Kind::pod), bytes_of(bytes)) == *parse_json(R"({"metadata":{"labels":{"b":"c"}},
    "spec":{"containers":[{"name":"c","resources":{"limits":{"cpu":"1","memory":"1Gi"}}}]},"status":{}})"));
}

TEST_CASE("numbers in a list may come packed") {
  Encoder packed, context, spec, pod;
  packed.varint(1000);
  packed.varint(static_cast<std::uint64_t>(-1));
  context.number(4, 5);
  context.bytes(4, packed.out);
  spec.bytes(14, context.out);
  pod.bytes(2, spec.out);
  CHECK((*read_protobuf(wire_message(Kind::pod), bytes_of(pod.out)))["spec"]["securityContext"]["supplementalGroups"] ==
        Json{5, 1000, -1});
  packed.out += '\x80'; // a number that does not end
  Encoder broken;
  broken.bytes(4, packed.out);
  spec.bytes(14, broken.out);
  CHECK_FALSE(read_protobuf(wire_message(Kind::pod),
                            bytes_of("\x12" + std::string(1, static_cast<char>(spec.out.size())) + spec.out)));
}

TEST_CASE("text that is no UTF-8 becomes so") {
  Encoder meta, pod;
  meta.bytes(1, "w\xff\xc3(b");
  pod.bytes(1, meta.out);
  CHECK((*read_protobuf(wire_message(Kind::pod), bytes_of(pod.out)))["metadata"]["name"] ==
        "w\xef\xbf\xbd\xef\xbf\xbd(b");
}

TEST_CASE("of a field that comes twice the last counts, and messages are merged") {
  Encoder first, second, third, service;
  first.bytes(1, "a");
  first.bytes(3, "shop");
  second.bytes(1, "b");
  third.bytes(3, "");
  for (const Encoder* meta : {&first, &second, &third}) service.bytes(1, meta->out);
  CHECK((*read_protobuf(wire_message(Kind::service), bytes_of(service.out)))["metadata"] == Json{{"name", "b"}});
}

TEST_CASE("random objects come back from protobuf as they were") {
  RandomObject random(23);
  for (int i = 0; i < 2000; ++i) {
    Object object = random.any();
    auto const bytes = protobuf_of(object);
    forget_what_has_no_place(object);
    auto const back = decode_protobuf(kind_of(object), bytes_of(bytes));
    REQUIRE(back);
    if (*back != object) CHECK(encode(*back) == encode(object));
    REQUIRE(*back == object);
  }
}

TEST_CASE("field numbers are upstream's") {
  // kubectl create service clusterip web --tcp=80:8080, by hand.
  Encoder meta, port, target, spec, service;
  target.number(1, 0);
  target.number(2, 8080);
  target.bytes(3, "");
  port.bytes(1, "80-8080");
  port.bytes(2, "TCP");
  port.number(3, 80);
  port.bytes(4, target.out);
  port.number(5, 0);
  Encoder label;
  label.bytes(1, "app");
  label.bytes(2, "web");
  spec.bytes(1, port.out);
  spec.bytes(2, label.out);
  spec.bytes(3, "");
  spec.bytes(4, "ClusterIP");
  spec.bytes(7, "");
  spec.bytes(8, "");
  spec.bytes(10, "");
  spec.bytes(11, "");
  spec.number(12, 0);
  spec.number(13, 0);
  spec.bytes(17, "PreferDualStack");
  spec.bytes(18, "10.96.0.1");
  spec.bytes(19, "IPv4");
  meta.bytes(1, "web");
  meta.bytes(3, "shop");
  meta.number(7, 0);
  meta.bytes(8, "");
  meta.bytes(11, label.out);
  meta.bytes(17, "managed fields are skipped");
  service.bytes(1, meta.out);
  service.bytes(2, spec.out);
  service.bytes(3, from_hex("0a00"));
  auto const object = decode_protobuf(Kind::service, bytes_of(service.out));
  REQUIRE(object);
  CHECK(encode(*object) ==
        R"({"kind":"Service","apiVersion":"v1","metadata":{"name":"web","namespace":"shop","labels":{"app":"web"}},)"
        R"("spec":{"ports":[{"name":"80-8080","protocol":"TCP","port":80,"targetPort":8080}],"selector":{"app":"web"},)"
        R"("clusterIPs":["10.96.0.1"],"type":"ClusterIP","ipFamilies":["IPv4"],"ipFamilyPolicy":"PreferDualStack"},)"
        R"("status":{"loadBalancer":{}}})");

  // The two EndpointPorts number protocol and port differently.
  Encoder discovery_port, slice, core_port, subset, endpoints;
  discovery_port.bytes(2, "UDP");
  discovery_port.number(3, 53);
  slice.bytes(3, discovery_port.out);
  core_port.number(2, 53);
  core_port.bytes(3, "UDP");
  subset.bytes(3, core_port.out);
  endpoints.bytes(2, subset.out);
  auto const as_slice = decode_protobuf(Kind::endpoint_slice, bytes_of(slice.out));
  auto const as_endpoints = decode_protobuf(Kind::endpoints, bytes_of(endpoints.out));
  REQUIRE(as_slice);
  REQUIRE(as_endpoints);
  CHECK(std::get<EndpointSlice>(*as_slice).ports.at(0).port == 53);
  CHECK(std::get<EndpointSlice>(*as_slice).ports.at(0).protocol == "UDP");
  CHECK(std::get<Endpoints>(*as_endpoints).subsets.at(0).ports.at(0).port == 53);
  CHECK(std::get<Endpoints>(*as_endpoints).subsets.at(0).ports.at(0).protocol == "UDP");
}

TEST_CASE("what is not known is skipped, whatever its wire type") {
  Encoder meta, service;
  meta.number(99, 5);
  meta.bytes(1, "web");
  meta.bytes(100, "x");
  meta.tag(101, 1);
  meta.out += "12345678";
  meta.tag(102, 5);
  meta.out += "1234";
  service.bytes(1, meta.out);
  service.bytes(77, "y");
  auto const object = decode_protobuf(Kind::service, bytes_of(service.out));
  REQUIRE(object);
  CHECK(std::get<Service>(*object).metadata.name == "web");
}

TEST_CASE("broken messages are refused") {
  struct Row {
    const char *hex, *error;
  };
  for (const auto& [hex, error] : std::initializer_list<Row>{
           {"", ""},
           {"0a", "unexpected EOF"},
           {"0a05", "unexpected EOF"},
           {"0aff", "unexpected EOF"},
           {"0affffffffffffffffff01", "unexpected EOF"},
           {"ffffffffffffffffffffff01", "proto: integer overflow"},
           {"02", "proto: illegal tag 0 (wire type 2)"},
           {"0b", "proto: illegal wireType 3"},
           {"0c", "proto: illegal wireType 4"},
           {"0f", "proto: illegal wireType 7"},
           {"0801", "proto: wrong wireType = 0 for field metadata"},
           {"0a020805", "proto: wrong wireType = 0 for field name"},
           {"09", "unexpected EOF"},
           {"f9ff0300", "unexpected EOF"},
       }) {
    CAPTURE(hex);
    CHECK(error_of(hex) == error);
  }
}

TEST_CASE("the envelope is read") {
  auto const empty_delete = from_hex("6b3873000a130a027631120d44656c6574654f7074696f6e7312001a002200");
  auto const envelope = read_envelope(bytes_of(empty_delete));
  REQUIRE(envelope);
  CHECK(envelope->api_version == "v1");
  CHECK(envelope->kind == "DeleteOptions");
  CHECK(envelope->raw.empty());
  auto const options = decode_protobuf_options(envelope->raw);
  REQUIRE(options);
  CHECK_FALSE(options->grace_period_seconds);
  CHECK_FALSE(options->precondition_uid);
  CHECK(options->dry_run.empty());

  CHECK(read_envelope(bytes_of("{}")).error().message ==
        "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
  CHECK_FALSE(read_envelope({}));
  CHECK_FALSE(read_envelope(bytes_of(from_hex("6b3873000a13"))));
  CHECK_FALSE(read_envelope(bytes_of(from_hex("6b3873001a02787a")))); // contentEncoding xz
  CHECK(read_envelope(bytes_of(from_hex("6b387300"))).error().message == "empty body");
}

TEST_CASE("delete options are the same from protobuf and JSON") {
  Encoder preconditions, encoder;
  preconditions.bytes(1, "uid-1");
  preconditions.bytes(2, "17");
  encoder.number(1, 30);
  encoder.bytes(2, preconditions.out);
  encoder.number(3, 1);
  encoder.bytes(4, "Foreground");
  encoder.bytes(5, "All");
  auto const from_protobuf = decode_protobuf_options(bytes_of(encoder.out));
  auto const from_json = decode_delete_options(*parse_json(
      R"({"kind":"DeleteOptions","apiVersion":"v1","gracePeriodSeconds":30,"orphanDependents":true,
          "preconditions":{"uid":"uid-1","resourceVersion":"17"},"propagationPolicy":"Foreground","dryRun":["All"]})"));
  REQUIRE(from_protobuf);
  REQUIRE(from_json);
  for (const auto* options : {&*from_protobuf, &*from_json}) {
    CHECK(options->grace_period_seconds == 30);
    CHECK(options->precondition_uid == "uid-1");
    CHECK(options->precondition_resource_version == "17");
    CHECK(options->propagation_policy == "Foreground");
    CHECK(options->dry_run == std::vector<std::string>{"All"});
  }
  CHECK(decode_delete_options(Json()));
  CHECK(decode_delete_options(Json{{"gracePeriodSeconds", "soon"}}).error().message ==
        "json: cannot unmarshal string into Go struct field DeleteOptions.gracePeriodSeconds of type int64");
  CHECK_FALSE(decode_delete_options(Json::array()));
}

TEST_CASE("a small message cannot become a large object") {
  Encoder spec, service;
  for (int i = 0; i < 200000; ++i) spec.bytes(1, "");
  service.bytes(2, spec.out);
  CHECK(decode_protobuf(Kind::service, bytes_of(service.out)).error().message == "too many elements in ports");
  std::string json = R"({"spec":{"ports":[{})";
  for (int i = 0; i < 200000; ++i) json += ",{}";
  CHECK(decode_object(Kind::service, *parse_json(json + "]}}")).error().message == "too many elements in spec.ports");
}

TEST_CASE("mutated protobuf never does worse than an error") {
  RandomObject random(5);
  for (int i = 0; i < 5000; ++i) {
    Object const object = random.any();
    auto bytes = "k8s" + std::string(1, '\0') + protobuf_of(object);
    for (auto n = random.below(4) + 1; n-- > 0;) {
      auto const at = random.below(bytes.size());
      switch (random.below(3)) {
      case 0: bytes[at] = static_cast<char>(random.below(256)); break;
      case 1: bytes.erase(at, random.below(8)); break;
      default: bytes.insert(at, bytes.substr(random.below(bytes.size()), random.below(16))); break;
      }
      if (bytes.empty()) bytes = "k";
    }
    (void)read_envelope(bytes_of(bytes));
    (void)decode_protobuf_options(bytes_of(bytes));
    auto const raw = bytes_of(bytes).subspan(std::min<std::size_t>(4, bytes.size()));
    auto const back = decode_protobuf(kind_of(object), raw);
    if (back) CHECK(parse_json(encode(*back)));
  }
}
