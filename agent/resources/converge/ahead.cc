#include "agent/resources/converge/ahead.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "agent/assignment/standing.h"
#include "agent/resources/converge/ahead_pass.h"
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

// As they are now; of one that is not there nothing.
std::vector<FileStatus> StatusesOf(Host& host, const Brought& brought) {
  std::vector<FileStatus> statuses;
  for (const std::string& file : brought.files) {
    statuses.push_back(host.LStat(file).value_or(FileStatus()));
  }
  return statuses;
}

bool AreThere(Host& host, const Brought& brought, const std::vector<FileStatus>& before) {
  return std::equal(brought.files.begin(), brought.files.end(), before.begin(), before.end(),
                    [&host](const std::string& file, const FileStatus& status) {
                      const absl::StatusOr<FileStatus> now = host.LStat(file);
                      return now.ok() && SameFile(*now, status);
                    });
}

}  // namespace

bool IsAddition(const LookedAt& look) {
  const std::string name = look.resource->Name();
  return std::any_of(std::begin(kAdded), std::end(kAdded),
                     [&name](const char* beginning) { return absl::StartsWith(name, beginning); });
}

Ahead::Ahead(std::function<ResourceContext(const v1::Desired& desired)> make_context,
             ChangeJournal& journal)
    : make_context_(std::move(make_context)),
      journal_(journal),
      backoff_(kFirstBackoff, kLastBackoff) {}

void Ahead::TryAgain() {
  failures_.clear();
  here_.clear();
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
  ForgetGone(pass);
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

// Days may pass until it is needed: somebody fills a disk, or empties a cache, and tells nobody.
void Ahead::ForgetGone(const Pass& pass) {
  for (const LookedAt& look : pass.looks) {
    const auto found = here_.find(look.resource->Name());
    if (found == here_.end() || !look.change) continue;
    const Here& here = found->second;
    if (here.brought.files.empty()) continue;
    const bool is_other = here.change && !SameChange(*here.change, *look.change);
    if (is_other || !AreThere(pass.context.host, here.brought, here.files)) here_.erase(found);
  }
}

bool Ahead::BringAll(Pass& pass) {
  bool is_news = false;
  for (const LookedAt& look : pass.looks) {
    const std::string name = look.resource->Name();
    if (!pass.order.may_fetch || !look.change || here_.count(name) > 0) continue;
    if (FindFailure(pass, look) != nullptr) continue;
    if (pass.watch.Stopped()) return false;
    StepProgress progress = pass.Working(name);
    const absl::StatusOr<Brought> brought = look.resource->Bring(progress);
    if (absl::IsCancelled(brought.status())) return false;
    if (brought.ok()) {
      is_news = true;
      here_[name] = {*brought, StatusesOf(pass.context.host, *brought), std::nullopt};
      failures_.erase(name);
      backoff_.Reset();
    } else {
      NoteFailure(pass, name, brought.status(), progress.log());
    }
  }
  // Of a package that is here apt can tell what else it would change, and that it may not.
  if (is_news) LookAgain(pass);
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
    if (!pass.WouldAdd(look) || here_.count(name) == 0 || pass.tried.count(name) > 0) continue;
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

}  // namespace connect_ha
