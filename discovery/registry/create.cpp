#include "discovery/registry/event_faces.hpp"
#include "discovery/registry/life_cycle.hpp"
#include "discovery/registry/write.hpp"

namespace signpost::registry {
namespace {

class Create final : public Write {
public:
  Create(Shared state, model::Kind kind, std::string name_space, model::Object object, WriteOptions options,
         WriteCallback done)
      : Write(std::move(state), kind, std::move(name_space)), asked_(std::move(object)), options_(options),
        done_(std::move(done)) {}

  void attempt() override {
    model::Object object = asked_;
    model::ObjectMeta& metadata = model::metadata(object);
    generated_ = metadata.name.empty() && !metadata.generate_name.empty();
    if (generated_) metadata.name = generated_name(metadata.generate_name);
    name_ = metadata.name;

    if (kind_.namespaced) {
      const auto modified = state_->need_namespace(kind_, name_space_, name_);
      if (!modified) return fail(modified.error());
      transaction_.need_namespace(name_space_, *modified);
    }
    metadata.uid = new_uid();
    metadata.creation_timestamp = now_text();
    metadata.deletion_timestamp.clear();
    metadata.deletion_grace_period_seconds.reset();
    metadata.generation = 0;
    if (auto decided = decide(object); !decided) return fail_or_wait(std::move(decided.error()));

    const std::string key = object_key(kind_.kind, name_space_, name_);
    text_ = encode_stored(object);
    if (options_.dry_run) {
      const auto there = state_->read(key);
      if (!there) return fail(there.error());
      if (*there) return fail(already_exists(kind_, name_));
      return done_(Stored{text_, 0});
    }
    transaction_.write(key, 0, text_, plan_);
    submit(name_);
  }

private:
  Result<void> decide(model::Object& object) {
    rules_.set_defaults(object);
    if (rules_.prepare_create != nullptr) rules_.prepare_create(object);
    if (rules_.resolve != nullptr) {
      auto causes = rules_.resolve(object, nullptr, state_->claims.families());
      if (!causes.empty()) return tl::unexpected(invalid(kind_, name_, std::move(causes)));
    }
    if (rules_.plan != nullptr) {
      auto plan = rules_.plan(state_->claims, object, nullptr, options_.dry_run);
      if (!plan) return tl::unexpected(std::move(plan.error()));
      plan_ = std::move(*plan);
    }
    auto causes = rules_.check_create(object);
    if (!causes.empty()) return tl::unexpected(invalid(kind_, name_, std::move(causes)));
    return {};
  }

  void fail(Status status) override { done_(tl::unexpected(std::move(status))); }

  void succeed(store::Revision revision) override {
    if (kind_.kind == model::Kind::name_space) state_->namespaces.set(name_, {revision, false});
    if (kind_.kind == model::Kind::event && state_->events != nullptr && state_->events->too_many()) {
      state_->worker.post([state = state_] { state->events->sweep(EventRetention::Clock::now()); });
    }
    if (kind_.kind == model::Kind::service_cidr) {
      // Whoever asked may ask for an address next.
      const auto self = std::static_pointer_cast<Create>(shared_from_this());
      const bool posted = state_->worker.post([self, revision] {
        self->state_->learn_cidr(object_key(self->kind_.kind, {}, self->name_));
        self->state_->finish_cidrs(); // others may have waited for this one to cover their addresses
        self->done_(Stored{self->text_, revision});
      });
      if (posted) return;
    }
    done_(Stored{text_, revision});
  }

  void lost_object() override {
    if (generated_) {
      again();
    } else {
      fail(already_exists(kind_, name_));
    }
  }

  const model::Object asked_; // an attempt may fail and be made again
  const WriteOptions options_;
  const WriteCallback done_;
  std::string name_;
  bool generated_ = false;
  store::Value text_;
};

} // namespace

void start_create(Write::Shared state, model::Kind kind, std::string name_space, model::Object object,
                  WriteOptions options, WriteCallback done) {
  std::make_shared<Create>(std::move(state), kind, std::move(name_space), std::move(object), options, std::move(done))
      ->attempt();
}

void Registry::create(model::Kind kind, std::string name_space, model::Object object, WriteOptions options,
                      WriteCallback done) {
  const model::KindInfo& info = model::info(kind);
  if (auto refused = refuse_write(state_->settings)) return done(tl::unexpected(std::move(*refused)));
  model::ObjectMeta& metadata = model::metadata(object);
  if (auto wrong = check_scope(info, name_space, metadata)) return done(tl::unexpected(std::move(*wrong)));
  if (!metadata.resource_version.empty() && metadata.resource_version != "0") {
    return done(tl::unexpected(bad_request("resourceVersion should not be set on objects to be created")));
  }
  metadata.resource_version.clear();
  if (kind == model::Kind::group_event) {
    auto core = core_event(object);
    if (!core) return done(tl::unexpected(std::move(core.error())));
    return start_create(state_, model::Kind::event, std::move(name_space), std::move(*core), options,
                        as_group_event(std::move(done)));
  }
  start_create(state_, kind, std::move(name_space), std::move(object), options, std::move(done));
}

} // namespace signpost::registry
