#include "server/daemon/check.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "discovery/objects/objects_store.hpp"
#include "server/config/host.hpp"
#include "server/forward/forwarder.hpp"

namespace signpost::server {
namespace {

void check_objects(const Settings& settings, std::vector<std::string>& problems) {
  for (const ServerBlock& block : settings.blocks) {
    const auto* objects = std::get_if<ObjectsSource>(&block.source);
    if (objects == nullptr) continue;
    for (const std::string& file : objects->files)
      if (const auto read = objects::read_files({file}, [](model::Object&&) {}); !read)
        problems.push_back(objects->place.text + read.error() + "; instead: a file with whole objects");
  }
}

void check_forwarding(const Settings& settings, std::vector<std::string>& problems) {
  const std::vector<Endpoint> own = forwarder_settings(settings).own;
  for (const ServerBlock& block : settings.blocks) {
    if (!block.forward) continue;
    for (const Endpoint& upstream : block.forward->upstreams)
      if (const auto loop = forwards_to_itself({upstream}, own))
        problems.push_back(block.forward->place.text + *loop + "; instead: an upstream elsewhere");
  }
}

void check_addresses(const Settings& settings, std::vector<std::string>& problems) {
  const Host host = this_host();
  std::set<model::Address> told;
  const auto look = [&](const model::Address& address, const std::string& place) {
    const bool here = address.is_unspecified() || address.is_loopback() || host.has(address);
    if (!here && told.insert(address).second)
      problems.push_back(place + "this host has no address " + address.to_string() + "; instead: one of `ip address`");
  };
  for (const ServerBlock& block : settings.blocks)
    for (const Endpoint& endpoint : block.listen) look(endpoint.address, "");
  for (const PageAddress& page : settings.pages) look(page.endpoint.address, page.place.text);
}

/// The nearest folder above that exists must let us in.
void check_data(const Settings& settings, std::vector<std::string>& problems) {
  const bool registry = std::any_of(settings.blocks.begin(), settings.blocks.end(), [](const ServerBlock& block) {
    return std::holds_alternative<RegistrySource>(block.source);
  });
  if (!registry) return;
  std::error_code error;
  std::filesystem::path folder = std::filesystem::absolute(settings.data, error);
  while (!std::filesystem::exists(folder, error) && folder.has_parent_path() && folder != folder.parent_path())
    folder = folder.parent_path();
  if (!std::filesystem::is_directory(folder, error))
    problems.push_back("data: " + settings.data + " cannot be a folder: " + folder.string() +
                       " is none; instead: another one");
  else if (::access(folder.c_str(), W_OK | X_OK) != 0)
    problems.push_back("data: " + settings.data + " cannot be written: " + folder.string() +
                       " lets us not in; instead: another one, or other rights");
}

} // namespace

std::vector<std::string> check_files(const Settings& settings) {
  std::vector<std::string> problems;
  check_objects(settings, problems);
  check_forwarding(settings, problems);
  check_addresses(settings, problems);
  check_data(settings, problems);
  return problems;
}

log::Settings log_settings(const LogSettings& settings) {
  return {.level = static_cast<log::Level>(settings.level),
          .format = settings.json ? log::Format::json : log::Format::text};
}

} // namespace signpost::server
