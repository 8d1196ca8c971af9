#include <algorithm>

#include "discovery/registry/event_faces.hpp"
#include "discovery/registry/metadata_rules.hpp"
#include "discovery/registry/write.hpp"

namespace signpost::registry {
namespace {

using UpdateCallback = std::function<void(Result<std::pair<Stored, bool>>)>;

class Update final : public Write {
public:
  Update(Shared state, model::Kind kind, std::string name_space, std::string name, Mutation mutation,
         std::optional<model::Object> create_if_absent, bool status_only, WriteOptions options, UpdateCallback done)
      : Write(std::move(state), kind, std::move(name_space)), name_(std::move(name)), mutation_(std::move(mutation)),
        create_if_absent_(std::move(create_if_absent)), status_only_(status_only), options_(options),
        done_(std::move(done)) {}

  void attempt() override {
    const std::string key = object_key(kind_.kind, name_space_, name_);
    const auto found = state_->read_shown(kind_.kind, key);
    if (!found) return fail(found.error());
    if (!*found) return create_or_fail();
    const store::Entry& entry = **found;
    auto current = decode_stored(kind_.kind, entry);
    if (!current) return fail(current.error());

    const Stored stored{entry.value, entry.modified};
    model::metadata(*current).resource_version = std::to_string(entry.modified);
    auto wanted = mutation_(*current, stored);
    model::metadata(*current).resource_version.clear();
    if (!wanted) return fail(std::move(wanted.error()));
    if (auto wrong = check_identity(*wanted, entry.modified)) return fail(std::move(*wrong));
    if (rules_.needs_revision && create_if_absent_ && !conditional_) {
      Status refused = invalid(
          kind_, name_,
          {{"FieldValueInvalid", "Invalid value: 0: must be specified for an update", "metadata.resourceVersion"}});
      // Upstream names the resource here, not the kind.
      refused.message.replace(0, kind_.name.size(), kind_.plural);
      refused.kind = kind_.plural;
      return fail(std::move(refused));
    }

    auto decided = status_only_ ? decide_status(*wanted, *current) : decide(*wanted, *current);
    if (!decided) return fail_or_wait(std::move(decided.error()));
    if (*wanted == *current) {
      plan_ = {};
      return done_(std::pair(stored, false));
    }
    commit(key, entry, *wanted);
  }

private:
  void create_or_fail() {
    if (!create_if_absent_ || !rules_.create_on_update || status_only_) return fail(not_found(kind_, name_));
    model::Object object = *create_if_absent_;
    model::ObjectMeta& metadata = model::metadata(object);
    metadata.resource_version.clear();
    if (auto wrong = check_scope(kind_, name_space_, metadata)) return fail(std::move(*wrong));
    if (auto wrong = check_name(metadata)) return fail(std::move(*wrong));
    if (!metadata.uid.empty()) {
      return fail(conflict(kind_, name_,
                           "Precondition failed: UID in precondition: " + metadata.uid + ", UID in object meta: "));
    }
    const auto self = std::static_pointer_cast<Update>(shared_from_this());
    start_create(state_, kind_.kind, name_space_, std::move(object), options_, [self](Result<Stored> created) {
      if (created) return self->done_(std::pair(std::move(*created), true));
      if (created.error().reason == "AlreadyExists") return self->again(); // it is there now: update it
      self->fail(std::move(created.error()));
    });
  }

  std::optional<Status> check_name(model::ObjectMeta& metadata) const {
    if (metadata.name.empty()) metadata.name = name_;
    if (metadata.name == name_) return std::nullopt;
    return bad_request("the name of the object (" + metadata.name + ") does not match the name on the URL (" + name_ +
                       ")");
  }

  std::optional<Status> check_identity(model::Object& wanted, store::Revision modified) {
    model::ObjectMeta& metadata = model::metadata(wanted);
    if (auto wrong = check_scope(kind_, name_space_, metadata)) return wrong;
    if (auto wrong = check_name(metadata)) return wrong;
    const std::string& revision = metadata.resource_version;
    if (!std::all_of(revision.begin(), revision.end(), [](char c) { return c >= '0' && c <= '9'; })) {
      return invalid(kind_, name_,
                     {{"FieldValueInvalid", "Invalid value: " + quoted(revision) + ": must be a decimal number",
                       "metadata.resourceVersion"}});
    }
    conditional_ = !revision.empty() && revision != "0";
    if (conditional_ && metadata.resource_version != std::to_string(modified)) {
      return registry::modified(kind_, name_);
    }
    metadata.resource_version.clear();
    return std::nullopt;
  }

  Result<void> decide(model::Object& wanted, const model::Object& current) {
    complete_metadata(model::metadata(wanted), model::metadata(current));
    rules_.set_defaults(wanted);
    if (rules_.prepare_update != nullptr) rules_.prepare_update(wanted, current);
    if (rules_.resolve != nullptr) {
      auto causes = rules_.resolve(wanted, &current, state_->claims.families());
      if (!causes.empty()) return tl::unexpected(invalid(kind_, name_, std::move(causes)));
    }
    if (rules_.plan != nullptr) {
      auto plan = rules_.plan(state_->claims, wanted, &current, options_.dry_run);
      if (!plan) return tl::unexpected(std::move(plan.error()));
      plan_ = std::move(*plan);
    }
    if (rules_.settle_update != nullptr) rules_.settle_update(wanted, current);
    auto causes = rules_.check_update(wanted, current);
    if (!causes.empty()) return tl::unexpected(invalid(kind_, name_, std::move(causes)));
    return {};
  }

  /// Metadata goes with the status: controllers put a finalizer on, or take it away, in one patch with it.
  Result<void> decide_status(model::Object& wanted, const model::Object& current) {
    const model::ObjectMeta& before = model::metadata(current);
    model::ObjectMeta metadata = model::metadata(wanted);
    complete_metadata(metadata, before);
    if (kind_.kind == model::Kind::pod) metadata.owner_references = before.owner_references; // kubelets spoiled them
    FieldErrors errors;
    check_metadata_update(metadata, before, errors);
    check_metadata(
        metadata, [](std::string_view) { return Complaints(); }, errors);
    if (!errors.empty()) return tl::unexpected(invalid(kind_, name_, errors.take()));

    model::Object next = current;
    rules_.take_status(next, wanted);
    model::metadata(next) = std::move(metadata);
    wanted = std::move(next);
    if (rules_.check_status == nullptr) return {};
    auto causes = rules_.check_status(wanted);
    if (!causes.empty()) return tl::unexpected(invalid(kind_, name_, std::move(causes)));
    return {};
  }

  void commit(const std::string& key, const store::Entry& entry, model::Object& wanted) {
    const model::ObjectMeta& metadata = model::metadata(wanted);
    unheld_ = !metadata.deletion_timestamp.empty() && metadata.finalizers.empty();
    text_ = encode_stored(wanted);
    if (options_.dry_run) {
      plan_ = {};
      return done_(std::pair(Stored{text_, entry.modified}, false));
    }
    const bool goes = unheld_ && kind_.kind != model::Kind::name_space;
    if (goes) plan_ = {};
    transaction_.write(key, entry.created == 0 ? 0 : entry.modified, goes ? nullptr : text_, plan_);
    if (goes && rules_.append_claims != nullptr) {
      std::vector<std::string> keys;
      auto current = decode_stored(kind_.kind, entry);
      if (current) rules_.append_claims(*current, keys);
      for (std::string& claim : keys) transaction_.erase(std::move(claim));
    }
    submit(name_);
  }

  /// A client that named no resourceVersion never hears of a race: of those who meet, one wins each time, so this is
  /// beyond any crowd.
  int attempts_allowed() const override { return 10'000; }

  void fail(Status status) override { done_(tl::unexpected(std::move(status))); }

  void succeed(store::Revision revision) override {
    if (unheld_) {
      const std::string name_space = kind_.kind == model::Kind::name_space ? name_ : name_space_;
      state_->worker.post([state = state_, name_space] { state->finish_namespace(name_space, {}); });
    }
    if (kind_.kind == model::Kind::service_cidr) {
      const auto self = std::static_pointer_cast<Update>(shared_from_this());
      const bool posted = state_->worker.post([self, revision] {
        self->state_->learn_cidr(object_key(self->kind_.kind, {}, self->name_));
        self->state_->finish_cidr(self->name_);
        self->done_(std::pair(Stored{self->text_, revision}, false));
      });
      if (posted) return;
    }
    done_(std::pair(Stored{text_, revision}, false));
  }

  void lost_object() override {
    if (conditional_) {
      fail(registry::modified(kind_, name_));
    } else {
      again();
    }
  }

  const std::string name_;
  const Mutation mutation_;
  const std::optional<model::Object> create_if_absent_;
  const bool status_only_;
  const WriteOptions options_;
  const UpdateCallback done_;
  bool conditional_ = false; // the client named the resourceVersion it means
  bool unheld_ = false;      // being deleted, and the last finalizer is gone
  store::Value text_;
};

} // namespace

void Registry::update(model::Kind kind, std::string name_space, std::string name, Mutation mutation,
                      std::optional<model::Object> create_if_absent, WriteOptions options, UpdateCallback done) {
  if (auto refused = refuse_write(state_->settings)) return done(tl::unexpected(std::move(*refused)));
  if (kind == model::Kind::group_event) {
    kind = model::Kind::event;
    mutation = core_mutation(std::move(mutation));
    if (create_if_absent) {
      auto core = core_event(*create_if_absent);
      if (!core) return done(tl::unexpected(std::move(core.error())));
      create_if_absent = std::move(*core);
    }
    done = [done = std::move(done)](Result<std::pair<Stored, bool>> result) {
      if (!result) return done(tl::unexpected(group_status(std::move(result.error()))));
      auto face = group_event(result->first);
      if (!face) return done(tl::unexpected(std::move(face.error())));
      done(std::pair(std::move(*face), result->second));
    };
  }
  std::make_shared<Update>(state_, kind, std::move(name_space), std::move(name), std::move(mutation),
                           std::move(create_if_absent), false, options, std::move(done))
      ->attempt();
}

void Registry::update_status(model::Kind kind, std::string name_space, std::string name, Mutation mutation,
                             WriteOptions options, WriteCallback done) {
  if (auto refused = refuse_write(state_->settings)) return done(tl::unexpected(std::move(*refused)));
  if (strategy(kind).take_status == nullptr) return done(tl::unexpected(not_found(model::info(kind), name)));
  std::make_shared<Update>(state_, kind, std::move(name_space), std::move(name), std::move(mutation), std::nullopt,
                           true, options,
                           [done = std::move(done)](Result<std::pair<Stored, bool>> result) {
                             if (!result) return done(tl::unexpected(std::move(result.error())));
                             done(std::move(result->first));
                           })
      ->attempt();
}

} // namespace signpost::registry
