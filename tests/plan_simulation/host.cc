#include "tests/plan_simulation/host.h"

#include <algorithm>
#include <array>
#include <utility>

#include "agent/assignment/standing.h"
#include "tests/plan_simulation/checklist.h"
#include "tests/plan_simulation/host_parts.h"

namespace connect_ha::simulation {
namespace {

// As agent/gate/verdict.cc: by what one node alone sees of itself.
bool IsClosedByRule(const Host& host, Time now) {
  const Time own = OwnTime(host, now);
  const auto closes = [&host, own](size_t rule) {
    const auto& all = host.held.waived();
    const bool is_waived = std::any_of(all.begin(), all.end(), [rule, own](const auto& waived) {
      const bool over = waived.has_until() && own >= FromProto(waived.until());
      return waived.rule() == RuleName(rule) && !over;
    });
    const bool is_known = ((host.cannot_tell >> rule) & 1U) == 0;
    return is_known && !is_waived && ActionIn(host.held.desired().spec(), rule) >= v1::CLOSE;
  };
  // What differs before that is a change that is still to be made.
  const bool is_other = host.mount == Mount::kOther && HasServedAs(host, host.held.desired());
  return ((is_other || host.mount == Mount::kNone) && closes(kMounted)) ||
         (host.mount == Mount::kHung && closes(kAlive)) || (host.clock_off && closes(kClocks)) ||
         (host.config_broken && closes(kConfiguration));
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
bool IsSame(const v1::Order& a, const v1::Order& b) {
  return a.epoch() == b.epoch() && a.serial() == b.serial();
}

bool IsSameOnDisk(const v1::Assignment& a, const v1::Assignment& b) {
  return a.state() == b.state() && a.removed() == b.removed() && a.release() == b.release() &&
         a.order().lineage() == b.order().lineage() && a.order().epoch() == b.order().epoch() &&
         a.no_other_serves() == b.no_other_serves() && a.closed() == b.closed() &&
         a.not_before() == b.not_before() && AreSame(a.waived(), b.waived()) &&
         IsSame(a.database_restored(), b.database_restored()) &&
         IsOneSpecification(a.desired(), b.desired());
}

// Most answers are.
bool SaysTheSame(const v1::Assignment& held, const v1::HeartbeatResponse& answer) {
  return !answer.has_desired() && answer.has_order() &&
         answer.order().lineage() == held.order().lineage() &&
         answer.order().epoch() == held.order().epoch() &&
         answer.order().serial() == held.order().serial() &&
         answer.assigned_state() == held.state() && answer.release() == held.release() &&
         answer.closed() == held.closed() && answer.not_before() == held.not_before() &&
         (answer.others_not_known() || answer.no_other_serves() == held.no_other_serves()) &&
         AreSame(answer.waived(), held.waived()) &&
         (!answer.has_database_restored() ||
          IsSame(answer.database_restored(), held.database_restored()));
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

bool PackageDiffers(const Host& host, const Wanted& wanted) {
  return wanted.version != 0 && host.installed != wanted.version;
}

bool HasServedAs(const Host& host, const v1::Desired& desired) {
  return host.served_generation == desired.generation() &&
         host.served_applied_at == FromProto(desired.applied_at());
}

bool Differs(const Host& host) {
  const Wanted wanted = WantedBy(host.held.desired());
  return PackageDiffers(host, wanted) || (wanted.runtimes & ~host.runtimes) != 0 ||
         host.database != 0 || !(host.configuration == wanted.configuration) ||
         host.mount != Mount::kVerified || host.config_broken;
}

bool Enforces(const v1::Assignment& held) {
  return !held.removed() && held.desired().spec().enforcement() == v1::ENFORCE;
}

uint32_t ToBeRemoved(const Host& host, const Surroundings& around) {
  const Wanted wanted = WantedBy(host.held.desired());
  if (!wanted.prunes || !Enforces(host.held) || !around.database_answers) return 0;
  // What is to come is not removed before it is there.
  const uint32_t to_come = host.ahead.generation() == 0 ? 0 : WantedBy(host.ahead).runtimes;
  return host.runtimes & ~wanted.runtimes & ~to_come & ~around.pinned;
}

const std::string& VersionText(Version version) {
  static const auto& texts =
      *new std::array<std::string, kVersions>{"", "2024.08.0", "2024.09.0", "2024.10.0"};
  return texts[version];
}

void StopConnect(Host& host) {
  host.running = false;
  host.migrates = false;
  host.left_behind = false;
  host.process = 0;
  host.jobs = 0;
}

Time OwnTime(const Host& host, Time now) { return now + host.clock_offset; }

bool Answers(const Host& host, Time now) { return host.running && now >= host.answers_at; }

bool IsMigrating(const Host& host, Time now) {
  return host.running && host.migrates && now < host.answers_at;
}

bool GateIsOpen(const Host& host, Time now) {
  if (host.old_agent) return host.running && !host.crashes;
  const GateWanted wanted = CourseOf(host).gate;
  if (wanted == GateWanted::kClosed || !Answers(host, now)) return false;
  if (wanted == GateWanted::kAsConnect) return true;
  return !host.held.closed() && (host.held.no_other_serves() || !IsClosedByRule(host, now));
}

bool StartFailed(const Host& host) {
  const bool is_over =
      host.held.state() == v1::SERVING && IsBelow(host.starts_for, host.held.order());
  return host.start_failed && !is_over;
}

bool Serves(const Host& host, const Surroundings& around) {
  if (!host.exists || !host.power || !Answers(host, around.now)) return false;
  if (!around.asks_gate || host.old_agent) return true;
  return host.agent && GateIsOpen(host, around.now);
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
    next.set_closed(answer.assigned_state() == v1::SERVING && answer.closed() &&
                    !faults.opens_closed);
    if (!answer.others_not_known()) next.set_no_other_serves(answer.no_other_serves());
    *next.mutable_waived() = answer.waived();
    next.set_not_before(answer.not_before());
  }
  if (standing == Standing::kAll && answer.has_database_restored()) {
    *next.mutable_database_restored() = answer.database_restored();
  }
  const bool moved = next.state() != host.held.state() || next.release() != host.held.release() ||
                     next.closed() != host.held.closed();
  if (!IsSameOnDisk(host.disk, next)) host.disk = next;
  host.held = std::move(next);
  return moved ? Taken::kMoved : Taken::kSame;
}

void TakeAhead(Host& host, const v1::HeartbeatResponse& answer) {
  if (host.held.removed() || host.old_agent) return;
  const uint64_t held = host.held.desired().generation();
  if (answer.has_ahead() && answer.ahead().generation() > held) {
    if (!IsOneSpecification(host.ahead, answer.ahead())) host.ahead_ready = false;
    host.ahead = answer.ahead();
  }
  const bool is_over =
      host.ahead.generation() != answer.ahead_generation() || host.ahead.generation() <= held;
  if (host.ahead.generation() == 0 || !is_over) return;
  host.ahead.Clear();
  host.ahead_ready = false;
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
  host.clock_offset = {};
  host.covered = false;
  host.config_broken = false;
  host.license_ends = false;
  host.cannot_tell = 0;
  host.cannot_fetch = host.cannot_install = false;
  host.notice = Notice::kNone;
  host.notice_at.reset();
  host.departure = {};
  host.crashes = false;
  host.jobs_known = true;
}

}  // namespace connect_ha::simulation
