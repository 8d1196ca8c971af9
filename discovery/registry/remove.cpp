#include <algorithm>

#include "discovery/registry/event_faces.hpp"
#include "discovery/registry/life_cycle.hpp"
#include "discovery/registry/namespace_rules.hpp"
#include "discovery/registry/write.hpp"

namespace signpost::registry {
namespace {

class Remove final : public Write {
public:
  Remove(Shared state, model::Kind kind, std::string name_space, std::string name, model::DeleteOptions options,
         bool dry_run, WriteCallback done)
      : Write(std::move(state), kind, std::move(name_space)), name_(std::move(name)), options_(std::move(options)),
        dry_run_(dry_run), done_(std::move(done)) {}

  void attempt() override {
    const std::string key = object_key(kind_.kind, name_space_, name_);
    const auto found = state_->read_shown(kind_.kind, key);
    if (!found) return fail(found.error());
    if (!*found) return fail(not_found(kind_, name_));
    if ((*found)->created == 0) {
      return fail(conflict(kind_, name_, "it is computed from EndpointSlices; delete those"));
    }
    const store::Entry& entry = **found;
    auto object = decode_stored(kind_.kind, entry);
    if (!object) return fail(object.error());
    if (auto wrong = check_preconditions(model::metadata(*object), entry.modified)) return fail(std::move(*wrong));
    if (kind_.kind == model::Kind::name_space && is_permanent_namespace(name_)) {
      return fail(forbidden(kind_, name_, "this namespace may not be deleted"));
    }
    if (const auto* address = std::get_if<model::IpAddress>(&*object)) {
      if (auto unused = check_unused(*address); !unused) return fail(std::move(unused.error()));
    }
    take_policy(model::metadata(*object));
    const bool held = kind_.kind == model::Kind::name_space || !model::metadata(*object).finalizers.empty();
    if (held) return mark(key, entry, *object);
    text_ = entry.value;
    if (dry_run_) return done_(Stored{text_, entry.modified});
    transaction_.write(key, entry.modified, nullptr, {});
    if (rules_.append_claims != nullptr) {
      std::vector<std::string> keys;
      rules_.append_claims(*object, keys);
      for (std::string& claim : keys) transaction_.erase(std::move(claim));
    }
    submit(name_);
  }

private:
  void take_policy(model::ObjectMeta& metadata) const {
    const std::string policy = options_.propagation_policy.value_or("Background");
    if (!metadata.deletion_timestamp.empty() || policy == "Background") return;
    const std::string_view finalizer = policy == "Orphan" ? orphan_finalizer : foreground_finalizer;
    if (std::find(metadata.finalizers.begin(), metadata.finalizers.end(), finalizer) == metadata.finalizers.end()) {
      metadata.finalizers.emplace_back(finalizer);
    }
  }

  /// An address goes with the service that has it, not before.
  Result<void> check_unused(const model::IpAddress& address) const {
    const auto parent = address.spec.parent_ref.value_or(model::ParentReference());
    if (!parent.group.empty() || parent.resource != "services") return {};
    const auto found = state_->read(object_key(model::Kind::service, parent.name_space, parent.name));
    if (!found) return tl::unexpected(found.error());
    if (!*found) return {};
    const auto object = decode_stored(model::Kind::service, **found);
    if (!object) return tl::unexpected(object.error());
    std::vector<std::string> keys;
    strategy(model::Kind::service).append_claims(*object, keys);
    if (std::find(keys.begin(), keys.end(), object_key(kind_.kind, {}, name_)) == keys.end()) return {};
    return tl::unexpected(forbidden(kind_, name_,
                                    "it is the address of service " + parent.name_space + "/" + parent.name +
                                        "; it goes with the service"));
  }

  std::optional<Status> check_preconditions(const model::ObjectMeta& metadata, store::Revision modified) const {
    const auto differ = [&](const std::string& what, const std::string& wanted, const std::string& actual,
                            const std::string& perhaps) {
      Status refused = conflict(kind_, name_, "");
      refused.kind = kind_.name; // upstream names the kind here, not the resource
      refused.message = "Operation cannot be fulfilled on " + std::string(kind_.name) +
                        (kind_.group.empty() ? "" : "." + std::string(kind_.group)) + " " + quoted(name_) + ": the " +
                        what + " in the precondition (" + wanted + ") does not match the " + what + " in record (" +
                        actual + "). The object might have been " + perhaps;
      return refused;
    };
    const auto& uid = options_.precondition_uid;
    if (uid && *uid != metadata.uid) return differ("UID", *uid, metadata.uid, "deleted and then recreated");
    const auto& revision = options_.precondition_resource_version;
    if (revision && *revision != std::to_string(modified)) {
      return differ("ResourceVersion", *revision, std::to_string(modified), "modified");
    }
    return std::nullopt;
  }

  // Only marked: a finalizer, or what is in the namespace, has to go first.
  void mark(const std::string& key, const store::Entry& entry, model::Object& object) {
    model::ObjectMeta& metadata = model::metadata(object);
    if (!metadata.deletion_timestamp.empty()) {
      text_ = entry.value;
      if (dry_run_ || kind_.kind != model::Kind::name_space) return done_(Stored{text_, entry.modified});
      return succeed(entry.modified);
    }
    metadata.deletion_timestamp = now_text();
    metadata.deletion_grace_period_seconds = 0;
    if (auto* name_space = std::get_if<model::Namespace>(&object)) {
      name_space->status.phase = "Terminating";
      metadata.deletion_grace_period_seconds.reset();
    }
    text_ = encode_stored(object);
    if (dry_run_) return done_(Stored{text_, entry.modified});
    transaction_.write(key, entry.modified, text_, {});
    submit(name_);
  }

  void fail(Status status) override { done_(tl::unexpected(std::move(status))); }

  void succeed(store::Revision revision) override {
    if (kind_.kind == model::Kind::service_cidr) {
      const auto self = std::static_pointer_cast<Remove>(shared_from_this());
      const bool posted = state_->worker.post([self, revision] {
        self->state_->learn_cidr(object_key(self->kind_.kind, {}, self->name_));
        self->state_->finish_cidr(self->name_);
        self->done_(Stored{self->text_, revision});
      });
      if (posted) return;
    }
    if (kind_.kind == model::Kind::service && name_space_ == "default" && name_ == "kubernetes") {
      // As upstream, where a controller makes it again; here before the deletion is answered.
      const auto self = std::static_pointer_cast<Remove>(shared_from_this());
      const bool posted = state_->worker.post([self, revision] {
        (void)self->state_->ensure_kubernetes(); // else the next start does
        self->done_(Stored{self->text_, revision});
      });
      if (posted) return;
    }
    if (kind_.kind != model::Kind::name_space) return done_(Stored{text_, revision});
    state_->namespaces.set(name_, {revision, true});
    const auto self = std::static_pointer_cast<Remove>(shared_from_this());
    const bool posted = state_->worker.post([self, revision] {
      self->state_->finish_namespace(self->name_, [self, revision](Result<store::Revision> finished) {
        if (!finished) return self->fail(std::move(finished.error()));
        self->done_(Stored{self->text_, std::max(revision, *finished)});
      });
    });
    if (!posted) done_(Stored{text_, revision}); // marked; the next start goes on with it
  }

  void lost_object() override { again(); }

  const std::string name_;
  const model::DeleteOptions options_;
  const bool dry_run_;
  const WriteCallback done_;
  store::Value text_;
};

} // namespace

void Registry::remove(model::Kind kind, std::string name_space, std::string name, model::DeleteOptions options,
                      bool dry_run, WriteCallback done) {
  if (auto refused = refuse_write(state_->settings)) return done(tl::unexpected(std::move(*refused)));
  if (kind == model::Kind::group_event) {
    kind = model::Kind::event;
    done = as_group_event(std::move(done));
  }
  std::make_shared<Remove>(state_, kind, std::move(name_space), std::move(name), std::move(options), dry_run,
                           std::move(done))
      ->attempt();
}

} // namespace signpost::registry
