#include "coordinator/cluster/planning/gate_terms_of.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "common/checklist/rule.h"
#include "common/time.h"
#include "coordinator/plan/judged.h"
#include "coordinator/plan/look/action.h"
#include "coordinator/plan/look/hazards.h"
#include "coordinator/plan/look/moments.h"
#include "coordinator/plan/words/words.h"

namespace connect_ha {
namespace {

using Waived = std::map<std::string, std::optional<Time>>;  // as GateTerms.waived

// A node as the others may count on it.
enum class Counts { kServes, kNot, kNotKnown };

// The rules by which a node closes its own gate. A version that differs is no fault while no other
// one runs, which no node sees by itself.
std::set<std::string> ClosingRules(const v1::ClusterSpec& spec) {
  std::set<std::string> rules;
  for (const Rule& rule : Rules()) {
    const std::string id = rule.id;
    if (id != kVersionRule && ActionBySpec(spec, id) >= v1::CLOSE) rules.insert(id);
  }
  return rules;
}

// It is known to be this node that is wrong.
bool IsWrong(const Judged& judged, const v1::NodeRule& line, uint64_t generation) {
  if (line.undecided()) return false;
  const bool was_so = judged.after.reached() >= generation;
  return line.basis() == v1::SELF || line.basis() == v1::PROOF ||
         (line.basis() == v1::SPEC && was_so);
}

// What closes its gate, where the others serve, is no support to them. That is asked of its rules,
// not of its gate: that is open again once it is told that it is the last one.
Counts CountByRules(const Judged& judged, uint64_t generation, const std::set<std::string>& closing,
                    const Waived& waived) {
  Counts counts = Counts::kServes;
  for (const v1::NodeRule& line : judged.node->rules()) {
    if (DoesNothing(line) || closing.count(line.rule()) == 0) continue;
    if (waived.count(line.rule()) != 0) continue;
    if (Fails(line) && IsWrong(judged, line, generation)) return Counts::kNot;
    counts = Counts::kNotKnown;
  }
  return counts;
}

Counts Count(const v1::PlanInput& input, const Judged& judged, const std::set<std::string>& closing,
             const Waived& waived) {
  const v1::NodeBrief& brief = judged.node->brief();
  // The coordinator was started again, and nothing is known of it yet.
  const bool is_awaited = brief.has_last_seen() && !judged.node->heard() && !brief.lost() &&
                          WordOn(input, judged.name(), v1::Word::GONE) == nullptr;
  if (is_awaited && TakesUsers(judged.given.state())) return Counts::kNotKnown;
  if (!judged.served || judged.leaves()) return Counts::kNot;
  return CountByRules(judged, input.generation(), closing, waived);
}

// For each node: true where no other one serves; unset where that is not known.
std::vector<std::optional<bool>> WhoIsAlone(const std::vector<Counts>& all) {
  const auto serve = std::count(all.begin(), all.end(), Counts::kServes);
  const auto unknown = std::count(all.begin(), all.end(), Counts::kNotKnown);
  std::vector<std::optional<bool>> alone;
  for (const Counts one : all) {
    const bool other_serves = serve > (one == Counts::kServes ? 1 : 0);
    const bool other_unknown = unknown > (one == Counts::kNotKnown ? 1 : 0);
    alone.emplace_back();
    if (other_serves || !other_unknown) alone.back() = !other_serves;
  }
  return alone;
}

// What is waived ends by itself only where another node serves without its being waived: else the
// last gates would close together at that moment, before anybody said that they are the last.
void FindWhoIsAlone(const v1::PlanInput& input, const v1::Decision& decision,
                    std::vector<GateTerms>& terms) {
  std::vector<Judged> nodes;
  const bool is_judged = GatherJudged(input, decision, nodes);
  const std::set<std::string> closing = ClosingRules(input.spec());
  std::vector<Counts> now;
  std::vector<Counts> unwaived;
  for (size_t i = 0; is_judged && i < nodes.size(); ++i) {
    now.push_back(Count(input, nodes[i], closing, terms[i].waived));
    unwaived.push_back(Count(input, nodes[i], closing, {}));
  }
  const auto alone = WhoIsAlone(now);
  const auto alone_then = WhoIsAlone(unwaived);
  for (size_t i = 0; i < terms.size(); ++i) {
    if (is_judged) terms[i].no_other_serves = alone[i];
    if (is_judged && alone_then[i] == false) continue;
    for (auto& [rule, until] : terms[i].waived) until.reset();
  }
}

// Until the last of what waives it has ended; what permits always ends (WordsInForce).
void WaiveUntil(const v1::Word& word, std::optional<Time>& until) {
  until = std::max(until.value_or(Time()), FromProto(word.until()));
}

Waived WaivedOn(const v1::ClusterSpec& spec, const std::string& node, const Words& words) {
  const auto said = words.of.find(node);
  const v1::Word* const unfence = said == words.of.end() ? nullptr : said->second.unfence;
  Waived waived;
  for (const Rule& rule : Rules()) {
    if (unfence != nullptr && ActionBySpec(spec, rule.id) == v1::FENCE) {
      WaiveUntil(*unfence, waived[rule.id]);
    }
  }
  for (const v1::Word* const word : words.waivers) {
    const bool is_here = word->node().empty() || word->node() == node;
    if (is_here && FindRule(word->rule()) != nullptr) WaiveUntil(*word, waived[word->rule()]);
  }
  return waived;
}

void FindWhatIsWaived(const v1::PlanInput& input, std::vector<GateTerms>& terms) {
  if (input.words().empty()) return;
  Moments moments(FromProto(input.now()));
  const Words words = WordsInForce(input, moments);
  for (size_t i = 0; i < terms.size(); ++i) {
    const std::string& node = input.nodes(static_cast<int>(i)).brief().name();
    terms[i].waived = WaivedOn(input.spec(), node, words);
  }
}

}  // namespace

std::vector<GateTerms> GateTermsOf(const v1::PlanInput& input, const v1::Decision& decision) {
  std::vector<GateTerms> terms(static_cast<size_t>(input.nodes_size()));
  FindWhatIsWaived(input, terms);
  FindWhoIsAlone(input, decision, terms);
  return terms;
}

}  // namespace connect_ha
