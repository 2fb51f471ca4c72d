// What happens to machines, to Connect on them, and to all at once.
#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "agent/assignment/standing.h"
#include "tests/plan_simulation/host_parts.h"
#include "tests/plan_simulation/world.h"

namespace connect_ha::simulation {
namespace {

constexpr size_t kKindsEverywhere = 5;
// From this number on it is the last rule alone that cannot be told.
constexpr uint32_t kLastBy = 250;
constexpr std::chrono::seconds kJumps[] = {std::chrono::hours(3), -std::chrono::hours(3),
                                           std::chrono::minutes(10), -std::chrono::minutes(10)};

}  // namespace

bool World::IsMember(size_t slot) const {
  return hosts_[slot].exists && store_.records[slot].member;
}

void World::PowerOff(size_t slot) {
  Host& host = hosts_[slot];
  StopConnect(host);
  if (IsMember(slot)) CountInPhase(InPhase::kNodeDies);
  host.power = false;
  host.agent = false;
  ++host.call;
}

// As a new machine enrols: nothing is known of the one before.
void World::Forget(size_t slot) {
  Record& record = store_.records[slot];
  record = Record();
  ++store_.memberships;
  v1::PlanMemory& memory = store_.memory;
  for (int i = memory.nodes_size() - 1; i >= 0; --i) {
    if (memory.nodes(i).node() == NameOf(slot)) memory.mutable_nodes()->DeleteSubrange(i, 1);
  }
  been_[slot] = 0;
  for (Given& given : given_[slot]) given.forgotten = true;
  for (Coordinator& coordinator : coordinators_) coordinator.Forget(slot);
}

void World::Replace(size_t slot) {
  const std::string name = NameOf(slot);
  machine_lost_ = true;
  Forget(slot);
  Host fresh;
  fresh.name = name;
  fresh.machine = ++last_machine_;
  fresh.exists = true;
  fresh.disk.set_state(v1::OBSERVED);
  if (setup_.version_unsaid != 0) fresh.installed = 1;
  fresh.runtimes = fresh.installed;
  hosts_[slot] = fresh;
  StartAgent(hosts_[slot]);
  Record& record = store_.records[slot];
  record.member = true;
  record.machine = fresh.machine;
  record.rank = ++store_.last_rank;
  Note(absl::StrCat(name, " is a new machine, which has enrolled"));
}

// What was declared gone is not switched on again at once, as whoever says that knows: before the
// others have gone on without it, which their mark on the file system tells.
bool World::MaySwitchOn(size_t slot) const {
  const Host& host = hosts_[slot];
  if (host.taken) return false;
  return !host.declared_gone || WasAwayForLong(host, now_) ||
         IsBefore(MarkOf(host.disk.desired()), database_->not_before);
}

bool World::DoToMachine(const Event& event, size_t slot) {
  Host& host = hosts_[slot];
  const std::string& name = host.name;
  const bool lives = host.exists && host.power;
  switch (event.kind) {
    case Kind::kAgentDies:
      if (!lives || !host.agent) return true;
      host.agent = false;
      ++host.call;
      Note(absl::StrCat(name, ": the agent dies"));
      return true;
    case Kind::kAgentStarts:
      if (!lives || host.agent) return true;
      StartAgent(host);
      Note(absl::StrCat(name, ": the agent starts"));
      return true;
    case Kind::kReboot:
      if (!lives) return true;
      PowerOff(slot);
      Boot(host, Around(), subject_.agent);
      Note(absl::StrCat(name, " boots again", host.running ? ", and Connect starts" : ""));
      CheckStarted(slot, false);
      return true;
    case Kind::kPowerOff:
      if (!lives) return true;
      PowerOff(slot);
      Note(absl::StrCat(name, " is switched off"));
      return true;
    case Kind::kPowerOn:
      if (!host.exists || host.power || !MaySwitchOn(slot)) return true;
      Boot(host, Around(), subject_.agent);
      Note(absl::StrCat(name, " boots", host.running ? ", and Connect starts" : ""));
      CheckStarted(slot, false);
      return true;
    case Kind::kReplace:
      if (!host.exists || !MayWrite()) return true;
      Count(Sometimes::kReplaced);
      Replace(slot);
      return true;
    case Kind::kStateLost:
      if (!lives) return true;
      host.reached = v1::OBSERVED;
      host.starts_for.Clear();
      host.starts = 0;
      host.start_failed = false;
      host.served_generation = 0;
      host.newest_start = host.right_version = 0;
      host.newest_order.Clear();
      host.database_restored.Clear();
      machine_lost_ = true;
      if (restored_) restored_->later[slot] = false;  // nothing tells of that any more
      host.disk = v1::Assignment();
      host.disk.set_state(v1::OBSERVED);
      StartAgent(host);
      Note(absl::StrCat(name, ": the agent starts anew, and holds nothing"));
      return true;
    case Kind::kCut:
    case Kind::kLink:
      host.cut = event.kind == Kind::kCut;
      if (host.cut && IsMember(slot)) CountInPhase(InPhase::kNodeCutOff);
      Note(absl::StrCat(name, host.cut ? " is cut off" : " is linked"));
      return true;
    case Kind::kClone:
    case Kind::kOneLeft:
      if (!host.exists) return true;
      host.cloned = event.kind == Kind::kClone;
      if (host.cloned) Count(Sometimes::kTwoUnderOneName);
      Note(absl::StrCat(name, host.cloned ? " is two machines" : " is one machine"));
      return true;
    default:
      return false;
  }
}

bool World::DoToConnect(const Event& event, size_t slot) {
  Host& host = hosts_[slot];
  const auto note = [&] { Note(absl::StrCat(host.name, ": ", simulation::NameOf(event.kind))); };
  switch (event.kind) {
    case Kind::kMend:
      Mend(host);
      return note(), true;
    case Kind::kUnmount:
      Unmount(host);
      return note(), true;
    case Kind::kOtherMount:
      host.mount = Mount::kOther;
      return note(), true;
    case Kind::kHang:
      host.mount = Mount::kHung;
      return note(), true;
    case Kind::kRemount:
      host.mount = Mount::kVerified;
      host.covered = false;
      return note(), true;
    case Kind::kOtherDatabase:
      host.database = 1;
      return note(), true;
    case Kind::kOtherKey:
      host.key = 1 + event.how % 2;
      return note(), true;
    case Kind::kClockOff:
      host.clock_off = true;
      return note(), true;
    case Kind::kNodeClockJump:
      host.clock_offset += kJumps[event.how % std::size(kJumps)];
      host.clock_off = host.clock_offset.count() != 0;
      return note(), true;
    case Kind::kCover:
      host.covered = true;
      return note(), true;
    case Kind::kCrash:
      Crash(host, Around(), subject_.agent);
      note();
      return CheckStarted(slot, false), true;
    case Kind::kCrashLoop:
      host.crashes = true;
      Crash(host, Around(), subject_.agent);
      note();
      return CheckStarted(slot, false), true;
    case Kind::kStopByHand:
      StopConnect(host);
      return note(), true;
    case Kind::kStartByHand:
      if (!host.exists || !host.power || host.running || host.installed == 0) return true;
      host.masked = false;
      host.running = host.by_hand = true;
      host.process = host.installed;
      host.started_at = OwnTime(host, now_);
      host.answers_at = now_;
      MigrateByHand(host, *database_);
      return note(), true;
    case Kind::kVersionByHand:
      if (!host.exists || !host.power || host.installed == 0) return true;
      host.installed = 1 + event.how % (kVersions - 1);
      host.by_hand = true;
      if (host.running) host.process = host.installed;
      MigrateByHand(host, *database_);
      return note(), true;
    case Kind::kCannotTell:
      host.cannot_tell = event.how % 4 == 0 ? (1U << kRules) - 1 : 1U << RuleBy(event.how, kLastBy);
      return note(), true;
    case Kind::kBreakConfig:
      host.config_broken = true;
      return note(), true;
    case Kind::kAdvise:
      host.license_ends = true;
      return note(), true;
    case Kind::kUsers:
      if (host.running) host.jobs = 1 + event.how % 9;
      host.jobs_known = event.how % 8 != 7;
      return note(), true;
    default:
      return false;
  }
}

// The same fault on every node at once, or the database away and back.
bool World::DoEverywhere(const Event& event, size_t /*slot*/) {
  if (event.kind == Kind::kDatabaseAway) {
    database_away_ = !database_away_;
    Note(database_away_ ? "the database is away" : "the database is back");
    return true;
  }
  if (event.kind != Kind::kEverywhere) return false;
  constexpr Kind kFaults[kKindsEverywhere] = {Kind::kOtherMount, Kind::kOtherKey, Kind::kClockOff,
                                              Kind::kHang, Kind::kOtherDatabase};
  for (size_t i = 0; i < hosts_.size(); ++i) {
    const uint32_t how = event.how + static_cast<uint32_t>(i);  // other keys, not one other key
    if (hosts_[i].exists) DoToConnect({kFaults[event.how % kKindsEverywhere], 0, how}, i);
  }
  return true;
}

}  // namespace connect_ha::simulation
