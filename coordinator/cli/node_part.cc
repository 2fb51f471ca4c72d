#include "coordinator/cli/node_part.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/checklist/verdict.h"
#include "common/time.h"

namespace connect_ha {
namespace {

bool Passes(v1::Outcome outcome) { return outcome == v1::PASS || outcome == v1::NOT_APPLICABLE; }

bool HasEvidenceOf(const v1::Finding& finding, const std::string& node) {
  return std::any_of(finding.evidence().begin(), finding.evidence().end(),
                     [&](const v1::Evidence& e) { return e.node() == node; });
}

// Nodes that pass are told one by one up to a number: "and 200 more" is none of this node's.
bool StandsForOthers(const v1::Evidence& evidence) {
  return evidence.node().empty() && Passes(evidence.outcome()) &&
         absl::StartsWith(evidence.text(), "and ") && absl::EndsWith(evidence.text(), " more");
}

v1::Finding WithEvidenceOf(const v1::Finding& finding, const std::string& node) {
  v1::Finding kept = finding;
  auto* evidence = kept.mutable_evidence();
  evidence->erase(std::remove_if(evidence->begin(), evidence->end(),
                                 [&](const v1::Evidence& e) {
                                   return (e.node() != node && !e.node().empty()) ||
                                          StandsForOthers(e);
                                 }),
                  evidence->end());
  return kept;
}

// It does not pass, and no line of its evidence says so: it is the nodes together that do not.
bool IsOfTheClusterAlone(const v1::Finding& finding) {
  return !Passes(finding.outcome()) &&
         std::none_of(finding.evidence().begin(), finding.evidence().end(),
                      [&](const v1::Evidence& e) { return e.outcome() == finding.outcome(); });
}

void Add(const v1::Evidence& evidence, Verdict& verdict) {
  switch (evidence.outcome()) {
    case v1::PASS:
      return verdict.Pass(evidence.node(), evidence.text());
    case v1::FAIL:
      return verdict.Fail(evidence.node(), evidence.text());
    case v1::NOT_APPLICABLE:
      return verdict.NotApplicable(evidence.node(), evidence.text());
    default:
      return verdict.Unknown(evidence.node(), evidence.text());
  }
}

// Since when the line stands that decides, the oldest of several.
void SetSinceOfEvidence(v1::Finding& judged) {
  judged.clear_since();
  judged.clear_last_known();
  judged.clear_last_known_since();
  for (const v1::Evidence& evidence : judged.evidence()) {
    if (evidence.outcome() != judged.outcome() || !evidence.has_since()) continue;
    if (judged.has_since() && FromProto(judged.since()) <= FromProto(evidence.since())) continue;
    *judged.mutable_since() = evidence.since();
    judged.clear_last_known();
    judged.clear_last_known_since();
    if (!evidence.has_last_known()) continue;
    judged.set_last_known(evidence.last_known());
    *judged.mutable_last_known_since() = evidence.last_known_since();
  }
}

v1::Finding Judge(const v1::Finding& finding, const std::string& node) {
  v1::Finding judged = WithEvidenceOf(finding, node);
  if (IsOfTheClusterAlone(finding)) return judged;
  Verdict verdict;
  std::set<std::string> added;
  for (const v1::Evidence& evidence : judged.evidence()) {
    if (added.insert(evidence.SerializeAsString()).second) Add(evidence, verdict);
  }
  const v1::Finding own = verdict.Finish();
  judged.set_outcome(own.outcome());
  judged.set_summary(own.summary());
  SetSinceOfEvidence(judged);
  if (Passes(own.outcome())) {
    judged.clear_fixes();
  } else if (own.outcome() != finding.outcome()) {
    judged.clear_fixes();
  }
  return judged;
}

}  // namespace

v1::Checklist PartOfNode(const v1::Checklist& checklist, const std::string& node) {
  v1::Checklist part = checklist;
  part.clear_findings();
  for (const v1::Finding& finding : checklist.findings()) {
    if (HasEvidenceOf(finding, node)) *part.add_findings() = Judge(finding, node);
  }
  return part;
}

}  // namespace connect_ha
