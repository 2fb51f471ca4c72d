#include "agent/assignment/held.h"

#include <google/protobuf/util/message_differencer.h>
#include <spdlog/spdlog.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/assignment/assignment_file.h"
#include "agent/assignment/standing.h"
#include "common/log.h"
#include "common/spec/signed_spec.h"
#include "common/text/short_text.h"

namespace connect_ha {
namespace {

using google::protobuf::util::MessageDifferencer;

constexpr char kRemoved[] =
    "this node was removed from its cluster\nfix: to join again: connect-ha token create where the "
    "coordinator runs, and on this node what it prints";

// All that is worth a write: serials grow with what other nodes are told, too, and reasons are for
// people.
bool IsSame(v1::Assignment a, const v1::Assignment& b) {
  a.mutable_order()->set_serial(b.order().serial());
  if (!b.has_order() && a.order().ByteSizeLong() == 0) a.clear_order();
  a.set_reason(b.reason());
  return MessageDifferencer::Equals(a, b);
}

// All that anybody has to be told of at once.
bool AsksTheSame(v1::Assignment a, const v1::Assignment& b) {
  a.set_reason(b.reason());
  return MessageDifferencer::Equals(a, b);
}

bool IsSame(const std::optional<Refusal>& a, const std::optional<Refusal>& b) {
  if (!a || !b) return a.has_value() == b.has_value();
  return a->generation == b->generation && a->why == b->why;
}

}  // namespace

Held::Held(HeldOptions options, WritableHost& host)
    : options_(std::move(options)), host_(host), orders_(std::make_shared<const v1::Assignment>()) {
  kept_.set_state(v1::OBSERVED);
}

void Held::OnChange(std::function<void()> changed) { changed_ = std::move(changed); }

void Held::Label(v1::Assignment& assignment) const {
  assignment.set_cluster(options_.owner.cluster);
  assignment.set_machine_id(options_.owner.machine_id);
  assignment.set_enrolment(options_.owner.enrolment);
}

absl::Status Held::Take(const v1::HeartbeatResponse& answer) {
  if (kept_.removed()) return on_disk_ ? absl::OkStatus() : Persist();
  const Standing standing = StandingOf(kept_, answer);
  TellOlder(answer);
  if (standing == Standing::kNothing) return on_disk_ ? absl::OkStatus() : Persist();
  const std::optional<Refusal> before = std::exchange(refused_, std::nullopt);
  v1::Assignment next = kept_;
  Label(next);
  if (standing == Standing::kAll && answer.has_desired() && IsNewer(answer.desired(), kept_)) {
    TakeDesired(answer.desired(), next);
  }
  // A lineage comes with its specification, or not at all.
  const bool of_ours = LineageOf(kept_).empty() || LineageOf(kept_) == answer.order().lineage();
  if (answer.has_order() && (of_ours || !refused_)) *next.mutable_order() = answer.order();
  // Where the specification is refused, what is asked for its sake is not done for another's.
  // What else is said of the state that it has, that no other node serves, say, is no such thing.
  const bool is_its_own = answer.assigned_state() == kept_.state();
  const bool may = standing == Standing::kAll && (!refused_ || is_its_own);
  if (answer.assigned_state() != v1::NODE_STATE_UNSPECIFIED &&
      (may || !Permits(answer.assigned_state()))) {
    next.set_state(answer.assigned_state());
    next.set_reason(ShortText(answer.assigned_reason(), kTextBytes));
    next.set_release(answer.assigned_state() == v1::OBSERVED && answer.release());
    next.set_closed(answer.assigned_state() == v1::SERVING && answer.closed());
    if (!answer.others_not_known()) next.set_no_other_serves(answer.no_other_serves());
    *next.mutable_waived() = answer.waived();
    next.clear_since();
    if (answer.has_assigned_since()) *next.mutable_since() = answer.assigned_since();
    next.set_not_before(answer.not_before());
  }
  if (standing == Standing::kAll && answer.has_database_restored()) {
    *next.mutable_database_restored() = answer.database_restored();
  }
  TellRefusal(before);
  absl::Status committed = Commit(std::move(next));
  if (!IsSame(CurrentRefusal(), refusal())) Publish();
  if (standing == Standing::kAll) TakeAhead(answer);
  return committed;
}

void Held::TakeDesired(const v1::Desired& offered, v1::Assignment& next) {
  absl::StatusOr<v1::Desired> checked = CheckDesired(offered, demands_);
  // What was signed once could be sent again. What a coordinator says of lineage and time is not
  // signed, and no reason to go back.
  const bool has_signed = demands_.signers.ok() && !demands_.signers->empty() && !held_refusal_ &&
                          kept_.desired().generation() > 0;
  if (checked.ok() && has_signed && checked->generation() <= kept_.desired().generation()) {
    checked = absl::FailedPreconditionError(
        absl::StrCat("it is not above generation ", kept_.desired().generation(),
                     ", which this node holds signed\nfix: connect-ha apply --sign KEY, which "
                     "numbers it above"));
  }
  if (checked.ok()) {
    *next.mutable_desired() = *std::move(checked);
  } else {
    refused_ = Refusal{offered.generation(), checked.status()};
  }
}

void Held::TellOlder(const v1::HeartbeatResponse& answer) {
  const bool older = StandingOf(kept_, answer) != Standing::kAll;
  if (std::exchange(older_told_, older) == older || !older) return;
  spdlog::warn("event=older-specification-not-taken held={} offered={} lineage={}",
               kept_.desired().generation(), answer.assigned_generation(),
               LogValue(answer.order().lineage()));
}

void Held::TellRefusal(const std::optional<Refusal>& before) const {
  const std::optional<Refusal>& now = refused_ ? refused_ : held_refusal_;
  if (!now || (before && before->why == now->why)) return;
  spdlog::error("event=specification-refused generation={} reason={}", now->generation,
                LogValue(std::string(now->why.message())));
}

absl::Status Held::TakeRemoval() {
  v1::Assignment next = kept_;
  Label(next);
  if (!kept_.removed()) spdlog::warn("event=removed-from-cluster cluster={}", next.cluster());
  next.set_removed(true);
  Pause(next);
  next.clear_reason();
  next.clear_release();
  next.clear_closed();
  SetAhead(nullptr);
  return Commit(std::move(next));
}

absl::Status Held::Commit(v1::Assignment next) {
  const bool same = IsSame(kept_, next);
  if (same && on_disk_) {
    const bool says_more =
        kept_.reason() != next.reason() || !MessageDifferencer::Equals(kept_.order(), next.order());
    *kept_.mutable_order() = next.order();
    kept_.set_reason(next.reason());
    if (says_more) Publish();
    return absl::OkStatus();
  }
  if (IsPermission(next)) return CommitPermission(std::move(next));
  if (!same) Hold(std::move(next));
  return Persist();
}

absl::Status Held::CommitPermission(v1::Assignment next) {
  const absl::Status stored = StoreAssignment(host_, options_.state_dir, next);
  if (stored.ok()) {
    on_disk_ = true;
    Hold(std::move(next));
    DropCopy();
    return stored;
  }
  if (!IsPermission(kept_)) return stored;
  if (MessageDifferencer::Equals(next.desired(), kept_.desired())) {
    // What else is said of a state that is permitted: that no other node serves, what is waived.
    // After a restart it is as on the disk, until it is said again.
    if (next.state() == kept_.state()) {
      on_disk_ = false;
      if (!IsSame(kept_, next)) Hold(std::move(next));
    }
    return stored;
  }
  // What is superseded is not gone by any longer either.
  v1::Assignment paused = kept_;
  Pause(paused);
  Label(paused);
  on_disk_ = false;
  Hold(std::move(paused));
  const absl::Status copied = Copy();
  if (copied.ok()) return stored;
  return absl::Status(stored.code(), absl::StrCat(stored.message(), "; ", copied.message()));
}

// From now on.
void Held::Hold(v1::Assignment next) {
  if (!MessageDifferencer::Equals(next.desired(), kept_.desired())) held_refusal_.reset();
  kept_ = std::move(next);
  spdlog::info("event=assigned state={} generation={} removed={}",
               v1::NodeState_Name(kept_.state()), kept_.desired().generation(), kept_.removed());
  Publish();
}

// A copy restricts.
absl::Status Held::Persist() {
  const absl::Status copied = IsPermission(kept_) ? absl::OkStatus() : Copy();
  const absl::Status stored = StoreAssignment(host_, options_.state_dir, kept_);
  on_disk_ = stored.ok();
  if (on_disk_) DropCopy();
  if (on_disk_ || copied.ok()) return stored;
  return absl::Status(stored.code(), absl::StrCat(stored.message(), "; ", copied.message()));
}

absl::Status Held::Copy() {
  if (options_.runtime_dir.empty()) return absl::OkStatus();
  return StoreAssignment(host_, options_.runtime_dir, kept_);
}

// It would only restrict what has been permitted since.
void Held::DropCopy() {
  if (options_.runtime_dir.empty()) return;
  const absl::Status dropped = RemoveAssignment(host_, options_.runtime_dir);
  if (!dropped.ok()) {
    spdlog::warn("event=copy-not-removed error={}", LogValue(std::string(dropped.message())));
  }
}

v1::Assignment Held::Effective() const {
  v1::Assignment effective;
  effective.set_state(kept_.state());
  effective.set_removed(kept_.removed());
  effective.set_reason(kept_.reason());
  effective.set_no_other_serves(kept_.no_other_serves());
  *effective.mutable_waived() = kept_.waived();
  if (kept_.has_database_restored()) {
    *effective.mutable_database_restored() = kept_.database_restored();
  }
  effective.set_not_before(kept_.not_before());
  // A later one has Connect started anew, where that had been tried too often.
  if (kept_.state() == v1::SERVING && kept_.has_order()) {
    *effective.mutable_order() = kept_.order();
  }
  if (!kept_.removed() && !held_refusal_ && kept_.has_desired()) {
    *effective.mutable_desired() = kept_.desired();
  }
  const bool allowed = IsAllowed(kept_.state(), options_.allow);
  if (!allowed || kept_.removed() || held_refusal_) effective.set_state(v1::OBSERVED);
  effective.set_closed(effective.state() == v1::SERVING && kept_.closed());
  if (effective.state() == kept_.state() && kept_.has_since()) {
    *effective.mutable_since() = kept_.since();
  }
  const bool may_release = options_.allow != v1::ALLOW_OBSERVE && !kept_.removed();
  effective.set_release(may_release && kept_.state() == v1::OBSERVED && kept_.release());
  return effective;
}

std::optional<Refusal> Held::CurrentRefusal() const {
  if (kept_.removed()) {
    return Refusal{kept_.desired().generation(), absl::FailedPreconditionError(kRemoved)};
  }
  return refused_ ? refused_ : held_refusal_;
}

void Held::Publish() {
  auto orders = std::make_shared<const v1::Assignment>(Effective());
  HeldReport report;
  report.generation = kept_.desired().generation();
  report.lineage = kept_.desired().lineage();
  if (kept_.desired().has_applied_at()) report.applied_at = kept_.desired().applied_at();
  report.order = kept_.order();
  report.allow = options_.allow;
  if (demands_.signers.ok()) {
    for (const std::string& key : *demands_.signers) {
      report.trusted_signers.push_back(PublicKeyName(key));
    }
  }
  std::optional<Refusal> refusal = CurrentRefusal();
  bool other = false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    other = !AsksTheSame(*orders, *orders_);
    const bool alike = !other && IsSame(refusal, refusal_) &&
                       report.generation == report_.generation && report.lineage == report_.lineage;
    if (!alike) ++version_;
    orders_ = std::move(orders);
    report_ = std::move(report);
    refusal_ = std::move(refusal);
  }
  if (other && changed_) changed_();
}

std::shared_ptr<const v1::Assignment> Held::Orders() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return orders_;
}

HeldReport Held::Report() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return report_;
}

std::optional<Refusal> Held::refusal() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return refusal_;
}

uint64_t Held::version() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return version_;
}

absl::StatusOr<v1::Desired> Held::CheckDraft(const v1::Desired& draft) const {
  if (Orders()->removed()) return absl::FailedPreconditionError(kRemoved);
  return connect_ha::CheckDraft(draft, demands_);
}

bool SaysRemoved(const absl::Status& status) { return status.message() == kRemoved; }

absl::StatusOr<v1::Desired> ReadBeforeRemoval(Host& host, const std::string& state_dir) {
  const absl::StatusOr<v1::Assignment> held = LoadAssignment(host, state_dir);
  if (!held.ok()) return held.status();
  return held->desired();
}

absl::StatusOr<v1::Assignment> ReadHeld(Host& host, const std::string& state_dir,
                                        const std::string& runtime_dir) {
  absl::StatusOr<v1::Assignment> held = LoadAssignment(host, state_dir);
  absl::StatusOr<v1::Assignment> copy = absl::NotFoundError("none");
  if (!runtime_dir.empty()) copy = LoadAssignment(host, runtime_dir);
  if (copy.ok() && (!held.ok() || CopyPrevails(*copy, *held))) {
    held = *std::move(copy);
    if (IsPermission(*held)) held->set_state(v1::OBSERVED);
  }
  if (!held.ok()) return held;
  if (held->removed()) return absl::FailedPreconditionError(kRemoved);
  const uint64_t generation = held->desired().generation();
  if (generation == 0) return held;
  Demands demands;
  // Of release 0.1, which named none beside it.
  demands.cluster = held->cluster().empty() ? held->desired().spec().cluster() : held->cluster();
  demands.signers = ReadTrustedSigners(host, kTrustedDirectory);
  absl::StatusOr<v1::Desired> checked = CheckDesired(held->desired(), demands);
  if (!checked.ok()) {
    return absl::Status(checked.status().code(),
                        absl::StrCat("generation ", generation, ", which this node holds, is not ",
                                     "gone by: ", checked.status().message()));
  }
  *held->mutable_desired() = *std::move(checked);
  return held;
}

}  // namespace connect_ha
