#include "coordinator/cluster/specs.h"

#include <google/protobuf/util/message_differencer.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/file.h"
#include "common/log.h"
#include "common/spec/signed_spec.h"
#include "common/spec/spec_bundle.h"
#include "common/text/shell_word.h"
#include "common/text/short_text.h"
#include "coordinator/plan/plan.h"

namespace connect_ha {
namespace {

// The lines of the errors; OK when there is none.
absl::Status ErrorsOf(const std::vector<ConfigProblem>& problems) {
  std::vector<ConfigProblem> errors;
  for (const ConfigProblem& problem : problems) {
    if (problem.severity == Severity::kError) errors.push_back(problem);
  }
  if (errors.empty()) return absl::OkStatus();
  std::string text = FormatProblems(errors);
  text.pop_back();
  return absl::InvalidArgumentError(text);
}

std::string Describe(const v1::SpecGeneration& spec) {
  const v1::ClusterSpec& what = spec.bundle().spec();
  return absl::StrCat(
      "generation ", spec.generation(),
      spec.has_rollback_of() ? absl::StrCat(", which takes up generation ", spec.rollback_of())
                             : "",
      what.enforcement() == v1::ENFORCE ? ": enforced" : ": observed",
      what.connect().has_version() ? absl::StrCat(", Connect ", what.connect().version()) : "",
      spec.bundle().has_signed_spec()
          ? absl::StrCat(", signed by ", PublicKeyName(spec.bundle().signed_spec().public_key()))
          : "");
}

// That what is signed of it is what it says: nodes that trust signers go by that alone. Whose key
// it is, each of them knows.
absl::Status CheckSignature(const v1::SpecBundle& bundle, const std::string& file) {
  if (!bundle.has_signed_spec()) return absl::OkStatus();
  const absl::StatusOr<v1::SpecToSign> is_signed = OpenSignedSpec(bundle.signed_spec());
  const std::string again = "\nfix: connect-ha apply --sign KEY, of one version on both ends";
  if (!is_signed.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(file, ": ", is_signed.status().message(), again));
  }
  const v1::SpecToSign said = ToSign(bundle, is_signed->generation());
  if (google::protobuf::util::MessageDifferencer::Equals(*is_signed, said)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat(file, ": what was signed is not what is to be applied", again));
}

v1::Desired DesiredOf(const v1::SpecGeneration& spec) {
  v1::Desired desired = MakeDesired(spec.bundle());
  desired.set_generation(spec.generation());
  *desired.mutable_applied_at() = spec.applied_at();
  return desired;
}

}  // namespace

v1::Desired MakeDesired(const v1::SpecBundle& bundle) {
  v1::Desired desired;
  *desired.mutable_spec() = bundle.spec();
  if (bundle.has_connect_config()) desired.set_connect_config(bundle.connect_config());
  if (bundle.has_license()) desired.set_license(bundle.license());
  if (bundle.has_signed_spec()) *desired.mutable_signed_spec() = bundle.signed_spec();
  return desired;
}

absl::Status TellInForce(uint64_t generation, Store& store, Roster& roster) {
  if (generation == 0) return absl::OkStatus();
  const Generations specs = roster.SpecsNow();
  if (roster.HasInForce() && specs.in_force->generation() == generation) return absl::OkStatus();
  if (specs.newest->generation() == generation) {
    roster.SetInForce(*specs.newest);
    return absl::OkStatus();
  }
  const auto spec = store.GetSpec(generation);
  if (!spec.ok()) return spec.status();
  roster.SetInForce(DesiredOf(*spec));
  return absl::OkStatus();
}

Specs::Specs(std::string cluster, connect_ha::Store& store, Roster& roster)
    : cluster_(std::move(cluster)),
      store_(store),
      roster_(roster),
      current_(std::make_shared<const v1::SpecGeneration>()) {}

absl::Status Specs::Load(const std::string& path, Time now) {
  const absl::Status loaded = LoadNewest(path, now);
  if (!loaded.ok()) return loaded;
  const auto plan = store_.GetPlan();
  if (!plan.ok()) return plan.status();
  return TellInForce(plan->memory.generation(), store_, roster_);
}

absl::Status Specs::LoadNewest(const std::string& path, Time now) {
  auto stored = store_.GetSpec(0);
  if (stored.ok()) {
    TellInvalid(*stored);
    Become(*std::move(stored));
    return absl::OkStatus();
  }
  if (!absl::IsNotFound(stored.status())) return stored.status();
  v1::SpecGeneration first;
  absl::Status right = ErrorsOf(LoadSpecBundle(path, *first.mutable_bundle()));
  if (right.ok()) right = Check(first.bundle(), path);
  if (!right.ok()) return right;
  *first.mutable_applied_at() = ToProto(now);
  first.set_applied_by("coordinator");
  v1::AuditEntry entry;
  *entry.mutable_at() = first.applied_at();
  entry.set_actor(first.applied_by());
  return Store(std::move(first), 0, std::move(entry)).status();
}

std::shared_ptr<const v1::SpecGeneration> Specs::Current() const {
  std::lock_guard lock(mutex_);
  return current_;
}

absl::Status Specs::Check(const v1::SpecBundle& bundle, const std::string& file) const {
  absl::Status right = ErrorsOf(CheckSpecBundle(bundle, file));
  if (right.ok()) right = ErrorsOf(CheckRules(bundle.spec(), file));
  if (right.ok()) right = CheckSignature(bundle, file);
  if (!right.ok()) return right;
  if (bundle.spec().cluster() == cluster_) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      file, ": cluster is ", bundle.spec().cluster(), ", the certificate authority is ", cluster_,
      "'s\nfix: write cluster: ", cluster_, ", or ask that cluster's coordinator"));
}

// An older program may have taken what nodes of this one refuse: said before they are upgraded.
void Specs::TellInvalid(const v1::SpecGeneration& spec) const {
  const absl::Status right = Check(spec.bundle(), "cluster.yaml");
  if (right.ok()) return;
  spdlog::error(
      "event=SPEC_INVALID generation={} reason={} fix=\"agents of this release refuse it, and only "
      "observe their nodes: correct cluster.yaml, then: connect-ha apply\"",
      spec.generation(), LogValue(std::string(right.message())));
}

// An older program may have taken what this one does not.
absl::StatusOr<v1::SpecBundle> Specs::CheckedGeneration(uint64_t generation) {
  auto spec = store_.GetSpec(generation);
  if (!spec.ok()) return spec.status();
  // It was signed as the generation that it was: that says nothing of the one that it would become.
  spec->mutable_bundle()->clear_signed_spec();
  const absl::Status right = Check(spec->bundle(), absl::StrCat("generation ", spec->generation()));
  if (!right.ok()) return right;
  return std::move(*spec->mutable_bundle());
}

absl::StatusOr<v1::Desired> Specs::Draft(const v1::PreviewSpecRequest& request) {
  if (request.what_case() == v1::PreviewSpecRequest::kGeneration) {
    const auto bundle = CheckedGeneration(request.generation());
    if (!bundle.ok()) return bundle.status();
    return MakeDesired(*bundle);
  }
  const absl::Status right = Check(request.bundle(), "cluster.yaml");
  if (!right.ok()) return right;
  return MakeDesired(request.bundle());
}

absl::StatusOr<uint64_t> Specs::Apply(const v1::ApplySpecRequest& request, v1::AuditEntry entry,
                                      Time now) {
  v1::SpecGeneration spec;
  if (request.what_case() == v1::ApplySpecRequest::kGeneration) {
    auto bundle = CheckedGeneration(request.generation());
    if (!bundle.ok()) return bundle.status();
    *spec.mutable_bundle() = *std::move(bundle);
    spec.set_rollback_of(request.generation());
  } else {
    const absl::Status right = Check(request.bundle(), "cluster.yaml");
    if (!right.ok()) return right;
    *spec.mutable_bundle() = request.bundle();
  }
  *spec.mutable_applied_at() = ToProto(now);
  spec.set_applied_by(entry.actor());
  return Store(std::move(spec), request.newest_generation(), std::move(entry));
}

// Above whatever a node holds, since a node takes no generation that is not newer than its own; but
// what one node says of itself moves no number out of sight. A signed one has the number that it
// was signed with.
absl::StatusOr<uint64_t> Specs::Number(const v1::SpecBundle& bundle, uint64_t newest) const {
  constexpr uint64_t kLast = std::numeric_limits<int64_t>::max();  // that a store can hold
  if (newest >= kLast - 2 * kGenerationsAbove) {
    return absl::InvalidArgumentError(
        absl::StrCat("the newest generation is not ", newest,
                     "\nfix: connect-ha spec history, then the same command again"));
  }
  const uint64_t most = newest + kGenerationsAbove;
  if (!bundle.has_signed_spec()) {
    return std::max(newest, roster_.NewestGenerationHeld(most)) + 1;
  }
  const absl::StatusOr<v1::SpecToSign> is_signed = OpenSignedSpec(bundle.signed_spec());
  if (!is_signed.ok()) return is_signed.status();
  if (is_signed->generation() > newest && is_signed->generation() <= most + 1) {
    return is_signed->generation();
  }
  return absl::InvalidArgumentError(absl::StrCat("cluster.yaml: it was signed as generation ",
                                                 is_signed->generation(), "; the next is one from ",
                                                 newest + 1, " to ", most + 1,
                                                 "\nfix: connect-ha apply --sign KEY again"));
}

absl::StatusOr<uint64_t> Specs::Store(v1::SpecGeneration spec, uint64_t newest,
                                      v1::AuditEntry entry) {
  const absl::StatusOr<uint64_t> number = Number(spec.bundle(), newest);
  if (!number.ok()) return number.status();
  const uint64_t generation = *number;
  spec.set_generation(generation);
  v1::Event event;
  *event.mutable_at() = spec.applied_at();
  event.set_kind(v1::Event::SPEC_APPLIED);
  event.set_actor(spec.applied_by());
  event.set_text(Describe(spec));
  entry.set_action(v1::AuditEntry::SPEC_APPLIED);
  entry.set_subject(absl::StrCat("generation ", generation));
  entry.set_text(ShortText(event.text(), kTextBytes));
  const absl::Status stored = store_.AddSpec(spec, newest, event, entry);
  if (!stored.ok()) return stored;
  spdlog::info("event=SPEC_APPLIED by={} generation={}", spec.applied_by(), generation);
  Become(std::move(spec));
  return generation;
}

// Of two that are applied at once the newer stays, whichever comes here last.
void Specs::Become(v1::SpecGeneration spec) {
  std::lock_guard lock(mutex_);
  if (spec.generation() < current_->generation()) return;
  current_ = std::make_shared<const v1::SpecGeneration>(std::move(spec));
  roster_.SetSpec(DesiredOf(*current_), current_->applied_by());
}

absl::Status Specs::Compare(const std::string& path) const {
  const auto current = Current();
  const auto text = ReadSmallFile(path);
  if (absl::IsNotFound(text.status())) return absl::OkStatus();
  if (!text.ok()) return text.status();
  if (*text == current->bundle().source()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      path, " is not what generation ", current->generation(),
      " of the specification says, which is the newest\nfix: connect-ha apply ", ShellWord(path)));
}

}  // namespace connect_ha
