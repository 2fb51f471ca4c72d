#include "common/checklist/lesser_faults.h"

#include <set>

namespace connect_ha {

void LesserFaults::Add(const std::string& node, const std::string& text, const Fixes& fixes) {
  faults_.push_back({node, text, fixes});
}

v1::Finding LesserFaults::Finish(Verdict verdict, v1::RuleClass lesser) const {
  const bool others_fail = verdict.Has(v1::FAIL);
  std::set<std::string> unknown;
  const v1::Finding others = verdict.Finish();
  for (const v1::Evidence& evidence : others.evidence()) {
    if (evidence.outcome() == v1::UNKNOWN) unknown.insert(evidence.node());
  }
  for (const Fault& fault : faults_) {
    if (unknown.count(fault.node) > 0) {
      verdict.Unknown(fault.node, fault.text, fault.fixes);
    } else if (others_fail) {
      verdict.Pass(fault.node, fault.text);
    } else {
      verdict.Fail(fault.node, fault.text, fault.fixes);
    }
  }
  v1::Finding finding = verdict.Finish();
  if (finding.outcome() == v1::FAIL && !others_fail) finding.set_rule_class(lesser);
  return finding;
}

}  // namespace connect_ha
