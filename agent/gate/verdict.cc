#include "agent/gate/verdict.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "agent/gate/one_node.h"
#include "agent/resources/connect_unit.h"
#include "common/checklist/lesser_faults.h"
#include "common/checklist/rule.h"

namespace connect_ha {
namespace {

constexpr uint32_t kOk = 200;
constexpr char kServiceRule[] = "service-is-healthy";

bool IsOneStart(const v1::Unit& a, const v1::Unit& b) {
  return a.has_started_at() == b.has_started_at() && a.started_at() == b.started_at();
}

v1::RuleAction ActionOf(const Rule& rule, const v1::ClusterSpec& spec) {
  // A rule that fences is lowered by no specification.
  if (rule.action == v1::FENCE) return v1::FENCE;
  const auto given = spec.rules().find(std::string(rule.id));
  return given != spec.rules().end() && given->second.has_action() ? given->second.action()
                                                                   : rule.action;
}

bool IsWaived(const v1::Assignment& orders, const std::string& rule, Time now) {
  const auto& all = orders.waived();
  return std::any_of(all.begin(), all.end(), [&rule, now](const v1::WaivedRule& waived) {
    return waived.rule() == rule && (!waived.has_until() || now < FromProto(waived.until()));
  });
}

bool IsJudgedByOthers(absl::string_view rule) { return rule == "connect-version-matches"; }

bool Counts(const v1::Evidence& evidence, const GateSubject& subject) {
  if (evidence.outcome() != v1::FAIL || evidence.undecided()) return false;
  return evidence.basis() != v1::SPEC || subject.has_served;
}

// That Connect runs and answers the gate knows by itself (JudgeConnect).
bool IsSure(const v1::Finding& finding) {
  if (finding.rule() == kServiceRule) return false;
  const auto& evidence = finding.evidence();
  return std::none_of(evidence.begin(), evidence.end(),
                      [](const v1::Evidence& line) { return line.outcome() == v1::UNKNOWN; });
}

// The rule may close the gate at all, as somebody wants it.
bool MayClose(const v1::Finding& finding, const v1::Assignment& orders, Time now) {
  if (IsJudgedByOthers(finding.rule())) return false;
  if (IsWaived(orders, finding.rule(), now)) return false;
  const Rule* const rule = FindRule(finding.rule());
  return rule != nullptr && !OnlyTells(*rule, finding.rule_class()) &&
         ActionOf(*rule, orders.desired().spec()) >= v1::CLOSE;
}

}  // namespace

GateVerdict JudgeConnect(const ConnectLook& look, Time now) {
  const v1::Unit& unit = look.unit ? *look.unit : look.facts.unit();
  if (!look.unit && !look.facts.has_unit()) return {false, "whether Connect runs is not known"};
  if (!IsUp(unit)) {
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
  const Time asked_at = FromProto(ping.asked_at());
  // Ahead of now by as much: the clock was set back since, and nobody knows how old it is.
  if (now - asked_at > kAnswerCounts || asked_at - now > kAnswerCounts) {
    return {false,
            absl::StrCat("whether Connect answers is not known since ", FormatUtc(asked_at))};
  }
  return {true, ""};
}

RuleClosing ClosedByRule(const v1::Facts& facts, const v1::Assignment& orders,
                         const GateSubject& subject) {
  const v1::Checklist checklist =
      EvaluateNode(OneNode(subject.node, v1::SERVING, orders.desired(), facts, subject.now),
                   /*full=*/false);
  RuleClosing still;
  for (const v1::Finding& finding : checklist.findings()) {
    if (!MayClose(finding, orders, subject.now)) continue;
    if (finding.outcome() == v1::UNKNOWN || finding.outcome() == v1::FOLLOWS) {
      const bool is_that = absl::StartsWith(subject.closed_by, finding.rule() + ": ");
      if (is_that) still = {subject.closed_by, true};
    }
    if (finding.outcome() != v1::FAIL) continue;
    for (const v1::Evidence& evidence : finding.evidence()) {
      if (!Counts(evidence, subject)) continue;
      return {absl::StrCat(finding.rule(), ": ", evidence.text()), IsSure(finding)};
    }
  }
  return still;
}

}  // namespace connect_ha
