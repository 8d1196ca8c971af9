#include "server/cache/answer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "tests/zone/wire/response_builder.hpp"
#include "zone/wire/octets.hpp"

using namespace signpost;
using namespace signpost::testing;
using server::Answer;
using server::Asker;
using wire::load16;
using wire::load32;
using wire::upstream::Response;

namespace {

const Octets www = name("www.example.com");
const Octets www_question = name("WwW.example.com") + u16(1) + u16(1);

/// Believes what is said of every host but those of one name.
struct AllBut final : server::Bailiwick {
  std::optional<wire::WireName> stranger;
  [[nodiscard]] bool holds(const wire::WireName& host) const noexcept override {
    return !stranger || host != *stranger;
  }
};
AllBut bailiwick;

struct Compiled {
  std::unique_ptr<Answer> answer = std::make_unique<Answer>();
  std::unique_ptr<Response> response = std::make_unique<Response>();
  bool fits = false;

  explicit Compiled(const Message& message, server::TtlCaps caps = {}, std::uint16_t type = 1, bool dnssec = false,
                    std::size_t links = server::whole) {
    wire::upstream::read_response(message.octets(), {.qname = www, .type = type, .id = 1, .dnssec_ok = dnssec},
                                  *response);
    REQUIRE(response->fault == wire::upstream::Fault::none);
    fits = server::compile(message.octets(), *response, caps, bailiwick, links, *answer);
  }

  [[nodiscard]] Octets reply(Asker asker, std::uint32_t age = 0) const {
    Octets out(65535);
    if (asker.question.empty()) asker.question = www_question;
    out.resize(server::write_reply(out, asker, answer->view(), age));
    return out;
  }
};

Message reply(std::size_t flags = 0x8180) { return std::move(Message(1, flags).question(www, 1)); }

const Octets address = ipv4(192, 0, 2, 1);

} // namespace

TEST_CASE("a reply is the client's id, question and flags with our tail") {
  const Compiled compiled(reply(0x8580).answer(www, 1, 300, address)); // AA set upstream
  REQUIRE(compiled.fits);
  const Octets out = compiled.reply({.id = 0xbeef, .flags = 0x0110});
  CHECK(load16(&out[0]) == 0xbeef);
  CHECK(load16(&out[2]) == 0x8190); // QR RD RA CD, no AA
  CHECK(load16(&out[4]) == 1);
  CHECK(load16(&out[6]) == 1);
  CHECK(load16(&out[8]) == 0);
  CHECK(load16(&out[10]) == 0);
  CHECK(std::equal(www_question.begin(), www_question.end(), out.begin() + 12));
  const Octets tail(out.begin() + 12 + www_question.size(), out.end());
  CHECK(tail == Message::record(pointer(12), 1, 300, address));
  CHECK(load16(&compiled.reply({.flags = 0})[2]) == 0x8080);
}

TEST_CASE("TTLs count down and stay at least zero, up to the caps") {
  const Message message =
      reply().answer(www, 5, 7200, name("a.example.com")).answer(name("a.example.com"), 1, 90, address);
  const Compiled compiled(message, {.positive = 600, .negative = 60});
  CHECK(compiled.answer->lifetime == 90);
  const auto ttls = [&](std::uint32_t age) {
    const Octets out = compiled.reply({}, age);
    std::vector<std::uint32_t> found;
    for (const auto at : compiled.answer->view().ttl_at) found.push_back(load32(&out[compiled.answer->tail_at + at]));
    return found;
  };
  CHECK(ttls(0) == std::vector<std::uint32_t>{600, 90});
  CHECK(ttls(89) == std::vector<std::uint32_t>{511, 1});
  CHECK(ttls(100) == std::vector<std::uint32_t>{500, 0});
}

TEST_CASE("a denial carries its SOA with the time it is kept for") {
  const Compiled compiled(reply(0x8183).authority(name("example.com"), 6, 900, soa(30)),
                          {.positive = 3600, .negative = 1800});
  CHECK(compiled.answer->lifetime == 30);
  CHECK(compiled.answer->authorities == 1);
  const Octets out = compiled.reply({});
  CHECK(load16(&out[2]) == 0x8083);
  CHECK(load32(&out[compiled.answer->tail_at + compiled.answer->ttl_at[0]]) == 30);
  const Compiled capped(reply(0x8183).authority(name("example.com"), 6, 900, soa(300)),
                        {.positive = 3600, .negative = 10});
  CHECK(capped.answer->lifetime == 10);
}

TEST_CASE("names are expanded and compressed against our own message") {
  // In the upstream's message the pointers lead into a record that is left out of ours.
  Message message = reply();
  const std::size_t stranger = message.size();
  message.answer(name("mail.example.org"), 1, 60, address);
  const Octets in_stranger = pointer(stranger + 5); // example.org
  message.answer(pointer(12), 5, 60, Octets{1, 'x'} + in_stranger);
  message.answer(Octets{1, 'x'} + in_stranger, 1, 60, address);
  const Compiled compiled(message);
  REQUIRE(compiled.fits);
  const Octets out = compiled.reply({});
  Response again;
  wire::upstream::read_response(out, {.qname = www, .type = 1, .id = 0}, again);
  REQUIRE(again.fault == wire::upstream::Fault::none);
  CHECK(again.answers == 2);
  const auto end = again.end.span();
  CHECK(Octets(end.begin(), end.end()) == name("x.example.org"));
  // The second owner is a pointer to the CNAME's rdata.
  CHECK(out.size() == compiled.answer->tail_at + (2 + 10 + name("x.example.org").size()) + (2 + 10 + 4));
}

TEST_CASE("rdata of types whose names must not be compressed are written out") {
  const Octets target = name("sip.example.com");
  const Octets srv = u16(1) + u16(2) + u16(5060) + target;
  Message message(1);
  message.question(www, 33).answer(pointer(12), 33, 60,
                                   u16(1) + u16(2) + u16(5060) + Octets{3, 's', 'i', 'p'} + pointer(16));
  const Compiled compiled(message, {}, 33);
  REQUIRE(compiled.fits);
  const auto tail = compiled.answer->view().tail;
  CHECK(Octets(tail.begin(), tail.end()) == Message::record(pointer(12), 33, 60, srv));
}

TEST_CASE("replies are cut at whole records to what the client takes") {
  Message message = reply();
  for (int i = 0; i < 80; ++i) message.answer(pointer(12), 1, 60, ipv4(10, 0, 0, i));
  const Compiled compiled(message);
  struct Row {
    Asker asker;
    std::size_t records;
  };
  const std::size_t head = 12 + www_question.size();
  const Row rows[] = {{{.limit = 512}, (512 - head) / 16},
                      {{.edns = true, .limit = 1232}, (1232 - head - 11) / 16},
                      {{.limit = 65535}, 80}};
  for (const Row& row : rows) {
    CAPTURE(row.asker.limit);
    const Octets out = compiled.reply(row.asker);
    CHECK(load16(&out[6]) == row.records);
    CHECK(((load16(&out[2]) & 0x0200) != 0) == (row.records < 80));
    CHECK(out.size() == head + row.records * 16 + (row.asker.edns ? 11 : 0));
    CHECK(load16(&out[10]) == (row.asker.edns ? 1 : 0));
  }
}

TEST_CASE("an OPT only for who sent one, with DO copied and the extended error") {
  Answer answer;
  server::compile_error(2, 1, answer);
  answer.errors.add(server::network_error);
  Octets out(512);
  const Asker plain{.question = www_question};
  CHECK(server::write_reply(out, plain, answer.view(), 0) == 12 + www_question.size());
  const Asker edns{.question = www_question, .edns = true, .dnssec_ok = true};
  const std::size_t length = server::write_reply(out, edns, answer.view(), 0);
  REQUIRE(length == 12 + www_question.size() + 17);
  const std::uint8_t* const opt = &out[length - 17];
  CHECK(Octets(opt, opt + 17) == Octets{0} + u16(41) + u16(1232) + u32(0x8000) + u16(6) + u16(15) + u16(2) + u16(23));
}

TEST_CASE("AD is told to those who ask for it") {
  const Compiled compiled(reply(0x81a0).answer(www, 1, 60, address));
  CHECK((load16(&compiled.reply({})[2]) & 0x20) == 0);
  CHECK((load16(&compiled.reply({.flags = 0x20})[2]) & 0x20) != 0);
  CHECK((load16(&compiled.reply({.edns = true, .dnssec_ok = true})[2]) & 0x20) != 0);
}

TEST_CASE("an answer of 64 KiB that does not fit in our form is refused, not overrun") {
  // SRV targets compressed by the sender: 4,000 records of 2 + 10 + 6 + 2 octets become 4,000 of twice that.
  Message message(1);
  message.question(www, 33);
  Octets records;
  const Octets one = Message::record(pointer(12), 33, 60, u32(0) + u16(80) + pointer(12));
  for (int i = 0; i < 3200; ++i) records.insert(records.end(), one.begin(), one.end());
  message.raw(records).count(6, 3200);
  REQUIRE(message.size() < 65535);
  CHECK_FALSE(Compiled(message, {}, 33).fits);
}

TEST_CASE("a chain is an alias of ours with what was found behind it") {
  const Octets ours = name("db.default.svc.cluster.local");
  const Octets target = name("db.example.com");
  const Message cname = Message(7, 0x8500).question(ours, 1).answer(pointer(12), 5, 5, target);
  struct Row {
    const char* what;
    Message found;
    std::uint16_t rcode, answers, authorities;
  };
  const Row rows[] = {
      {"found", Message(0, 0x8180).question(target, 1).answer(pointer(12), 1, 60, address), 0, 2, 0},
      {"no such name", Message(0, 0x8183).question(target, 1).authority(name("example.com"), 6, 60, soa(60)), 3, 1, 1},
      {"no data", Message(0, 0x8180).question(target, 1).authority(name("example.com"), 6, 60, soa(60)), 0, 1, 1},
  };
  Answer answer;
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const auto last = server::last_alias(cname.octets());
    CHECK(last.links == 1);
    CHECK(Octets(last.target.span().begin(), last.target.span().end()) == target);
    REQUIRE(server::compile_chain(std::vector{cname.octets(), row.found.octets()}, answer));
    Octets out(1232);
    const Octets question = ours + u16(1) + u16(1);
    out.resize(server::write_reply(out, {.id = 7, .question = question}, answer.view(), 0));
    CHECK(load16(&out[2]) == (0x8480 | row.rcode)); // AA is of our CNAME, RA
    Response response;
    wire::upstream::read_response(out, {.qname = ours, .type = 1, .id = 7}, response);
    REQUIRE(response.fault == wire::upstream::Fault::none);
    CHECK(response.chain_length == 1);
    CHECK(answer.answers == row.answers);
    CHECK(answer.authorities == row.authorities);
  }
  const auto chain = [&](const Octets& first, const Octets& second) {
    return server::compile_chain(std::vector{first, second}, answer);
  };
  CHECK_FALSE(chain(Octets{1, 2, 3}, rows[0].found.octets()));
  CHECK_FALSE(chain(cname.octets(), Message(0).octets()));
  CHECK_FALSE(chain(Message(7).question(ours, 1).count(6, 3).octets(), rows[0].found.octets()));
  CHECK_FALSE(server::compile_chain({}, answer));
  CHECK(server::last_alias(Octets{1, 2, 3}).links == 0);
}

TEST_CASE("of an answer that stays open only the believed aliases are kept, as long as they may be") {
  const Octets one = name("one.example.com"), two = name("two.cluster.local");
  const Message message = std::move(Message(1, 0x8183)
                                        .question(www, 1)
                                        .answer(pointer(12), 5, 300, one)
                                        .answer(one, 5, 200, two)
                                        .answer(two, 1, 5, address)
                                        .authority(Octets{0}, 6, 60, soa(60)));
  const Compiled compiled(message, {}, 1, false, 2);
  REQUIRE(compiled.fits);
  const Answer& answer = *compiled.answer;
  CHECK(answer.open);
  CHECK(answer.rcode == 0);
  CHECK(answer.answers == 2);
  CHECK(answer.authorities == 0);
  CHECK(answer.lifetime == 200);
  CHECK(Compiled(message, {.positive = 100}, 1, false, 1).answer->lifetime == 100);
  CHECK_FALSE(Compiled(message).answer->open);
}

namespace {

/// Address records of a reply's answer section, by their last octet, in their order.
std::vector<int> last_octets(const Octets& reply) {
  std::vector<int> found;
  std::size_t at = 12 + www_question.size();
  for (std::size_t i = 0; i < load16(&reply[6]); ++i) {
    at += wire::upstream::skip_name(reply, at);
    const std::size_t length = load16(&reply[at + 8]);
    if (load16(&reply[at]) == 1) found.push_back(reply[at + 9 + length]);
    at += 10 + length;
  }
  return found;
}

} // namespace

TEST_CASE("the records of a set take turns at being the first, whole, cut, and behind an alias") {
  struct Row {
    const char* what;
    int aliases, records;
    std::size_t limit;
  };
  for (const Row& row : {Row{"two", 0, 2, 512}, Row{"three behind an alias", 1, 3, 512}, Row{"cut", 0, 80, 512},
                         Row{"cut behind aliases", 3, 80, 512}}) {
    CAPTURE(row.what);
    Message message = reply();
    Octets owner = www;
    for (int i = 0; i < row.aliases; ++i) {
      const Octets next = name("alias" + std::to_string(i) + ".example.net");
      message.answer(owner, 5, 60, next);
      owner = next;
    }
    for (int i = 0; i < row.records; ++i)
      message.answer(owner, 1, 100 + static_cast<std::size_t>(i), ipv4(10, 0, 0, i));
    const Compiled compiled(message);
    REQUIRE(compiled.fits);
    std::set<int> first;
    for (int i = 0; i < 400; ++i) {
      const Octets out = compiled.reply({.limit = row.limit}, 50);
      const std::vector<int> order = last_octets(out);
      REQUIRE_FALSE(order.empty());
      first.insert(order.front());
      for (std::size_t k = 1; k < order.size(); ++k) REQUIRE(order[k] == (order[k - 1] + 1) % row.records);
      Response again; // what is sent is sound, with every record's own TTL
      wire::upstream::read_response(out, {.qname = www, .type = 1, .id = 0}, again);
      REQUIRE(again.fault == wire::upstream::Fault::none);
      REQUIRE(again.chain_length == static_cast<std::size_t>(row.aliases));
      REQUIRE(again.set_size == order.size());
      for (std::size_t k = 0; k < again.set_size; ++k) {
        const auto& record = again.records[again.set_at + k];
        REQUIRE(record.ttl == 50u + out[record.rdata + 3u]);
      }
    }
    CHECK(first.size() == static_cast<std::size_t>(row.records));
  }
}

TEST_CASE("names of records that take turns are whole in every order") {
  Message message(1);
  message.question(www, 15);
  const char* const hosts[] = {"mx1.mail.example.net", "mx2.mail.example.net", "mx3.mail.example.net"};
  for (const char* host : hosts) message.answer(pointer(12), 15, 60, u16(10) + name(host));
  for (const char* host : hosts) message.additional(name(host), 1, 60, address);
  const Compiled compiled(message, {}, 15);
  REQUIRE(compiled.fits);
  for (int i = 0; i < 30; ++i) {
    const Octets out = compiled.reply({.question = www + u16(15) + u16(1)});
    Response again;
    wire::upstream::read_response(out, {.qname = www, .type = 15, .id = 0}, again);
    REQUIRE(again.fault == wire::upstream::Fault::none);
    REQUIRE(again.set_size == 3);
    REQUIRE(again.additionals == 3); // so their names are those of the records
  }
}

TEST_CASE("of the additional section that stays which the bailiwick holds, and is left out without TC") {
  Message message(1);
  message.question(www, 33);
  const Octets host = name("a.example.com"), stranger = name("web.default.svc.cluster.local");
  message.answer(pointer(12), 33, 60, u16(1) + u16(1) + u16(80) + host)
      .answer(pointer(12), 33, 60, u16(1) + u16(1) + u16(80) + stranger)
      .additional(host, 1, 30, address)
      .additional(stranger, 1, 5, ipv4(6, 6, 6, 6));
  bailiwick.stranger = wire::name_from_wire(stranger);
  const Compiled compiled(message, {}, 33);
  bailiwick.stranger.reset();
  REQUIRE(compiled.fits);
  CHECK(compiled.answer->additionals == 1);
  CHECK(compiled.answer->lifetime == 30);
  const Octets question = www + u16(33) + u16(1);
  const Octets whole = compiled.reply({.question = question, .edns = true, .limit = 1232});
  CHECK(load16(&whole[6]) == 2);
  CHECK(load16(&whole[10]) == 2); // and the OPT
  const Octets cut = compiled.reply({.question = question, .edns = true, .limit = whole.size() - 1});
  CHECK(load16(&cut[6]) == 2);
  CHECK(load16(&cut[10]) == 1);
  CHECK((load16(&cut[2]) & 0x0200) == 0);
}

TEST_CASE("an upstream's extended errors are passed on as its own, bounded and printable") {
  const Octets option = u16(15) + u16(2 + 3) + u16(15) + Octets{'a', 7, 'b'};
  const auto with = [](const Octets& options) {
    return std::move(reply()
                         .answer(www, 1, 60, address)
                         .count(10, 1)
                         .raw(Octets{0} + u16(41) + u16(1232) + u32(0) + u16(options.size()) + options));
  };
  const Compiled compiled(with(option));
  REQUIRE(compiled.fits);
  const Octets out = compiled.reply({.edns = true, .limit = 1232});
  const std::string text = "upstream: a?b";
  const Octets tail(out.end() - static_cast<std::ptrdiff_t>(6 + text.size()), out.end());
  CHECK(tail == u16(15) + u16(2 + text.size()) + u16(15) + Octets(text.begin(), text.end()));
  CHECK(compiled.reply({.limit = 1232}).size() == out.size() - 11 - tail.size());
  const Octets endless = u16(15) + u16(2 + 400) + u16(15) + Octets(400, 'x');
  const Compiled bounded(with(endless + endless + endless));
  REQUIRE(bounded.fits);
  CHECK(bounded.answer->errors.span().size() <= 200);
  CHECK(bounded.reply({.edns = true, .limit = 1232}).size() < 300);
}

TEST_CASE("a cut answer is passed on as one") {
  const Compiled compiled(reply(0x8380).answer(www, 1, 60, address));
  CHECK(compiled.answer->lifetime == 0);
  const Octets out = compiled.reply({});
  CHECK((load16(&out[2]) & 0x0200) != 0);
  CHECK(load16(&out[6]) == 1);
}
