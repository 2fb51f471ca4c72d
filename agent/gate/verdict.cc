#include "agent/gate/verdict.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "agent/one_node.h"
#include "common/checklist/rule.h"
#include "common/checklist/view/facts_view.h"

namespace connect_ha {
namespace {

constexpr uint32_t kOk = 200;

bool Runs(const v1::Unit& unit) {
  return unit.active_state() == "active" || unit.active_state() == "reloading";
}

bool IsOneStart(const v1::Unit& a, const v1::Unit& b) {
  return a.has_started_at() == b.has_started_at() && a.started_at() == b.started_at();
}

v1::RuleAction ActionOf(const Rule& rule, const v1::ClusterSpec& spec) {
  // A rule that fences is lowered by no specification.
  if (rule.action == v1::FENCE) return v1::FENCE;
  const auto given = spec.rules().find(rule.id);
  return given != spec.rules().end() && given->second.has_action() ? given->second.action()
                                                                   : rule.action;
}

bool IsWaived(const v1::Assignment& orders, const std::string& rule) {
  const auto& waived = orders.waived_rules();
  return std::find(waived.begin(), waived.end(), rule) != waived.end();
}

bool IsJudgedByOthers(absl::string_view rule) { return rule == "connect-version-matches"; }

// Connect answers, and all that is wrong is that a boot would not start it: no user notices.
bool IsOnlyItsBoot(const v1::Facts& facts) {
  const v1::Unit& unit = facts.connect().unit();
  return Serves(facts) && (unit.load_state() == "masked" || unit.unit_file_state() != "enabled");
}

bool Counts(const v1::Evidence& evidence, const GateSubject& subject) {
  if (evidence.outcome() != v1::FAIL || evidence.undecided()) return false;
  return evidence.basis() != v1::SPEC || subject.has_served;
}

}  // namespace

GateVerdict JudgeConnect(const ConnectLook& look) {
  const v1::Unit& unit = look.unit ? *look.unit : look.facts.unit();
  if (!look.unit && !look.facts.has_unit()) return {false, "whether Connect runs is not known"};
  if (!Runs(unit)) {
    return {false,
            absl::StrCat("Connect does not run (",
                         unit.active_state().empty() ? "no unit" : unit.active_state(), ")")};
  }
  const v1::Ping& ping = look.facts.ping();
  if (!look.facts.has_ping() || !IsOneStart(unit, look.facts.unit())) {
    return {false, "Connect was started, and has not answered yet"};
  }
  if (!ping.has_http_status()) {
    return {false, absl::StrCat("/__ping__ does not answer: ", ping.error())};
  }
  if (ping.http_status() != kOk) {
    return {false, absl::StrCat("/__ping__ answers ", ping.http_status())};
  }
  return {true, ""};
}

std::string ClosedByRule(const v1::Facts& facts, const v1::Assignment& orders,
                         const GateSubject& subject) {
  const v1::Checklist checklist =
      EvaluateNode(OneNode(subject.node, orders.state(), orders.desired(), facts, subject.now),
                   /*full=*/false);
  for (const v1::Finding& finding : checklist.findings()) {
    if (finding.outcome() != v1::FAIL || finding.rule_class() == v1::ADVICE) continue;
    if (IsJudgedByOthers(finding.rule()) || IsWaived(orders, finding.rule())) continue;
    if (finding.rule() == "service-is-healthy" && IsOnlyItsBoot(facts)) continue;
    const Rule* const rule = FindRule(finding.rule());
    if (rule == nullptr || ActionOf(*rule, orders.desired().spec()) < v1::CLOSE) continue;
    for (const v1::Evidence& evidence : finding.evidence()) {
      if (Counts(evidence, subject)) return absl::StrCat(finding.rule(), ": ", evidence.text());
    }
  }
  return "";
}

}  // namespace connect_ha
