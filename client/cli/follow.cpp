#include "client/cli/follow.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "client/cli/output.hpp"

namespace signpost::cli {

namespace {

constexpr std::size_t longest_event = std::size_t{64} << 20, most_objects = 2'000'000;
constexpr int watch_seconds = 300; // then the server ends the watch and the next one begins
constexpr std::chrono::seconds silence{watch_seconds + 30};
constexpr std::chrono::milliseconds first_pause{200}, longest_pause{5000};

class Follower {
public:
  Follower(Api& api, const model::KindInfo& kind, const Scope& scope, Form form,
           const std::function<bool(const Change&)>& change, const std::function<void(const std::string&)>& notice)
      : api_(api), kind_(kind), scope_(scope), form_(form), change_(change), notice_(notice) {}

  Expected<void> run() {
    bool listed = false;
    while (!stopped_) {
      if (version_.empty()) {
        if (auto got = list(); !got) {
          if (!listed || got.error().code != Exit::unavailable) return got;
          lose(got.error().message);
          continue;
        }
        listed = true;
        continue;
      }
      if (auto ended = watch(); !ended) {
        if (ended.error().code != Exit::unavailable) return ended;
        lose(ended.error().message);
      }
    }
    return {};
  }

private:
  static const Json& object_of(const Json& item) {
    const auto object = item.find("object");
    return item.contains("cells") && object != item.end() ? *object : item;
  }

  static std::string key_of(const Json& item) {
    const auto& object = object_of(item);
    return metadata_text(object, "namespace") + '/' + metadata_text(object, "name");
  }

  bool emit(std::string_view type, const Json& item, const Json& table) {
    if (!stopped_ && !change_({type, &item, &table})) stopped_ = true;
    return !stopped_;
  }

  void lose(const std::string& why) {
    if (!lost_) notice_(why + "; trying again until it is back");
    lost_ = true;
    static thread_local std::minstd_rand random{std::random_device{}()};
    const auto most = pause_.count();
    std::this_thread::sleep_for(std::chrono::milliseconds(std::uniform_int_distribution<long>(most / 2, most)(random)));
    pause_ = std::min(pause_ * 2, longest_pause);
  }

  void regain() {
    if (lost_) notice_("the connection is back");
    lost_ = false;
    pause_ = first_pause;
  }

  Expected<void> list() {
    auto reply = api_.list(kind_, scope_, form_);
    if (!reply) return tl::make_unexpected(reply.error());
    regain();
    if (form_ == Form::table) *reply = as_table(std::move(*reply));
    version_ = metadata_text(*reply, "resourceVersion");
    if (version_.empty()) return fail(Exit::error, "the server's list has no resourceVersion, so it cannot be watched");
    std::map<std::string, Json> now;
    const auto& items = (*reply)[form_ == Form::table ? "rows" : "items"];
    if (!scope_.name.empty() && items.empty() && known_.empty())
      notice_(object_name(kind_, scope_.name) + " is not there; waiting until it is");
    for (const auto& item : items) {
      auto key = key_of(item);
      now.emplace(std::move(key), item);
    }
    const Json& head = *reply;
    for (const auto& [key, item] : known_)
      if (!now.contains(key) && !emit("DELETED", item, head)) return {};
    for (const auto& [key, item] : now) {
      const auto before = known_.find(key);
      const bool same = before != known_.end() && metadata_text(object_of(before->second), "resourceVersion") ==
                                                      metadata_text(object_of(item), "resourceVersion");
      if (!same && !emit(before == known_.end() ? "ADDED" : "MODIFIED", item, head)) return {};
    }
    known_ = std::move(now);
    return {};
  }

  Expected<void> watch() {
    const HttpRequest request{.target = object_path(kind_, scope_.name_space, "") +
                                        query_string(scope_, {{"allowWatchBookmarks", "true"},
                                                              {"resourceVersion", version_},
                                                              {"timeoutSeconds", std::to_string(watch_seconds)},
                                                              {"watch", "true"}}),
                              .accept = accept_for(form_)};
    std::string line;
    Expected<void> outcome;
    bool came = false;
    const auto reply = api_.http().stream(request, silence, [&](std::string_view piece) {
      if (!came) regain();
      came = true;
      while (!piece.empty()) {
        const auto end = std::min(piece.find('\n'), piece.size());
        line += piece.substr(0, end);
        if (line.size() > longest_event) {
          outcome = fail(Exit::error, "the server sent an event that is larger than 64 MiB");
          return false;
        }
        if (end == piece.size()) break;
        piece.remove_prefix(end + 1);
        outcome = line.empty() ? Expected<void>() : take(line);
        line.clear();
        if (!outcome || stopped_ || version_.empty()) return false;
      }
      return true;
    });
    if (!outcome) return outcome;
    if (!reply) return tl::make_unexpected(reply.error());
    if (reply->status == 410) {
      version_.clear();
      return {};
    }
    if (reply->status != 200) return tl::make_unexpected(failure_of(*reply));
    // A server that ends every watch at once must not be asked a thousand times a second.
    if (!came && !stopped_) std::this_thread::sleep_for(first_pause);
    return {};
  }

  Expected<void> take(const std::string& line) {
    auto event = parse_document(line);
    if (!event || !event->is_object() || !event->contains("object") || !(*event)["object"].is_object())
      return fail(Exit::unavailable, "the server sent a broken watch event");
    const auto type = text_member(*event, "type");
    auto& object = (*event)["object"];
    if (type == "ERROR") {
      const auto code =
          object.is_object() && object.contains("code") && object["code"].is_number() ? object["code"].get<int>() : 0;
      if (code == 410) return version_.clear(), Expected<void>();
      const auto failure = failure_of({.status = code, .content_type = {}, .warnings = {}, .body = object.dump()});
      return fail(code >= 500 ? Exit::unavailable : failure.code, failure.message);
    }
    if (const auto version = metadata_text(object, "resourceVersion"); !version.empty()) version_ = version;
    if (type == "BOOKMARK") return {};
    if (form_ == Form::objects) return apply(type, object, object);
    object = as_table(std::move(object));
    for (const auto& row : object["rows"]) {
      if (const auto version = metadata_text(object_of(row), "resourceVersion"); !version.empty()) version_ = version;
      if (auto applied = apply(type, row, object); !applied) return applied;
    }
    return {};
  }

  Expected<void> apply(const std::string& type, const Json& item, const Json& table) {
    const auto key = key_of(item);
    if (type == "DELETED")
      known_.erase(key);
    else if (known_.size() < most_objects || known_.contains(key))
      known_[key] = item;
    else
      return fail(Exit::error, "the server sends objects without end");
    emit(printable(type), item, table);
    return {};
  }

  Api& api_;
  const model::KindInfo& kind_;
  const Scope& scope_;
  Form form_;
  const std::function<bool(const Change&)>& change_;
  const std::function<void(const std::string&)>& notice_;
  std::string version_;
  std::map<std::string, Json> known_;
  bool stopped_ = false, lost_ = false;
  std::chrono::milliseconds pause_ = first_pause;
};

} // namespace

Expected<void> follow(Api& api, const model::KindInfo& kind, const Scope& scope, Form form,
                      const std::function<bool(const Change&)>& change,
                      const std::function<void(const std::string&)>& notice) {
  return Follower(api, kind, scope, form, change, notice).run();
}

} // namespace signpost::cli
