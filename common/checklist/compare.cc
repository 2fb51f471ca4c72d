#include "common/checklist/compare.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/checklist/view/facts_view.h"

namespace connect_ha {
namespace {

constexpr size_t kValuesShown = 3;
// Of two nodes that differ, none is the odd one out.
constexpr size_t kLeastForAMajority = 3;

using SeenByValue = std::map<std::string, std::vector<const Seen*>>;

SeenByValue GroupByValue(const std::vector<Seen>& seen) {
  SeenByValue groups;
  for (const Seen& one : seen) groups[one.value].push_back(&one);
  return groups;
}

std::vector<std::string> Names(const std::vector<const Seen*>& seen) {
  std::vector<std::string> names;
  names.reserve(seen.size());
  for (const Seen* one : seen) names.push_back(one->node->name());
  return names;
}

// Who holds what is right, and why they are believed.
struct Right {
  const Seen* one = nullptr;
  std::string who;  // "node-1, node-2, which serve"
};

Right Majority(const SeenByValue& groups, size_t nodes) {
  if (nodes < kLeastForAMajority) return {};
  for (const auto& [value, seen] : groups) {
    if (seen.size() * 2 > nodes) return {seen.front(), JoinNames(Names(seen))};
  }
  return {};
}

// A newcomer is no witness against the nodes that serve, however many of its kind there are.
Right FindRight(const std::vector<Seen>& seen) {
  std::vector<Seen> serving;
  for (const Seen& one : seen) {
    if (MayServe(one.node->facts())) serving.push_back(one);
  }
  if (serving.empty()) return Majority(GroupByValue(seen), seen.size());
  const SeenByValue groups = GroupByValue(serving);
  std::string value;
  if (groups.size() == 1) {
    value = groups.begin()->first;
  } else if (const Right most = Majority(groups, serving.size()); most.one != nullptr) {
    value = most.one->value;
  } else {
    return {};
  }
  const std::string who =
      serving.size() == seen.size()
          ? JoinNames(Names(groups.at(value)))
          : absl::StrCat(JoinNames(Names(groups.at(value))),
                         groups.at(value).size() == 1 ? ", which serves" : ", which serve");
  const auto one = std::find_if(seen.begin(), seen.end(), [&value](const Seen& each) {
    return each.value == value && MayServe(each.node->facts());
  });
  return {&*one, who};
}

// "2 on node-1, 6 on node-2", of many the commonest: "2 on node-1, node-4, ... and 17 more"
std::string CommonestValues(const SeenByValue& groups) {
  std::vector<const SeenByValue::value_type*> commonest;
  for (const auto& group : groups) commonest.push_back(&group);
  std::stable_sort(commonest.begin(), commonest.end(), [](const auto* a, const auto* b) {
    return a->second.size() > b->second.size();
  });
  const size_t shown = std::min(commonest.size(), kValuesShown);
  std::vector<std::string> parts;
  for (size_t i = 0; i < shown; ++i) {
    parts.push_back(
        absl::StrCat(commonest[i]->first, " on ", JoinNames(Names(commonest[i]->second))));
  }
  const std::string line = absl::StrJoin(parts, ", ");
  const size_t left = groups.size() - shown;
  return left == 0 ? line : absl::StrCat(line, "; and ", left, " more values");
}

std::string Line(const std::string& what, const std::string& value) {
  return what.empty() ? value : absl::StrCat(what, " ", value);
}

void Pass(Verdict& verdict, const Seen& one, const std::string& what) {
  verdict.Pass(one.node->name(), Line(what, one.value));
}

void JudgeByWanted(Verdict& verdict, const std::vector<Seen>& seen, const Comparison& comparison) {
  const Seen right{nullptr, *comparison.wanted};
  for (const Seen& one : seen) {
    if (one.value == right.value) {
      Pass(verdict, one, comparison.what);
      continue;
    }
    verdict.Fail(one.node->name(),
                 absl::StrCat(Line(comparison.what, one.value), ", wanted ", right.value),
                 comparison.fix ? comparison.fix(one, right) : Fixes{}, {v1::SPEC});
  }
}

void JudgeByPeers(Verdict& verdict, const std::vector<Seen>& seen, const Right& right,
                  const Comparison& comparison) {
  for (const Seen& one : seen) {
    if (one.value == right.one->value) {
      Pass(verdict, one, comparison.what);
      continue;
    }
    verdict.Fail(one.node->name(),
                 absl::StrCat(Line(comparison.what, one.value), ", but ", right.one->value, " on ",
                              right.who),
                 comparison.fix ? comparison.fix(one, *right.one) : Fixes{}, {v1::PEERS});
  }
}

void SayUndecided(Verdict& verdict, const std::vector<Seen>& seen, const SeenByValue& groups,
                  const Comparison& comparison) {
  const std::string all =
      absl::StrCat("the nodes differ, and which is right cannot be seen from here: ",
                   Line(comparison.what, CommonestValues(groups)));
  const Fixes decide = {ByHand(
      "", comparison.decide.empty() ? "say in cluster.yaml what is right" : comparison.decide)};
  for (const Seen& one : seen) {
    verdict.Fail(one.node->name(), Line(comparison.what, one.value), decide,
                 {v1::PEERS, /*undecided=*/true, all});
  }
}

bool AreAlike(const std::vector<Seen>& seen) {
  return std::all_of(seen.begin(), seen.end(),
                     [&seen](const Seen& one) { return one.value == seen.front().value; });
}

// An equal digest is of an equal secret, whatever is said of the key.
std::vector<Seen> OfOneKey(Verdict& verdict, const std::vector<Seen>& seen,
                           const Comparison& comparison) {
  std::map<std::string, std::vector<std::string>> nodes;  // by key
  for (const Seen& one : seen) {
    if (one.is_digest) nodes[one.node->digest_key_id()].push_back(one.node->name());
  }
  if (nodes.size() < 2 || AreAlike(seen)) return seen;
  // An agent of release 0.1 does not say which key it has: those that do are right, however few.
  const auto commonest =
      std::max_element(nodes.begin(), nodes.end(), [](const auto& a, const auto& b) {
        return std::make_pair(!a.first.empty(), a.second.size()) <
               std::make_pair(!b.first.empty(), b.second.size());
      });
  std::vector<Seen> comparable;
  for (const Seen& one : seen) {
    if (!one.is_digest || one.node->digest_key_id() == commonest->first) {
      comparable.push_back(one);
      continue;
    }
    verdict.Unknown(
        one.node->name(),
        absl::StrCat(Line(comparison.what, one.value), ", made with another digest key than on ",
                     JoinNames(commonest->second), ": the two cannot be compared"),
        {ByHand(one.node->name(),
                "the agent takes the cluster's digest key by itself when it calls; where it does "
                "not, it is of an older release than the coordinator: upgrade it")});
  }
  return comparable;
}

// By the nodes alone.
void CompareValues(Verdict& verdict, const std::vector<Seen>& seen, const Comparison& comparison) {
  const SeenByValue groups = GroupByValue(seen);
  if (groups.size() <= 1) {
    for (const Seen& one : seen) Pass(verdict, one, comparison.what);
    return;
  }
  const Right right = FindRight(seen);
  if (right.one != nullptr) return JudgeByPeers(verdict, seen, right, comparison);
  SayUndecided(verdict, seen, groups, comparison);
}

}  // namespace

void Compare(Verdict& verdict, const std::vector<Seen>& seen, const Comparison& comparison) {
  if (comparison.wanted) return JudgeByWanted(verdict, seen, comparison);
  CompareValues(verdict, OfOneKey(verdict, seen, comparison), comparison);
}

bool Agree(Verdict& verdict, const std::vector<Seen>& seen, const Comparison& comparison) {
  if (AreAlike(seen)) return true;
  const std::vector<Seen> comparable = OfOneKey(verdict, seen, comparison);
  if (!AreAlike(comparable)) CompareValues(verdict, comparable, comparison);
  return false;
}

}  // namespace connect_ha
