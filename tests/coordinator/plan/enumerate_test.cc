// Every state of two and of three abstract nodes, one decision each: nothing is ever broken, and
// every state that is assigned is one that an agent knows how to reach.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "agent/assignment/transitions.h"
#include "coordinator/plan/decide.h"
#include "coordinator/plan/invariants.h"
#include "coordinator/plan/states.h"
#include "tests/coordinator/plan/plan_cluster.h"

namespace connect_ha {
namespace {

enum class Sight { kFresh, kSilent, kStale, kLost };  // kSilent: heard, and Connect does not answer
enum class Fault { kNone, kFences, kCloses, kHolds, kUnknown, kUndecided };
enum class Said { kNothing, kDrain, kStopNow, kFenceWithDowntime, kCordon };

struct Abstract {
  v1::NodeState assigned;
  v1::NodeState reported;  // another one: the latest order was not taken yet
  Sight sight;
  Fault fault;
  Said said;
};

constexpr v1::NodeState kStates[] = {v1::OBSERVED, v1::PREPARING, v1::READY, v1::SERVING,
                                     v1::DRAINING, v1::STOPPED,   v1::FENCED};

std::vector<Abstract> Combine(const std::vector<std::pair<v1::NodeState, v1::NodeState>>& states,
                              const std::vector<Sight>& sights, const std::vector<Fault>& faults,
                              const std::vector<Said>& words) {
  std::vector<Abstract> all;
  for (const auto& state : states) {
    for (const Sight sight : sights) {
      for (const Fault fault : faults) {
        for (const Said said : words) {
          all.push_back({state.first, state.second, sight, fault, said});
        }
      }
    }
  }
  return all;
}

// Both nodes have a line for every rule that another may fail by.
void SetFault(PlanCluster& cluster, int i, Fault fault) {
  switch (fault) {
    case Fault::kNone:
      break;
    case Fault::kFences:
      cluster.Fail(i, "data-dir-is-shared");
      break;
    case Fault::kCloses:
      cluster.Fail(i, "clocks-are-synchronised");
      break;
    case Fault::kHolds:
      cluster.Fail(i, "runtimes-match-r");
      break;
    case Fault::kUnknown:
      for (v1::NodeRule& line : *cluster.node(i).mutable_rules()) line.set_outcome(v1::UNKNOWN);
      break;
    case Fault::kUndecided:
      cluster.Fail(i, "data-dir-is-shared", v1::PROOF, /*undecided=*/true);
      break;
  }
}

void SetSight(PlanCluster& cluster, int i, Sight sight) {
  if (sight == Sight::kSilent) {
    cluster.node(i).mutable_brief()->mutable_facts()->set_answers(false);
  }
  if (sight == Sight::kStale) cluster.Stale(i);
  if (sight == Sight::kLost) cluster.Lose(i);
}

void SetSaid(PlanCluster& cluster, int i, Said said) {
  const std::string name = cluster.node(i).brief().name();
  if (said == Said::kDrain) cluster.Say(v1::Word::DRAIN, name);
  if (said == Said::kStopNow) cluster.Say(v1::Word::STOP, name).set_now(true);
  if (said == Said::kFenceWithDowntime) cluster.Say(v1::Word::FENCE, name).set_downtime(true);
  if (said == Said::kCordon) cluster.Say(v1::Word::CORDON, name);
}

void Set(PlanCluster& cluster, int i, const Abstract& abstract) {
  cluster.Become(i, abstract.reported);
  if (abstract.reported != abstract.assigned) {
    cluster.memory(i).set_state(abstract.assigned);
    cluster.memory(i).mutable_order()->set_serial(2);
    cluster.input.mutable_memory()->set_serial(2);
  }
  SetFault(cluster, i, abstract.fault);
  SetSight(cluster, i, abstract.sight);
  SetSaid(cluster, i, abstract.said);
}

struct Counts {
  std::set<std::pair<v1::NodeState, v1::NodeState>> pairs;  // reported, assigned
  std::map<v1::NodeState, size_t> assigned;
  size_t moved = 0;
};

std::string Text(const v1::PlanInput& input, const v1::Decision& decision) {
  return TextsOf(decision) + input.DebugString();
}

// What may be asserted of one decision without its being made a second time in the test.
void Check(const PlanCluster& cluster, Counts& counts) {
  const v1::PlanInput& input = cluster.input;
  const v1::Decision decision = Decide(input);
  ASSERT_EQ(absl::StrJoin(Broken(input, decision), "\n"), "") << Text(input, decision);
  for (int i = 0; i < input.nodes_size(); ++i) {
    const v1::NodeAssignment& given = decision.assignments(i);
    const v1::PlanNode& node = input.nodes(i);
    counts.pairs.insert({node.brief().reported_state(), given.state()});
    ++counts.assigned[given.state()];
    const bool at_rest = given.state() == v1::SERVING || given.state() == v1::OBSERVED;
    ASSERT_TRUE(at_rest || !given.reason().empty() || !given.waits_for().empty())
        << Text(input, decision);
    if (given.state() == input.memory().nodes(i).state()) continue;
    ++counts.moved;
    ASSERT_TRUE(node.fresh()) << Text(input, decision);
  }
}

const std::vector<std::pair<v1::NodeState, v1::NodeState>>& AllStates() {
  static const auto& states = *new std::vector<std::pair<v1::NodeState, v1::NodeState>>{
      {v1::OBSERVED, v1::OBSERVED}, {v1::PREPARING, v1::PREPARING}, {v1::READY, v1::READY},
      {v1::SERVING, v1::SERVING},   {v1::DRAINING, v1::DRAINING},   {v1::STOPPED, v1::STOPPED},
      {v1::FENCED, v1::FENCED},     {v1::DRAINING, v1::SERVING},    {v1::SERVING, v1::READY},
  };
  return states;
}

TEST(EnumerateTest, NoStateOfTwoNodesBreaksAnything) {
  const std::vector<Abstract> all =
      Combine(AllStates(), {Sight::kFresh, Sight::kSilent, Sight::kStale},
              {Fault::kNone, Fault::kFences, Fault::kHolds, Fault::kUnknown},
              {Said::kNothing, Said::kDrain, Said::kFenceWithDowntime});
  Counts counts;
  for (size_t a = 0; a < all.size(); ++a) {
    for (size_t b = a; b < all.size(); b += 1 + a % 4) {  // half of them: time
      PlanCluster cluster(2);
      Set(cluster, 0, all[a]);
      Set(cluster, 1, all[b]);
      Check(cluster, counts);
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_GT(counts.moved, 1000u);
}

TEST(EnumerateTest, NoStateOfThreeNodesBreaksAnything) {
  const std::vector<Abstract> all =
      Combine({{v1::SERVING, v1::SERVING}, {v1::DRAINING, v1::SERVING}, {v1::READY, v1::READY}},
              {Sight::kFresh, Sight::kLost}, {Fault::kNone, Fault::kFences, Fault::kCloses},
              {Said::kNothing, Said::kDrain});
  Counts counts;
  for (size_t a = 0; a < all.size(); ++a) {
    for (size_t b = a; b < all.size(); ++b) {
      for (size_t c = b; c < all.size(); ++c) {
        PlanCluster cluster(3);
        Set(cluster, 0, all[a]);
        Set(cluster, 1, all[b]);
        Set(cluster, 2, all[c]);
        Check(cluster, counts);
        if (HasFatalFailure()) return;
      }
    }
  }
  EXPECT_GT(counts.moved, 1000u);
}

TEST(EnumerateTest, EveryStateThatIsAssignedIsOneThatAnAgentReaches) {
  const std::vector<Abstract> all = Combine(
      AllStates(), {Sight::kFresh, Sight::kSilent}, {Fault::kNone, Fault::kFences, Fault::kHolds},
      {Said::kNothing, Said::kDrain, Said::kStopNow, Said::kFenceWithDowntime, Said::kCordon});
  Counts counts;
  for (const Abstract& one : all) {
    PlanCluster cluster(2);
    Set(cluster, 0, one);
    Check(cluster, counts);
    if (HasFatalFailure()) return;
  }
  for (const auto& [reported, assigned] : counts.pairs) {
    EXPECT_NE(FindTransition(reported, assigned), nullptr)
        << v1::NodeState_Name(reported) << " to " << v1::NodeState_Name(assigned);
  }
  for (const v1::NodeState state :
       {v1::READY, v1::SERVING, v1::DRAINING, v1::STOPPED, v1::FENCED}) {
    EXPECT_GT(counts.assigned[state], 0u) << v1::NodeState_Name(state);  // each was tried
  }
}

// Names and order decide nothing.
TEST(EnumerateTest, OtherNamesAndAnotherOrderGiveTheSame) {
  const std::vector<Abstract> all =
      Combine({{v1::SERVING, v1::SERVING}, {v1::READY, v1::READY}}, {Sight::kFresh, Sight::kStale},
              {Fault::kNone, Fault::kFences, Fault::kHolds}, {Said::kNothing, Said::kDrain});
  for (const Abstract& a : all) {
    for (const Abstract& b : all) {
      PlanCluster cluster(3);
      Set(cluster, 0, a);
      Set(cluster, 1, b);
      v1::PlanInput other = cluster.input;
      for (int i = 0; i < 3; ++i) {
        const std::string name = "z-" + std::to_string(9 - i);
        other.mutable_nodes(i)->mutable_brief()->set_name(name);
        other.mutable_memory()->mutable_nodes(i)->set_node(name);
        for (v1::Word& word : *other.mutable_words()) {
          if (word.node() == cluster.input.nodes(i).brief().name()) word.set_node(name);
        }
      }
      other.mutable_nodes()->SwapElements(0, 2);
      const v1::Decision one = Decide(cluster.input);
      const v1::Decision two = Decide(other);
      for (int i = 0; i < 3; ++i) {
        ASSERT_EQ(one.assignments(i).state(), two.assignments(2 - i).state())
            << TextsOf(one) << TextsOf(two);
        ASSERT_EQ(one.assignments(i).order().serial(), two.assignments(2 - i).order().serial());
      }
    }
  }
}

// Whatever else is so: a node of which nothing is known any more does nothing, and lets no other
// one leave that would not have left.
TEST(EnumerateTest, WhatBecomesUnknownTakesNobodyOutOfService) {
  const std::vector<Abstract> all =
      Combine({{v1::SERVING, v1::SERVING}, {v1::DRAINING, v1::DRAINING}, {v1::READY, v1::READY}},
              {Sight::kFresh}, {Fault::kNone, Fault::kFences, Fault::kCloses, Fault::kHolds},
              {Said::kNothing, Said::kDrain});
  for (const Abstract& a : all) {
    for (const Abstract& b : all) {
      PlanCluster cluster(3);
      cluster.input.mutable_spec()->mutable_nodes()->set_fences_per_hour(10);
      Set(cluster, 0, a);
      Set(cluster, 1, b);
      const v1::Decision known = cluster.Decide();
      cluster.Stale(1);
      const v1::Decision unknown = cluster.Decide();
      ASSERT_EQ(unknown.assignments(1).state(), b.assigned);
      for (const int i : {0, 2}) {
        const bool left = known.assignments(i).state() != v1::SERVING;
        const bool leaves = unknown.assignments(i).state() != v1::SERVING &&
                            cluster.memory(i).state() == v1::SERVING;
        ASSERT_TRUE(left || !leaves) << TextsOf(known) << TextsOf(unknown);
      }
    }
  }
}

TEST(StatesTest, EveryStateHasARowAndAWayInAndOut) {
  ASSERT_EQ(States().size(), std::size(kStates));
  for (const v1::NodeState state : kStates) {
    ASSERT_NE(FindState(state), nullptr);
    const auto from = [state](const Way& way) { return way.from == state; };
    const auto to = [state](const Way& way) { return way.to == state; };
    EXPECT_TRUE(std::any_of(Ways().begin(), Ways().end(), from)) << v1::NodeState_Name(state);
    EXPECT_TRUE(std::any_of(Ways().begin(), Ways().end(), to)) << v1::NodeState_Name(state);
    EXPECT_TRUE(IsWay(state, state));
  }
  EXPECT_EQ(FindState(v1::NODE_STATE_UNSPECIFIED), nullptr);
  EXPECT_FALSE(IsWay(v1::FENCED, v1::SERVING));
  EXPECT_FALSE(IsWay(v1::STOPPED, v1::SERVING));
  EXPECT_FALSE(IsWay(v1::PREPARING, v1::SERVING));
}

TEST(StatesTest, AnAgentHasOneTransitionForEveryPair) {
  std::set<std::pair<v1::NodeState, v1::NodeState>> pairs;
  for (const Transition& row : Transitions()) {
    EXPECT_TRUE(pairs.insert({row.from, row.to}).second);
  }
  EXPECT_EQ(pairs.size(), std::size(kStates) * std::size(kStates));
  for (const v1::NodeState from : kStates) {
    for (const v1::NodeState to : kStates) {
      const Transition* row = FindTransition(from, to);
      ASSERT_NE(row, nullptr);
      // What is where the gate is open or Connect is started is decided by the state alone.
      EXPECT_EQ(row->gate == GateWanted::kOpen, to == v1::SERVING);
      EXPECT_EQ(row->unit == UnitWanted::kRunning, to == v1::SERVING);
      const bool untouched = to == v1::OBSERVED || to == v1::DRAINING;
      EXPECT_EQ(row->unit == UnitWanted::kAsItIs, untouched);
    }
  }
}

TEST(StatesTest, TheTablesPrintThemselves) {
  const std::string markdown = StatesMarkdown();
  EXPECT_EQ(std::count(markdown.begin(), markdown.end(), '\n'),
            static_cast<int64_t>(States().size()) + 2);
  EXPECT_NE(StatesDot().find("  ready -> serving [label="), std::string::npos);
}

}  // namespace
}  // namespace connect_ha
