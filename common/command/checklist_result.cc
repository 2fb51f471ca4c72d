#include "common/command/checklist_result.h"

#include "common/checklist/finding_of.h"

namespace connect_ha {
namespace {

// PASS where the cause counts by itself.
v1::Outcome CountsAs(const std::string& cause, const v1::Checklist& shown,
                     const v1::Checklist& whole, bool strict) {
  const v1::Finding* beside = FindingOf(shown, cause);
  if (beside != nullptr && !IsRight(beside->outcome()) && Decides(*beside, strict)) return v1::PASS;
  const v1::Finding* known = FindingOf(whole, cause);
  return known != nullptr && known->outcome() == v1::FAIL ? v1::FAIL : v1::UNKNOWN;
}

}  // namespace

bool IsRight(v1::Outcome outcome) { return outcome == v1::PASS || outcome == v1::NOT_APPLICABLE; }

Cell OutcomeCell(v1::Outcome outcome) {
  switch (outcome) {
    case v1::PASS:
      return {"pass", Style::kGood};
    case v1::FAIL:
      return {"FAIL", Style::kBad};
    case v1::NOT_APPLICABLE:
      return {"n/a", Style::kFaint};
    case v1::FOLLOWS:
      return {"follows", Style::kFaint};
    default:
      return {"unknown", Style::kDoubtful};
  }
}

std::string ClassName(v1::RuleClass rule_class) {
  switch (rule_class) {
    case v1::DATA:
      return "data";
    case v1::SERVICE:
      return "service";
    case v1::ADVICE:
      return "advice";
    default:
      return "unknown";
  }
}

bool Decides(const v1::Finding& finding, bool strict) {
  return strict || finding.rule_class() != v1::ADVICE;
}

v1::Outcome OutcomeThatCounts(const v1::Finding& finding, const v1::Checklist& shown,
                              const v1::Checklist& whole, bool strict) {
  if (IsRight(finding.outcome())) return v1::PASS;
  if (finding.outcome() != v1::FOLLOWS) return finding.outcome();
  v1::Outcome worst = v1::UNKNOWN;  // for one that names no cause
  bool has_cause = false;
  for (const v1::Evidence& evidence : finding.evidence()) {
    if (evidence.outcome() != v1::FOLLOWS) continue;
    const v1::Outcome outcome = CountsAs(evidence.cause(), shown, whole, strict);
    if (outcome == v1::FAIL) return v1::FAIL;
    worst = has_cause && worst == v1::UNKNOWN ? v1::UNKNOWN : outcome;
    has_cause = true;
  }
  return worst;
}

int ChecklistExitCode(const v1::Checklist& shown, const v1::Checklist& whole, bool strict) {
  int code = kHolds;
  for (const v1::Finding& finding : shown.findings()) {
    if (!Decides(finding, strict)) continue;
    const v1::Outcome outcome = OutcomeThatCounts(finding, shown, whole, strict);
    if (outcome == v1::PASS) continue;
    if (outcome == v1::FAIL) return kFails;
    code = kUnknown;
  }
  return code;
}

}  // namespace connect_ha
