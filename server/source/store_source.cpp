// The registry's store as a source: everything at one revision, then every batch after it.
#include <nlohmann/json.hpp>
#include <thread>

#include "discovery/model/json.hpp"
#include "discovery/registry/registry.hpp"
#include "discovery/store/follower.hpp"
#include "server/log/log.hpp"
#include "server/source/publisher.hpp"
#include "server/source/source.hpp"

namespace signpost::server {

namespace {

constexpr model::Kind followed[] = {model::Kind::name_space, model::Kind::service, model::Kind::endpoint_slice};

class StoreSource final : public Source {
public:
  StoreSource(store::Store& store, zone::Zone& zone) : zone_(zone), follower_(store), publisher_(zone) {}

  ~StoreSource() override {
    follower_.stop();
    if (thread_.joinable()) thread_.join();
  }

  tl::expected<void, std::string> start() override {
    std::vector<std::string> prefixes;
    for (const model::Kind kind : followed) prefixes.push_back(registry::object_prefix(kind, {}));
    const auto started =
        follower_.start(prefixes, "/registry/", [this](const store::Change& change) { apply(change); });
    if (!started) return tl::make_unexpected("the registry cannot be read: " + started.error().message);
    publisher_.publish();
    zone_.set_ready();
    thread_ = std::thread([this] { run(); });
    return {};
  }

  std::size_t services() const override { return publisher_.service_count(); }

private:
  void put(model::Kind kind, const std::string& text) {
    const auto json = model::parse_json(text);
    const auto object = json ? model::decode_object(kind, *json)
                             : tl::expected<model::Object, model::DecodeError>(tl::unexpect, json.error());
    if (object)
      publisher_.catalog().put(*object, publisher_.changes());
    else
      log::error("source", "a stored object cannot be read and is not served", {{"why", object.error().message}});
  }

  void run() {
    while (true) {
      const store::Follower::News news = follower_.wait();
      if (news.stopped) return;
      for (const auto& batch : news.batches)
        for (const store::Change& change : batch->changes) apply(change);
      publisher_.publish();
    }
  }

  void apply(const store::Change& change) {
    const auto named = registry::parse_object_key(followed, change.entry.key);
    if (!named) return;
    if (change.entry.value)
      put(named->kind, *change.entry.value);
    else
      publisher_.catalog().erase(named->kind, named->name_space, named->name, publisher_.changes());
  }

  zone::Zone& zone_;
  store::Follower follower_;
  Publisher publisher_;
  std::thread thread_;
};

} // namespace

std::unique_ptr<Source> follow_store(store::Store& store, zone::Zone& zone) {
  return std::make_unique<StoreSource>(store, zone);
}

} // namespace signpost::server
