// What the agent does to the machine, a step at a time.
#include "agent/assignment/standing.h"
#include "tests/plan_simulation/host_parts.h"

namespace connect_ha::simulation {
namespace {

// As agent/resources/service/start_connect.h has it.
constexpr uint32_t kMostStarts = 3;
// As agent/resources/converge/converge_service.cc: what runs for so long was started well.
constexpr std::chrono::minutes kStaysUp{10};

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
  host.by_hand = host.by_hand && PackageDiffers(host);
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
  if (!faults.starts_unasked && !PassesPreflight(host, around)) return "";
  host.starts_for = host.held.order();
  host.starts = is_new ? 1 : host.starts + 1;
  host.start_failed = false;
  if (TryStart(host, around, faults)) return "starts Connect";
  host.start_failed = host.starts >= kMostStarts;
  return "tries to start Connect in vain";
}

// It starts once all that it starts with is right.
std::string RunUnit(Host& host, const Surroundings& around, const AgentFaults& faults) {
  if (!host.running && Differs(host) && !faults.starts_unasked) return "";
  if (host.masked || !host.enabled) {
    host.masked = false;
    host.enabled = true;
    return "unmasks and enables Connect";
  }
  return host.running ? "" : StartOnce(host, around, faults);
}

// As Converge::NoteServing.
void NoteServing(Host& host, const Surroundings& around) {
  if (!host.running) return;
  if (!Differs(host) && IsAsWanted(host, UnitWanted::kRunning)) {
    const v1::Desired& desired = host.held.desired();
    host.served_generation = desired.generation();
    host.served_applied_at = FromProto(desired.applied_at());
  }
  if (around.now - host.started_at < kStaysUp) return;
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

}  // namespace

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
  if (course.unit == UnitWanted::kRunning) NoteServing(host, around);
  if (!did.empty()) return did;
  const v1::NodeState state = StateOf(host);
  if (host.reached == state) return "";
  host.reached = state;
  return "has become " + v1::NodeState_Name(state);
}

}  // namespace connect_ha::simulation
