#include "coordinator/cli/node_part.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/command/checklist_result.h"
#include "common/text/shell_word.h"
#include "common/time.h"

namespace connect_ha {
namespace {

bool HasEvidenceOf(const v1::Finding& finding, const std::string& node) {
  return std::any_of(finding.evidence().begin(), finding.evidence().end(),
                     [&](const v1::Evidence& e) { return e.node() == node; });
}

// The node's own lines, and what is wrong that no single node said. What is right for the cluster,
// or for nodes that are not named, says nothing of this one.
bool IsOf(const v1::Evidence& evidence, const std::string& node) {
  return evidence.node() == node || (evidence.node().empty() && !IsRight(evidence.outcome()));
}

v1::Finding WithEvidenceOf(const v1::Finding& finding, const std::string& node) {
  v1::Finding kept = finding;
  auto* evidence = kept.mutable_evidence();
  evidence->erase(std::remove_if(evidence->begin(), evidence->end(),
                                 [&](const v1::Evidence& e) { return !IsOf(e, node); }),
                  evidence->end());
  return kept;
}

// It does not pass, and no line of its evidence says so: it is the nodes together that do not.
bool IsOfTheClusterAlone(const v1::Finding& finding) {
  return !IsRight(finding.outcome()) &&
         std::none_of(finding.evidence().begin(), finding.evidence().end(),
                      [&](const v1::Evidence& e) { return e.outcome() == finding.outcome(); });
}

// The worst of what is said, and the words of what is as bad.
void SetOutcome(v1::Finding& judged) {
  v1::Outcome worst = v1::NOT_APPLICABLE;
  for (const v1::Outcome outcome : {v1::FAIL, v1::UNKNOWN, v1::FOLLOWS, v1::PASS}) {
    if (std::any_of(judged.evidence().begin(), judged.evidence().end(),
                    [&](const v1::Evidence& e) { return e.outcome() == outcome; })) {
      worst = outcome;
      break;
    }
  }
  std::vector<std::string> texts;
  for (const v1::Evidence& evidence : judged.evidence()) {
    if (evidence.outcome() != worst) continue;
    std::string text = evidence.text();
    if (!evidence.node().empty()) text = absl::StrCat(evidence.node(), ": ", text);
    if (std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(text);
  }
  judged.set_outcome(worst);
  judged.set_summary(absl::StrJoin(texts, "; "));
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

v1::Fix LookAtFacts(const std::string& node) {
  v1::Fix fix;
  fix.add_commands(absl::StrCat("connect-ha facts ", ShellWord(node)));
  fix.set_note("it shows what was read, and what could not be");
  return fix;
}

v1::Fix LookAtRule(const std::string& rule) {
  v1::Fix fix;
  fix.add_commands(absl::StrCat("connect-ha checklist --rule ", ShellWord(rule)));
  fix.set_note("what is to be done is done on other nodes");
  return fix;
}

// What is typed on other nodes is theirs. What is typed where connect-ha is used in order to know
// more is about each node that is not known.
void KeepFixesOf(const std::string& node, v1::Finding& judged) {
  const bool unknown = judged.outcome() == v1::UNKNOWN;
  auto* fixes = judged.mutable_fixes();
  fixes->erase(std::remove_if(fixes->begin(), fixes->end(),
                              [&](const v1::Fix& fix) {
                                if (!fix.on().empty()) return fix.on() != node;
                                return unknown && !fix.commands().empty();
                              }),
               fixes->end());
}

v1::Finding Judge(const v1::Finding& finding, const std::string& node) {
  v1::Finding judged = WithEvidenceOf(finding, node);
  if (IsOfTheClusterAlone(finding)) return judged;
  KeepFixesOf(node, judged);
  SetOutcome(judged);
  SetSinceOfEvidence(judged);
  if (judged.outcome() != finding.outcome()) judged.clear_fixes();  // they are of other nodes
  if (!judged.fixes().empty()) return judged;
  if (judged.outcome() == v1::UNKNOWN) *judged.add_fixes() = LookAtFacts(node);
  if (judged.outcome() == v1::FAIL) *judged.add_fixes() = LookAtRule(judged.rule());
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
