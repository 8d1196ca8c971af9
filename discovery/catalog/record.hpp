// How the catalog keeps a service or a slice: one block of its arena per object, with only what a ServiceView needs, so
// that a service with one address costs some 40 octets and "did anything change?" is a comparison of octets.
//
//   word 0   namespace
//   word 1   octets that follow
//   word 2   of a service: its first slice; of a slice: the next one of its service; 0: none
//   …        the object's octets, which begin with its name
//
// Private to this room.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "discovery/memory/arena.hpp"
#include "discovery/model/endpoint_slice.hpp"
#include "discovery/model/service.hpp"
#include "discovery/model/service_view.hpp"

namespace signpost::catalog {

/// Number of a namespace within the catalog.
using NamespaceId = std::uint32_t;

/// A block of the arena; 0: none.
using Reference = memory::Arena::Reference;

/// One object. Lives in an arena, where it never moves.
class Record {
public:
  [[nodiscard]] static Reference make(memory::Arena& arena, NamespaceId name_space, std::string_view bytes);
  static void free(memory::Arena& arena, Reference record);
  [[nodiscard]] static Record& at(memory::Arena& arena, Reference record) {
    return *reinterpret_cast<Record*>(arena.at(record));
  }
  [[nodiscard]] static const Record& at(const memory::Arena& arena, Reference record) {
    return *reinterpret_cast<const Record*>(arena.at(record));
  }

  [[nodiscard]] NamespaceId name_space() const { return name_space_; }
  [[nodiscard]] std::string_view name() const;
  [[nodiscard]] std::string_view bytes() const { return {reinterpret_cast<const char*>(this + 1), size_}; }

  [[nodiscard]] Reference slice() const { return slice_; }
  void set_slice(Reference slice) { slice_ = slice; }

private:
  Record(NamespaceId name_space, std::uint32_t size) : name_space_(name_space), size_(size) {}

  NamespaceId name_space_;
  std::uint32_t size_;
  Reference slice_ = 0;
};

/// Replaces `out` by the octets of a service. Addresses and ports that mean nothing are left out.
void write_service(const model::Service& service, std::string& out);
/// Replaces `out` by the octets of a service that only slices speak of.
void write_absent(std::string_view name, std::string& out);
[[nodiscard]] bool is_absent(std::string_view bytes);
/// Fills all but the groups and the key's namespace.
void read_service(std::string_view bytes, model::ServiceView& view);

/// Replaces `out` by the octets of a slice; false if nothing of it can be answered: no service, no IP family, no
/// endpoint with an address.
[[nodiscard]] bool write_slice(const model::EndpointSlice& slice, std::string& out);
[[nodiscard]] std::string_view service_of_slice(std::string_view bytes);
[[nodiscard]] model::EndpointGroup read_slice(std::string_view bytes);

} // namespace signpost::catalog
