#include "server/daemon/zone_export.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "discovery/store/snapshot.hpp"
#include "discovery/store/sqlite_store.hpp"
#include "server/daemon/block_zone.hpp"
#include "server/source/source.hpp"
#include "zone/export/master_file.hpp"

namespace signpost::server {
namespace {

/// A folder of ours, gone with this object.
class TemporaryFolder {
public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "signpost-export.XXXXXX").string();
    if (::mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
  std::filesystem::path path_;
};

/// A copy of the registry, so that one in use can be read as well.
tl::expected<std::unique_ptr<store::SqliteStore>, std::string> copy_of(const std::string& data,
                                                                       const TemporaryFolder& folder) {
  if (folder.path().empty())
    return tl::unexpected(std::string("no temporary folder can be made; set TMPDIR to one that can be written"));
  const std::string file = (folder.path() / "snapshot").string(), copy = (folder.path() / "data").string();
  if (const auto saved = store::save_snapshot(data, file); !saved) return tl::unexpected(saved.error());
  if (const auto restored = store::restore_snapshot(copy, file); !restored) return tl::unexpected(restored.error());
  return store::SqliteStore::open({.directory = copy, .history = {}, .recent_bytes = 1 << 20, .vfs = {}});
}

} // namespace

tl::expected<std::size_t, std::string> export_zone(const Settings& settings, const std::string& origin,
                                                   const std::function<void(std::string_view)>& write) {
  const auto block = std::find_if(settings.blocks.begin(), settings.blocks.end(), [&](const ServerBlock& one) {
    if (std::holds_alternative<std::monostate>(one.source)) return false;
    const auto origins = zone_settings(one).origins;
    return origin.empty() || std::find(origins.begin(), origins.end(), origin) != origins.end();
  });
  if (block == settings.blocks.end())
    return tl::unexpected(origin.empty()
                              ? std::string("no server block has a source; there is no zone to export")
                              : "no server block with a source has the zone \"" + origin + "\"; name one that has");

  zone::Zone zone(zone_settings(*block));
  const TemporaryFolder folder;
  std::unique_ptr<store::SqliteStore> store;
  std::unique_ptr<Source> source;
  if (const auto* files = std::get_if<ObjectsSource>(&block->source)) {
    source = follow_files(files->files, zone, nullptr);
  } else {
    auto copy = copy_of(settings.data, folder);
    if (!copy) return tl::unexpected(copy.error());
    store = std::move(*copy);
    source = follow_store(*store, zone);
  }
  if (const auto started = source->start(); !started) return tl::unexpected(started.error());
  source.reset(); // its thread is the zone's writer no more
  const auto name = wire::name_from_text(origin.empty() ? zone.settings().cluster_domain : origin);
  return zone::write_master_file(zone, name.value_or(wire::WireName{}), write);
}

} // namespace signpost::server
