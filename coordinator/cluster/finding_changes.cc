#include "coordinator/cluster/finding_changes.h"

#include <iterator>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/checklist/verdict.h"
#include "common/text/short_text.h"
#include "coordinator/cluster/node/node_events.h"

namespace connect_ha {
namespace {

// Of more nodes than these one event tells all: a database that is gone is one fault.
constexpr size_t kNodesToldOneByOne = 10;
// Every rule may turn and turn back in a minute.
constexpr uint32_t kClusterEventsPerMinute = 100;
// Nodes of which nothing was told for long need no room.
constexpr size_t kPacesKept = 1000;

// The one node that the outcome is about, "" when there are several or none.
std::string NodeOf(const v1::Finding& finding) {
  std::set<std::string> nodes;
  for (const v1::Evidence& evidence : finding.evidence()) {
    if (evidence.outcome() == finding.outcome()) nodes.insert(evidence.node());
    if (nodes.size() > 1) return "";
  }
  return nodes.size() == 1 ? *nodes.begin() : "";
}

v1::Event Change(const v1::Finding& finding, const std::string& node, v1::Outcome from,
                 v1::Outcome to, const std::string& text, Time now) {
  v1::Event event = MakeEvent(v1::Event::FINDING_CHANGED, node, text, now);
  event.set_rule(finding.rule());
  event.set_from(from);
  event.set_to(to);
  return event;
}

using Lines = std::vector<const v1::Evidence*>;
using LinesByChange = std::map<std::pair<v1::Outcome, v1::Outcome>, Lines>;  // from, to

// What counts of several lines of one node.
int Rank(const v1::Evidence& line) {
  switch (line.outcome()) {
    case v1::FAIL:
      return 3;
    case v1::UNKNOWN:
      return 2;
    case v1::FOLLOWS:
      return 1;
    default:
      return 0;
  }
}

// Of a finding that failed and fails: the nodes that began to, and those that no longer do.
LinesByChange LinesThatTurned(const RuleMemory& earlier, const v1::Finding& finding) {
  struct Turned {
    v1::Outcome from;
    const v1::Evidence* line;
  };
  std::map<std::string, Turned> turned;  // by node
  size_t near = 0;
  for (const v1::Evidence& line : finding.evidence()) {
    if (line.node().empty()) continue;
    const v1::Outcome from = Told(earlier.Line(line.node(), v1::FAIL, near));
    if (from == v1::FOLLOWS || (from == v1::FAIL) == (line.outcome() == v1::FAIL)) continue;
    const auto known = turned.try_emplace(line.node(), Turned{from, &line}).first;
    if (Rank(line) > Rank(*known->second.line)) known->second.line = &line;
  }
  if (turned.empty()) return {};
  // A node that fails by another line has not ceased to.
  for (const v1::Evidence& line : finding.evidence()) {
    if (line.outcome() != v1::FAIL) continue;
    const auto known = turned.find(line.node());
    if (known != turned.end() && known->second.line->outcome() != v1::FAIL) turned.erase(known);
  }
  LinesByChange lines;
  for (const auto& [node, one] : turned) {
    const v1::Outcome to = one.line->outcome();
    if (to != v1::FOLLOWS) lines[{one.from, to}].push_back(one.line);
  }
  return lines;
}

void TellLines(const v1::Finding& finding, v1::Outcome from, v1::Outcome to, const Lines& lines,
               Time now, std::vector<v1::Event>& changes) {
  if (lines.size() <= kNodesToldOneByOne) {
    for (const v1::Evidence* line : lines) {
      changes.push_back(Change(finding, line->node(), from, to, line->text(), now));
    }
    return;
  }
  std::vector<std::string> names;
  names.reserve(lines.size());
  for (const v1::Evidence* line : lines) names.push_back(line->node());
  v1::Event& event = changes.emplace_back(Change(
      finding, "", from, to, absl::StrCat(JoinNames(names), ": ", lines.front()->text()), now));
  event.set_count(static_cast<uint32_t>(lines.size()));
}

// The nodes that turned with their rule: those of which what it says now was not told before.
uint32_t CountTurned(const RuleMemory& earlier, const v1::Finding& finding) {
  std::set<std::string> turned;
  size_t near = 0;
  for (const v1::Evidence& line : finding.evidence()) {
    if (line.node().empty() || line.outcome() != finding.outcome()) continue;
    const v1::Outcome from = Told(earlier.Line(line.node(), v1::FAIL, near));
    if (from != finding.outcome()) turned.insert(line.node());
  }
  return static_cast<uint32_t>(turned.size());
}

}  // namespace

std::vector<v1::Event> FindChanges(const FindingsMemory& before, const v1::Checklist& checklist,
                                   Time now) {
  std::vector<v1::Event> changes;
  for (const v1::Finding& finding : checklist.findings()) {
    const auto earlier = before.find(finding.rule());
    if (earlier == before.end()) continue;
    const v1::Outcome from = Told(&earlier->second->finding());
    if (finding.outcome() == v1::FOLLOWS || from == v1::FOLLOWS) continue;
    if (from != finding.outcome()) {
      v1::Event& event = changes.emplace_back(
          Change(finding, NodeOf(finding), from, finding.outcome(), finding.summary(), now));
      const uint32_t turned = CountTurned(*earlier->second, finding);
      if (turned > 1) event.set_count(turned);
    } else if (from == v1::FAIL) {
      for (const auto& [turn, lines] : LinesThatTurned(*earlier->second, finding)) {
        TellLines(finding, turn.first, turn.second, lines, now, changes);
      }
    }
  }
  return changes;
}

// What is left of a minute that is over.
void ChangePaces::TellSums(Time now, std::vector<v1::Event>& picked) {
  if (sums_.empty() || !nodes_.IsIdle(now)) return;
  for (auto& of_turn : sums_) {
    v1::Event& sum = of_turn.second;
    if (sum.count() > 1) {
      sum.set_text(ShortText(
          absl::StrCat(sum.node(), " and ", sum.count() - 1, " more in one minute: ", sum.text()),
          kTextBytes));
      sum.clear_node();
    } else {
      sum.clear_count();
    }
    picked.push_back(std::move(sum));
  }
  sums_.clear();
}

void ChangePaces::TellOfNode(v1::Event change, Time now, std::vector<v1::Event>& picked) {
  if (!nodes_.HasRoom(now)) {
    const Turn turn(change.rule(), change.from(), change.to());
    v1::Event& sum = sums_.try_emplace(turn, std::move(change)).first->second;
    return sum.set_count(sum.count() + 1);
  }
  EventPace& pace = paces_[change.node()];
  const bool has_room = pace.HasRoom(now);
  TellAtPace(pace, std::move(change), now, picked);
  // What one node has too much of takes no room of the others.
  if (has_room) nodes_.Take(1, now);
}

std::vector<v1::Event> ChangePaces::Pick(std::vector<v1::Event> changes, Time now) {
  std::vector<v1::Event> picked;
  TellSums(now, picked);
  for (auto pace = paces_.begin(); pace != paces_.end();) {
    if (auto left_out = TellLeftOut(pace->second, pace->first, now)) {
      picked.push_back(*std::move(left_out));
    }
    pace = paces_.size() > kPacesKept && pace->second.IsIdle(now) ? paces_.erase(pace)
                                                                  : std::next(pace);
  }
  for (v1::Event& change : changes) {
    if (!change.node().empty()) {
      TellOfNode(std::move(change), now, picked);
      continue;
    }
    const auto pace = paces_.try_emplace("", kClusterEventsPerMinute);
    TellAtPace(pace.first->second, std::move(change), now, picked);
  }
  return picked;
}

}  // namespace connect_ha
