#include "client/cli/resolve.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>

#include "client/cli/output.hpp"
#include "client/resolver/name.hpp"

namespace signpost::cli {

namespace {

struct Question {
  std::vector<resolver::Reading> readings; // names as the library reads them, the likelier first
  std::vector<std::uint16_t> types;
  std::string service{}; // "_http._tcp.", in front of each
  std::optional<resolver::Special> special{};
};

std::string reverse_name(const Address& address) {
  std::string out;
  if (address.family == Family::ipv4) {
    for (int i = 3; i >= 0; --i) out += std::to_string(address.bytes[i]) + '.';
    return out + "in-addr.arpa";
  }
  for (int i = 15; i >= 0; --i) {
    ((out += "0123456789abcdef"[address.bytes[i] & 15]) += '.') += "0123456789abcdef"[address.bytes[i] >> 4];
    out += '.';
  }
  return out + "ip6.arpa";
}

Expected<Question> read_question(const Session& session, const ResolveOptions& options) {
  namespace type = resolver::type;
  Question question;
  if (!options.type.empty()) {
    const auto number = resolver::type_number(options.type);
    if (number == 0)
      return fail(Exit::usage, "there is no record type \"" + printable(options.type) +
                                   "\"; usual ones are A, AAAA, SRV, PTR, TXT, CNAME, NS, SOA");
    question.types = {number};
  }
  const auto zone = resolver::canonical_name(options.zone);
  const auto name_space = resolver::canonical_name(session.name_space);
  if (!zone || !name_space) return fail(Exit::usage, "--zone and --namespace must be DNS names");
  const auto plan = resolver::plan({.name = options.name}, {.name_space = *name_space, .cluster_domain = *zone});
  if (plan && plan->literal) {
    question.readings = {{.name = reverse_name(*plan->literal)}};
    if (question.types.empty()) question.types = {type::ptr};
    return question;
  }
  if (plan) {
    question.readings = plan->readings;
    question.service = plan->service;
    question.special = plan->special;
    if (plan->special) question.readings = {{.name = plan->name}};
  } else {
    // Names that the library would refuse, such as the wildcard, are asked for as they are.
    auto name = options.name;
    if (name.ends_with('.')) name.pop_back();
    std::ranges::transform(name, name.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    question.readings = {{.name = std::move(name)}};
  }
  if (question.types.empty())
    question.types = question.service.empty() ? std::vector{type::a, type::aaaa} : std::vector{type::srv};
  return question;
}

bool has_answer(const DnsAnswer& answer) {
  return std::ranges::any_of(answer.reply.records,
                             [](const auto& r) { return r.section == resolver::Section::answer; });
}

// What is known without a server, as if one had said it.
DnsAnswer known_answer(const std::string& name, std::uint16_t qtype, resolver::Special special) {
  DnsAnswer answer;
  answer.reply.rcode = special == resolver::Special::loopback ? 0 : 3;
  if (special == resolver::Special::nonexistent) return answer;
  for (const auto& address : resolver::loopback(Family::any)) {
    const bool v4 = address.family == Family::ipv4;
    if (qtype != (v4 ? resolver::type::a : resolver::type::aaaa)) continue;
    answer.message.assign(address.bytes.begin(), address.bytes.begin() + (v4 ? 4 : 16));
    answer.reply.records.push_back(
        {.owner = name, .type = qtype, .klass = 1, .rdata_size = v4 ? std::uint16_t{4} : std::uint16_t{16}});
  }
  return answer;
}

// The answers of the reading that decides, and its name.
struct Asked {
  std::string name;
  std::vector<DnsAnswer> answers;
};

Expected<bool> exists(const resolver::Server& server, const std::string& name, const ResolveOptions& options) {
  const auto answer = ask(server, name, resolver::type::a, options.tcp, options.timeout);
  if (!answer) return tl::make_unexpected(answer.error());
  return answer->reply.rcode == 0 || has_answer(*answer);
}

Expected<std::vector<DnsAnswer>> ask_types(const resolver::Server& server, const Question& question,
                                           const std::string& name, const ResolveOptions& options) {
  std::vector<DnsAnswer> answers;
  for (const auto type : question.types) {
    auto answer = question.special ? known_answer(name, type, *question.special)
                                   : ask(server, name, type, options.tcp, options.timeout);
    if (!answer) return tl::make_unexpected(answer.error());
    answers.push_back(std::move(*answer));
  }
  return answers;
}

// As the library: the next reading only where the one before is a name that does not exist, and no more once the name
// is known to be the cluster's. Where none exists, what was said about the first counts.
Expected<Asked> ask_readings(const resolver::Server& server, const Question& question, const ResolveOptions& options) {
  std::optional<Asked> first;
  for (const auto& reading : question.readings) {
    const auto& condition = reading.only_if.empty() ? reading.unless : reading.only_if;
    if (!condition.empty()) {
      const auto there = exists(server, condition, options);
      if (!there) return tl::make_unexpected(there.error());
      if (!reading.only_if.empty() && !*there) continue;
      if (!reading.unless.empty() && *there) break;
    }
    Asked asked{question.service + reading.name, {}};
    auto answers = ask_types(server, question, asked.name, options);
    if (!answers) return tl::make_unexpected(answers.error());
    asked.answers = std::move(*answers);
    const bool none =
        std::ranges::all_of(asked.answers, [](const DnsAnswer& a) { return a.reply.rcode == 3 && !has_answer(a); });
    const bool refused = first && asked.answers.front().reply.rcode == 5; // a server of the cluster alone
    if (!none && !refused) return asked;
    if (!first) first = std::move(asked);
    if (&reading == &question.readings.back() || !reading.only_if.empty()) break;
    if (!question.service.empty()) {
      const auto there = exists(server, reading.name, options); // then it is the port that does not
      if (!there) return tl::make_unexpected(there.error());
      if (*there) break;
    }
  }
  if (!first) return fail(Exit::usage, "\"" + printable(options.name) + "\" cannot be a DNS name");
  return std::move(*first);
}

Exit exit_of(const resolver::Reply& reply, bool any_answer) {
  switch (reply.rcode) {
  case 0: return any_answer ? Exit::ok : Exit::not_found;
  case 2: return Exit::unavailable;
  case 3: return Exit::not_found;
  default: return Exit::error;
  }
}

Json record_json(const DnsAnswer& answer, const resolver::Record& record) {
  return {{"name", printable(record.owner) + '.'},
          {"ttl", record.ttl},
          {"type", resolver::type_text(record.type)},
          {"data", printable(resolver::rdata_text(answer.message, record))}};
}

Json answer_json(const std::string& source, const std::string& name, std::uint16_t type, const DnsAnswer& answer) {
  Json out = {{"server", source},
              {"transport", answer.tcp ? "tcp" : "udp"},
              {"question", {{"name", printable(name) + '.'}, {"type", resolver::type_text(type)}}},
              {"rcode", resolver::rcode_text(answer.reply.rcode)},
              {"authoritative", answer.reply.authoritative()}};
  if (answer.reply.ede) out["ede"] = {{"code", *answer.reply.ede}, {"text", answer.reply.ede_text}};
  constexpr std::array<const char*, 3> names{"answer", "authority", "additional"};
  for (const auto* const section : names) out[section] = Json::array();
  for (const auto& record : answer.reply.records)
    out[names[static_cast<std::size_t>(record.section)]].push_back(record_json(answer, record));
  return out;
}

void print_answers(const Session& session, const std::vector<DnsAnswer>& answers, const std::string& output) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& answer : answers)
    for (const auto& record : answer.reply.records)
      if (record.section == resolver::Section::answer) {
        std::vector<std::string> row{printable(record.owner) + '.', std::to_string(record.ttl),
                                     resolver::type_text(record.type),
                                     printable(resolver::rdata_text(answer.message, record))};
        if (std::ranges::find(rows, row) == rows.end()) rows.push_back(std::move(row)); // an alias comes with each type
      }
  if (output == "short") {
    for (const auto& row : rows) session.out << row.back() << '\n';
    return;
  }
  if (rows.empty()) return;
  TablePrinter table(session.out);
  for (const auto& row : rows) table.measure(row);
  table.print({"NAME", "TTL", "TYPE", "DATA"});
  for (const auto& row : rows) table.print(row);
}

std::string summary(const std::string& source, const std::string& name, const DnsAnswer& answer, bool any) {
  std::string text = printable(name) + ".: ";
  text += answer.reply.rcode == 0 && !any ? "NOERROR, but no such records" : resolver::rcode_text(answer.reply.rcode);
  if (answer.reply.ede) {
    text += " (" + (answer.reply.ede_text.empty() ? "extended error" : answer.reply.ede_text) + ", EDE " +
            std::to_string(*answer.reply.ede) + ')';
  }
  return text + ", says " + source + (answer.tcp ? " over TCP" : "");
}

} // namespace

Exit resolve(const Session& session, const ResolveOptions& options) {
  const auto stop = [&](const Failure& failure) {
    session.complain(failure);
    return failure.code;
  };
  if (options.output != "table" && options.output != "json" && options.output != "short")
    return stop({Exit::usage, "-o takes table, json or short"});
  auto text = session.dns;
  if (text.empty()) text = environment_variable("SIGNPOST_DNS");
  text = text.substr(0, text.find(',')); // the library takes a list; the first is asked here
  if (text.empty()) text = "127.0.0.1:5300";
  const auto server = resolver::read_server(text);
  if (!server)
    return stop({Exit::usage, "\"" + printable(text) + "\" is not ADDR:PORT, as in 127.0.0.1:5300 or [::1]:5300"});
  const auto question = read_question(session, options);
  if (!question) return stop(question.error());

  const auto asked = ask_readings(*server, *question, options);
  if (!asked) return stop(asked.error());
  const auto& answers = asked->answers;
  const std::string source = question->special ? "this program (RFC 6761)" : server->to_string();
  Json documents = Json::array();
  for (std::size_t i = 0; i < answers.size(); ++i)
    documents.push_back(answer_json(source, asked->name, question->types[i], answers[i]));
  const bool any = std::ranges::any_of(answers, has_answer);
  // With two families asked, the answer that says something is the one to judge.
  const auto telling =
      std::ranges::max_element(answers, {}, [](const DnsAnswer& a) { return a.reply.rcode == 0 ? 0 : 1; });
  if (options.output == "json")
    print_json(session.out, documents.size() == 1 ? documents[0] : documents);
  else
    print_answers(session, answers, options.output);
  const auto code = any && answers.front().reply.rcode == 0 ? Exit::ok : exit_of(telling->reply, any);
  if (options.output == "table" || code != Exit::ok) {
    auto& note = code == Exit::ok ? session.out << '\n' : session.err << "signpost: ";
    note << summary(source, asked->name, *telling, any) << '\n';
  }
  return code;
}

} // namespace signpost::cli
