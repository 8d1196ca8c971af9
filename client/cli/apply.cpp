#include "client/cli/apply.hpp"

#include <nlohmann/json.hpp>
#include <ostream>

#include "client/cli/get.hpp"
#include "client/cli/manifests.hpp"

namespace signpost::cli {

namespace {

constexpr int most_attempts = 8; // against others that change the same object

// An object of a file, with what its place in the API needs.
struct Item {
  const model::KindInfo* kind = nullptr;
  std::string name_space{}, name{};
  Json object{};
  [[nodiscard]] std::string path() const { return object_path(*kind, name_space, name); }
  [[nodiscard]] std::string title() const { return object_name(*kind, name); }
};

Expected<Item> read_item(const Session& session, Json object) {
  const auto kind_text = text_member(object, "kind"), version = text_member(object, "apiVersion");
  if (kind_text.empty() || version.empty()) return fail(Exit::error, "an object lacks apiVersion or kind");
  Item item{.kind = model::find_kind(version, kind_text)};
  if (item.kind == nullptr)
    return fail(Exit::error, "the registry has no " + printable(kind_text) + " of " + printable(version) +
                                 "; it keeps Service, EndpointSlice, Endpoints and Namespace");
  item.name = metadata_text(object, "name");
  if (item.name.empty()) return fail(Exit::error, "a " + std::string(item.kind->name) + " lacks metadata.name");
  if (item.kind->namespaced) {
    const auto own = metadata_text(object, "namespace");
    if (!own.empty() && session.name_space_given && own != session.name_space)
      return fail(Exit::usage, item.title() + " says that it belongs to the namespace " + printable(own) +
                                   ", -n says " + printable(session.name_space) + "; leave one of them out");
    item.name_space = own.empty() ? session.name_space : own;
    object["metadata"]["namespace"] = item.name_space;
  }
  item.object = std::move(object);
  return item;
}

// Without what the server makes, so that the output of get -o yaml can be applied again.
Json without_server_fields(Json object) {
  object.erase("status");
  auto& metadata = object["metadata"];
  for (const auto* const key :
       {"uid", "creationTimestamp", "generation", "managedFields", "selfLink", "resourceVersion"})
    metadata.erase(key);
  if (metadata.contains("annotations") && metadata["annotations"].is_object()) {
    metadata["annotations"].erase(last_applied);
    if (metadata["annotations"].empty()) metadata.erase("annotations");
  }
  return object;
}

// JSON as Go writes it, octet for octet, so that who applies next, we or kubectl, finds what it would write itself.
std::string as_go_writes(const Json& document) {
  std::string out;
  const auto text = document.dump();
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view rest(text.data() + i, text.size() - i);
    if (rest[0] == '<' || rest[0] == '>' || rest[0] == '&') {
      out += rest[0] == '<' ? "\\u003c" : rest[0] == '>' ? "\\u003e" : "\\u0026";
    } else if (rest.starts_with("\u2028") || rest.starts_with("\u2029")) {
      out += rest[2] == '\xa8' ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      out += rest[0];
    }
  }
  return out + '\n';
}

Json with_annotation(Json wanted) {
  auto& annotations = wanted["metadata"]["annotations"];
  if (!annotations.is_object()) annotations = Json::object();
  auto text = as_go_writes(wanted);
  annotations[last_applied] = std::move(text);
  return wanted;
}

Json applied_before(const Json& current) {
  const auto metadata = current.find("metadata");
  if (metadata == current.end() || !metadata->is_object() || !metadata->contains("annotations")) return {};
  const auto document = parse_document(text_member((*metadata)["annotations"], last_applied));
  return document && document->is_object() ? *document : Json();
}

class Applier {
public:
  Applier(Api& api, DryRun dry_run) : api_(api), dry_run_(dry_run) {}

  // "created", "configured" or "unchanged".
  Expected<std::string> apply(const Item& item) {
    const auto wanted = with_annotation(without_server_fields(item.object));
    Failure last;
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
      auto current = api_.call({.target = item.path()});
      if (!current && current.error().code != Exit::not_found) return tl::make_unexpected(current.error());
      auto done = current ? change(item, *current, wanted) : create(item, wanted);
      if (done || done.error().code != Exit::conflict) return done;
      last = done.error();
    }
    return tl::make_unexpected(last);
  }

private:
  [[nodiscard]] std::string parameters() const {
    return std::string("?fieldManager=signpost&fieldValidation=Strict") +
           (dry_run_ == DryRun::server ? "&dryRun=All" : "");
  }

  Expected<std::string> create(const Item& item, const Json& wanted) {
    if (dry_run_ == DryRun::client) return "created";
    auto reply = api_.call({.method = "POST",
                            .target = object_path(*item.kind, item.name_space, "") + parameters(),
                            .content_type = "application/json",
                            .body = wanted.dump()});
    if (!reply && reply.error().code == Exit::not_found && item.kind->namespaced)
      reply.error().message += "; create the namespace first: put a Namespace before it into the file";
    if (!reply) return tl::make_unexpected(reply.error());
    return "created";
  }

  Expected<std::string> change(const Item& item, const Json& current, const Json& wanted) {
    auto patch = merge_patch(applied_before(current), current, wanted);
    patch.erase("apiVersion");
    patch.erase("kind");
    if (patch.empty()) return "unchanged";
    if (dry_run_ == DryRun::client) return "configured";
    const auto before = metadata_text(current, "resourceVersion");
    patch["metadata"]["resourceVersion"] = before;
    auto reply = api_.call({.method = "PATCH",
                            .target = item.path() + parameters(),
                            .content_type = "application/merge-patch+json",
                            .body = patch.dump()});
    if (!reply) return tl::make_unexpected(reply.error());
    return metadata_text(*reply, "resourceVersion") == before && dry_run_ == DryRun::none ? "unchanged" : "configured";
  }

  Api& api_;
  DryRun dry_run_;
};

// Calls `each` for every object of the files; keeps going after failures, and returns the first one's code.
template <class Each>
Exit each_item(const Session& session, const std::vector<std::string>& names, bool recursive, Each each) {
  Exit worst = Exit::ok;
  std::size_t count = 0;
  const auto note = [&](const Failure& failure) {
    session.complain(failure);
    if (worst == Exit::ok) worst = failure.code;
  };
  std::vector<std::string> files;
  for (const auto& name : names) {
    const auto found = manifest_files(name, recursive);
    if (!found) note(found.error());
    if (found) files.insert(files.end(), found->begin(), found->end());
  }
  for (const auto& file : files) {
    const auto take = [&](Json&& object) -> tl::expected<void, model::ManifestError> {
      ++count;
      auto item = read_item(session, std::move(object));
      auto done = item ? each(*item) : tl::make_unexpected(item.error());
      if (done) return {};
      note(item ? Failure{done.error().code, item->title() + ": " + done.error().message} : done.error());
      // The server is gone: the rest would fail alike.
      if (done.error().code == Exit::unavailable) return tl::make_unexpected(model::ManifestError{});
      return {};
    };
    const auto read = read_manifests(session, file, take);
    if (!read && !read.error().message.empty()) note({Exit::error, read.error().message});
    if (worst == Exit::unavailable) return worst;
  }
  if (count == 0 && worst == Exit::ok) note({Exit::error, "there is no object in what was given"});
  return worst;
}

const char* said(DryRun dry_run) {
  return dry_run == DryRun::none ? "" : dry_run == DryRun::client ? " (client dry run)" : " (dry run)";
}

Expected<void> erase(const Session& session, Api& api, const model::KindInfo& kind, const std::string& name_space,
                     const std::string& name, const DeleteOptions& options, bool ignore_not_found) {
  // A path that ends in nothing, or goes up, means something else than one object.
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos)
    return fail(Exit::error, "\"" + printable(name) + "\" cannot be the name of an object, so nothing is deleted");
  const auto target = object_path(kind, name_space, name);
  const auto reply = options.dry_run == DryRun::client
                         ? api.call({.target = target})
                         : api.call({.method = "DELETE",
                                     .target = target + (options.dry_run == DryRun::server ? "?dryRun=All" : ""),
                                     .content_type = "application/json",
                                     .body = R"({"propagationPolicy":"Background"})"});
  if (!reply && reply.error().code == Exit::not_found && ignore_not_found) return {};
  if (!reply) return tl::make_unexpected(reply.error());
  session.out << object_name(kind, name) << " deleted" << said(options.dry_run) << '\n';
  return {};
}

} // namespace

Exit apply(const Session& session, const ApplyOptions& options) {
  auto api = session.api();
  if (!api) return session.complain(api.error()), api.error().code;
  Applier applier(*api, options.dry_run);
  return each_item(session, options.files, options.recursive, [&](const Item& item) -> Expected<void> {
    auto done = applier.apply(item);
    if (!done) return tl::make_unexpected(done.error());
    session.out << item.title() << ' ' << *done << said(options.dry_run) << '\n' << std::flush;
    return {};
  });
}

Exit remove(const Session& session, const DeleteOptions& options) {
  const auto stop = [&](const Failure& failure) {
    session.complain(failure);
    return failure.code;
  };
  if (options.files.empty() == options.what.empty())
    return stop({Exit::usage, "say what to delete: KIND NAME…, or -f FILE; not both"});
  auto api = session.api();
  if (!api) return stop(api.error());
  if (!options.files.empty())
    return each_item(session, options.files, options.recursive, [&](const Item& item) {
      return erase(session, *api, *item.kind, item.name_space, item.name, options, options.ignore_not_found);
    });

  auto selections = read_selection(options.what);
  if (!selections) return stop(selections.error());
  Exit worst = Exit::ok;
  for (auto& selection : *selections) {
    const std::string name_space = selection.kind->namespaced ? session.name_space : "";
    const bool selected = options.all || !options.label_selector.empty();
    if (selection.names.empty() != selected)
      return stop({Exit::usage, "say which: names, or -l SELECTOR, or --all; only one of them"});
    if (selected) {
      const auto list =
          api->list(*selection.kind, {.name_space = name_space, .label_selector = options.label_selector});
      if (!list) return stop(list.error());
      for (const auto& item : (*list)["items"]) selection.names.push_back(metadata_text(item, "name"));
      if (selection.names.empty()) session.err << "No " << selection.kind->plural << " found.\n";
    }
    for (const auto& name : selection.names) {
      const auto done =
          erase(session, *api, *selection.kind, name_space, name, options, options.ignore_not_found || selected);
      if (done) continue;
      session.complain(done.error());
      if (worst == Exit::ok) worst = done.error().code;
      if (done.error().code == Exit::unavailable) return worst;
    }
  }
  return worst;
}

} // namespace signpost::cli
