#include "coordinator/plan/words/said.h"

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "coordinator/plan/look/action.h"

namespace connect_ha {
namespace {

// For it to count.
std::string WhatItTakes(const v1::Word& word) {
  switch (word.kind()) {
    case v1::Word::APPROVE:
      return "an operator";
    case v1::Word::RESTORED:
      return "an admin, and the version of Connect that ran before";
    default:
      return "an admin, and an end";
  }
}

// As it is said then.
std::string HowToSayIt(const v1::Word& word) {
  switch (word.kind()) {
    case v1::Word::WAIVE:
      return absl::StrCat("as an admin: connect-ha waive ", word.rule(),
                          " --until TIME --reason ...");
    case v1::Word::APPROVE:
      return absl::StrCat("as an operator: connect-ha approve ", word.generation(),
                          " --reason ...");
    case v1::Word::RESTORED:
      return "as an admin: connect-ha rollout restored --version VERSION --reason ...";
    default:
      return absl::StrCat("as an admin: connect-ha node unfence ", word.node(),
                          " --until TIME --reason ...");
  }
}

}  // namespace

void SayIdle(Situation& situation) {
  for (const v1::Word* word : situation.words.idle) {
    const bool waives = word->kind() == v1::Word::WAIVE;
    const std::string what = waives ? absl::StrCat(word->rule(), ", ") : "";
    situation.Say(word->node(),
                  absl::StrCat(what, SaidBy(*word), ": that counts for nothing: it takes ",
                               WhatItTakes(*word)),
                  HowToSayIt(*word));
  }
}

void SayUndecided(Situation& situation) {
  std::set<std::string> rules;
  for (const Member& member : situation.members) {
    for (const v1::Hazard& hazard : member.hazards) {
      const bool unclear = hazard.undecided() && hazard.action() >= v1::CLOSE;
      if (!unclear || !rules.insert(hazard.rule()).second) continue;
      situation.Say(
          "",
          absl::StrCat(hazard.rule(), ": nothing tells which node is the wrong one: nobody ",
                       "is taken out of service, and nothing new enters it"),
          absl::StrCat("connect-ha checklist --rule ", hazard.rule(),
                       " says what would decide it"));
    }
  }
}

void SayTwoVersions(Situation& situation) {
  const v1::PlanInput& input = situation.input;
  if (input.generation() == 0 || input.spec().enforcement() != v1::ENFORCE) return;
  std::map<std::string, std::set<std::string>> nodes;  // by version
  for (const Member& member : situation.members) {
    const v1::PlanNode& node = *member.node;
    const bool runs = node.fresh() && node.connect() == v1::CONNECT_RUNS;
    if (!runs || node.running_version().empty()) continue;
    if (ActionOf(situation, member, kVersionRule) > v1::TELL) {
      nodes[node.running_version()].insert(member.name());
    }
    for (const v1::Hazard& hazard : member.hazards) {
      if (hazard.rule() == kVersionRule && hazard.acts()) return;
    }
  }
  if (nodes.size() < 2) return;
  std::vector<std::string> texts;
  texts.reserve(nodes.size());
  for (const auto& one : nodes) {
    texts.push_back(absl::StrCat(one.first, " on ", absl::StrJoin(one.second, ", ")));
  }
  situation.Say("",
                absl::StrCat("several versions of Connect run against one database: ",
                             absl::StrJoin(texts, "; "),
                             ": nothing tells which node is the wrong one, and nobody is taken out "
                             "of service"),
                "connect-ha node stop NODE --reason ..., of those that are wrong");
}

}  // namespace connect_ha
