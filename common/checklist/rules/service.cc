#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/checklist/crash_loop.h"
#include "common/checklist/lesser_faults.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/rules/versions.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/facts_view.h"
#include "common/time.h"

namespace connect_ha {
namespace {

// It ended, and systemd is about to start it again.
bool WaitsForRestart(const v1::Unit& unit) { return unit.sub_state() == "auto-restart"; }

// Where nobody counted them, the latest restart alone is known to be within the window.
bool IsLooping(const v1::Unit& unit, Time now) {
  if (!WaitsForRestart(unit) && !unit.has_started_at()) return false;
  if (unit.has_restarts_lately()) return unit.restarts_lately() >= kRestartsOfALoop;
  if (unit.restarts() < kRestartsOfALoop) return false;
  return WaitsForRestart(unit) || now - FromProto(unit.started_at()) < kLoopWindow;
}

std::string LoopText(const v1::Unit& unit) {
  if (!unit.has_restarts_lately()) {
    return absl::StrCat("restarts in a loop (", unit.restarts(), " restarts)");
  }
  return absl::StrCat("restarts in a loop (", unit.restarts_lately(), " restarts within ",
                      kLoopWindow.count(), " minutes)");
}

// connect-ha keeps Connect from running there, until the node is ready or its fault is mended.
bool IsHeld(const v1::ClusterSpec& spec, const v1::NodeSnapshot& node) {
  if (spec.enforcement() != v1::ENFORCE) return false;
  switch (node.assigned_state()) {
    case v1::PREPARING:
    case v1::READY:
    case v1::STOPPED:
    case v1::FENCED:
      return true;
    default:
      return false;
  }
}

// Why its preflight keeps Connect from starting; "" where it does not.
std::string WhyRefused(const v1::Facts& facts) {
  const v1::PreflightResult& last = facts.guard().last();
  return facts.guard().has_last() && !last.may_start() ? last.reason() : "";
}

Fixes WithoutUnitFix(const v1::ConnectSpec& spec, OtherVersions& versions,
                     const v1::NodeSnapshot& node) {
  const v1::ConnectFacts& connect = node.facts().connect();
  if (!connect.has_package()) {
    return InstallConnectFix(versions, node, spec.version());
  }
  return {Needing(ReinstallPackage(node.name(), "rstudio-connect", connect.package().version()),
                  {"configuration-is-valid", "storage-is-mounted", "storage-is-alive"})};
}

// Without --runtime it takes away a mask that lasts alone.
const char* UnmaskCommand(const v1::Unit& unit) {
  return unit.unit_file_state() == "masked-runtime" ? "systemctl unmask --runtime rstudio-connect"
                                                    : "systemctl unmask rstudio-connect";
}

// False, and said in the verdict, when something is wrong with the unit.
bool JudgeUnit(const v1::Snapshot& cluster, OtherVersions& versions, const v1::NodeSnapshot& node,
               Verdict& verdict) {
  const v1::ConnectFacts& connect = node.facts().connect();
  const v1::Unit& unit = connect.unit();
  const std::string& name = node.name();
  const std::string& state = unit.active_state();
  if (!connect.has_unit() || unit.load_state() == "not-found") {
    verdict.Fail(name, "there is no unit rstudio-connect.service",
                 WithoutUnitFix(cluster.spec().connect(), versions, node));
  } else if (unit.load_state() == "masked" && !IsRunning(node.facts())) {
    verdict.Fail(name, "the unit is masked",
                 {Needing(Type(name, {UnmaskCommand(unit)}),
                          {"configuration-is-valid", "storage-is-mounted"}),
                  StartConnect(name)});
  } else if (!IsRunning(node.facts()) && !WhyRefused(node.facts()).empty()) {
    verdict.Fail(name, absl::StrCat("kept from starting: ", WhyRefused(node.facts())),
                 {Type(name, {"connect-ha-agent preflight --explain"}), StartConnect(name)});
  } else if (IsLooping(unit, FromProto(cluster.taken_at()))) {
    verdict.Fail(name, LoopText(unit), {LookAtConnect(name)});
  } else if (WaitsForRestart(unit)) {
    verdict.Fail(name, "ended, and systemd is about to start it again", {LookAtConnect(name)});
  } else if (state == "activating" || state == "deactivating") {
    verdict.Unknown(name, absl::StrCat("the unit is ", state), {LookAtConnect(name)});
  } else if (!IsRunning(node.facts())) {
    const std::string sub =
        unit.sub_state() == state ? "" : absl::StrCat(" (", unit.sub_state(), ")");
    verdict.Fail(name, absl::StrCat("the unit is ", state, sub),
                 {LookAtConnect(name), StartConnect(name)});
  } else {
    return true;
  }
  return false;
}

bool StartsWithBoot(const v1::Unit& unit) {
  return unit.load_state() != "masked" && unit.unit_file_state() == "enabled";
}

// A static one has no [Install]: to enable it does nothing, and ends well.
Fixes EnableFix(const std::string& name, const v1::Unit& unit) {
  if (unit.unit_file_state() != "static") {
    return {Type(name, {"systemctl enable rstudio-connect"})};
  }
  return {Type(name, {"systemctl cat rstudio-connect"}),
          ByHand(name,
                 "systemctl edit rstudio-connect, and write there, on a line each: [Install] "
                 "WantedBy=multi-user.target; or, where a file below /etc/systemd/system takes the "
                 "place of the package's own, which has that, take it away"),
          Type(name, {"systemctl daemon-reload", "systemctl enable rstudio-connect"})};
}

// A Connect that runs and would not be started again: no user notices.
void JudgeBoot(const v1::NodeSnapshot& node, LesserFaults& lesser) {
  const v1::Unit& unit = node.facts().connect().unit();
  if (StartsWithBoot(unit)) return;
  if (unit.load_state() == "masked") {
    return lesser.Add(node.name(), "the unit is masked while Connect runs: it will not start again",
                      {Type(node.name(), {UnmaskCommand(unit)})});
  }
  lesser.Add(node.name(),
             absl::StrCat("the unit is ", unit.unit_file_state(), ": a boot does not start it"),
             EnableFix(node.name(), unit));
}

// Who let the last start through, and why; "" for nobody.
std::string OverrideText(const v1::PreflightResult& last) {
  if (!last.has_override()) return "";
  return absl::StrCat("; started by the override of ", last.override().by(), ": ",
                      last.override().reason());
}

void JudgePing(const v1::NodeSnapshot& node, Verdict& verdict) {
  if (verdict.Unobserved(node, "connect.ping")) return;
  const v1::Ping& ping = node.facts().connect().ping();
  if (!node.facts().connect().has_ping()) {
    verdict.Pending(node.name(), "/__ping__ was not asked yet");
  } else if (!ping.has_http_status()) {
    verdict.Fail(node.name(), absl::StrCat("/__ping__ does not answer: ", ping.error()),
                 {LookAtConnect(node.name())});
  } else if (ping.http_status() != 200) {
    verdict.Fail(node.name(), absl::StrCat("/__ping__ answers ", ping.http_status()),
                 {LookAtConnect(node.name())});
  } else {
    const bool starts = StartsWithBoot(node.facts().connect().unit());
    verdict.Pass(node.name(),
                 absl::StrCat("active, ", starts ? "enabled, " : "", "/__ping__ answers 200",
                              OverrideText(node.facts().guard().last())));
  }
}

}  // namespace

v1::Finding ServiceIsHealthy(const v1::Snapshot& cluster) {
  OtherVersions versions(cluster);
  Verdict verdict;
  LesserFaults lesser;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (verdict.Unobserved(node, "connect.unit")) continue;
    if (IsHeld(cluster.spec(), node) && !IsRunning(node.facts())) {
      verdict.NotApplicable(node.name(), "held by connect-ha");
    } else if (JudgeUnit(cluster, versions, node, verdict)) {
      JudgePing(node, verdict);
      JudgeBoot(node, lesser);
    }
  }
  return lesser.Finish(std::move(verdict), v1::ADVICE);
}

}  // namespace connect_ha
