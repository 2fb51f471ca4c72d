#include "coordinator/cluster/findings_memory.h"

#include <algorithm>
#include <utility>

#include "common/checklist/lesser_faults.h"
#include "common/checklist/rule.h"

namespace connect_ha {
namespace {

// What is shown does not say how things are: it could not be known, or another rule's trouble is
// looked at first.
bool IsOpen(v1::Outcome outcome) { return outcome == v1::UNKNOWN || outcome == v1::FOLLOWS; }

// Of a finding, a line of its evidence, or what is stored of either.
template <typename Judged>
Remembered Of(const Judged& judged) {
  Remembered of;
  of.outcome = judged.outcome();
  if (judged.has_since()) of.since = FromProto(judged.since());
  if (judged.has_last_known()) {
    of.last_known = judged.last_known();
    of.last_known_since = FromProto(judged.last_known_since());
  }
  return of;
}

template <typename Judged>
void Put(const Remembered& of, Judged& judged) {
  judged.set_outcome(of.outcome);
  *judged.mutable_since() = ToProto(of.since);
  if (of.last_known == v1::OUTCOME_UNSPECIFIED) return;
  judged.set_last_known(of.last_known);
  *judged.mutable_last_known_since() = ToProto(of.last_known_since);
}

// What was so before it became open, which goes on when it is so again.
void KeepLastKnown(const Remembered& earlier, Remembered& of) {
  if (earlier.last_known != v1::OUTCOME_UNSPECIFIED) {
    of.last_known = earlier.last_known;
    of.last_known_since = earlier.last_known_since;
  } else if (earlier.outcome != v1::FOLLOWS) {
    of.last_known = earlier.outcome;
    of.last_known_since = earlier.since;
  }
}

v1::RuleClass LesserClassOf(const v1::Finding& finding) {
  const Rule* const rule = FindRule(finding.rule());
  const bool is_lesser =
      finding.outcome() == v1::FAIL && rule != nullptr && OnlyTells(*rule, finding.rule_class());
  return is_lesser ? finding.rule_class() : v1::RULE_CLASS_UNSPECIFIED;
}

// What a finding was of, and is.
struct Classes {
  v1::RuleClass was = v1::RULE_CLASS_UNSPECIFIED;
  v1::RuleClass is = v1::RULE_CLASS_UNSPECIFIED;
};

// `earlier` is null for what is new.
Remembered Continue(const Remembered* earlier, v1::Outcome outcome, const Classes& lesser,
                    Time now) {
  Remembered of;
  of.outcome = outcome;
  of.since = now;
  if (earlier == nullptr) return of;
  if (earlier->outcome == v1::FAIL) {
    if (outcome == v1::FAIL && lesser.was != lesser.is) return of;
    // When it fails again, it may be by something graver.
    if (IsOpen(outcome) && lesser.was != v1::RULE_CLASS_UNSPECIFIED) return of;
  }
  const bool was_known = earlier->last_known != v1::OUTCOME_UNSPECIFIED;
  if (outcome == earlier->outcome) {
    of.since = earlier->since;
    if (IsOpen(outcome) && was_known) KeepLastKnown(*earlier, of);
  } else if (IsOpen(earlier->outcome) && was_known && outcome == earlier->last_known) {
    of.since = earlier->last_known_since;
  } else if (IsOpen(outcome)) {
    KeepLastKnown(*earlier, of);
  }
  return of;
}

template <typename Judged>
void ContinueFrom(const Remembered* earlier, const Classes& lesser, Time now, Judged& judged) {
  Put(Continue(earlier, judged.outcome(), lesser, now), judged);
}

bool IsBefore(const RememberedLine& a, const RememberedLine& b) {
  const int order = a.node.compare(b.node);
  return order != 0 ? order < 0 : a.of.outcome < b.of.outcome;
}

bool IsOneLine(const RememberedLine& a, const RememberedLine& b) {
  return a.of.outcome == b.of.outcome && a.node == b.node;
}

}  // namespace

RuleMemory::RuleMemory(const v1::Finding& finding)
    : finding_(Of(finding)), lesser_class_(LesserClassOf(finding)) {
  lines_.reserve(static_cast<size_t>(finding.evidence_size()));
  for (const v1::Evidence& line : finding.evidence()) lines_.push_back({line.node(), Of(line)});
  Sort();
}

RuleMemory::RuleMemory(const v1::FindingMemory& stored) : lesser_class_(stored.lesser_class()) {
  bool first = true;
  for (const v1::FindingMemory::Memory& memory : stored.memories()) {
    if (std::exchange(first, false)) {
      finding_ = Of(memory);
    } else {
      lines_.push_back({memory.node(), Of(memory)});
    }
  }
  Sort();
}

v1::FindingMemory RuleMemory::ToProto(const std::string& rule) const {
  v1::FindingMemory stored;
  stored.set_rule(rule);
  stored.set_lesser_class(lesser_class_);
  Put(finding_, *stored.add_memories());
  for (const RememberedLine& line : lines_) {
    v1::FindingMemory::Memory& memory = *stored.add_memories();
    memory.set_node(line.node);
    Put(line.of, memory);
  }
  return stored;
}

// Mostly it is in order already.
void RuleMemory::Sort() {
  if (!std::is_sorted(lines_.begin(), lines_.end(), IsBefore)) {
    std::stable_sort(lines_.begin(), lines_.end(), IsBefore);
  }
  lines_.erase(std::unique(lines_.begin(), lines_.end(), IsOneLine), lines_.end());
}

const Remembered* RuleMemory::Line(const std::string& node, v1::Outcome preferred,
                                   size_t& near) const {
  const bool is_first = near < lines_.size() && lines_[near].node == node &&
                        (near == 0 || lines_[near - 1].node != node);
  if (!is_first) {
    const auto at = std::lower_bound(
        lines_.begin(), lines_.end(), node,
        [](const RememberedLine& line, const std::string& name) { return line.node < name; });
    near = static_cast<size_t>(at - lines_.begin());
  }
  const size_t first = near;
  const auto find = [&](v1::Outcome outcome) -> const Remembered* {
    for (size_t i = first; i < lines_.size() && lines_[i].node == node; ++i) {
      if (lines_[i].of.outcome == outcome) return &lines_[i].of;
    }
    return nullptr;
  };
  if (first == lines_.size() || lines_[first].node != node) return nullptr;
  while (near < lines_.size() && lines_[near].node == node) ++near;  // the next node's, probably
  for (const v1::Outcome outcome : {preferred, v1::FAIL, v1::UNKNOWN, v1::FOLLOWS}) {
    if (const Remembered* line = find(outcome)) return line;
  }
  return &lines_[first].of;
}

FindingsMemory Remember(const v1::Checklist& checklist) {
  FindingsMemory memory;
  for (const v1::Finding& finding : checklist.findings()) {
    memory.emplace(finding.rule(), std::make_shared<const RuleMemory>(finding));
  }
  return memory;
}

void Share(const FindingsMemory& before, FindingsMemory& memory) {
  for (auto& of_rule : memory) {
    const auto earlier = before.find(of_rule.first);
    if (earlier == before.end()) continue;
    if (*earlier->second == *of_rule.second) of_rule.second = earlier->second;
  }
}

void SetSince(const FindingsMemory& before, Time now, v1::Checklist* checklist) {
  for (v1::Finding& finding : *checklist->mutable_findings()) {
    const auto rule = before.find(finding.rule());
    const RuleMemory* earlier = rule == before.end() ? nullptr : rule->second.get();
    Classes lesser;
    lesser.is = LesserClassOf(finding);
    if (earlier != nullptr) lesser.was = earlier->lesser_class();
    ContinueFrom(earlier == nullptr ? nullptr : &earlier->finding(), lesser, now, finding);
    size_t near = 0;
    for (v1::Evidence& line : *finding.mutable_evidence()) {
      ContinueFrom(earlier == nullptr ? nullptr : earlier->Line(line.node(), line.outcome(), near),
                   lesser, now, line);
    }
  }
}

v1::Outcome Told(const Remembered* remembered) {
  if (remembered == nullptr) return v1::OUTCOME_UNSPECIFIED;
  if (remembered->outcome != v1::FOLLOWS) return remembered->outcome;
  return remembered->last_known == v1::OUTCOME_UNSPECIFIED ? v1::FOLLOWS : remembered->last_known;
}

}  // namespace connect_ha
