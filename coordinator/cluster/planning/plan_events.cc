#include "coordinator/cluster/planning/plan_events.h"

#include <google/protobuf/message_lite.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coordinator/cluster/node/node_events.h"
#include "coordinator/cluster/planning/rollout_events.h"
#include "coordinator/cluster/planning/words.h"

namespace connect_ha {
namespace {

// Longer than a report waits to be judged, and than two decisions are apart.
constexpr std::chrono::seconds kLately{30};

// Keys are of the memory, which outlives it.
using Remembered = std::map<std::string_view, const v1::NodeMemory*>;

Remembered ByName(const v1::PlanMemory& memory) {
  Remembered nodes;
  for (const v1::NodeMemory& node : memory.nodes()) nodes.emplace(node.node(), &node);
  return nodes;
}

bool IsSame(const google::protobuf::MessageLite& a, const google::protobuf::MessageLite& b) {
  return a.SerializeAsString() == b.SerializeAsString();
}

// Of what it is to be, or was: "serving", "serving (closed)".
template <typename Told>
std::string StateText(const Told& told) {
  return absl::StrCat(StateName(told.state()), told.closed() ? " (closed)" : "");
}

v1::PlanMemory WithoutNodes(v1::PlanMemory memory) {
  memory.clear_nodes();
  return memory;
}

SaidKey KeyOf(const v1::Said& said) {
  return {said.node(), said.about().empty() ? said.text() : said.about()};
}

}  // namespace

Store::PlanChange ChangeOf(const Store::Plan& before, const v1::Decision& decision) {
  Store::PlanChange change;
  change.revision = before.revision;
  change.memory = WithoutNodes(decision.remember());
  Remembered gone = ByName(before.memory);
  for (const v1::NodeMemory& node : decision.remember().nodes()) {
    const auto stored = gone.find(node.node());
    if (stored == gone.end() || !IsSame(*stored->second, node)) change.changed.push_back(node);
    if (stored != gone.end()) gone.erase(stored);
  }
  for (const auto& one : gone) change.gone.emplace_back(one.first);
  change.ended_words.assign(decision.ended_words().begin(), decision.ended_words().end());
  change.ended.assign(decision.ended().begin(), decision.ended().end());
  return change;
}

bool IsEmpty(const Store::Plan& before, const Store::PlanChange& change) {
  return change.changed.empty() && change.gone.empty() && change.ended_words.empty() &&
         change.events.empty() && change.ended.empty() && change.audits.empty() &&
         IsSame(WithoutNodes(before.memory), change.memory);
}

void TakeIn(const Store::PlanChange& change, const v1::Decision& decision, Store::Plan& plan) {
  plan.memory = decision.remember();
  const std::set<uint64_t> ended(change.ended_words.begin(), change.ended_words.end());
  plan.words.erase(
      std::remove_if(plan.words.begin(), plan.words.end(),
                     [&ended](const v1::Word& word) { return ended.count(word.number()) > 0; }),
      plan.words.end());
}

std::vector<v1::Event> EventsOf(const Store::Plan& before, const v1::Decision& decision, Time now) {
  std::vector<v1::Event> events;
  const Remembered was = ByName(before.memory);
  for (const v1::NodeAssignment& assigned : decision.assignments()) {
    const auto stored = was.find(assigned.node());
    if (stored == was.end()) continue;
    const v1::NodeMemory& before_it = *stored->second;
    if (before_it.state() == v1::NODE_STATE_UNSPECIFIED) continue;
    if (before_it.state() == assigned.state() && before_it.closed() == assigned.closed()) continue;
    events.push_back(
        MakeEvent(v1::Event::NODE_STATE_CHANGED, assigned.node(),
                  absl::StrCat("to be ", StateText(assigned), ", was to be ", StateText(before_it),
                               assigned.reason().empty() ? "" : ": ", assigned.reason()),
                  now));
  }
  for (const uint64_t number : decision.ended_words()) {
    for (const v1::Word& word : before.words) {
      if (word.number() != number) continue;
      events.push_back(MakeEvent(v1::Event::WORD_ENDED, word.node(),
                                 absl::StrCat("no longer in force: ", DescribeWord(word)), now));
    }
  }
  if (auto ran = BackupRan(before.memory, decision.remember(), now)) {
    events.push_back(*std::move(ran));
  }
  return events;
}

std::vector<v1::Event> SaidNow(const SaidLately& lately, const v1::Decision& decision, Time now) {
  std::vector<v1::Event> events;
  for (const v1::Said& one : decision.said()) {
    const auto said = lately.find(KeyOf(one));
    if (said != lately.end() && now - said->second < kLately) continue;
    events.push_back(
        MakeEvent(v1::Event::PLAN_SAID, one.node(),
                  absl::StrCat(one.text(), one.fix().empty() ? "" : "; fix: ", one.fix()), now));
  }
  return events;
}

void TakeInSaid(const v1::Decision& decision, Time now, SaidLately& lately) {
  for (auto said = lately.begin(); said != lately.end();) {
    said = now - said->second < kLately ? std::next(said) : lately.erase(said);
  }
  for (const v1::Said& one : decision.said()) lately[KeyOf(one)] = now;
}

}  // namespace connect_ha
