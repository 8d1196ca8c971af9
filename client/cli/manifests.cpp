#include "client/cli/manifests.hpp"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "client/cli/http.hpp"
#include "client/cli/output.hpp"

namespace signpost::cli {

namespace {

namespace fs = std::filesystem;

bool is_url(std::string_view file) { return file.starts_with("http://") || file.starts_with("https://"); }

bool is_manifest(const fs::path& path) {
  const auto extension = path.extension();
  return extension == ".yaml" || extension == ".yml" || extension == ".json";
}

tl::expected<std::string, model::ManifestError> fetch(const std::string& url) {
  const auto failed = [&](const std::string& why) {
    return tl::make_unexpected(model::ManifestError{printable(url) + ": " + why});
  };
  if (url.starts_with("https://"))
    return failed("TLS is not spoken yet; fetch it yourself: curl -fsS URL | signpost apply -f -");
  const auto slash = std::min(url.find('/', 7), url.size());
  auto server = read_url(url.substr(0, slash));
  if (!server) return failed(server.error().message);
  HttpClient client(std::move(*server));
  auto reply = client.send({.target = slash == url.size() ? "/" : url.substr(slash), .accept = "*/*"});
  if (!reply) return failed(reply.error().message);
  if (reply->status != 200) return failed("the server answered with HTTP status " + std::to_string(reply->status));
  return std::move(reply->body);
}

} // namespace

Expected<std::vector<std::string>> manifest_files(const std::string& file, bool recursive) {
  std::error_code error;
  if (file == "-" || is_url(file) || !fs::is_directory(file, error)) return std::vector<std::string>{file};
  std::vector<std::string> files;
  const auto add = [&](const fs::directory_entry& entry) {
    std::error_code ignored;
    if (is_manifest(entry.path()) && entry.is_regular_file(ignored)) files.push_back(entry.path().string());
  };
  if (recursive)
    for (fs::recursive_directory_iterator at(file, error), end; !error && at != end; at.increment(error)) add(*at);
  else
    for (fs::directory_iterator at(file, error), end; !error && at != end; at.increment(error)) add(*at);
  if (error) return fail(Exit::error, "the folder " + printable(file) + " cannot be read: " + error.message());
  if (files.empty())
    return fail(Exit::error, "the folder " + printable(file) + " holds no .yaml, .yml or .json file" +
                                 (recursive ? "" : "; -R looks into the folders in it, too"));
  std::ranges::sort(files);
  return files;
}

tl::expected<std::size_t, model::ManifestError>
read_manifests(const Session& session, const std::string& file,
               const std::function<tl::expected<void, model::ManifestError>(model::Json&& object)>& each) {
  if (is_url(file)) {
    const auto text = fetch(file);
    if (!text) return tl::make_unexpected(text.error());
    return model::read_manifest(*text, file, each);
  }
  if (file != "-") return model::read_manifest_file(file, each);
  std::ostringstream text;
  text << session.in.rdbuf();
  return model::read_manifest(text.str(), "standard input", each);
}

} // namespace signpost::cli
