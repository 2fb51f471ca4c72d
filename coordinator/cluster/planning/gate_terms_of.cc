#include "coordinator/cluster/planning/gate_terms_of.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include "common/checklist/rule.h"
#include "common/time.h"
#include "coordinator/plan/judged.h"
#include "coordinator/plan/look/moments.h"
#include "coordinator/plan/look/words.h"

namespace connect_ha {
namespace {

bool GoesOnServing(const Judged& node) { return node.served && !node.leaves(); }

void FindWhoIsAlone(const v1::PlanInput& input, const v1::Decision& decision,
                    std::vector<GateTerms>& terms) {
  for (GateTerms& one : terms) one.no_other_serves = true;
  std::vector<Judged> nodes;
  if (!GatherJudged(input, decision, nodes)) return;
  const auto serving = std::count_if(nodes.begin(), nodes.end(), GoesOnServing);
  for (size_t i = 0; i < nodes.size(); ++i) {
    terms[i].no_other_serves = serving - (GoesOnServing(nodes[i]) ? 1 : 0) == 0;
  }
}

// Rules() has its own order; what is told has that of the names.
std::vector<std::string> WaivedOn(const std::string& node, const Words& words) {
  const auto said = words.of.find(node);
  const bool unfenced = said != words.of.end() && said->second.unfence != nullptr;
  std::vector<std::string> waived;
  for (const Rule& rule : Rules()) {
    const bool is_waived =
        (unfenced && rule.action == v1::FENCE) || IsWaived(words.waivers, rule.id, node);
    if (is_waived) waived.emplace_back(rule.id);
  }
  std::sort(waived.begin(), waived.end());
  return waived;
}

}  // namespace

std::vector<GateTerms> GateTermsOf(const v1::PlanInput& input, const v1::Decision& decision) {
  std::vector<GateTerms> terms(static_cast<size_t>(input.nodes_size()));
  FindWhoIsAlone(input, decision, terms);
  if (input.words().empty()) return terms;
  Moments moments(FromProto(input.now()));
  const Words words = WordsInForce(input, moments);
  for (size_t i = 0; i < terms.size(); ++i) {
    terms[i].waived_rules = WaivedOn(input.nodes(static_cast<int>(i)).brief().name(), words);
  }
  return terms;
}

}  // namespace connect_ha
