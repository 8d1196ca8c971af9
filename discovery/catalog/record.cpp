#include "discovery/catalog/record.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>

#include "discovery/model/address_text.hpp"

namespace signpost::catalog {

using model::Address;
using model::Family;
using model::PortView;
using model::Protocol;
using model::ServiceView;

namespace {

constexpr std::uint8_t form_mask = 3;
constexpr std::uint8_t publish_not_ready_bit = 4;
constexpr std::uint8_t absent_bit = 8;

/// Words of a record with so many octets.
constexpr std::size_t words_of(std::size_t octets) { return (sizeof(Record) + octets + 3) / 4; }

void put_byte(std::string& out, unsigned value) { out += static_cast<char>(value); }

void put_number(std::string& out, std::size_t value) {
  for (; value >= 0x80; value >>= 7) put_byte(out, static_cast<unsigned>(value & 0x7f) | 0x80);
  put_byte(out, static_cast<unsigned>(value));
}

void put_text(std::string& out, std::string_view text) {
  put_number(out, text.size());
  out += text;
}

void put_address(std::string& out, const Address& address) {
  auto const bytes = address.bytes();
  put_byte(out, static_cast<unsigned>(bytes.size()));
  out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

// What was written above is read here and nothing else, so that nothing needs checking.
class Reader {
public:
  explicit Reader(std::string_view bytes) : at_(bytes.data()) {}

  std::uint8_t byte() { return static_cast<std::uint8_t>(*at_++); }
  std::size_t number() {
    std::size_t value = 0;
    for (int shift = 0;; shift += 7) {
      auto const part = byte();
      value |= static_cast<std::size_t>(part & 0x7f) << shift;
      if (part < 0x80) return value;
    }
  }
  std::string_view text() {
    auto const size = number();
    std::string_view const text(at_, size);
    at_ += size;
    return text;
  }
  Address address() {
    std::size_t const size = byte();
    auto const address = Address::from_bytes({reinterpret_cast<const std::uint8_t*>(at_), size});
    at_ += size;
    return address;
  }

private:
  const char* at_;
};

std::optional<Protocol> protocol_of(std::string_view name) {
  if (name.empty() || name == "TCP") return Protocol::tcp;
  if (name == "UDP") return Protocol::udp;
  if (name == "SCTP") return Protocol::sctp;
  return std::nullopt;
}

std::optional<PortView> port_of(const std::string& name, std::string_view protocol, std::int32_t number) {
  auto const known = protocol_of(protocol);
  if (!known || number < 1 || number > std::numeric_limits<std::uint16_t>::max()) return std::nullopt;
  return PortView{name, *known, static_cast<std::uint16_t>(number)};
}

void put_ports(std::string& out, const std::vector<PortView>& ports) {
  put_number(out, ports.size());
  for (const auto& port : ports) {
    put_text(out, port.name);
    put_byte(out, static_cast<unsigned>(port.protocol));
    put_byte(out, port.number >> 8);
    put_byte(out, port.number & 0xff);
  }
}

std::vector<PortView> read_ports(Reader& reader) {
  std::vector<PortView> ports(reader.number());
  for (auto& port : ports) {
    port.name = reader.text();
    port.protocol = static_cast<Protocol>(reader.byte());
    port.number = static_cast<std::uint16_t>(reader.byte() << 8);
    port.number = static_cast<std::uint16_t>(port.number | reader.byte());
  }
  return ports;
}

void put_addresses(std::string& out, const std::vector<Address>& addresses) {
  put_number(out, addresses.size());
  for (const auto& address : addresses) put_address(out, address);
}

template <class Addresses>
void read_addresses(Reader& reader, Addresses& addresses) {
  addresses.resize(reader.number());
  for (auto& address : addresses) address = reader.address();
}

ServiceView::Form form_of(const model::ServiceSpec& spec) {
  if (spec.type == "ExternalName") return ServiceView::Form::external_name;
  bool const none = spec.cluster_ip == "None" || (!spec.cluster_ips.empty() && spec.cluster_ips.front() == "None");
  return none ? ServiceView::Form::headless : ServiceView::Form::cluster_ip;
}

void add_address(std::vector<Address>& addresses, std::string_view text, std::optional<Family> family) {
  auto const address = model::read_address(text);
  if (!address || (family && address->family() != *family)) return;
  if (std::find(addresses.begin(), addresses.end(), *address) == addresses.end()) addresses.push_back(*address);
}

std::vector<Address> cluster_ips_of(const model::ServiceSpec& spec) {
  std::vector<Address> addresses;
  add_address(addresses, spec.cluster_ip, std::nullopt);
  for (const auto& text : spec.cluster_ips) add_address(addresses, text, std::nullopt);
  return addresses;
}

} // namespace

Reference Record::make(memory::Arena& arena, NamespaceId name_space, std::string_view bytes) {
  const Reference reference = arena.allocate(words_of(bytes.size()));
  auto* const record = new (arena.at(reference)) Record(name_space, static_cast<std::uint32_t>(bytes.size()));
  std::memcpy(static_cast<void*>(record + 1), bytes.data(), bytes.size());
  return reference;
}

void Record::free(memory::Arena& arena, Reference record) { arena.free(record, words_of(at(arena, record).size_)); }

std::string_view Record::name() const { return Reader(bytes()).text(); }

void write_service(const model::Service& service, std::string& out) {
  out.clear();
  put_text(out, service.metadata.name);
  const auto& spec = service.spec;
  auto const form = form_of(spec);
  put_byte(out, static_cast<unsigned>(form) | (spec.publish_not_ready_addresses ? publish_not_ready_bit : 0u));
  if (form == ServiceView::Form::cluster_ip) put_addresses(out, cluster_ips_of(spec));
  if (form == ServiceView::Form::external_name) put_text(out, spec.external_name);
  std::vector<PortView> ports;
  ports.reserve(spec.ports.size());
  for (const auto& port : spec.ports) {
    if (auto view = port_of(port.name, port.protocol, port.port)) ports.push_back(std::move(*view));
  }
  put_ports(out, ports);
}

void write_absent(std::string_view name, std::string& out) {
  out.clear();
  put_text(out, name);
  put_byte(out, absent_bit);
}

bool is_absent(std::string_view bytes) {
  Reader reader(bytes);
  (void)reader.text();
  return (reader.byte() & absent_bit) != 0;
}

void read_service(std::string_view bytes, ServiceView& view) {
  Reader reader(bytes);
  view.key.name = reader.text();
  auto const flags = reader.byte();
  view.form = static_cast<ServiceView::Form>(flags & form_mask);
  view.publish_not_ready = (flags & publish_not_ready_bit) != 0;
  if (view.form == ServiceView::Form::cluster_ip) read_addresses(reader, view.cluster_ips);
  if (view.form == ServiceView::Form::external_name) view.external_name = reader.text();
  view.ports = read_ports(reader);
}

bool write_slice(const model::EndpointSlice& slice, std::string& out) {
  out.clear();
  auto const label = slice.metadata.labels.find(model::service_name_label);
  if (label == slice.metadata.labels.end() || label->second.empty()) return false;
  bool const v6 = slice.address_type == "IPv6";
  if (!v6 && slice.address_type != "IPv4") return false;

  std::vector<std::string> endpoints;
  endpoints.reserve(slice.endpoints.size());
  for (const auto& endpoint : slice.endpoints) {
    std::vector<Address> addresses;
    for (const auto& text : endpoint.addresses) add_address(addresses, text, v6 ? Family::ipv6 : Family::ipv4);
    if (addresses.empty()) continue;
    auto& bytes = endpoints.emplace_back();
    put_byte(bytes, endpoint.conditions.ready.value_or(true) ? 1 : 0);
    put_text(bytes, endpoint.hostname.value_or(std::string()));
    put_addresses(bytes, addresses);
  }
  // Writers may list an endpoint twice; readers must not see it twice.
  std::vector<std::string_view> sorted(endpoints.begin(), endpoints.end());
  std::sort(sorted.begin(), sorted.end());
  bool const repeated = std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end();
  if (repeated) {
    std::sort(endpoints.begin(), endpoints.end());
    endpoints.erase(std::unique(endpoints.begin(), endpoints.end()), endpoints.end());
  }
  if (endpoints.empty()) return false;

  put_text(out, slice.metadata.name);
  put_text(out, label->second);
  std::vector<PortView> ports;
  for (const auto& port : slice.ports) {
    auto view =
        port_of(port.name.value_or(std::string()), port.protocol.value_or(std::string()), port.port.value_or(0));
    if (view) ports.push_back(std::move(*view));
  }
  put_ports(out, ports);
  put_number(out, endpoints.size());
  for (const auto& endpoint : endpoints) out += endpoint;
  return true;
}

std::string_view service_of_slice(std::string_view bytes) {
  Reader reader(bytes);
  (void)reader.text();
  return reader.text();
}

model::EndpointGroup read_slice(std::string_view bytes) {
  Reader reader(bytes);
  (void)reader.text();
  (void)reader.text();
  model::EndpointGroup group;
  group.ports = read_ports(reader);
  group.endpoints.resize(reader.number());
  for (auto& endpoint : group.endpoints) {
    endpoint.ready = reader.byte() != 0;
    endpoint.hostname = reader.text();
    read_addresses(reader, endpoint.addresses);
  }
  return group;
}

} // namespace signpost::catalog
