#include "server/forward/upstream_files.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "server/config/resolv_conf.hpp"
#include "server/forward/forwarder.hpp"

namespace signpost::server {

namespace {

std::vector<std::string> paths(const ForwardSettings& settings) {
  std::vector<std::string> all;
  for (const auto& file : settings.files) all.push_back(file.path);
  return all;
}

} // namespace

UpstreamFiles::UpstreamFiles(const ForwardSettings& settings, std::vector<Endpoint> own, Tell tell)
    : written_(settings.upstreams), own_(std::move(own)), tell_(std::move(tell)), watch_(paths(settings)) {
  for (const auto& file : settings.files) {
    files_.push_back({file.path, file.before, {}});
    // Told when the configuration was read.
    const ResolvConf found = read_resolv_conf(file.path);
    told_.insert(found.problems.begin(), found.problems.end());
  }
}

std::vector<Endpoint> UpstreamFiles::read() {
  std::set<std::string> problems;
  for (File& file : files_) read(file, problems);
  std::vector<Endpoint> all;
  std::size_t left_out = 0;
  const auto add = [&](const Endpoint& endpoint) {
    if (std::find(all.begin(), all.end(), endpoint) != all.end()) return;
    if (all.size() < ForwardSettings::max_upstreams)
      all.push_back(endpoint);
    else
      ++left_out;
  };
  for (std::size_t i = 0; i <= written_.size(); ++i) {
    for (const File& file : files_)
      if (file.before == i) std::for_each(file.servers.begin(), file.servers.end(), add);
    if (i < written_.size()) add(written_[i]);
  }
  if (left_out > 0)
    problems.insert("forward: " + std::to_string(left_out) + " upstreams of " + files_.front().path +
                    " are left out; instead: at most " + std::to_string(ForwardSettings::max_upstreams));
  for (const std::string& problem : problems)
    if (tell_ && !told_.contains(problem)) tell_(problem);
  told_ = std::move(problems);
  last_ = all;
  return all;
}

void UpstreamFiles::read(File& file, std::set<std::string>& problems) {
  const ResolvConf now = read_resolv_conf(file.path);
  problems.insert(now.problems.begin(), now.problems.end());
  std::vector<Endpoint> servers;
  for (const auto& server : now.servers) {
    if (forwards_to_itself({server.endpoint}, own_))
      problems.insert(file.path + ":" + std::to_string(server.line) + ": " + server.endpoint.to_string() +
                      " is this server itself and is left out; instead: the address of another");
    else
      servers.push_back(server.endpoint);
  }
  if (!servers.empty())
    file.servers = std::move(servers);
  else if (!file.servers.empty())
    problems.insert(file.path + ": nobody to ask is named; those named before are asked on");
  else
    problems.insert(file.path + ": nobody to ask is named; questions are answered once somebody is");
}

void UpstreamFiles::start(std::function<void(std::vector<Endpoint>)> changed) {
  watch_.start([this, changed = std::move(changed)] {
    try {
      const std::vector<Endpoint> before = last_;
      if (auto now = read(); now != before) changed(std::move(now));
    } catch (const std::exception& e) { // out of memory: the next change may be heard
      if (tell_) tell_(e.what());
    }
  });
}

} // namespace signpost::server
