// What a simulated agent says of its machine.
#include <algorithm>

#include "tests/plan_simulation/host_parts.h"

namespace connect_ha::simulation {
namespace {

using Needs = v1::Change::Needs;

// As agent.yaml's poll_interval.
constexpr std::chrono::seconds kAsksEvery{30};
// As its passes are made.
constexpr std::chrono::seconds kLooksEvery{30};

int64_t Microseconds(const google::protobuf::Timestamp& time) {
  return FromProto(time).time_since_epoch().count();
}

// What would be changed of Connect's unit, were it allowed.
bool IsUnitRight(const Host& host) {
  const UnitWanted wanted = CourseOf(host).unit;
  const bool is_to_run =
      wanted == UnitWanted::kRunning || (wanted == UnitWanted::kAsItIs && host.running);
  return IsAsWanted(host, is_to_run ? UnitWanted::kRunning : UnitWanted::kHeld);
}

void SayWhatDiffers(const Host& host, Report& report) {
  const Wanted wanted = WantedBy(host.held.desired());
  report.unit_differs = !IsUnitRight(host);
  report.runtimes_differ = (wanted.runtimes & ~host.runtimes) != 0;
  report.package_differs = PackageDiffers(host, wanted);
  report.file_needs = FileNeeds(host, wanted);
  report.needs = NeedsFor(host, wanted);
  const bool rests = host.cannot_install && !host.running;
  report.stuck = (host.cannot_install && report.runtimes_differ) ||
                 (rests && (report.package_differs || report.file_needs >= v1::Change::RESTART));
}

// As Prune::CheckUnused, before it is in force.
bool WouldRemoveWhatIsUsed(const Host& host, const Surroundings& around) {
  const Wanted wanted = WantedBy(host.ahead);
  const uint32_t removed = wanted.prunes ? host.runtimes & ~wanted.runtimes : 0;
  return removed != 0 && (!around.database_answers || (removed & around.pinned) != 0);
}

void SayAhead(const Host& host, const Surroundings& around, Report& report) {
  if (host.ahead.generation() == 0) return;
  report.ahead = host.ahead.generation();
  report.ahead_applied_at_us = Microseconds(host.ahead.applied_at());
  report.ahead_keeps = WouldRemoveWhatIsUsed(host, around);
  report.ahead_ready = host.ahead_ready && !report.ahead_keeps;
  report.ahead_trouble = !host.ahead_ready && (host.cannot_fetch || host.cannot_install);
  report.ahead_needs = NeedsFor(host, WantedBy(host.ahead));
}

// What of a report is found on the machine; the rest the agent knows by itself.
Report Find(const Host& host, const Surroundings& around) {
  Report found;
  found.connect_runs = host.running;
  found.answers = Answers(host, around.now);
  found.boots = host.enabled && !host.masked;
  found.installed = host.installed;
  found.running = host.process;
  found.mount = host.mount;
  found.database = host.database;
  found.key = host.key;
  found.covered = host.covered ? 1 : 0;
  found.clock_off = host.clock_off;
  found.config_broken = host.config_broken;
  found.license_ends = host.license_ends;
  found.database_answers = around.database_answers;
  found.cannot_tell = host.cannot_tell;
  found.pinned = around.pinned;
  found.notice = host.notice;
  if (host.notice_at) found.notice_at_us = host.notice_at->time_since_epoch().count();
  return found;
}

// As Loop::StateToTell.
v1::NodeState StateToTell(const Host& host, const AgentFaults& faults) {
  const bool has_stopped = IsAtRest(host.reached) && !IsAtRest(host.told_state);
  return has_stopped && host.found->connect_runs && !faults.tells_too_early ? host.told_state
                                                                            : host.reached;
}

}  // namespace

Needs FileNeeds(const Host& host, const Wanted& wanted) {
  const Configuration& is = host.configuration;
  const Configuration& to_be = wanted.configuration;
  const bool together = host.database != 0 || is.together != to_be.together;
  const bool differs = together || !(is == to_be);
  if (!differs) return v1::Change::NEEDS_UNSPECIFIED;
  if (host.installed == 0) return v1::Change::NOTHING;
  if (together) return v1::Change::TOGETHER;
  return is.restarts != to_be.restarts ? v1::Change::RESTART : v1::Change::RELOAD;
}

Needs NeedsFor(const Host& host, const Wanted& wanted) {
  const bool package = PackageDiffers(host, wanted);
  const Needs of_package =
      package && host.installed != 0 ? v1::Change::TOGETHER : v1::Change::NOTHING;
  return std::max({v1::Change::NOTHING, of_package, FileNeeds(host, wanted)});
}

Report Say(Host& host, const Surroundings& around, const AgentFaults& faults, Looks looks) {
  if (around.now - host.asked_at >= kAsksEvery) {
    host.migration = AskMigration(around);
    host.asked_at = around.now;
  }
  if (host.lost_seen_at && !host.lost_said_at) host.lost_said_at = around.now;
  if (looks == Looks::kAnew || !host.found || around.now - host.found_at >= kLooksEvery) {
    host.found = Find(host, around);
    host.found_at = around.now;
  }
  Report report = *host.found;
  report.machine = host.machine;
  report.state = host.told_state = StateToTell(host, faults);
  report.generation = host.held.desired().generation();
  if (report.generation != 0) {
    report.applied_at_us = Microseconds(host.held.desired().applied_at());
  }
  report.epoch = host.held.order().epoch();
  report.serial = host.held.order().serial();
  report.allow = host.allow;
  report.can_serve = !host.old_agent;
  report.enforces = Enforces(host.held);
  report.looked = host.looked;
  report.prunes = host.looked && !Differs(host) && ToBeRemoved(host, around) != 0;
  report.converged = host.looked && report.generation != 0 && !Differs(host) && !report.prunes &&
                     IsUnitRight(host);
  SayWhatDiffers(host, report);
  report.runtimes = host.runtimes;
  SayAhead(host, around, report);
  report.migration = host.migration;
  report.newest_start = host.newest_start;
  report.newest_epoch = host.newest_order.epoch();
  report.newest_serial = host.newest_order.serial();
  report.closed = host.held.state() == v1::SERVING && host.held.closed();
  report.gate_open = GateIsOpen(host, around.now);
  report.jobs_known = host.jobs_known && !host.old_agent;
  report.jobs = host.jobs;
  report.start_failed = StartFailed(host);
  return report;
}

}  // namespace connect_ha::simulation
