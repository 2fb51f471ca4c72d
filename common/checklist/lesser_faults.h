// What is wrong under a rule and is not as grave as the rule is: the right file system, which a
// boot would not mount again; the one key, which a group may read; a Connect that answers, which a
// boot would not start. It is told, and nobody is taken out of service for it.
#pragma once

#include <string>
#include <vector>

#include "common/checklist/rule.h"
#include "common/checklist/verdict.h"

namespace connect_ha {

// A finding of that class is less grave than its rule: it only tells, whatever the rule's failing
// does, and what needs the rule is judged all the same.
inline bool OnlyTells(const Rule& rule, v1::RuleClass found) {
  return found != v1::RULE_CLASS_UNSPECIFIED && found > rule.rule_class;
}

class LesserFaults {
 public:
  void Add(const std::string& node, const std::string& text, const Fixes& fixes);
  // What `verdict` has and these. Where nothing else fails, the finding fails by them, as one of
  // the class `lesser`, which is below the rule's; else they are said beside what passes. Of a node
  // that is unknown they are unknown.
  v1::Finding Finish(Verdict verdict, v1::RuleClass lesser = v1::SERVICE) const;

 private:
  struct Fault {
    std::string node;
    std::string text;
    Fixes fixes;
  };

  std::vector<Fault> faults_;
};

}  // namespace connect_ha
