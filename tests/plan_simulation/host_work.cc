// What the agent does to the machine, a step at a time.
#include "agent/assignment/standing.h"
#include "tests/plan_simulation/host_parts.h"

namespace connect_ha::simulation {
namespace {

// As agent/resources/service/start_connect.h has it.
constexpr uint32_t kMostStarts = 3;
// As agent/resources/converge/converge_service.cc: what runs for so long was started well.
constexpr std::chrono::minutes kStaysUp{10};

// As Converge::MayMendAtRest: what differs of a specification that it has not served as is a
// change, whose turn the coordinator gives.
bool MayMendAtRest(const Host& host, const Course& course) {
  return !host.running && course.unit == UnitWanted::kRunning &&
         HasServedAs(host, host.held.desired());
}

// "": nothing of it may be written now.
std::string WriteConfiguration(Host& host, const Wanted& wanted, const Course& course) {
  const v1::Change::Needs needs = FileNeeds(host, wanted);
  const bool all = course.resources == Transition::kAll;
  switch (needs) {
    case v1::Change::NEEDS_UNSPECIFIED:
      return "";
    case v1::Change::NOTHING:
      break;
    case v1::Change::RELOAD:
      if (course.unit != UnitWanted::kRunning && (host.running || !all)) return "";
      break;
    case v1::Change::RESTART:
      if (host.running || (!all && !MayMendAtRest(host, course))) return "";
      break;
    default:
      if (host.running || !all) return "";
  }
  if (host.cannot_install) return "";
  host.database = 0;
  host.configuration = wanted.configuration;
  return host.running ? "writes the configuration, and has Connect reload it"
                      : "writes the configuration";
}

// The first of what the agent may put right; what needs Connect to be stopped, where it rests.
std::string ChangeOne(Host& host, const Course& course) {
  if (host.mount == Mount::kNone) {
    host.mount = Mount::kVerified;
    return "mounts the file system";
  }
  const Wanted wanted = WantedBy(host.held.desired());
  if ((wanted.runtimes & ~host.runtimes) != 0 && !host.cannot_install) {
    host.runtimes |= wanted.runtimes;
    return "installs a runtime";
  }
  std::string did = WriteConfiguration(host, wanted, course);
  if (!did.empty() || host.running || host.cannot_install) return did;
  if (course.resources != Transition::kAll || !PackageDiffers(host, wanted)) return "";
  host.installed = wanted.version;
  host.by_hand = false;
  return "installs Connect " + VersionText(host.installed);
}

// Before Connect starts: no other node is to start it as what all of them have left.
std::string MarkTheFileSystem(const Host& host, Database& database) {
  const v1::GenerationMark not_before = NotBeforeOf(host.held);
  if (host.mount != Mount::kVerified || !IsBefore(database.not_before, not_before)) return "";
  database.not_before = not_before;
  return "marks the file system: no Connect starts as a generation before " +
         std::to_string(not_before.generation());
}

// Nothing is done to a Connect that may not be stopped.
std::string HoldUnit(Host& host, bool may_stop) {
  if (host.running && !may_stop) return "";
  if (!host.masked) {
    host.masked = true;
    host.enabled = false;
    return "masks Connect";
  }
  if (!host.running) return "";
  StopConnect(host);
  if (host.found && !IsAtRest(host.told_state)) host.found->found_before_it_stopped = true;
  host.by_hand = host.by_hand && PackageDiffers(host, WantedBy(host.held.desired()));
  return "stops Connect";
}

// As StartConnect: so often for one order; what the preflight refuses is no try.
std::string StartOnce(Host& host, const Surroundings& around, const AgentFaults& faults) {
  const bool is_new = IsBelow(host.starts_for, host.held.order());
  if (!is_new && host.starts >= kMostStarts) {
    if (host.start_failed) return "";
    host.start_failed = true;
    return "has started Connect too often";
  }
  if (!faults.starts_unasked && !PassesPreflight(host, around, faults)) return "";
  host.starts_for = host.held.order();
  host.starts = is_new ? 1 : host.starts + 1;
  host.start_failed = false;
  if (host.installed >= host.newest_start) {
    host.newest_start = host.installed;
    host.newest_order = host.held.order();
  }
  if (TryStart(host, around, faults)) return "starts Connect";
  host.start_failed = host.starts >= kMostStarts;
  return "tries to start Connect in vain";
}

// As Converge::KeepsFromStart: what waits for its turn keeps no Connect from going on as it was.
bool IsKeptFromStart(const Host& host, const Course& course) {
  if (!Differs(host)) return false;
  const Wanted wanted = WantedBy(host.held.desired());
  const bool waits = FileNeeds(host, wanted) == v1::Change::RESTART && !MayMendAtRest(host, course);
  const bool else_right = !PackageDiffers(host, wanted) &&
                          (wanted.runtimes & ~host.runtimes) == 0 &&
                          host.mount == Mount::kVerified && !host.config_broken;
  return !waits || !else_right;
}

// It starts once all that it starts with is right.
std::string RunUnit(Host& host, const Course& course, const Surroundings& around,
                    const AgentFaults& faults) {
  if (!host.running && !faults.starts_unasked && IsKeptFromStart(host, course)) return "";
  if (host.masked || !host.enabled) {
    host.masked = false;
    host.enabled = true;
    return "unmasks and enables Connect";
  }
  return host.running ? "" : StartOnce(host, around, faults);
}

// As Converge::NoteMigration: once Connect answers, and what it said first.
void NoteRight(Host& host, const Surroundings& around) {
  const uint32_t migration = AskMigration(around);
  if (!Answers(host, around.now) || migration == 0 || host.process != host.installed) return;
  if (host.right_version == host.installed) return;
  host.right_version = host.installed;
  host.right_migration = migration;
}

// As Converge::NoteRestored.
void NoteRestored(Host& host) {
  const v1::Order& told = host.held.database_restored();
  v1::Order& known = host.database_restored;
  const bool is_known = known.epoch() == told.epoch() && known.serial() == told.serial();
  if (!host.held.has_database_restored() || is_known) return;
  known = told;
  host.right_version = 0;
  host.right_migration = 0;
}

// As Converge::NoteServing.
void NoteServing(Host& host, const Surroundings& around) {
  if (!host.running) return;
  if (!Differs(host) && IsAsWanted(host, UnitWanted::kRunning)) {
    const v1::Desired& desired = host.held.desired();
    host.served_generation = desired.generation();
    host.served_applied_at = FromProto(desired.applied_at());
    NoteRight(host, around);
  }
  if (OwnTime(host, around.now) - host.started_at < kStaysUp) return;
  host.starts = 0;
  host.start_failed = false;
}

// As Converger::State.
v1::NodeState StateOf(const Host& host) {
  const v1::NodeState told = host.held.state();
  if (!MayChange(host.held) || !IsAllowed(told, host.allow)) return v1::OBSERVED;
  const UnitWanted wanted = CourseOf(host).unit;
  if (!IsAsWanted(host, wanted)) return host.reached;
  if (told != v1::PREPARING && told != v1::READY) return told;
  return Differs(host) ? v1::PREPARING : v1::READY;
}

// As Ahead::LookAgain: what was fetched may be gone since.
void LookAtCache(Host& host, Time now, const AgentFaults& faults) {
  if (!host.ahead_ready || host.cached) return;
  if (!host.lost_seen_at) host.lost_seen_at = now;
  if (!faults.stays_ready) host.ahead_ready = false;
}

// As Prune: once all else is as it is to be, and Connect was started without it.
std::string RemoveRuntimes(Host& host, const Surroundings& around, const AgentFaults& faults) {
  Surroundings asked = around;
  if (faults.prunes_pinned) asked.pinned = 0;
  const uint32_t removed = ToBeRemoved(host, asked);
  if (removed == 0 || (Differs(host) && !faults.prunes_first)) return "";
  host.runtimes &= ~removed;
  std::string did = "removes Python";
  for (uint32_t bit = 0; bit < kRuntimes; ++bit) {
    if (((removed >> bit) & 1U) != 0) did += " " + RuntimeText(bit);
  }
  return did;
}

// For what is not in force: fetched and verified; what it only adds is made.
std::string GetReady(Host& host, const AgentFaults& faults) {
  if (host.ahead.generation() == 0 || host.ahead_ready || host.cannot_fetch) return "";
  const Wanted wanted = WantedBy(host.ahead);
  const std::string generation = std::to_string(host.ahead.generation());
  const bool adds = MayChange(host.held) && IsAllowed(v1::PREPARING, host.allow);
  if (adds && (wanted.runtimes & ~host.runtimes) != 0) {
    if (host.cannot_install) return "";
    host.runtimes |= wanted.runtimes;
    return "installs a runtime of generation " + generation;
  }
  if (faults.goes_ahead) host.configuration = wanted.configuration;
  host.ahead_ready = true;
  host.cached = true;
  host.lost_seen_at.reset();
  host.lost_said_at.reset();
  return "is ready for generation " + generation;
}

}  // namespace

std::string Work(Host& host, const Surroundings& around, const AgentFaults& faults) {
  if (!host.exists || !host.power || !host.agent) return "";
  if (!host.looked) {
    host.looked = true;
    return "looks at everything";
  }
  NoteRestored(host);
  LookAtCache(host, around.now, faults);
  const Course course = CourseOf(host);
  std::string did;
  if (course.unit == UnitWanted::kHeld) did = HoldUnit(host, course.may_stop);
  if (did.empty() && course.resources != Transition::kNone) {
    did = ChangeOne(host, course);
    if (did.empty()) did = MarkTheFileSystem(host, *around.database);
  }
  if (did.empty() && course.unit == UnitWanted::kRunning) {
    did = RunUnit(host, course, around, faults);
  }
  if (did.empty() && course.resources != Transition::kNone) {
    did = RemoveRuntimes(host, around, faults);
  }
  if (did.empty() && course.release && host.masked) {
    host.masked = false;
    did = "unmasks Connect";
  }
  if (course.unit == UnitWanted::kRunning) NoteServing(host, around);
  if (!did.empty()) return did;
  const v1::NodeState state = StateOf(host);
  if (host.reached == state) return GetReady(host, faults);
  host.reached = state;
  return "has become " + v1::NodeState_Name(state);
}

}  // namespace connect_ha::simulation
