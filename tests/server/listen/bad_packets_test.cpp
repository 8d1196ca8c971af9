// Every case of tests/packets/badpackets.json over sockets: datagrams, and whole TCP streams with their stalls.
#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/server/listen/client.hpp"

using namespace signpost;
using namespace signpost::server;
using namespace signpost::test;

namespace {

using Json = nlohmann::json;
constexpr std::uint16_t sentinel = 0xBEEF;

Bytes unhex(const std::string& hex) {
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return bytes;
}

std::string name_of(const Bytes& reply) {
  static const std::map<unsigned, std::string> names = {{1, "FORMERR"}, {2, "SERVFAIL"}, {3, "NXDOMAIN"},
                                                        {4, "NOTIMP"},  {5, "REFUSED"},  {9, "NOTAUTH"}};
  if (reply.size() < 12 || (reply[2] & 0x80) == 0) return "malformed reply";
  if (const auto name = names.find(rcode_of(reply)); name != names.end()) return name->second;
  // The extended rcode of the OPT record that ends a reply without data.
  if (answers_of(reply) == 0 && reply[9] == 0 && reply.size() >= 23 && reply[11] == 1 && reply[reply.size() - 6] == 1)
    return "BADVERS";
  if ((reply[2] & 2) != 0) return "TC";
  return answers_of(reply) == 0 ? "NODATA" : "NOERROR";
}

bool is_listed(const Json& test, const std::string& got) {
  const auto fits = [&](const std::string& word) {
    return word == got || (word == "NOERROR" && test["cat"] == "edns" && (got == "TC" || got == "NODATA"));
  };
  const auto& also = test["also_ok"];
  return fits(test["expect"]) || std::any_of(also.begin(), also.end(), [&](const Json& word) { return fits(word); });
}

Json cases() {
  std::ifstream file(SIGNPOST_SOURCE_DIR "/tests/packets/badpackets.json");
  return Json::parse(file)["cases"];
}

} // namespace

TEST_CASE("every malformed datagram gets what it deserves, and the next query is answered") {
  Server server; // one worker on one socket: replies keep the order of the questions
  int count = 0;
  for (const auto& test : cases()) {
    if (test["transport"] != "udp") continue;
    const std::string id = test["id"];
    CAPTURE(id);
    const Bytes packet = unhex(test["hex"]);
    UdpClient client(server.endpoint());
    REQUIRE(client.send(packet));
    REQUIRE(client.send(question("web.default.svc.cluster.local", sentinel)));
    const Bytes reply = client.receive();
    std::string got = "drop";
    if (id_of(reply) != sentinel) {
      got = name_of(reply);
      CHECK(id_of(reply) == id_of(packet));
      CHECK(reply.size() <= 1232);
      CHECK(id_of(client.receive()) == sentinel);
    }
    CAPTURE(got);
    CHECK(is_listed(test, got));
    ++count;
  }
  CHECK(count > 150);
}

TEST_CASE("every TCP stream gets what it deserves") {
  TcpSettings hasty, patient_settings;
  hasty.first = hasty.message = std::chrono::milliseconds(100); // stalls need not take long
  patient_settings.first = patient_settings.message = patient_settings.write = std::chrono::milliseconds(patience);
  Server closing(nullptr, hasty), server(nullptr, patient_settings);
  int count = 0;
  for (const auto& test : cases()) {
    if (test["transport"] != "tcp-raw") continue;
    const std::string id = test["id"], expected = test["expect"];
    CAPTURE(id);
    TcpClient client((expected == "close" ? closing : server).endpoint());
    REQUIRE(client.send(unhex(test["hex"])));
    ++count;
    if (expected == "close") {
      if (test.value("half_close", false)) client.half_close();
      CHECK_FALSE(client.message());
      continue;
    }
    const std::size_t wanted = expected.ends_with(" answers") ? std::stoul(expected) : 1;
    std::vector<std::string> got;
    client.half_close(); // then the server closes behind its last answer
    while (const auto message = client.message()) got.push_back(name_of(*message));
    CHECK(got.size() == wanted);
    CHECK(std::find(got.begin(), got.end(), "malformed reply") == got.end());
    if (id == "tcp-275") CHECK(got == std::vector<std::string>{"FORMERR", "NOERROR"});
    if (wanted == 1 && !got.empty()) CHECK(is_listed(test, got[0]));
  }
  CHECK(count == 14);
}
