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
  Catalog(Catalog&&) noexcept;
  Catalog& operator=(Catalog&&) noexcept;

  /// Stores or replaces a Namespace, Service or EndpointSlice (other kinds are ignored); adds to `changes` what DNS
  /// could answer differently afterwards, and nothing when nothing did.
  void put(const model::Object& object, Changes& changes);
  void erase(model::Kind kind, std::string_view name_space, std::string_view name, Changes& changes);

  /// Adds what DNS could answer differently from this catalog than from `before`: a source that lists anew fills a
  /// fresh catalog, and only when the list is complete and sound does it take the old one's place.
  void differences(const Catalog& before, Changes& changes) const;

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
