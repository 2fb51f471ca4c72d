#include "tests/plan_simulation/host.h"

#include <array>
#include <utility>

#include "agent/assignment/standing.h"
#include "agent/assignment/transitions.h"
#include "agent/resources/converge/course.h"

namespace connect_ha::simulation {
namespace {

constexpr uint32_t kMostTries = 3;
// As agent/assignment/told.cc.
constexpr std::chrono::minutes kLongestAway{30};

Version WantedVersion(const Host& host) {
  const std::string& wanted = host.held.desired().spec().connect().version();
  for (Version version = 1; version < kVersions; ++version) {
    if (wanted == VersionText(version)) return version;
  }
  return 0;
}

bool Enforces(const v1::Assignment& held) {
  return !held.removed() && held.desired().spec().enforcement() == v1::ENFORCE;
}

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

bool PackageDiffers(const Host& host) {
  const Version wanted = WantedVersion(host);
  return wanted != 0 && host.installed != wanted;
}

bool Differs(const Host& host) {
  return PackageDiffers(host) || host.database != 0 || host.mount != Mount::kVerified ||
         host.config_broken;
}

// Who was off for long was perhaps counted out: it starts nothing before it was told.
bool IsTold(const Host& host, const Surroundings& around) {
  return host.told || around.now - host.alive_at <= kLongestAway;
}

// Before each start, by systemd's own hand: agent and coordinator need not run.
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

bool Start(Host& host, const Surroundings& around, const AgentFaults& faults) {
  if (host.installed == 0 || host.masked || host.crashes) return false;
  if (!faults.starts_unasked && !PassesPreflight(host, around)) return false;
  host.running = true;
  host.process = host.installed;
  if (host.disk.state() == v1::OBSERVED) host.by_hand = true;  // nobody was asked
  return true;
}

// The first of what the agent may put right; what needs Connect to be stopped, where it rests.
std::string ChangeOne(Host& host, bool all) {
  if (host.mount == Mount::kNone) {
    host.mount = Mount::kVerified;
    return "mounts the file system";
  }
  if (host.running) return "";
  if (host.database != 0) {
    host.database = 0;
    return "writes the configuration";
  }
  if (!all || !PackageDiffers(host)) return "";
  host.installed = WantedVersion(host);
  host.by_hand = false;
  return "installs Connect " + VersionText(host.installed);
}

std::string HoldUnit(Host& host, bool may_stop) {
  if (!host.masked) {
    host.masked = true;
    host.enabled = false;
    return "masks Connect";
  }
  if (!host.running || !may_stop) return "";
  StopConnect(host);
  host.by_hand = host.by_hand && PackageDiffers(host);
  return "stops Connect";
}

// It starts once all that it starts with is right.
std::string RunUnit(Host& host, const Surroundings& around, const AgentFaults& faults) {
  if (!host.running && Differs(host) && !faults.starts_unasked) return "";
  if (host.masked || !host.enabled) {
    host.masked = false;
    host.enabled = true;
    return "unmasks and enables Connect";
  }
  if (host.running || host.start_failed || !IsTold(host, around)) return "";
  if (Start(host, around, faults)) return "starts Connect";
  if (++host.tries >= kMostTries) host.start_failed = true;
  return "tries to start Connect in vain";
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

// All that is worth a write: a serial alone is not.
bool IsSameOnDisk(const v1::Assignment& a, const v1::Assignment& b) {
  return a.state() == b.state() && a.removed() == b.removed() && a.release() == b.release() &&
         a.order().lineage() == b.order().lineage() && a.order().epoch() == b.order().epoch() &&
         IsOneSpecification(a.desired(), b.desired());
}

}  // namespace

const std::string& VersionText(Version version) {
  static const auto& texts = *new std::array<std::string, kVersions>{"", "2024.08.0", "2024.09.0"};
  return texts[version];
}

void StopConnect(Host& host) {
  host.running = false;
  host.process = 0;
  host.jobs = 0;
}

bool GateIsOpen(const Host& host) {
  if (host.old_agent) return host.running && !host.crashes;
  const GateWanted wanted = CourseOf(host).gate;
  if (wanted == GateWanted::kClosed || !host.running) return false;
  return wanted == GateWanted::kAsConnect || host.mount == Mount::kVerified;
}

bool Serves(const Host& host, const Surroundings& around) {
  if (!host.exists || !host.power || !host.running) return false;
  if (!around.asks_gate || host.old_agent) return true;
  return host.agent && GateIsOpen(host);
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
  report.converged = host.looked && report.generation != 0 && !Differs(host);
  report.needs_stop = PackageDiffers(host) || host.database != 0;
  report.gate_open = GateIsOpen(host);
  report.jobs_known = host.jobs_known && !host.old_agent;
  report.jobs = host.jobs;
  report.start_failed = host.start_failed;
  report.noticed = host.noticed;
  return report;
}

// As Held::Take; what is written down is whole, or not there.
Taken Take(Host& host, const v1::HeartbeatResponse& answer, const AgentFaults& faults) {
  if (host.held.removed()) return Taken::kNothing;
  const Standing standing = faults.takes_any_order ? Standing::kAll : StandingOf(host.held, answer);
  if (standing == Standing::kNothing) return Taken::kNothing;
  v1::Assignment next = host.held;
  if (standing == Standing::kAll && answer.has_desired() && IsNewer(answer.desired(), host.held)) {
    *next.mutable_desired() = answer.desired();
  }
  if (answer.has_order()) *next.mutable_order() = answer.order();
  if (answer.assigned_state() != v1::NODE_STATE_UNSPECIFIED &&
      (standing == Standing::kAll || !Permits(answer.assigned_state()))) {
    next.set_state(answer.assigned_state());
    next.set_release(answer.release());
  }
  const bool moved = next.state() != host.held.state() || next.release() != host.held.release();
  if (next.state() == v1::SERVING && IsBelow(host.held.order(), next.order())) {
    host.tries = 0;
    host.start_failed = false;
  }
  if (!IsSameOnDisk(host.disk, next)) host.disk = next;
  host.held = std::move(next);
  return moved ? Taken::kMoved : Taken::kSame;
}

std::string Work(Host& host, const Surroundings& around, const AgentFaults& faults) {
  if (!host.exists || !host.power || !host.agent) return "";
  if (!host.looked) {
    host.looked = true;
    return "looks at everything";
  }
  const Course course = CourseOf(host);
  std::string did;
  if (course.unit == UnitWanted::kHeld) did = HoldUnit(host, course.may_stop);
  if (did.empty() && course.resources != Transition::kNone) {
    did = ChangeOne(host, course.resources == Transition::kAll);
  }
  if (did.empty() && course.unit == UnitWanted::kRunning) did = RunUnit(host, around, faults);
  if (did.empty() && course.release && host.masked) {
    host.masked = false;
    did = "unmasks Connect";
  }
  if (!did.empty()) return did;
  const v1::NodeState state = StateOf(host);
  if (host.reached == state) return "";
  host.reached = state;
  return "has become " + v1::NodeState_Name(state);
}

void NoteAlive(Host& host, Time now) {
  const bool lives = host.exists && host.power && host.agent;
  if (lives && (host.told || now - host.alive_at <= kLongestAway)) host.alive_at = now;
}

void StartAgent(Host& host) {
  host.agent = true;
  host.held = host.disk;
  host.looked = false;
  host.start_failed = false;
  host.tries = 0;
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
  }
  if (host.enabled && !host.running) Start(host, around, faults);
  StartAgent(host);
}

void Crash(Host& host, const Surroundings& around, const AgentFaults& faults) {
  if (!host.running) return;
  StopConnect(host);
  Start(host, around, faults);
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
  host.noticed = false;
  host.crashes = false;
  host.jobs_known = true;
}

}  // namespace connect_ha::simulation
