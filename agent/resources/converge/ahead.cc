#include "agent/resources/converge/ahead.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "agent/assignment/standing.h"
#include "agent/resources/converge/step_progress.h"
#include "agent/resources/integrity.h"
#include "agent/resources/nouns.h"
#include "agent/resources/runtime_trials.h"
#include "common/log.h"
#include "common/time.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstBackoff{5'000};
constexpr milliseconds kLastBackoff{300'000};
// How the names of resources begin that are made beside everything else.
constexpr const char* kAdded[] = {"account ", "package r-", "package python-", "archive "};

// What these look at is there only once what they come after is: that is not in their way.
constexpr const char* kLookedAtLater[] = {"mount", "directory", "mark"};

bool LooksLater(const LookedAt& look) {
  const std::string name = look.resource->Name();
  return std::any_of(std::begin(kLookedAtLater), std::end(kLookedAtLater),
                     [&name](const char* beginning) { return IsNamed(name, beginning); });
}

bool IsAddition(const LookedAt& look) {
  const std::string name = look.resource->Name();
  return std::any_of(std::begin(kAdded), std::end(kAdded),
                     [&name](const char* beginning) { return absl::StartsWith(name, beginning); });
}

}  // namespace

// What is known while one call lasts.
struct Ahead::Pass {
  const AheadOrder& order;
  AheadWatch& watch;
  ResourceContext context;
  std::vector<std::unique_ptr<Resource>> resources;
  std::vector<LookedAt> looks;
  std::set<std::string> held;   // names of what the node's own specification asks for
  std::set<std::string> tried;  // names of what was added, or was to be
  std::vector<std::pair<v1::Trouble, bool>> found;  // and whether it passes by itself
  v1::Ahead report;
  std::optional<milliseconds> retry;

  bool WouldAdd(const LookedAt& look) const {
    return order.may_add && look.change && look.change->needs() == v1::Change::NOTHING &&
           IsAddition(look) && held.count(look.resource->Name()) == 0;
  }
  void Found(const std::string& resource, const absl::Status& status) {
    found.emplace_back(ToTrouble(resource, status), PassesByItself(status));
  }
  StepProgress Working(const std::string& resource) {
    const auto publish = [this](const v1::Step& step) {
      v1::Ahead published = report;
      *published.mutable_step() = step;
      watch.Publish(published);
    };
    return StepProgress(publish, resource, context.host.Now(), watch);
  }
};

Ahead::Ahead(std::function<ResourceContext(const v1::Desired& desired)> make_context,
             ChangeJournal& journal)
    : make_context_(std::move(make_context)),
      journal_(journal),
      backoff_(kFirstBackoff, kLastBackoff) {}

void Ahead::TryAgain() {
  failures_.clear();
  brought_.clear();
}

std::optional<milliseconds> Ahead::GetReady(const AheadOrder& order, AheadWatch& watch) {
  Pass pass{order, watch, make_context_(order.desired), {}, {}, {}, {}, {}, {}, {}};
  Begin(pass);
  const ResourceContext of_held = make_context_(order.held);
  const auto held = MakeResources(of_held);
  auto resources = MakeResources(pass.context);
  if (!resources.ok() || !held.ok()) {
    pass.Found(kSpecificationName, resources.ok() ? held.status() : resources.status());
    Report(pass);
    return pass.retry;
  }
  for (const std::unique_ptr<Resource>& resource : *held) pass.held.insert(resource->Name());
  pass.resources = *std::move(resources);
  LookAgain(pass);
  SettleBegun(pass);
  if (BringAll(pass) && AddAll(pass) && TryRuntimes(pass)) Report(pass);
  return pass.retry;
}

void Ahead::Begin(Pass& pass) {
  const AheadOrder& order = pass.order;
  if (!IsOneSpecification(order.desired, latest_)) {
    latest_ = IdentityOf(order.desired);
    backoff_.Reset();
    TryAgain();
  }
  pass.report.set_generation(order.desired.generation());
  pass.report.set_lineage(order.desired.lineage());
  *pass.report.mutable_applied_at() = order.desired.applied_at();
  pass.context.beside = &order.held.spec();
  pass.context.service.unit = UnitWanted::kAsItIs;
  pass.context.service.leaves_connect = true;
}

// Connect's unit is no part of a specification.
void Ahead::LookAgain(Pass& pass) const {
  pass.looks = LookAtNode(pass.context, pass.resources);
  pass.looks.erase(std::remove_if(pass.looks.begin(), pass.looks.end(), IsUnit), pass.looks.end());
  std::vector<const LookedAt*> changes;
  for (const LookedAt& look : pass.looks) {
    if (look.change) changes.push_back(&look);
  }
  SortByNeeds(changes);
  pass.report.clear_changes();
  for (const LookedAt* look : changes) *pass.report.add_changes() = *look->change;
  pass.report.set_needs(MostNeeded(pass.report.changes()));
}

bool Ahead::BringAll(Pass& pass) {
  for (const LookedAt& look : pass.looks) {
    const std::string name = look.resource->Name();
    if (!pass.order.may_fetch || !look.change || brought_.count(name) > 0) continue;
    if (FindFailure(pass, look) != nullptr) continue;
    if (pass.watch.Stopped()) return false;
    StepProgress progress = pass.Working(name);
    const absl::Status brought = look.resource->Bring(progress);
    if (absl::IsCancelled(brought)) return false;
    if (brought.ok()) {
      brought_.insert(name);
      failures_.erase(name);
      backoff_.Reset();
    } else {
      NoteFailure(pass, name, brought, progress.log());
    }
  }
  return true;
}

bool Ahead::AddAll(Pass& pass) {
  while (const LookedAt* next = NextToAdd(pass)) {
    if (pass.watch.Stopped()) return false;
    const std::string name = next->resource->Name();
    StepProgress progress = pass.Working(name);
    const absl::Status added = Add(pass, *next, progress);
    // The installer that it waited for goes on: the change stays begun.
    if (absl::IsCancelled(added)) return false;
    pass.tried.insert(name);
    if (added.ok()) {
      failures_.erase(name);
      backoff_.Reset();
    } else {
      NoteFailure(pass, name, added, progress.log());
      RemoveUnfinished(pass, progress);
    }
    LookAgain(pass);
  }
  return true;
}

const LookedAt* Ahead::NextToAdd(const Pass& pass) {
  for (const LookedAt& look : pass.looks) {
    const std::string name = look.resource->Name();
    if (!pass.WouldAdd(look) || brought_.count(name) == 0 || pass.tried.count(name) > 0) continue;
    if (FindFailure(pass, look) != nullptr) continue;
    if (IsReady(look, pass.looks, /*unit_first=*/false)) return &look;
  }
  return nullptr;
}

absl::Status Ahead::Add(Pass& pass, const LookedAt& look, StepProgress& progress) {
  v1::ChangeMade made;
  *made.mutable_at() = ToProto(pass.context.host.Now());
  *made.mutable_change() = *look.change;
  made.set_generation(pass.order.desired.generation());
  absl::Status done = journal_.Begin(made);
  if (done.ok()) done = look.resource->Apply(progress);
  if (absl::IsCancelled(done)) return done;
  pass.context.integrity.Forget();
  pass.context.cache.trials.ForgetFailures();
  const absl::StatusOr<std::optional<v1::Change>> left = look.resource->Differs();
  progress.Fill(made);
  if (done.ok()) done = left.status();
  if (done.ok() && left->has_value()) {
    done = absl::FailedPreconditionError("was made so, and is not: " + (*left)->from());
  }
  if (!done.ok()) {
    journal_.FinishPart(made, left.ok() ? *left : std::nullopt).IgnoreError();
    return done;
  }
  spdlog::info("event=added-ahead resource={} to={} generation={}",
               LogValue(made.change().resource()), LogValue(made.change().to()), made.generation());
  return journal_.Finish(made);
}

// A package that did not get so far would keep apt from everything that is in force.
void Ahead::RemoveUnfinished(const Pass& pass, StepProgress& progress) {
  ResourceContext context = make_context_(pass.order.held);
  context.service = pass.context.service;
  const std::unique_ptr<Resource> unfinished = MakeLeftovers(context);
  const absl::StatusOr<std::optional<v1::Change>> left = unfinished->Differs();
  if (!left.ok() || !left->has_value()) return;
  const absl::Status removed = unfinished->Apply(progress);
  spdlog::warn("event=unfinished-removed packages={} error={}", LogValue((*left)->from()),
               LogValue(std::string(removed.message())));
}

// What was being added when the agent was killed: it was, or in part, or is still to be.
void Ahead::SettleBegun(const Pass& pass) {
  v1::ChangeMade begun = journal_.begun();
  if (begun.generation() != pass.order.desired.generation()) return;
  for (const LookedAt& look : pass.looks) {
    if (look.resource->Name() != begun.change().resource() || !look.status.ok()) continue;
    begun.set_duration_us((pass.context.host.Now() - FromProto(begun.at())).count());
    const absl::Status settled =
        look.change ? journal_.FinishPart(begun, look.change) : journal_.Finish(begun);
    if (settled.ok()) return;
    spdlog::warn("event=journal-not-written error={}", LogValue(std::string(settled.message())));
  }
}

// Whether what is there now works, before anybody counts on it.
bool Ahead::TryRuntimes(Pass& pass) {
  const bool lacks = std::any_of(pass.looks.begin(), pass.looks.end(), [](const LookedAt& look) {
    return IsAddition(look) && (look.change || !look.status.ok());
  });
  if (lacks || !pass.order.may_add) return true;
  for (const NamedRuntime& runtime : NamedRuntimes(pass.order.desired.spec().runtimes())) {
    std::optional<absl::Status> works = KnownTrial(pass.context, runtime);
    if (!works) {
      if (pass.watch.Stopped()) return false;
      StepProgress progress = pass.Working(runtime.Name());
      progress.Enter(v1::Step::VERIFYING);
      works = TryNamed(pass.context, runtime);
    }
    if (!works->ok()) pass.Found(runtime.Name(), *works);
  }
  return true;
}

void Ahead::NoteFailure(const Pass& pass, const std::string& resource, const absl::Status& status,
                        const std::string& log) {
  Failure failure;
  failure.trouble = ToTrouble(resource, status);
  failure.trouble.set_log(log);
  const auto before = failures_.find(resource);
  if (before == failures_.end() || before->second.trouble.error() != failure.trouble.error()) {
    spdlog::warn("event=not-ready resource={} generation={} error={}", LogValue(resource),
                 pass.order.desired.generation(), LogValue(failure.trouble.error()));
  }
  if (PassesByItself(status)) {
    const milliseconds wait = backoff_.Next();
    failure.retry_at = pass.watch.Now() + wait;
    *failure.trouble.mutable_retry_at() = ToProto(pass.context.host.Now() + wait);
  }
  failures_[resource] = std::move(failure);
}

const Ahead::Failure* Ahead::FindFailure(const Pass& pass, const LookedAt& look) {
  const auto found = failures_.find(look.resource->Name());
  if (found == failures_.end()) return nullptr;
  Failure& failure = found->second;
  if (!failure.change) failure.change = *look.change;
  if (!SameChange(*failure.change, *look.change)) return nullptr;
  const bool is_due = failure.retry_at && pass.watch.Now() >= *failure.retry_at;
  return is_due ? nullptr : &failure;
}

void Ahead::Report(Pass& pass) {
  bool is_left = false;
  for (const LookedAt& look : pass.looks) {
    const std::string name = look.resource->Name();
    if (!look.status.ok()) {
      const bool is_later = LooksLater(look) && !IsReady(look, pass.looks, /*unit_first=*/false);
      if (!is_later) pass.Found(name, look.status);
    } else if (!look.change) {
      failures_.erase(name);
    } else {
      const bool lacks = pass.order.may_fetch && brought_.count(name) == 0;
      is_left = is_left || lacks || pass.WouldAdd(look);
    }
  }
  // As it will be once it is in force: what is beside is no longer kept then.
  pass.context.beside = nullptr;
  LookAgain(pass);
  const auto retry_in = [&pass](milliseconds wait) {
    pass.retry = std::min(pass.retry.value_or(wait), wait);
  };
  for (const auto& [name, failure] : failures_) {
    *pass.report.add_troubles() = failure.trouble;
    if (!failure.retry_at) continue;
    const auto wait = std::chrono::ceil<milliseconds>(*failure.retry_at - pass.watch.Now());
    retry_in(std::max(wait, milliseconds(0)));
  }
  std::optional<milliseconds> look_again;
  for (auto& [trouble, passes] : pass.found) {
    if (passes) {
      if (!look_again) look_again = backoff_.Next();
      *trouble.mutable_retry_at() = ToProto(pass.context.host.Now() + *look_again);
      retry_in(*look_again);
    }
    *pass.report.add_troubles() = trouble;
  }
  pass.report.set_ready(!is_left && pass.report.troubles_size() == 0);
  pass.watch.Publish(pass.report);
}

}  // namespace connect_ha
