// How the catalog keeps a service or a slice: one block of bytes per object, with only what a ServiceView needs, so
// that a service with one address costs some 60 bytes and "did anything change?" is a comparison of bytes.
//
// Private to this room.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "discovery/model/endpoint_slice.hpp"
#include "discovery/model/service.hpp"
#include "discovery/model/service_view.hpp"

namespace signpost::catalog {

/// Number of a namespace within the catalog.
using NamespaceId = std::uint32_t;

/// One object: its namespace, then `size` bytes, which begin with its name.
class Record {
public:
  struct Free {
    void operator()(Record* record) const;
  };
  using Pointer = std::unique_ptr<Record, Free>;

  [[nodiscard]] static Pointer make(NamespaceId name_space, std::string_view bytes);

  [[nodiscard]] NamespaceId name_space() const { return name_space_; }
  [[nodiscard]] std::string_view name() const;
  [[nodiscard]] std::string_view bytes() const { return {reinterpret_cast<const char*>(this + 1), size_}; }

  /// Which of two rounds put it last: Catalog::end_replace() erases what is of the other one.
  [[nodiscard]] bool round() const { return round_ != 0; }
  void set_round(bool round) { round_ = round; }

private:
  Record(NamespaceId name_space, std::uint32_t size) : name_space_(name_space), size_(size & 0x7fffffff), round_(0) {}
  NamespaceId name_space_;
  std::uint32_t size_ : 31;
  std::uint32_t round_ : 1;
};

/// Replaces `out` by the bytes of a service. Addresses and ports that mean nothing are left out.
void write_service(const model::Service& service, std::string& out);
/// Fills all but the groups and the key's namespace.
void read_service(std::string_view bytes, model::ServiceView& view);

/// Replaces `out` by the bytes of a slice; false if nothing of it can be answered: no service, no IP family, no
/// endpoint with an address.
[[nodiscard]] bool write_slice(const model::EndpointSlice& slice, std::string& out);
[[nodiscard]] std::string_view service_of_slice(std::string_view bytes);
[[nodiscard]] model::EndpointGroup read_slice(std::string_view bytes);

} // namespace signpost::catalog
