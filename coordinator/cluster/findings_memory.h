// What is kept of a checklist for the next one, and over a restart: which outcome each rule has, on
// each node, and since when. Words are made anew.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/time.h"
#include "connect_ha/v1/checklist.pb.h"
#include "connect_ha/v1/store.pb.h"

namespace connect_ha {

struct Remembered {
  v1::Outcome outcome = v1::OUTCOME_UNSPECIFIED;
  Time since{};
  // What was known last, while the outcome does not say how things are; unspecified: nothing.
  v1::Outcome last_known = v1::OUTCOME_UNSPECIFIED;
  Time last_known_since{};

  bool operator==(const Remembered&) const = default;
};

struct RememberedLine {
  std::string node;
  Remembered of;

  bool operator==(const RememberedLine&) const = default;
};

// A rule: its finding, and each node's line in it. A node may have several lines; of those with one
// outcome, one stands for all.
class RuleMemory {
 public:
  RuleMemory() = default;
  explicit RuleMemory(const v1::Finding& finding);
  explicit RuleMemory(const v1::FindingMemory& stored);
  v1::FindingMemory ToProto(const std::string& rule) const;

  const Remembered& finding() const { return finding_; }
  // Of one that fails and is less grave than its rule; of others unspecified.
  v1::RuleClass lesser_class() const { return lesser_class_; }
  const std::vector<RememberedLine>& lines() const { return lines_; }
  // The line with this outcome, else the worst; null where nothing is said of the node. Quick where
  // it is asked for one node after the other: `near` is where the last one was found, 0 at first.
  const Remembered* Line(const std::string& node, v1::Outcome preferred, size_t& near) const;

  bool operator==(const RuleMemory&) const = default;

 private:
  void Sort();

  Remembered finding_;
  v1::RuleClass lesser_class_ = v1::RULE_CLASS_UNSPECIFIED;
  std::vector<RememberedLine> lines_;  // by node, then outcome
};

// By rule. What did not change is shared by one evaluation and the next.
using FindingsMemory = std::map<std::string, std::shared_ptr<const RuleMemory>>;

FindingsMemory Remember(const v1::Checklist& checklist);
// Takes those of `before` that are the same.
void Share(const FindingsMemory& before, FindingsMemory& memory);

// Sets `since` of each finding and of each line of its evidence: that of `before` where the outcome
// is the same, or was before it was unknown or followed; else `now`. What fails as grave as its
// rule is not what failed less so. Keeps what was known last while it is so.
void SetSince(const FindingsMemory& before, Time now, v1::Checklist* checklist);

// What was told of it last; unspecified for null. Of what follows, what was so before.
v1::Outcome Told(const Remembered* remembered);

}  // namespace connect_ha
