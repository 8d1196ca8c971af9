#include "client/cli/manifests.hpp"

#include <nlohmann/json.hpp>
#include <sstream>

namespace signpost::cli {

tl::expected<void, model::ManifestError>
read_manifests(const Session& session, const std::string& file,
               const std::function<tl::expected<void, model::ManifestError>(model::Json&& object)>& each) {
  if (file != "-") return model::read_manifest_file(file, each);
  std::ostringstream text;
  text << session.in.rdbuf();
  return model::read_manifest(text.str(), "standard input", each);
}

} // namespace signpost::cli
