#include "agent/resources/converge/converge.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "agent/assignment/standing.h"
#include "agent/resources/connect_unit.h"
#include "agent/resources/converge/step_progress.h"
#include "agent/resources/converge/turning.h"
#include "agent/resources/install/tidy.h"
#include "agent/resources/runtime_trials.h"
#include "common/log.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstBackoff{5'000};
constexpr milliseconds kLastBackoff{300'000};
constexpr int kMostChanges = 5;  // of one resource in one turn
constexpr char kJournal[] = "journal";
constexpr char kTidying[] = "what earlier steps left";

}  // namespace

Converge::Converge(ConvergeOptions options, WritableHost& host, ProbeCache& cache,
                   ChangeJournal& journal)
    : options_(std::move(options)),
      host_(host),
      cache_(cache),
      journal_(journal),
      integrity_(host, cache),
      backoff_(kFirstBackoff, kLastBackoff),
      notes_(host, options_.state_dir + "/service"),
      ahead_([this](const v1::Desired& desired) { return MakeContext(desired); }, journal) {}

ResourceContext Converge::MakeContext(const v1::Desired& desired) {
  return {host_,
          cache_,
          integrity_,
          desired,
          options_.agent_config,
          options_.node,
          options_.state_dir,
          options_.cache_dir,
          options_.credentials_dir,
          options_.digest_key,
          &notes_,
          {},
          nullptr,
          options_.facts};
}

std::optional<milliseconds> Converge::Turn(const v1::Assignment& assignment, TurnWatch& watch,
                                           const v1::Desired* ahead) {
  Turning turning{assignment, watch, MakeContext(assignment.desired()), {}, {}, {}, {}, {},
                  false,      {}};
  if (ahead != nullptr) turning.context.beside = &ahead->spec();
  TakeCourse(turning);
  BeginTurn(turning);
  SeeUnitFirst(turning);
  auto resources = MakeAll(turning);
  if (!resources.ok()) {
    AddTrouble(turning, kSpecificationName, resources.status());
    Finish(turning);
    return turning.retry;
  }
  turning.resources = *std::move(resources);
  while (!watch.Stopped() && Round(turning)) {
  }
  NoteServing(turning);
  return turning.retry;
}

void Converge::BeginTurn(Turning& turning) {
  turning.report.set_generation(turning.generation());
  const v1::Desired& desired = turning.assignment.desired();
  if (IsOneSpecification(desired, latest_)) return;
  latest_ = IdentityOf(desired);
  holds_.clear();
  backoffs_.clear();
  backoff_.Reset();
  tidy_due_ = true;
  turning.report.set_state(v1::Convergence::LOOKING);
  turning.watch.Publish(turning.report);
}

bool Converge::Round(Turning& turning) {
  turning.looks = LookAtNode(turning.context, turning.resources);
  const absl::StatusOr<v1::Unit> unit = ReadConnectUnit(turning.context);
  turning.connect_is_up = !unit.ok() || IsUp(*unit);
  turning.retry.reset();
  turning.look_again.reset();
  turning.stuck = false;
  Report(turning);
  const absl::Status settled = SettleBegun(turning);
  if (!settled.ok()) AddTrouble(turning, kJournal, settled);
  if (settled.ok() && turning.course.acts()) {
    // What failed is found held in the next round, as it looks then.
    if (const LookedAt* next = NextToChange(turning)) {
      return !absl::IsCancelled(Change(turning, *next));
    }
    if (turning.course.resources != Transition::kNone) {
      TryRuntimes(turning);
      if (tidy_due_ && turning.report.troubles_size() == 0) return Tidy(turning);
    }
  }
  Finish(turning);
  return false;
}

// Under a Connect that runs, what waits for it to be stopped comes first: it is what keeps the node
// from being right.
void Converge::Report(Turning& turning) {
  turning.report.Clear();
  turning.report.set_generation(turning.generation());
  const bool waits_first = turning.connect_is_up && turning.course.resources != Transition::kAll;
  std::vector<const LookedAt*> changes;
  for (const LookedAt& look : turning.looks) {
    if (look.change) changes.push_back(&look);
    if (IsUnit(look)) {
      turning.watch.UnitSeen(turning.course.unit, look.status.ok() && !look.change);
    }
    if (look.status.ok()) continue;
    AddTrouble(turning, look.resource->Name(), look.status);
    // It looks otherwise than when it failed.
    holds_.erase(look.resource->Name());
  }
  if (waits_first) SortByNeeds(changes);
  for (const LookedAt* look : changes) *turning.report.add_changes() = *look->change;
  turning.report.set_needs(MostNeeded(turning.report.changes()));
}

// A change that was begun when the agent was killed: it was made, or a part of it, or is still to
// be.
absl::Status Converge::SettleBegun(const Turning& turning) {
  v1::ChangeMade begun = journal_.begun();
  if (begun.change().resource().empty()) return absl::OkStatus();
  for (const LookedAt& look : turning.looks) {
    if (look.resource->Name() != begun.change().resource()) continue;
    if (!look.status.ok()) break;
    begun.set_duration_us((host_.Now() - FromProto(begun.at())).count());
    return look.change ? journal_.FinishPart(begun, look.change) : journal_.Finish(begun);
  }
  // Of what the node gets ready for: that is settled there, or once it is in force.
  if (begun.generation() > turning.generation()) return absl::OkStatus();
  return journal_.Abandon();
}

const LookedAt* Converge::NextToChange(Turning& turning) {
  const LookedAt* next = nullptr;
  for (const LookedAt& look : turning.looks) {
    if (!look.change || !MayMake(turning, look) || !MayBegin(turning, look)) continue;
    if (const Hold* hold = FindHold(turning, *look.change)) {
      TellHeld(turning, *hold);
    } else if (next == nullptr) {
      next = &look;
    }
  }
  return next;
}

// What it comes after is as it should be.
bool Converge::MayBegin(const Turning& turning, const LookedAt& look) const {
  const bool unit_first = turning.course.unit == UnitWanted::kHeld;
  if (!IsUnit(look)) return IsReady(look, turning.looks, unit_first);
  std::vector<LookedAt> in_the_way;
  for (const LookedAt& other : turning.looks) {
    if (KeepsFromStart(turning, other)) in_the_way.push_back(other);
  }
  return IsReady(look, in_the_way, unit_first);
}

const Converge::Hold* Converge::FindHold(const Turning& turning, const v1::Change& change) {
  const auto found = holds_.find(change.resource());
  if (found == holds_.end()) return nullptr;
  Hold& hold = found->second;
  if (!hold.looked) {
    hold.change = change;
    hold.looked = true;
  }
  if (!SameChange(hold.change, change)) return nullptr;
  return !hold.retry_at || turning.watch.Now() < *hold.retry_at ? &hold : nullptr;
}

void Converge::TellHeld(Turning& turning, const Hold& hold) {
  *turning.report.add_troubles() = hold.trouble;
  if (!hold.retry_at) {
    turning.stuck = true;
    return;
  }
  turning.RetryIn(std::chrono::ceil<milliseconds>(*hold.retry_at - turning.watch.Now()));
}

absl::Status Converge::Change(Turning& turning, const LookedAt& look) {
  // The look at everything may have taken minutes, and somebody said stop meanwhile.
  if (turning.watch.Stopped()) return absl::CancelledError("stopped");
  const v1::Change& change = *look.change;
  v1::ChangeMade made;
  *made.mutable_at() = ToProto(host_.Now());
  *made.mutable_change() = change;
  made.set_generation(turning.generation());
  StepProgress progress(turning.report, change.resource(), host_.Now(), turning.watch);
  absl::Status status = journal_.Begin(made);
  if (status.ok() || look.resource->Restricts()) status = ApplyAndLook(*look.resource, progress);
  // The installer that it waited for goes on: the change stays begun.
  if (absl::IsCancelled(status)) return status;
  if (!status.ok()) {
    HoldBack(turning, look, status, progress.log());
    const absl::StatusOr<std::optional<v1::Change>> left = look.resource->Differs();
    progress.Fill(made);
    return journal_.FinishPart(made, left.ok() ? *left : std::nullopt);
  }
  progress.Fill(made);
  spdlog::info("event=changed resource={} from={} to={} generation={} took={}",
               LogValue(change.resource()), LogValue(change.from()), LogValue(change.to()),
               turning.generation(),
               LogValue(FormatSpan(std::chrono::microseconds(made.duration_us()))));
  holds_.erase(change.resource());
  backoffs_.erase(change.resource());
  backoff_.Reset();
  tidy_due_ = true;
  if (++turning.changed[change.resource()] == kMostChanges) {
    HoldBack(turning, look,
             absl::FailedPreconditionError(absl::StrCat(
                 "was changed ", kMostChanges, " times, and something changes it back each time")),
             "");
  }
  return journal_.Finish(made);
}

absl::Status Converge::ApplyAndLook(Resource& resource, StepProgress& progress) {
  absl::Status applied = resource.Apply(progress);
  VerifyAgain();
  if (!applied.ok()) return applied;
  const absl::StatusOr<std::optional<v1::Change>> still = resource.Differs();
  if (!still.ok()) return still.status();
  if (!still->has_value()) return absl::OkStatus();
  return absl::FailedPreconditionError("was made so, and is not: " + (*still)->from());
}

void Converge::HoldBack(const Turning& turning, const LookedAt& look, const absl::Status& status,
                        const std::string& log) {
  const v1::Change& change = *look.change;
  Hold hold;
  hold.change = change;
  hold.trouble = ToTrouble(change.resource(), status);
  hold.trouble.set_log(log);
  const auto before = holds_.find(change.resource());
  const bool told =
      before != holds_.end() && before->second.trouble.error() == hold.trouble.error();
  if (!told) {
    spdlog::warn("event=change-failed resource={} error={}", LogValue(change.resource()),
                 LogValue(hold.trouble.error()));
  }
  if (PassesByItself(status)) {
    Backoff& backoff = backoffs_
                           .try_emplace(change.resource(), look.resource->FirstRetry(),
                                        look.resource->LongestRetry())
                           .first->second;
    const milliseconds wait = backoff.Next();
    hold.retry_at = turning.watch.Now() + wait;
    *hold.trouble.mutable_retry_at() = ToProto(host_.Now() + wait);
  }
  holds_[change.resource()] = std::move(hold);
}

void Converge::VerifyAgain() {
  integrity_.Forget();
  cache_.trials.ForgetFailures();  // something on the node changed, or somebody asks
}

void Converge::TryAgain() {
  holds_.clear();
  ahead_.TryAgain();
}

std::optional<milliseconds> Converge::GetReady(const v1::Assignment& assignment,
                                               const v1::Desired& ahead, AheadWatch& watch) {
  const v1::Allow allow = options_.agent_config.allow();
  AheadOrder order{ahead, assignment.desired()};
  order.may_fetch = allow != v1::ALLOW_OBSERVE && ahead.spec().enforcement() == v1::ENFORCE;
  order.may_add =
      order.may_fetch &&
      CourseOf(assignment, notes_.Get().reached(), allow).resources != Transition::kNone;
  return ahead_.GetReady(order, watch);
}

// Nothing is left to change, and what was installed has still to prove itself.
void Converge::TryRuntimes(Turning& turning) {
  if (turning.report.troubles_size() > 0) return;
  for (const NamedRuntime& runtime :
       NamedRuntimes(turning.assignment.desired().spec().runtimes())) {
    if (turning.watch.Stopped()) return;
    std::optional<absl::Status> works = KnownTrial(turning.context, runtime);
    if (!works) {
      StepProgress progress(turning.report, runtime.Name(), host_.Now(), turning.watch);
      progress.Enter(v1::Step::VERIFYING);
      works = TryNamed(turning.context, runtime);
    }
    if (!works->ok()) AddTrouble(turning, runtime.Name(), *works);
  }
}

bool Converge::Tidy(Turning& turning) {
  StepProgress progress(turning.report, kTidying, host_.Now(), turning.watch);
  const absl::Status tidied = TidyUp(turning.context, progress);
  if (absl::IsCancelled(tidied)) return false;
  // What was here for nobody may be gone.
  if (turning.context.beside == nullptr) ahead_.TryAgain();
  tidy_due_ = !tidied.ok();
  if (tidied.ok()) return true;
  AddTrouble(turning, kTidying, tidied);
  Finish(turning);
  return false;
}

void Converge::AddTrouble(Turning& turning, const std::string& resource,
                          const absl::Status& status) {
  v1::Trouble& trouble = *turning.report.add_troubles();
  trouble = ToTrouble(resource, status);
  if (!PassesByItself(status)) {
    turning.stuck = true;
    return;
  }
  if (!turning.look_again) turning.look_again = backoff_.Next();
  turning.RetryIn(*turning.look_again);
  *trouble.mutable_retry_at() = ToProto(host_.Now() + *turning.look_again);
}

void Converge::Finish(Turning& turning) {
  v1::Convergence& report = turning.report;
  if (turning.stuck) {
    report.set_state(v1::Convergence::STUCK);
  } else if (report.troubles_size() > 0) {
    report.set_state(v1::Convergence::WAITING);
  } else if (report.changes_size() > 0) {
    report.set_state(v1::Convergence::DIFFERS);
  } else {
    report.set_state(v1::Convergence::CONVERGED);
  }
  turning.watch.Publish(report);
}

v1::Preview Converge::MakePreview(const v1::Desired& desired, const std::string& noun) {
  ResourceContext context = MakeContext(desired);
  context.service.unit = UnitWanted::kAsItIs;
  v1::Preview preview;
  auto resources = MakeResources(context);
  if (!resources.ok()) {
    *preview.add_troubles() = ToTrouble(kSpecificationName, resources.status());
    return preview;
  }
  std::vector<std::unique_ptr<Resource>> chosen;
  for (std::unique_ptr<Resource>& resource : *resources) {
    if (noun.empty() || IsNamed(resource->Name(), noun)) chosen.push_back(std::move(resource));
  }
  return ToPreview(LookAtNode(context, chosen));
}

}  // namespace connect_ha
