#include "client/cli/resolve.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <ostream>

#include "client/cli/output.hpp"
#include "client/resolver/name.hpp"

namespace signpost::cli {

namespace {

struct Question {
  std::string name;
  std::vector<std::uint16_t> types;
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
  // Names that the library would refuse, such as the wildcard, are asked for as they are.
  const auto plan = resolver::plan({.name = options.name}, {*name_space, *zone});
  if (plan && plan->literal) {
    question.name = reverse_name(*plan->literal);
    if (question.types.empty()) question.types = {type::ptr};
    return question;
  }
  question.name = plan ? plan->name : options.name;
  if (question.name.ends_with('.')) question.name.pop_back();
  std::ranges::transform(question.name, question.name.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (question.types.empty())
    question.types = plan && plan->srv ? std::vector{type::srv} : std::vector{type::a, type::aaaa};
  return question;
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

Json answer_json(const resolver::Server& server, const Question& question, std::uint16_t type,
                 const DnsAnswer& answer) {
  Json out = {{"server", server.to_string()},
              {"transport", answer.tcp ? "tcp" : "udp"},
              {"question", {{"name", printable(question.name) + '.'}, {"type", resolver::type_text(type)}}},
              {"rcode", resolver::rcode_text(answer.reply.rcode)},
              {"authoritative", answer.reply.authoritative()}};
  if (answer.reply.ede) out["ede"] = {{"code", *answer.reply.ede}, {"text", answer.reply.ede_text}};
  constexpr std::array<const char*, 3> names{"answer", "authority", "additional"};
  for (const auto* const name : names) out[name] = Json::array();
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

std::string summary(const resolver::Server& server, const Question& question, const DnsAnswer& answer, bool any) {
  std::string text = printable(question.name) + ".: ";
  text += answer.reply.rcode == 0 && !any ? "NOERROR, but no such records" : resolver::rcode_text(answer.reply.rcode);
  if (answer.reply.ede) {
    text += " (" + (answer.reply.ede_text.empty() ? "extended error" : answer.reply.ede_text) + ", EDE " +
            std::to_string(*answer.reply.ede) + ')';
  }
  return text + ", says " + server.to_string() + (answer.tcp ? " over TCP" : "");
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

  std::vector<DnsAnswer> answers;
  Json documents = Json::array();
  for (const auto type : question->types) {
    auto answer = ask(*server, question->name, type, options.tcp, options.timeout);
    if (!answer) return stop(answer.error());
    documents.push_back(answer_json(*server, *question, type, *answer));
    answers.push_back(std::move(*answer));
  }
  const bool any = std::ranges::any_of(answers, [](const DnsAnswer& answer) {
    return std::ranges::any_of(answer.reply.records,
                               [](const auto& r) { return r.section == resolver::Section::answer; });
  });
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
    note << summary(*server, *question, *telling, any) << '\n';
  }
  return code;
}

} // namespace signpost::cli
