#include "tests/plan_simulation/host.h"

#include <algorithm>
#include <array>
#include <utility>

#include "agent/assignment/standing.h"
#include "tests/plan_simulation/checklist.h"
#include "tests/plan_simulation/host_parts.h"

namespace connect_ha::simulation {
namespace {

// As agent/assignment/told.cc.
constexpr std::chrono::minutes kLongestAway{30};

// Who was off for long was perhaps counted out: it starts nothing before it was told.
bool IsTold(const Host& host, const Surroundings& around) {
  return host.told || around.now - host.alive_at <= kLongestAway;
}

// As agent/gate/verdict.cc: by what one node alone sees of itself.
bool IsClosedByRule(const Host& host, Time now) {
  const auto closes = [&host, now](size_t rule) {
    const auto& all = host.held.waived();
    const bool is_waived = std::any_of(all.begin(), all.end(), [rule, now](const auto& waived) {
      const bool over = waived.has_until() && now >= FromProto(waived.until());
      return waived.rule() == RuleName(rule) && !over;
    });
    const bool is_known = ((host.cannot_tell >> rule) & 1U) == 0;
    return is_known && !is_waived && ActionIn(host.held.desired().spec(), rule) >= v1::CLOSE;
  };
  const v1::Desired& desired = host.held.desired();
  // What differs before that is a change that is still to be made.
  const bool has_served = host.served_generation == desired.generation() &&
                          host.served_applied_at == FromProto(desired.applied_at());
  const bool is_other = host.mount == Mount::kOther && has_served;
  return ((is_other || host.mount == Mount::kNone) && closes(kMounted)) ||
         (host.mount == Mount::kHung && closes(kAlive)) || (host.clock_off && closes(kClocks)) ||
         (host.config_broken && closes(kConfiguration));
}

// What would be changed of Connect's unit, were it allowed.
bool IsUnitRight(const Host& host) {
  const UnitWanted wanted = CourseOf(host).unit;
  const bool is_to_run =
      wanted == UnitWanted::kRunning || (wanted == UnitWanted::kAsItIs && host.running);
  return IsAsWanted(host, is_to_run ? UnitWanted::kRunning : UnitWanted::kHeld);
}

bool AreSame(const google::protobuf::RepeatedPtrField<v1::WaivedRule>& a,
             const google::protobuf::RepeatedPtrField<v1::WaivedRule>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const v1::WaivedRule& one, const v1::WaivedRule& other) {
                      return one.rule() == other.rule() && one.has_until() == other.has_until() &&
                             FromProto(one.until()) == FromProto(other.until());
                    });
}

// All that is worth a write: a serial alone is not.
bool IsSameOnDisk(const v1::Assignment& a, const v1::Assignment& b) {
  return a.state() == b.state() && a.removed() == b.removed() && a.release() == b.release() &&
         a.order().lineage() == b.order().lineage() && a.order().epoch() == b.order().epoch() &&
         a.no_other_serves() == b.no_other_serves() && AreSame(a.waived(), b.waived()) &&
         IsOneSpecification(a.desired(), b.desired());
}

// Most answers are.
bool SaysTheSame(const v1::Assignment& held, const v1::HeartbeatResponse& answer) {
  return !answer.has_desired() && answer.has_order() &&
         answer.order().lineage() == held.order().lineage() &&
         answer.order().epoch() == held.order().epoch() &&
         answer.order().serial() == held.order().serial() &&
         answer.assigned_state() == held.state() && answer.release() == held.release() &&
         (answer.others_not_known() || answer.no_other_serves() == held.no_other_serves()) &&
         AreSame(answer.waived(), held.waived());
}

}  // namespace

Course CourseOf(const Host& host) {
  if (IsAllowed(host.held.state(), host.allow)) {
    return connect_ha::CourseOf(host.held, host.reached, host.allow);
  }
  v1::Assignment orders = host.held;
  orders.set_state(v1::OBSERVED);
  return connect_ha::CourseOf(orders, host.reached, host.allow);
}

bool IsAsWanted(const Host& host, UnitWanted wanted) {
  switch (wanted) {
    case UnitWanted::kHeld:
      return !host.running && host.masked;
    case UnitWanted::kRunning:
      return host.running && !host.masked && host.enabled;
    case UnitWanted::kAsItIs:
      break;
  }
  return true;
}

Version WantedVersion(const Host& host) {
  const std::string& wanted = host.held.desired().spec().connect().version();
  for (Version version = 1; version < kVersions; ++version) {
    if (wanted == VersionText(version)) return version;
  }
  return 0;
}

bool PackageDiffers(const Host& host) {
  const Version wanted = WantedVersion(host);
  return wanted != 0 && host.installed != wanted;
}

bool Differs(const Host& host) {
  return PackageDiffers(host) || host.database != 0 || host.mount != Mount::kVerified ||
         host.config_broken;
}

bool Enforces(const v1::Assignment& held) {
  return !held.removed() && held.desired().spec().enforcement() == v1::ENFORCE;
}

bool PassesPreflight(const Host& host, const Surroundings& around) {
  const v1::Assignment& orders = host.disk;
  const v1::NodeState state = orders.state();
  if (host.allow == v1::ALLOW_OBSERVE || orders.removed()) return true;
  if (state == v1::STOPPED || state == v1::FENCED) return false;
  if (!Enforces(orders)) return true;
  const bool may_start = host.allow != v1::ALLOW_INSTALL;
  if (state == v1::PREPARING || (state == v1::READY && may_start) || host.config_broken) {
    return false;
  }
  if (state == v1::SERVING && !IsTold(host, around)) return false;
  return host.mount == Mount::kVerified && around.database_answers;
}

bool TryStart(Host& host, const Surroundings& around, const AgentFaults& faults) {
  if (host.installed == 0 || host.masked || host.crashes) return false;
  if (!faults.starts_unasked && !PassesPreflight(host, around)) return false;
  host.running = true;
  host.process = host.installed;
  host.started_at = around.now;
  if (host.disk.state() == v1::OBSERVED) host.by_hand = true;  // nobody was asked
  return true;
}

const std::string& VersionText(Version version) {
  static const auto& texts = *new std::array<std::string, kVersions>{"", "2024.08.0", "2024.09.0"};
  return texts[version];
}

void StopConnect(Host& host) {
  host.running = false;
  host.process = 0;
  host.jobs = 0;
}

bool GateIsOpen(const Host& host, Time now) {
  if (host.old_agent) return host.running && !host.crashes;
  const GateWanted wanted = CourseOf(host).gate;
  if (wanted == GateWanted::kClosed || !host.running) return false;
  return wanted == GateWanted::kAsConnect || host.held.no_other_serves() ||
         !IsClosedByRule(host, now);
}

bool StartFailed(const Host& host) {
  const bool is_over =
      host.held.state() == v1::SERVING && IsBelow(host.starts_for, host.held.order());
  return host.start_failed && !is_over;
}

bool Serves(const Host& host, const Surroundings& around) {
  if (!host.exists || !host.power || !host.running) return false;
  if (!around.asks_gate || host.old_agent) return true;
  return host.agent && GateIsOpen(host, around.now);
}

Report Say(const Host& host, const Surroundings& around) {
  Report report;
  report.machine = host.machine;
  report.state = host.reached;
  report.generation = host.held.desired().generation();
  if (report.generation != 0) {
    report.applied_at_us = FromProto(host.held.desired().applied_at()).time_since_epoch().count();
  }
  report.epoch = host.held.order().epoch();
  report.serial = host.held.order().serial();
  report.allow = host.allow;
  report.can_serve = !host.old_agent;
  report.enforces = Enforces(host.held);
  report.connect_runs = host.running;
  report.answers = host.running;
  report.boots = host.enabled && !host.masked;
  report.installed = host.installed;
  report.running = host.process;
  report.mount = host.mount;
  report.database = host.database;
  report.key = host.key;
  report.clock_off = host.clock_off;
  report.config_broken = host.config_broken;
  report.license_ends = host.license_ends;
  report.database_answers = around.database_answers;
  report.cannot_tell = host.cannot_tell;
  report.looked = host.looked;
  report.converged = host.looked && report.generation != 0 && !Differs(host) && IsUnitRight(host);
  report.unit_differs = !IsUnitRight(host);
  report.package_differs = PackageDiffers(host);
  report.file_differs = host.database != 0;
  report.gate_open = GateIsOpen(host, around.now);
  report.jobs_known = host.jobs_known && !host.old_agent;
  report.jobs = host.jobs;
  report.start_failed = StartFailed(host);
  report.notice = host.notice;
  return report;
}

// As Held::Take; what is written down is whole, or not there.
Taken Take(Host& host, const v1::HeartbeatResponse& answer, const AgentFaults& faults) {
  if (host.held.removed()) return Taken::kNothing;
  const Standing standing = faults.takes_any_order ? Standing::kAll : StandingOf(host.held, answer);
  if (standing == Standing::kNothing) return Taken::kNothing;
  if (standing == Standing::kAll && SaysTheSame(host.held, answer)) return Taken::kSame;
  v1::Assignment next = host.held;
  if (standing == Standing::kAll && answer.has_desired() && IsNewer(answer.desired(), host.held)) {
    *next.mutable_desired() = answer.desired();
  }
  if (answer.has_order()) *next.mutable_order() = answer.order();
  if (answer.assigned_state() != v1::NODE_STATE_UNSPECIFIED &&
      (standing == Standing::kAll || !Permits(answer.assigned_state()))) {
    next.set_state(answer.assigned_state());
    next.set_release(answer.assigned_state() == v1::OBSERVED && answer.release());
    if (!answer.others_not_known()) next.set_no_other_serves(answer.no_other_serves());
    *next.mutable_waived() = answer.waived();
  }
  const bool moved = next.state() != host.held.state() || next.release() != host.held.release();
  if (!IsSameOnDisk(host.disk, next)) host.disk = next;
  host.held = std::move(next);
  return moved ? Taken::kMoved : Taken::kSame;
}

void NoteAlive(Host& host, Time now) {
  const bool lives = host.exists && host.power && host.agent;
  if (lives && (host.told || now - host.alive_at <= kLongestAway)) host.alive_at = now;
}

void StartAgent(Host& host) {
  host.agent = true;
  host.held = host.disk;
  host.looked = false;
  ++host.call;
}

void Boot(Host& host, const Surroundings& around, const AgentFaults& faults) {
  host.power = true;
  host.told = false;
  if (host.mount == Mount::kNone || host.mount == Mount::kHung) host.mount = Mount::kVerified;
  if (faults.resumes_at_boot && host.installed != 0) {
    host.masked = false;
    host.enabled = host.running = true;
    host.process = host.installed;
    host.started_at = around.now;
  }
  if (host.enabled && !host.running) TryStart(host, around, faults);
  StartAgent(host);
}

void Crash(Host& host, const Surroundings& around, const AgentFaults& faults) {
  if (!host.running) return;
  StopConnect(host);
  TryStart(host, around, faults);
}

void Unmount(Host& host) {
  host.mount = Mount::kNone;
  StopConnect(host);
}

void Mend(Host& host) {
  host.mount = Mount::kVerified;
  host.database = 0;
  host.key = 0;
  host.clock_off = false;
  host.config_broken = false;
  host.license_ends = false;
  host.cannot_tell = 0;
  host.notice = Notice::kNone;
  host.crashes = false;
  host.jobs_known = true;
}

}  // namespace connect_ha::simulation
