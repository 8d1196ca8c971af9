// Where a zone's services come from, and the one thread that keeps the zone in step with it.
//
// A Source owns a catalog and is the zone's only writer. It reads everything there is, publishes, says ready, and
// from then on applies every change as it comes: catalog -> which services changed -> zone -> publish, on its own
// thread. What a change costs depends on the change alone.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "discovery/objects/objects_store.hpp"
#include "discovery/store/store.hpp"
#include "zone/zone.hpp"

namespace signpost::server {

class Source {
public:
  virtual ~Source() = default; // stops the thread

  /// Reads and publishes what the source holds now, then follows it. One sentence when it cannot.
  [[nodiscard]] virtual tl::expected<void, std::string> start() = 0;
  /// Services known; any thread.
  [[nodiscard]] virtual std::size_t services() const = 0;
};

/// Our own registry's objects, followed through the store's watch.
[[nodiscard]] std::unique_ptr<Source> follow_store(store::Store& store, zone::Zone& zone);

/// Objects from files, read again when they change (looked at once a second). A file that cannot be read after the
/// start is logged and the last state kept. `store`, if any, is told of every reload.
[[nodiscard]] std::unique_ptr<Source> follow_files(std::vector<std::string> files, zone::Zone& zone,
                                                   objects::ObjectsStore* store);

} // namespace signpost::server
