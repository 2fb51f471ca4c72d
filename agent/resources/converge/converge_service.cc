// Converge's part that is about Connect's unit: what may be done to it, and what is remembered of
// it.
#include <google/protobuf/util/time_util.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "agent/assignment/standing.h"
#include "agent/resources/connect_unit.h"
#include "agent/resources/converge/turning.h"
#include "agent/resources/nouns.h"
#include "agent/resources/service/start_connect.h"
#include "common/log.h"
#include "common/version.h"

namespace connect_ha {
namespace {

constexpr char kRelease[] = "release";
constexpr char kConnectsPackage[] = "package rstudio-connect";
constexpr char kMount[] = "mount";
constexpr char kDatabaseProbe[] = "database";
constexpr uint32_t kOk = 200;
// What runs for so long was started well; what does for so long is not to be stopped as one that
// does not start.
constexpr std::chrono::minutes kStaysUp{10};
constexpr std::chrono::minutes kIsUp{2};

// Of a change that nobody follows.
class Unseen : public Progress {
 public:
  explicit Unseen(const std::function<bool()>& stopped) : stopped_(stopped) {}
  void Enter(v1::Step::Phase) override {}
  void Bytes(uint64_t, uint64_t) override {}
  void Log(const std::string&) override {}
  bool Stopped() override { return stopped_(); }
  bool Wait(std::chrono::milliseconds) override { return !stopped_(); }

 private:
  const std::function<bool()>& stopped_;
};

// Nothing may start Connect meanwhile, by whatever a package's script does, or use the mount.
bool NeedsHeldUnit(const LookedAt& look) {
  const std::string name = look.resource->Name();
  return IsNamed(name, kConnectsPackage) || IsNamed(name, kMount);
}

// The database was asked after that, and says how far it is.
bool HasMigrationSince(const v1::Facts& facts, Time since) {
  if (!facts.database().has_migration()) return false;
  const auto& runs = facts.runs();
  return std::any_of(runs.begin(), runs.end(), [since](const v1::ProbeRun& run) {
    return run.probe() == kDatabaseProbe && run.state() == v1::ProbeRun::DONE &&
           FromProto(run.started_at()) >= since;
  });
}

void TellNotNoted(const absl::Status& noted) {
  if (noted.ok()) return;
  spdlog::warn("event=service-notes-not-written error={}", LogValue(std::string(noted.message())));
}

}  // namespace

// What the database said while a Connect was right here is from before it was put back: no start is
// refused for that. What it says next is noted once Connect answers, and it was asked after this.
void Converge::NoteRestored(const v1::Assignment& assignment) {
  const v1::Order& restored = assignment.database_restored();
  const v1::Order known = notes_.Get().database_restored();
  const bool is_known = known.epoch() == restored.epoch() && known.serial() == restored.serial();
  if (!assignment.has_database_restored() || is_known) return;
  answers_since_.reset();
  TellNotNoted(notes_.Change([&restored](v1::ServiceMemory& memory) {
    memory.clear_right_version();
    memory.clear_right_migration();
    *memory.mutable_database_restored() = restored;
  }));
}

void Converge::TakeCourse(Turning& turning) {
  const v1::Assignment& assignment = turning.assignment;
  NoteRestored(assignment);
  const v1::ServiceMemory memory = notes_.Get();
  if (memory.has_reload()) cache_.reload.Put(memory.reload());
  turning.course = CourseOf(assignment, memory.reached(), options_.agent_config.allow());
  ServiceOrder& service = turning.context.service;
  service.order = assignment.order();
  turning.context.not_before = NotBeforeOf(assignment);
  service.unit = turning.course.unit;
  service.may_stop = turning.course.may_stop;
  service.leaves_connect = turning.course.resources == Transition::kWithoutRestart;
  const absl::StatusOr<v1::Unit> unit = ReadConnectUnit(turning.context);
  turning.connect_is_up = !unit.ok() || IsUp(*unit);
  service.is_current = unit.ok() && IsUp(*unit) && right_start_ &&
                       *right_start_ == unit->started_at() &&
                       IsOneSpecification(memory.served(), assignment.desired());
  if (unit.ok()) {
    TellNotNoted(NoteTries(turning.context, *unit, assignment.state(), restarts_seen_));
  }
}

absl::StatusOr<std::vector<std::unique_ptr<Resource>>> Converge::MakeAll(const Turning& turning) {
  std::vector<std::unique_ptr<Resource>> all;
  if (turning.course.release) {
    all.push_back(MakeRelease(turning.context));
    all.push_back(MakePackageRelease(turning.context));
  }
  if (!turning.assignment.has_desired()) return all;
  auto resources = MakeResources(turning.context);
  if (!resources.ok()) return resources;
  for (std::unique_ptr<Resource>& resource : *resources) all.push_back(std::move(resource));
  return all;
}

void Converge::SeeUnitFirst(Turning& turning) {
  const UnitWanted wanted = turning.course.unit;
  if (wanted == UnitWanted::kAsItIs) return;
  std::vector<std::unique_ptr<Resource>> unit;
  unit.push_back(MakeConnectUnit(turning.context));
  const std::vector<LookedAt> looks = LookAtAll(unit);
  const LookedAt& look = looks.front();
  turning.watch.UnitSeen(wanted, look.status.ok() && !look.change);
  if (wanted != UnitWanted::kHeld || !look.change || FindHold(turning, *look.change)) return;
  *turning.report.add_changes() = *look.change;
  const absl::Status changed = Change(turning, look);
  turning.report.clear_changes();
  if (!changed.ok()) return;  // the round after this tells it
  const auto still = look.resource->Differs();
  turning.watch.UnitSeen(wanted, still.ok() && !still->has_value());
}

// What the turn does meanwhile starts nothing: it is told to stop before each start. It finds the
// unit held, and says so.
void Converge::HoldNow(const v1::Assignment& orders, const std::function<bool()>& stopped) {
  const Course course = CourseOf(orders, notes_.Get().reached(), options_.agent_config.allow());
  if (course.unit != UnitWanted::kHeld || !course.may_stop) return;
  ResourceContext context = MakeContext(orders.desired());
  context.service.unit = course.unit;
  context.service.may_stop = true;
  const std::unique_ptr<Resource> unit = MakeConnectUnit(context);
  const auto change = unit->Differs();
  if (!change.ok() || !change->has_value()) return;
  Unseen progress(stopped);
  const absl::Status held = unit->Apply(progress);
  spdlog::warn("event=held-at-once unit={} from={} error={}", context.agent_config.connect_unit(),
               LogValue((*change)->from()), LogValue(std::string(held.message())));
}

// Of a node that serves: as which it has once been right, and that Connect has stayed up.
void Converge::NoteServing(Turning& turning) {
  if (turning.course.unit != UnitWanted::kRunning) return;
  const absl::StatusOr<v1::Unit> unit = ReadConnectUnit(turning.context);
  if (!unit.ok() || !IsUp(*unit)) return;
  const bool is_right = turning.report.state() == v1::Convergence::CONVERGED;
  if (is_right) {
    right_start_ = unit->started_at();
    NoteMigration(*unit);
  }
  const auto up = unit->has_started_at() ? host_.Now() - FromProto(unit->started_at())
                                         : std::chrono::microseconds(0);
  if (up < kIsUp && !notes_.Get().start_failed().empty()) {
    turning.RetryIn(std::chrono::ceil<std::chrono::milliseconds>(kIsUp - up));
  }
  const absl::Status noted = notes_.Change([&](v1::ServiceMemory& memory) {
    if (is_right) {
      *memory.mutable_served() = latest_;
      memory.set_served_configuration(cache_.filled_in.Get().value_or(""));
    }
    if (up >= kIsUp) memory.clear_start_failed();
    if (up < kStaysUp) return;
    memory.clear_starts();
    memory.clear_order();
  });
  TellNotNoted(noted);
}

// What counts is what the database said once Connect answered: as it starts, it migrates it. And
// what it said first, until another package is installed: who migrates it after that is not this
// Connect.
void Converge::NoteMigration(const v1::Unit& unit) {
  if (!options_.facts) return;
  const v1::Facts facts = options_.facts();
  const v1::ConnectFacts& connect = facts.connect();
  const bool answers =
      connect.ping().http_status() == kOk && connect.unit().started_at() == unit.started_at();
  if (!answers) return;
  if (!answers_since_ || answering_start_ != unit.started_at()) {
    answering_start_ = unit.started_at();
    answers_since_ = host_.Now();
  }
  const std::string version = PlainVersion(connect.package().version());
  const bool is_running =
      !connect.has_running_version() || SameVersion(connect.running_version(), version);
  if (version.empty() || !is_running || !HasMigrationSince(facts, *answers_since_)) return;
  TellNotNoted(notes_.Change([&](v1::ServiceMemory& memory) {
    if (memory.right_version() == version) return;
    memory.set_right_version(version);
    memory.set_right_migration(facts.database().migration());
  }));
}

void Converge::NoteReached(v1::NodeState state) {
  TellNotNoted(notes_.Change([state](v1::ServiceMemory& memory) { memory.set_reached(state); }));
}

void Converge::NoteClosed(const std::string& closed_by) {
  TellNotNoted(
      notes_.Change([&closed_by](v1::ServiceMemory& memory) { memory.set_closed_by(closed_by); }));
}

bool Converge::MayMake(const Turning& turning, const LookedAt& look) const {
  if (IsNamed(look.resource->Name(), kRelease)) return turning.course.release;
  if (IsUnit(look)) return turning.course.unit != UnitWanted::kAsItIs;
  if (turning.course.resources != Transition::kWithoutRestart) {
    return turning.course.resources == Transition::kAll;
  }
  switch (look.change->needs()) {
    case v1::Change::NEEDS_UNSPECIFIED:
    case v1::Change::NOTHING:
      return true;
    case v1::Change::RELOAD:
      return turning.course.unit == UnitWanted::kRunning;
    case v1::Change::RESTART:
      return MayMendAtRest(turning) && !NeedsHeldUnit(look);
    default:
      return false;
  }
}

// Of a Connect that does not run nothing is interrupted. But what differs of a specification that
// the node has not served as is a change, whose turn the coordinator gives: others may have to go
// before. Where Connect was held until now, its turn it is.
bool Converge::MayMendAtRest(const Turning& turning) const {
  if (turning.connect_is_up || turning.course.unit != UnitWanted::kRunning) return false;
  const v1::ServiceMemory memory = notes_.Get();
  const Transition* const been = FindTransition(memory.reached(), memory.reached());
  const bool was_held = been != nullptr && been->unit == UnitWanted::kHeld;
  return was_held || IsOneSpecification(memory.served(), turning.assignment.desired());
}

// A Connect that is to run, and does not, goes on as it was until the turn of what waits for one
// has come: but not with damaged files, nor beside others that run with something else.
bool Converge::KeepsFromStart(const Turning& turning, const LookedAt& look) const {
  if (!look.change || look.change->needs() != v1::Change::RESTART) return true;
  return IsNamed(look.resource->Name(), kConnectsPackage) || MayMake(turning, look);
}

}  // namespace connect_ha
