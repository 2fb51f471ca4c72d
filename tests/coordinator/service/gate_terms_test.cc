// What a node is told of its gate: whether another one serves, and what is waived there.
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "common/time.h"
#include "connect_ha/v1/plan.pb.h"
#include "coordinator/cluster/planning/gate_terms_of.h"

namespace connect_ha {
namespace {

using std::chrono::hours;

const Time kNoon{std::chrono::seconds(1'722'513'600)};

// Two nodes that serve, by order 1.1 and 1.2.
struct Two {
  Two() {
    for (int i = 0; i < 2; ++i) {
      v1::PlanNode& node = *input.add_nodes();
      node.mutable_brief()->set_name(i == 0 ? "a" : "b");
      node.mutable_brief()->set_claimants(1);
      node.mutable_brief()->set_reported_state(v1::SERVING);
      node.mutable_brief()->mutable_facts()->set_answers(true);
      node.set_heard(true);
      node.set_fresh(true);
      node.set_connect(v1::CONNECT_RUNS);
      node.set_gate(v1::GATE_OPEN);
      node.mutable_obeys()->set_epoch(1);
      node.mutable_obeys()->set_serial(static_cast<uint64_t>(i) + 1);
      v1::NodeMemory& memory = *input.mutable_memory()->add_nodes();
      memory.set_node(node.brief().name());
      memory.set_state(v1::SERVING);
      *memory.mutable_order() = node.obeys();
      *decision.mutable_remember()->add_nodes() = memory;
      v1::NodeAssignment& assigned = *decision.add_assignments();
      assigned.set_node(memory.node());
      assigned.set_state(v1::SERVING);
      *assigned.mutable_order() = memory.order();
    }
  }
  v1::PlanInput input;
  v1::Decision decision;
};

// Unset: it is left as it was told.
using Bools = std::vector<std::optional<bool>>;

Bools Alone(const Two& two) {
  Bools alone;
  for (const GateTerms& terms : GateTermsOf(two.input, two.decision)) {
    alone.push_back(terms.no_other_serves);
  }
  return alone;
}

TEST(GateTermsTest, ThatNoOtherServesIsSaidToWhoIsTheLast) {
  Two two;
  EXPECT_EQ(Alone(two), (Bools{false, false}));
  two.decision.mutable_assignments(1)->set_state(v1::DRAINING);
  EXPECT_EQ(Alone(two), (Bools{true, false}));
  two.decision.mutable_assignments(1)->set_state(v1::SERVING);
  two.input.mutable_nodes(0)->set_fresh(false);  // what is not known does not serve
  EXPECT_EQ(Alone(two), (Bools{false, true}));
  two.input.mutable_nodes(1)->set_gate(v1::GATE_CLOSED);
  EXPECT_EQ(Alone(two), (Bools{true, true}));
}

constexpr char kCloses[] = "clocks-are-synchronised";

void Judge(Two& two, int i, const std::string& rule, v1::Outcome outcome,
           v1::Basis basis = v1::SELF) {
  v1::PlanNode& node = *two.input.mutable_nodes(i);
  node.clear_rules();
  v1::NodeRule& line = *node.add_rules();
  line.set_rule(rule);
  line.set_outcome(outcome);
  line.set_basis(basis);
  line.set_rule_class(v1::DATA);
}

// Each closes its own gate where it is told that the other one serves.
void CloseByThemselves(Two& two) {
  const Bools alone = Alone(two);
  for (int i = 0; i < 2; ++i) {
    const bool closed = two.input.nodes(i).gate() == v1::GATE_CLOSED;
    const bool is_alone = alone[static_cast<size_t>(i)].value_or(!closed);
    two.input.mutable_nodes(i)->set_gate(is_alone ? v1::GATE_OPEN : v1::GATE_CLOSED);
  }
}

TEST(GateTermsTest, OneFaultOnBothClosesNeither) {
  Two two;
  for (const int i : {0, 1}) {
    Judge(two, i, kCloses, v1::FAIL);
    two.input.mutable_nodes(i)->set_gate(v1::GATE_CLOSED);  // each saw it by itself
  }
  for (int round = 0; round < 5; ++round) {
    CloseByThemselves(two);
    EXPECT_EQ(two.input.nodes(0).gate(), v1::GATE_OPEN) << round;
    EXPECT_EQ(two.input.nodes(1).gate(), v1::GATE_OPEN) << round;
  }
  // What is not judged yet opens and closes nothing.
  Judge(two, 1, kCloses, v1::UNKNOWN);
  EXPECT_EQ(Alone(two), (Bools{std::nullopt, true}));
  Judge(two, 0, kCloses, v1::UNKNOWN);
  EXPECT_EQ(Alone(two), (Bools{std::nullopt, std::nullopt}));
  Judge(two, 1, kCloses, v1::PASS);
  EXPECT_EQ(Alone(two), (Bools{false, std::nullopt}));
}

TEST(GateTermsTest, OnlyWhatWouldCloseItsOwnGateIsNoSupport) {
  const auto of_other = [](const std::string& rule, v1::Outcome outcome, v1::Basis basis) {
    Two two;
    Judge(two, 1, rule, outcome, basis);
    return Alone(two)[0];
  };
  EXPECT_EQ(of_other(kCloses, v1::FAIL, v1::SELF), true);
  EXPECT_EQ(of_other("data-dir-is-shared", v1::FAIL, v1::PROOF), true);
  EXPECT_EQ(of_other("runtimes-match-r", v1::FAIL, v1::SELF), false);
  EXPECT_EQ(of_other("connect-version-matches", v1::FAIL, v1::SELF), false);
  EXPECT_EQ(of_other(kCloses, v1::NOT_APPLICABLE, v1::SELF), false);
  EXPECT_EQ(of_other(kCloses, v1::FOLLOWS, v1::SELF), std::nullopt);
  EXPECT_EQ(of_other(kCloses, v1::FAIL, v1::PEERS), std::nullopt);
  Two two;
  two.input.set_generation(3);
  Judge(two, 1, "accounts-match", v1::FAIL, v1::SPEC);
  EXPECT_EQ(Alone(two)[0], std::nullopt);  // perhaps a change that is still to be made
  two.decision.mutable_remember()->mutable_nodes(1)->set_reached(3);
  EXPECT_EQ(Alone(two)[0], true);
  two.input.mutable_nodes(1)->mutable_rules(0)->set_undecided(true);
  EXPECT_EQ(Alone(two)[0], std::nullopt);
}

TEST(GateTermsTest, AfterARestartWhoIsNotHeardYetChangesNothing) {
  Two two;
  v1::PlanNode& other = *two.input.mutable_nodes(1);
  *other.mutable_brief()->mutable_last_seen() = ToProto(kNoon);
  other.set_heard(false);
  other.set_fresh(false);
  EXPECT_EQ(Alone(two), (Bools{std::nullopt, false}));
  other.mutable_brief()->set_lost(true);
  EXPECT_EQ(Alone(two), (Bools{true, false}));
}

TEST(GateTermsTest, WhatIsWaivedThereIsSaidAsLongAsItIs) {
  Two two;
  *two.input.mutable_now() = ToProto(kNoon);
  const auto add = [&two](v1::Word::Kind kind, const std::string& node, const std::string& rule) {
    v1::Word& word = *two.input.add_words();
    word.set_number(static_cast<uint64_t>(two.input.words_size()));
    word.set_kind(kind);
    word.set_node(node);
    word.set_rule(rule);
    word.set_role(v1::ADMIN);
    *word.mutable_at() = ToProto(kNoon);
    *word.mutable_until() = ToProto(kNoon + hours(1));
  };
  add(v1::Word::WAIVE, "", "storage-works");
  add(v1::Word::WAIVE, "b", "accounts-match");
  const auto terms = [&two](size_t node) {
    return GateTermsOf(two.input, two.decision)[node].waived;
  };
  const std::optional<Time> end = kNoon + hours(1);
  using Waived = decltype(GateTerms::waived);
  EXPECT_EQ(terms(0), (Waived{{"storage-works", end}}));
  EXPECT_EQ(terms(1), (Waived{{"accounts-match", end}, {"storage-works", end}}));
  Judge(two, 1, "accounts-match", v1::FAIL);  // nobody minds it there
  EXPECT_EQ(Alone(two)[0], false);
  two.input.mutable_nodes(1)->clear_rules();
  add(v1::Word::UNFENCE, "a", "");
  EXPECT_EQ(terms(0).count("encryption-key-matches"), 1u);
  EXPECT_EQ(terms(0).count("accounts-match"), 0u);
  (*two.input.mutable_spec()->mutable_rules())["accounts-match"].set_action(v1::FENCE);
  EXPECT_EQ(terms(0).count("accounts-match"), 1u);
  *two.input.mutable_words(0)->mutable_until() = ToProto(kNoon + hours(2));
  add(v1::Word::WAIVE, "a", "storage-works");
  EXPECT_EQ(terms(0)["storage-works"], kNoon + hours(2));  // of several ends the last
  *two.input.mutable_now() = ToProto(kNoon + hours(2));
  EXPECT_TRUE(terms(0).empty());
}

// The last gates would close together, before anybody said that they are the last.
TEST(GateTermsTest, AWaiverEndsByItselfOnlyWhereAnotherServesWithoutIt) {
  Two two;
  *two.input.mutable_now() = ToProto(kNoon);
  v1::Word& word = *two.input.add_words();
  word.set_number(1);
  word.set_kind(v1::Word::WAIVE);
  word.set_rule("accounts-match");
  word.set_role(v1::ADMIN);
  *word.mutable_at() = ToProto(kNoon);
  *word.mutable_until() = ToProto(kNoon + hours(1));
  const auto ends = [&two](size_t node) {
    return GateTermsOf(two.input, two.decision)[node].waived.at("accounts-match").has_value();
  };
  Judge(two, 0, "accounts-match", v1::FAIL);
  EXPECT_TRUE(ends(0));
  EXPECT_FALSE(ends(1));
  Judge(two, 1, "accounts-match", v1::FAIL);
  EXPECT_FALSE(ends(0));
  EXPECT_FALSE(ends(1));
}

}  // namespace
}  // namespace connect_ha
