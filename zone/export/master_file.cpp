#include "zone/export/master_file.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "zone/authority/authority.hpp"
#include "zone/index/index.hpp"
#include "zone/schema/endpoint_label.hpp"
#include "zone/wire/query.hpp"
#include "zone/wire/response.hpp"

namespace signpost::zone {
namespace {

namespace type = wire::type;

using Write = std::function<void(std::string_view)>;

std::string quoted(std::span<const std::uint8_t> strings) {
  std::string text;
  for (std::size_t at = 0; at < strings.size(); at += 1u + strings[at]) {
    text += text.empty() ? "\"" : " \"";
    for (const std::uint8_t c : strings.subspan(at + 1, strings[at])) {
      if (c == '"' || c == '\\') text += '\\';
      if (c >= ' ' && c < 0x7f)
        text += static_cast<char>(c);
      else
        text += '\\' + std::string{static_cast<char>('0' + c / 100), static_cast<char>('0' + c / 10 % 10),
                                   static_cast<char>('0' + c % 10)};
    }
    text += '"';
  }
  return text;
}

/// Asks the zone, writes what it answers.
class Recorder {
public:
  Recorder(const Zone& zone, const Write& write) : zone_(zone), write_(write), buffer_(65535) {}

  void ask(const wire::WireName& name, std::initializer_list<std::uint16_t> types) {
    for (const std::uint16_t each : types) ask(name, each);
  }

  [[nodiscard]] std::size_t count() const { return count_; }

private:
  void ask(const wire::WireName& name, std::uint16_t asked) {
    std::fill_n(buffer_.begin(), wire::header_size, std::uint8_t{0});
    buffer_[5] = 1;
    std::copy_n(name.octets.begin(), name.length, buffer_.begin() + wire::header_size);
    const std::size_t question = wire::header_size + name.length;
    wire::store16(&buffer_[question], asked);
    wire::store16(&buffer_[question + 2], wire::class_in);
    wire::read_query({buffer_.data(), question + 4}, query_);
    Onward onward;
    const std::size_t length = answer(zone_, query_, wire::Transport::tcp, buffer_, onward).length;
    const std::span<const std::uint8_t> reply(buffer_.data(), length);
    const unsigned answers = length < wire::header_size ? 0u : wire::load16(&reply[6]);
    std::size_t at = question + 4;
    for (unsigned i = 0; i < answers; ++i) {
      const std::size_t fixed = at + wire::upstream::skip_name(reply, at);
      const std::uint16_t record = wire::load16(&reply[fixed]);
      const std::uint16_t size = wire::load16(&reply[fixed + 8]);
      // A CNAME brings its target's records along, which have names of their own.
      if (record == asked && wire::upstream::is_name(reply, at, name.span()))
        put(name, record, wire::load32(&reply[fixed + 4]), reply, fixed + 10, size);
      at = fixed + 10 + size;
    }
  }

  void put(const wire::WireName& owner, std::uint16_t record, std::uint32_t ttl, std::span<const std::uint8_t> reply,
           std::size_t at, std::size_t size) {
    static const std::vector<std::pair<std::uint16_t, const char*>> names{
        {type::a, "A"},     {type::ns, "NS"},   {type::cname, "CNAME"}, {type::soa, "SOA"},
        {type::ptr, "PTR"}, {type::txt, "TXT"}, {type::aaaa, "AAAA"},   {type::srv, "SRV"}};
    const auto named = std::find_if(names.begin(), names.end(), [&](const auto& one) { return one.first == record; });
    line_ = wire::name_to_text(owner.span()) + " " + std::to_string(ttl) + " IN " + named->second + " " +
            rdata(record, reply, at, size) + "\n";
    write_(line_);
    ++count_;
  }

  static std::string name_at(std::span<const std::uint8_t> reply, std::size_t at) {
    std::array<std::uint8_t, wire::max_name> name;
    const std::size_t length = wire::upstream::expand_name(reply, at, name);
    return wire::name_to_text({name.data(), length});
  }

  static std::string rdata(std::uint16_t record, std::span<const std::uint8_t> reply, std::size_t at,
                           std::size_t size) {
    const std::uint8_t* octets = reply.data() + at;
    std::array<char, INET6_ADDRSTRLEN> text;
    switch (record) {
    case type::a: return ::inet_ntop(AF_INET, octets, text.data(), text.size());
    case type::aaaa: return ::inet_ntop(AF_INET6, octets, text.data(), text.size());
    case type::txt: return quoted(reply.subspan(at, size));
    case type::srv:
      return std::to_string(wire::load16(octets)) + " " + std::to_string(wire::load16(octets + 2)) + " " +
             std::to_string(wire::load16(octets + 4)) + " " + name_at(reply, at + 6);
    case type::soa: {
      const std::size_t second = at + wire::upstream::skip_name(reply, at);
      std::size_t numbers = second + wire::upstream::skip_name(reply, second);
      std::string line = name_at(reply, at) + " " + name_at(reply, second);
      for (int i = 0; i < 5; ++i, numbers += 4) line += " " + std::to_string(wire::load32(&reply[numbers]));
      return line;
    }
    default: return name_at(reply, at);
    }
  }

  const Zone& zone_;
  const Write& write_;
  wire::Query query_;
  std::vector<std::uint8_t> buffer_;
  std::string line_;
  std::size_t count_ = 0;
};

std::string_view text_of(std::span<const std::uint8_t> octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

/// `label` put before `name`; false: the name would be too long.
bool prefixed(std::string_view label, const wire::WireName& name, wire::WireName& result) {
  std::vector<std::uint8_t> octets{static_cast<std::uint8_t>(label.size())};
  octets.insert(octets.end(), label.begin(), label.end());
  octets.insert(octets.end(), name.octets.begin(), name.octets.begin() + name.length);
  const auto longer = wire::name_from_wire(octets);
  if (longer) result = *longer;
  return longer.has_value();
}

/// The names of one service in one form: its own, those of its ports and of its endpoints.
void write_service(Recorder& recorder, Entry entry, const wire::WireName& name) {
  recorder.ask(name, {type::a, type::aaaa, type::srv, type::cname});
  if (entry.kind() == Kind::external) return;
  static constexpr std::array<std::string_view, 3> protocols{"_tcp", "_udp", "_sctp"};
  std::set<std::pair<unsigned, std::string>> ports;
  entry.each_port([&](const Port& port) {
    if ((port.flags & Port::unnamed) == 0) ports.emplace(port.flags & Port::protocol, text_of(port.name));
    return true;
  });
  wire::WireName below, port_name;
  for (const auto& [protocol, port] : ports)
    if (prefixed(protocols[protocol], name, below) && prefixed("_" + port, below, port_name))
      recorder.ask(port_name, {type::srv});

  const Endpoints endpoints = entry.endpoints();
  std::set<std::string> labels;
  for (std::size_t i = 0; i < endpoints.count(); ++i) {
    if (!endpoints.is_derived(i)) continue;
    std::array<std::uint8_t, max_endpoint_label> label;
    const std::size_t length = write_endpoint_label(endpoints.address(i), label.data());
    labels.emplace(text_of({label.data(), length}));
  }
  for (const auto& pair : endpoints.names) labels.emplace(text_of(endpoints.label(pair)));
  for (const std::string& label : labels)
    if (prefixed(label, name, below)) recorder.ask(below, {type::a, type::aaaa});
}

bool has_short_form(std::span<const std::uint8_t> key) {
  const std::size_t name_space = 1u + key[0];
  const std::string_view space = text_of(key.subspan(name_space + 1));
  return space != "svc" && space != "pod" && !(space == "dns" && text_of(key.subspan(1, key[0])) == "ns");
}

std::vector<Entry> services_of(const Index& index) {
  std::vector<Entry> services;
  index.each_entry([&](Entry entry) {
    if (entry.kind() == Kind::cluster_ip || entry.kind() == Kind::headless || entry.kind() == Kind::external)
      services.push_back(entry);
  });
  std::sort(services.begin(), services.end(), [](Entry a, Entry b) {
    return std::lexicographical_compare(a.key().begin(), a.key().end(), b.key().begin(), b.key().end());
  });
  return services;
}

void write_cluster(Recorder& recorder, const Index& index, const wire::WireName& origin) {
  wire::WireName name, below;
  if (prefixed("dns", origin, below) && prefixed("ns", below, name)) recorder.ask(name, {type::a, type::aaaa});
  if (prefixed("dns-version", origin, name)) recorder.ask(name, {type::txt});
  std::vector<std::uint8_t> octets;
  for (const Entry entry : services_of(index)) {
    for (const bool is_short : {false, true}) {
      if (is_short && !has_short_form(entry.key())) continue;
      octets.assign(entry.key().begin(), entry.key().end());
      if (!is_short) octets.insert(octets.end(), {3, 's', 'v', 'c'});
      octets.insert(octets.end(), origin.octets.begin(), origin.octets.begin() + origin.length);
      if (const auto whole = wire::name_from_wire(octets)) write_service(recorder, entry, *whole);
    }
  }
}

void write_reverse(Recorder& recorder, const Index& index, bool v6) {
  std::set<std::vector<std::uint8_t>> addresses;
  const std::size_t width = v6 ? 16 : 4;
  const auto add = [&](std::span<const std::uint8_t> address) {
    if (address.size() == width) addresses.emplace(address.begin(), address.end());
  };
  for (const Entry entry : services_of(index)) {
    if (entry.kind() == Kind::cluster_ip) {
      for (std::size_t i = 0; i < entry.v4_count(); ++i)
        add({reinterpret_cast<const std::uint8_t*>(entry.v4() + i), 4});
      for (std::size_t i = 0; i < entry.v6_count(); ++i)
        add({reinterpret_cast<const std::uint8_t*>(entry.v6() + 4 * i), 16});
    }
    const Endpoints endpoints = entry.endpoints();
    for (std::size_t i = 0; i < endpoints.count(); ++i) add(endpoints.address(i));
  }
  for (const auto& address : addresses) {
    std::string text;
    for (auto octet = address.rbegin(); octet != address.rend(); ++octet) {
      constexpr std::string_view digits = "0123456789abcdef";
      if (v6)
        text += std::string{digits[*octet & 15], '.', digits[*octet >> 4], '.'};
      else
        text += std::to_string(*octet) + ".";
    }
    if (const auto name = wire::name_from_text(text + (v6 ? "ip6.arpa." : "in-addr.arpa.")))
      recorder.ask(*name, {type::ptr});
  }
}

} // namespace

std::size_t write_master_file(const Zone& zone, const wire::WireName& origin,
                              const std::function<void(std::string_view)>& write) {
  const Index& index = zone.index();
  const auto apex =
      std::find_if(index.apexes().begin(), index.apexes().end(), [&](const Apex& one) { return one.name == origin; });
  if (apex == index.apexes().end()) return 0;
  Recorder recorder(zone, write);
  recorder.ask(origin, {type::soa, type::ns});
  if (apex->kind == Apex::Kind::cluster)
    write_cluster(recorder, index, origin);
  else
    write_reverse(recorder, index, apex->kind == Apex::Kind::reverse6);
  return recorder.count();
}

} // namespace signpost::zone
