#include "coordinator/cluster/evaluator.h"

#include <spdlog/spdlog.h>

#include <map>
#include <set>
#include <string>
#include <utility>

#include "common/checklist/finding_of.h"
#include "common/checklist/rule.h"
#include "common/log.h"

namespace connect_ha {
namespace {

constexpr std::chrono::seconds kEvaluateAtLeast{10};
// The words of findings are stored this often; outcomes at once.
constexpr std::chrono::seconds kStoreAtLeast{60};

// The one node that the outcome is about, "" when there are several or none.
std::string NodeOf(const v1::Finding& finding) {
  std::set<std::string> nodes;
  for (const v1::Evidence& evidence : finding.evidence()) {
    if (evidence.outcome() == finding.outcome()) nodes.insert(evidence.node());
  }
  return nodes.size() == 1 ? *nodes.begin() : "";
}

// What is shown does not say how things are: it could not be known, or another rule's trouble is
// looked at first.
bool IsOpen(v1::Outcome outcome) { return outcome == v1::UNKNOWN || outcome == v1::FOLLOWS; }

// What was so before it became open, which goes on when it is so again.
template <typename Judged>
void KeepLastKnown(const Judged& earlier, Judged& judged) {
  if (earlier.has_last_known()) {
    judged.set_last_known(earlier.last_known());
    *judged.mutable_last_known_since() = earlier.last_known_since();
  } else if (earlier.outcome() != v1::FOLLOWS) {
    judged.set_last_known(earlier.outcome());
    *judged.mutable_last_known_since() = earlier.since();
  }
}

// Findings and their evidence; `earlier` is null for what is new.
template <typename Judged>
void ContinueFrom(const Judged* earlier, Time now, Judged& judged) {
  if (earlier == nullptr || !earlier->has_since()) {
    *judged.mutable_since() = ToProto(now);
  } else if (judged.outcome() == earlier->outcome()) {
    *judged.mutable_since() = earlier->since();
    if (IsOpen(judged.outcome()) && earlier->has_last_known()) KeepLastKnown(*earlier, judged);
  } else if (IsOpen(earlier->outcome()) && earlier->has_last_known() &&
             judged.outcome() == earlier->last_known()) {
    *judged.mutable_since() = earlier->last_known_since();
  } else {
    *judged.mutable_since() = ToProto(now);
    if (IsOpen(judged.outcome())) KeepLastKnown(*earlier, judged);
  }
}

// What was told of it last; unspecified for null. Of what follows, what was so before.
template <typename Judged>
v1::Outcome Told(const Judged* judged) {
  if (judged == nullptr) return v1::OUTCOME_UNSPECIFIED;
  if (judged->outcome() != v1::FOLLOWS) return judged->outcome();
  return judged->has_last_known() ? judged->last_known() : v1::FOLLOWS;
}

// What a finding says of each node. A node may have several lines; of those with one outcome, one
// stands for all.
class ByNode {
 public:
  // Null: of none.
  explicit ByNode(const v1::Finding* finding) {
    if (finding == nullptr) return;
    for (const v1::Evidence& evidence : finding->evidence()) {
      lines_[evidence.node()].emplace(evidence.outcome(), &evidence);
    }
  }
  // The line with this outcome, else the worst; null where nothing is said of the node.
  const v1::Evidence* Line(const std::string& node, v1::Outcome preferred) const {
    const auto of_node = lines_.find(node);
    if (of_node == lines_.end()) return nullptr;
    for (const v1::Outcome outcome : {preferred, v1::FAIL, v1::UNKNOWN, v1::FOLLOWS}) {
      const auto line = of_node->second.find(outcome);
      if (line != of_node->second.end()) return line->second;
    }
    return of_node->second.begin()->second;
  }

 private:
  std::map<std::string, std::map<v1::Outcome, const v1::Evidence*>> lines_;
};

v1::Event Change(const v1::Finding& finding, v1::Outcome from, v1::Outcome to, Time now) {
  v1::Event event;
  *event.mutable_at() = ToProto(now);
  event.set_kind(v1::Event::FINDING_CHANGED);
  event.set_rule(finding.rule());
  event.set_from(from);
  event.set_to(to);
  event.set_actor("coordinator");
  return event;
}

// Of a finding that failed and fails: the nodes that began to, and those that no longer do.
void AddNodeChanges(const v1::Finding& earlier, const v1::Finding& finding, Time now,
                    std::vector<v1::Event>& changes) {
  const ByNode before(&earlier);
  const ByNode after(&finding);
  std::set<std::string> seen;
  for (const v1::Evidence& evidence : finding.evidence()) {
    if (evidence.node().empty() || !seen.insert(evidence.node()).second) continue;
    const v1::Evidence& line = *after.Line(evidence.node(), v1::FAIL);
    const v1::Evidence* earlier_line = before.Line(evidence.node(), v1::FAIL);
    const v1::Outcome from = Told(earlier_line);
    if (line.outcome() == v1::FOLLOWS || from == v1::FOLLOWS) continue;
    if ((from == v1::FAIL) == (line.outcome() == v1::FAIL)) continue;
    v1::Event& event = changes.emplace_back(Change(finding, from, line.outcome(), now));
    event.set_node(evidence.node());
    event.set_text(line.text());
  }
}

}  // namespace

void SetSince(const v1::Checklist& before, Time now, v1::Checklist* checklist) {
  for (v1::Finding& finding : *checklist->mutable_findings()) {
    const v1::Finding* earlier = FindingOf(before, finding.rule());
    ContinueFrom(earlier, now, finding);
    const ByNode said(earlier);
    for (v1::Evidence& evidence : *finding.mutable_evidence()) {
      ContinueFrom(said.Line(evidence.node(), evidence.outcome()), now, evidence);
    }
  }
}

std::vector<v1::Event> FindChanges(const v1::Checklist& before, const v1::Checklist& checklist,
                                   Time now) {
  std::vector<v1::Event> changes;
  for (const v1::Finding& finding : checklist.findings()) {
    const v1::Finding* earlier = FindingOf(before, finding.rule());
    if (earlier == nullptr) continue;
    const v1::Outcome from = Told(earlier);
    if (finding.outcome() == v1::FOLLOWS || from == v1::FOLLOWS) continue;
    if (from == finding.outcome()) {
      if (from == v1::FAIL) AddNodeChanges(*earlier, finding, now, changes);
      continue;
    }
    v1::Event& event = changes.emplace_back(Change(finding, from, finding.outcome(), now));
    event.set_node(NodeOf(finding));
    event.set_text(finding.summary());
  }
  return changes;
}

Evaluator::Evaluator(Roster& roster, Store& store)
    : roster_(roster), store_(store), latest_(std::make_shared<const v1::Checklist>()) {}

absl::Status Evaluator::Load() {
  auto checklist = store_.GetChecklist();
  if (!checklist.ok()) return checklist.status();
  checklist->set_cluster(roster_.TakeSnapshot(Time{}, /*with_facts=*/false).spec().cluster());
  stored_ = *checklist;
  std::lock_guard lock(mutex_);
  latest_ = std::make_shared<const v1::Checklist>(*std::move(checklist));
  return absl::OkStatus();
}

std::shared_ptr<const v1::Checklist> Evaluator::Latest() const {
  std::lock_guard lock(mutex_);
  return latest_;
}

void Evaluator::Tick(Time now) {
  std::lock_guard ticking(tick_mutex_);
  roster_.Tick(now);
  if (stored_.findings_size() > 0 && !roster_.Settled(now)) return;
  const uint64_t changes = roster_.changes();
  if (changes == changes_seen_ && now - evaluated_at_ < kEvaluateAtLeast) return;
  changes_seen_ = changes;
  evaluated_at_ = now;
  Evaluate(now);
}

void Evaluator::Evaluate(Time now) {
  auto checklist = std::make_shared<v1::Checklist>(connect_ha::Evaluate(roster_.TakeSnapshot(now)));
  const auto before = Latest();
  hold_.Apply(*before, now, checklist.get());
  SetSince(*before, now, checklist.get());
  const auto changes = FindChanges(stored_, *checklist, now);
  {
    std::lock_guard lock(mutex_);
    latest_ = checklist;
  }
  const bool first = stored_.findings_size() == 0;
  if (first || !changes.empty() || now - stored_at_ >= kStoreAtLeast) {
    Keep(*checklist, changes, now);
  }
}

void Evaluator::Save(Time now) {
  std::lock_guard ticking(tick_mutex_);
  const auto latest = Latest();
  if (latest->findings_size() > 0) Keep(*latest, FindChanges(stored_, *latest, now), now);
}

// What could not be stored is tried again at the next evaluation: `stored_` stays as it was.
void Evaluator::Keep(const v1::Checklist& checklist, const std::vector<v1::Event>& changes,
                     Time now) {
  const absl::Status status = store_.PutChecklist(checklist, changes);
  if (!status.ok()) {
    if (!std::exchange(store_failed_, true)) {
      spdlog::error("cannot store the checklist: {}", std::string(status.message()));
    }
    return;
  }
  if (std::exchange(store_failed_, false)) spdlog::info("the checklist is stored again");
  stored_ = checklist;
  stored_at_ = now;
  for (const v1::Event& change : changes) {
    spdlog::info("event=FINDING_CHANGED rule={} from={} to={} node={} text={}", change.rule(),
                 v1::Outcome_Name(change.from()), v1::Outcome_Name(change.to()), change.node(),
                 LogValue(change.text()));
  }
}

}  // namespace connect_ha
