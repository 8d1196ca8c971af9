// The joined, in-memory view of what exists: service -> its ports and its endpoints, over any number of slices.
//
// Objects go in, in any order (a slice may come before its service); out comes which services changed, and their
// views. A change costs what it touches, never the size of the cluster. One writer thread owns it; no locks inside.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "discovery/model/kind.hpp"
#include "discovery/model/service_view.hpp"

namespace signpost::catalog {

struct Changes {
  std::vector<model::ServiceKey> services; // appeared, changed or vanished; view() tells which
  std::vector<std::string> namespaces;     // appeared or vanished
};

class Catalog {
public:
  Catalog();
  ~Catalog();
  Catalog(const Catalog&) = delete;
  Catalog& operator=(const Catalog&) = delete;

  /// Stores or replaces a Namespace, Service or EndpointSlice (other kinds are ignored); adds to `changes` what DNS
  /// could answer differently afterwards, and nothing when nothing did.
  void put(const model::Object& object, Changes& changes);
  void erase(model::Kind kind, std::string_view name_space, std::string_view name, Changes& changes);

  /// A complete list follows by put(): what was not put again between the two is erased by end_replace(), in place,
  /// without a second copy of the catalog (a source that lists anew after a gap or a reload).
  void begin_replace();
  void end_replace(Changes& changes);

  /// nullopt: there is no such service.
  [[nodiscard]] std::optional<model::ServiceView> view(const model::ServiceKey& key) const;
  [[nodiscard]] bool has_namespace(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> namespaces() const;
  /// All services, ordered by key.
  [[nodiscard]] std::vector<model::ServiceKey> services() const;
  [[nodiscard]] std::size_t service_count() const;

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace signpost::catalog
