#include "coordinator/cluster/planning/plan_rules.h"

#include <chrono>
#include <iterator>
#include <string_view>
#include <unordered_map>

#include "common/checklist/rule.h"

namespace connect_ha {
namespace {

// How long it matters that a node was wrong: longer than any rule has to hold before it comes back.
constexpr std::chrono::hours kWrongMatters{24};

bool IsGood(v1::Outcome outcome) { return outcome == v1::PASS || outcome == v1::NOT_APPLICABLE; }

bool DoesMoreThanTell(const Rule& rule, const v1::ClusterSpec& spec) {
  if (rule.action != v1::TELL) return true;
  const auto said = spec.rules().find(rule.id);
  return said != spec.rules().end() && said->second.has_action() &&
         said->second.action() > v1::TELL;
}

// Of several lines of one node the greatest counts. Of those that fail, one that tells for certain
// that it is this node that is wrong.
int Weight(const v1::Evidence& line) {
  switch (line.outcome()) {
    case v1::FAIL:
      return line.undecided() ? 5 : line.basis() == v1::SPEC ? 6 : 7;
    case v1::UNKNOWN:
      return 4;
    case v1::FOLLOWS:
      return 3;
    case v1::PASS:
      return 2;
    default:
      return 1;
  }
}

v1::NodeRule& SayUnknown(const Rule& rule, const char* why, v1::PlanNode* node) {
  v1::NodeRule& line = *node->add_rules();
  line.set_rule(rule.id);
  line.set_outcome(v1::UNKNOWN);
  line.set_rule_class(rule.rule_class);
  line.set_text(why);
  return line;
}

// That nobody can say which node is the wrong one takes nobody out, and keeps all from service: so
// it stays until it was judged anew. What else was judged before counts for nothing.
void KeepUndecided(const v1::Evidence* line, v1::NodeRule& said) {
  if (line == nullptr || line->outcome() != v1::FAIL) return;
  if (!line->undecided() && line->basis() != v1::PEERS) return;
  said.set_outcome(v1::FAIL);
  said.set_basis(line->basis());
  said.set_undecided(true);
  if (line->has_since()) *said.mutable_since() = line->since();
  said.set_text(line->text());
}

// Keys are of the input, which outlives it.
using Places = std::unordered_map<std::string_view, size_t>;

Places PlacesOf(const v1::PlanInput& input) {
  Places places;
  places.reserve(static_cast<size_t>(input.nodes_size()));
  for (int i = 0; i < input.nodes_size(); ++i) {
    places.emplace(input.nodes(i).brief().name(), static_cast<size_t>(i));
  }
  return places;
}

struct Lines {
  std::vector<const v1::Evidence*> worst;  // by the node's place; null: none
  // What stands for those that are right and have no line of their own; null: nothing does.
  const v1::Evidence* of_the_rest = nullptr;
};

Lines LinesOf(const v1::Finding& finding, const Places& places) {
  Lines lines;
  lines.worst.resize(places.size());
  for (const v1::Evidence& line : finding.evidence()) {
    if (line.node().empty()) {
      const v1::Evidence*& rest = lines.of_the_rest;
      if (IsGood(line.outcome()) && (rest == nullptr || Weight(line) > Weight(*rest))) rest = &line;
      continue;
    }
    const auto place = places.find(line.node());
    if (place == places.end()) continue;
    const v1::Evidence*& worst = lines.worst[place->second];
    if (worst == nullptr || Weight(line) > Weight(*worst)) worst = &line;
  }
  return lines;
}

}  // namespace

void PlanRules::Add(const v1::Checklist& checklist, uint64_t judged,
                    const std::vector<PlanLook>& looks, Time now, v1::PlanInput* input) {
  if (began_ == Time{}) began_ = now;
  std::unordered_map<std::string_view, const v1::Finding*> findings;
  for (const v1::Finding& finding : checklist.findings()) {
    findings.emplace(finding.rule(), &finding);
  }
  const Places places = PlacesOf(*input);
  for (const Rule& rule : Rules()) {
    if (!DoesMoreThanTell(rule, input->spec())) continue;
    const auto found = findings.find(rule.id);
    const v1::Finding* finding = found == findings.end() ? nullptr : found->second;
    const Lines lines = finding == nullptr ? Lines() : LinesOf(*finding, places);
    for (int i = 0; i < input->nodes_size(); ++i) {
      const auto place = static_cast<size_t>(i);
      v1::PlanNode* node = input->mutable_nodes(i);
      if (judged == 0 || looks[place].changed_at > judged) {
        v1::NodeRule& said = SayUnknown(rule, "what it reported last was not judged yet", node);
        if (judged != 0 && finding != nullptr) {
          said.set_rule_class(finding->rule_class());
          KeepUndecided(lines.worst[place], said);
        }
      } else if (finding == nullptr) {
        SayUnknown(rule, "the checklist does not have it", node);
      } else {
        AddLine(rule.id, *finding, lines.worst[place], lines.of_the_rest, now, node);
      }
    }
  }
  Forget(now);
}

void PlanRules::AddLine(const std::string& rule, const v1::Finding& finding,
                        const v1::Evidence* line, const v1::Evidence* of_the_rest, Time now,
                        v1::PlanNode* node) {
  v1::NodeRule& said = *node->add_rules();
  said.set_rule(rule);
  said.set_rule_class(finding.rule_class());
  if (line != nullptr) {
    said.set_outcome(line->outcome());
    said.set_basis(line->basis());
    said.set_undecided(line->undecided());
    if (line->has_since()) *said.mutable_since() = line->since();
    if (IsGood(line->outcome())) return;
    said.set_text(line->text());
    // Only where some have no line is it asked for.
    if (of_the_rest != nullptr) wrong_at_[{rule, node->brief().name()}] = now;
    return;
  }
  if (of_the_rest != nullptr) {
    const auto wrong = wrong_at_.find({rule, node->brief().name()});
    said.set_outcome(of_the_rest->outcome());
    *said.mutable_since() = ToProto(wrong == wrong_at_.end() ? began_ : wrong->second);
    return;
  }
  const bool not_applicable = finding.outcome() == v1::NOT_APPLICABLE;
  said.set_outcome(not_applicable ? v1::NOT_APPLICABLE : v1::UNKNOWN);
  if (not_applicable && finding.has_since()) *said.mutable_since() = finding.since();
  if (!not_applicable) said.set_text("the checklist says nothing of this node");
}

void PlanRules::Forget(Time now) {
  for (auto wrong = wrong_at_.begin(); wrong != wrong_at_.end();) {
    const bool keep = now - wrong->second < kWrongMatters;
    wrong = keep ? std::next(wrong) : wrong_at_.erase(wrong);
  }
}

}  // namespace connect_ha
