// What the coordinator is asked when a person says something of a node or a rule.
#include "common/checklist/rule.h"
#include "coordinator/cli/text/duration.h"
#include "coordinator/cli/text/plan_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/coordinator/cli/world.h"

namespace connect_ha {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using v1::Word;

class Words : public testing::Test {
 protected:
  void Say(Word::Kind kind, const std::string& node) {
    Word& word = *world_.coordinator.plan.add_words();
    word.set_kind(kind);
    word.set_node(node);
    word.set_by("admin/bob");
  }
  const std::vector<std::string>& Asked() const { return world_.coordinator.changes; }

  World world_;
};

TEST_F(Words, AreSaidAsTyped) {
  EXPECT_EQ(world_.Run({"node", "drain", "node-2", "--reason", "kernel update"}), kHolds);
  EXPECT_EQ(world_.Run({"node", "drain", "node-2", "--reason=a", "--now", "--allow-downtime"}),
            kHolds);
  EXPECT_EQ(world_.Run({"node", "cordon", "node-1", "--reason", "a", "--until", "2h"}), kHolds);
  EXPECT_EQ(world_.Run({"node", "gone", "node-3", "--reason", "a"}), kHolds);
  EXPECT_EQ(world_.Run({"release", "node-3", "--reason", "a"}), kHolds);
  EXPECT_EQ(world_.Run({"waive", "disk-has-room", "--reason", "a", "--until",
                        "2024-08-02T00:00:00Z", "--node", "node-1"}),
            kHolds);
  EXPECT_THAT(
      Asked(),
      ElementsAre("give kind: DRAIN node: \"node-2\" reason: \"kernel update\"",
                  "give kind: DRAIN node: \"node-2\" reason: \"a\" now: true downtime: true",
                  "give kind: CORDON node: \"node-1\" reason: \"a\" until { seconds: 1722520800 }",
                  "give kind: GONE node: \"node-3\" reason: \"a\"",
                  "give kind: RELEASE node: \"node-3\" reason: \"a\"",
                  "give kind: WAIVE node: \"node-1\" rule: \"disk-has-room\" reason: \"a\" until { "
                  "seconds: 1722556800 }"));
}

TEST_F(Words, UncordonTakesBackBothThatKeepANodeOut) {
  Say(Word::CORDON, "node-2");
  Say(Word::DRAIN, "node-2");
  Say(Word::DRAIN, "node-1");
  EXPECT_EQ(world_.Run({"node", "uncordon", "node-2", "--reason", "done"}), kHolds);
  EXPECT_THAT(Asked(), ElementsAre("take back node: \"node-2\" kinds: CORDON kinds: DRAIN why: "
                                   "\"done\""));
  EXPECT_EQ(world_.out, "cordon, by admin/bob: taken back\ndrain, by admin/bob: taken back\n");
  EXPECT_EQ(world_.coordinator.plan.words_size(), 1);
  EXPECT_EQ(world_.Run({"node", "uncordon", "node-2", "--reason", "done"}), kUsage);
}

TEST_F(Words, StartTakesBackAStopAndElseTriesOnceMore) {
  Say(Word::STOP, "node-2");
  EXPECT_EQ(world_.Run({"node", "start", "node-2", "--reason", "a"}), kHolds);
  EXPECT_TRUE(world_.coordinator.plan.words().empty());
  EXPECT_EQ(world_.Run({"node", "start", "node-2", "--reason", "a"}), kHolds);
  ASSERT_EQ(world_.coordinator.plan.words_size(), 1);
  EXPECT_EQ(world_.coordinator.plan.words(0).kind(), Word::START);
}

// Connect had not started there however often it was tried, before a person stopped the node.
TEST_F(Words, StartTriesOnceMoreWhereTheStopWasNotAll) {
  v1::NodeAssignment& told = *world_.coordinator.plan.mutable_decision()->add_assignments();
  told.set_node("node-2");
  told.set_state(v1::STOPPED);
  told.set_waits_for("connect-ha node start node-2 --reason ..., once it may go well");
  Say(Word::STOP, "node-2");
  EXPECT_EQ(world_.Run({"node", "start", "node-2", "--reason", "a"}), kHolds);
  EXPECT_THAT(Asked(), ElementsAre("take back node: \"node-2\" kinds: STOP why: \"a\"",
                                   "give kind: START node: \"node-2\" reason: \"a\""));
  // Something else keeps it stopped.
  told.set_waits_for("its turn");
  world_.coordinator.plan.clear_words();
  Say(Word::STOP, "node-2");
  EXPECT_EQ(world_.Run({"node", "start", "node-2", "--reason", "a"}), kHolds);
  EXPECT_TRUE(world_.coordinator.plan.words().empty());
}

TEST_F(Words, UnfenceTakesBackAPersonsFenceAndElseNeedsAnEnd) {
  Say(Word::FENCE, "node-2");
  EXPECT_EQ(world_.Run({"node", "unfence", "node-2", "--reason", "a"}), kHolds);
  EXPECT_TRUE(world_.coordinator.plan.words().empty());
  EXPECT_EQ(world_.Run({"node", "unfence", "node-2", "--reason", "a"}), kUsage);
  EXPECT_THAT(world_.error, HasSubstr("connect-ha node unfence node-2 --until 2h --reason TEXT"));
  EXPECT_TRUE(world_.coordinator.plan.words().empty());
  EXPECT_EQ(world_.Run({"node", "unfence", "node-2", "--reason", "a", "--until", "1h"}), kHolds);
  EXPECT_EQ(world_.coordinator.plan.words(0).kind(), Word::UNFENCE);
  EXPECT_EQ(world_.Run({"node", "unfence", "node-2", "--reason", "a", "--take-back"}), kHolds);
  EXPECT_TRUE(world_.coordinator.plan.words().empty());
}

TEST_F(Words, AreTakenBackWhereNothingElseEndsThem) {
  Say(Word::RELEASE, "node-1");
  Say(Word::GONE, "node-2");
  EXPECT_EQ(world_.Run({"release", "node-1", "--take-back", "--reason", "a"}), kHolds);
  EXPECT_EQ(world_.Run({"node", "gone", "node-2", "--take-back", "--reason", "a"}), kHolds);
  EXPECT_TRUE(world_.coordinator.plan.words().empty());
  EXPECT_EQ(world_.Run({"waive", "disk-has-room", "--take-back", "--reason", "a"}), kUsage)
      << "nobody waived it";
  EXPECT_THAT(Asked().back(), HasSubstr("take back kinds: WAIVE rule: \"disk-has-room\""));
}

// Whatever is mistyped changes nothing.
TEST_F(Words, NothingIsSaidWithoutAReasonAnEndOrASubject) {
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"node", "drain", "node-2"},
           {"node", "drain", "node-2", "--reason", "  "},
           {"node", "drain", "node-22", "--reason", "a"},
           {"node", "uncordon", "node-2"},
           {"node", "cordon", "node-2", "--reason", "a", "--until", "soon"},
           {"node", "cordon", "node-2", "--reason", "a", "--now"},
           {"release", "node-2", "--reason", "a", "--until", "2h"},
           {"waive", "disk-has-room", "--reason", "a"},
           {"waive", "disk-has-rom", "--reason", "a", "--until", "2h"},
           {"waive", "disk-has-room", "--reason", "a", "--until", "2h", "--node", "nod-1"}}) {
    EXPECT_EQ(world_.Run(words), kUsage) << words[0] << " " << words[1];
    EXPECT_THAT(world_.error, HasSubstr("\nfix:   ")) << words[0] << " " << words[1];
  }
  EXPECT_TRUE(Asked().empty());
}

// Where the reason was forgotten, what is said of that does not lead to the opposite.
TEST_F(Words, WhatIsToBeTypedInsteadIsTheSameWithWhatIsMissing) {
  world_.width = 400;
  const auto fix = [this](const std::vector<std::string>& words) {
    EXPECT_EQ(world_.Run(words), kUsage);
    return world_.error.substr(world_.error.find("\nfix:   "));
  };
  EXPECT_EQ(fix({"release", "--take-back", "node-2"}),
            "\nfix:   connect-ha release --take-back node-2 --reason TEXT\n");
  EXPECT_EQ(fix({"waive", "disk-has-room", "--node", "node-1", "--take-back"}),
            "\nfix:   connect-ha waive --node node-1 --take-back disk-has-room --reason TEXT\n");
  EXPECT_EQ(fix({"waive", "disk-has-room", "--node", "node-1", "--reason", "a"}),
            "\nfix:   connect-ha waive --node node-1 disk-has-room --until 2h --reason TEXT\n");
  EXPECT_EQ(
      fix({"node", "stop", "node-2", "--now", "--until", "2h", "--allow-downtime"}),
      "\nfix:   connect-ha node stop --until 2h --now --allow-downtime node-2 --reason TEXT\n");
  EXPECT_TRUE(Asked().empty());
}

TEST_F(Words, WhatBecomesOfTheNodeIsSaid) {
  v1::NodeAssignment& told = *world_.coordinator.plan.mutable_decision()->add_assignments();
  told.set_node("node-2");
  told.set_state(v1::SERVING);
  told.set_reason("drained by admin/alice: a; it stays, since so few others serve: 0, it takes 1");
  told.set_waits_for("others to serve");
  world_.width = 400;
  EXPECT_EQ(world_.Run({"node", "drain", "node-2", "--reason", "a"}), kFails);
  EXPECT_EQ(world_.out,
            "drain: said; to take it back: connect-ha node uncordon node-2 --reason TEXT\n"
            "node-2 is to be serving: drained by admin/alice: a; it stays, since so few others "
            "serve: 0, it takes 1; waits for: others to serve\n");
}

// Whoever goes on by the exit code is not to take a node that stays for one that has left.
TEST_F(Words, ThatANodeStaysIsTheExitCode) {
  v1::NodeAssignment& told = *world_.coordinator.plan.mutable_decision()->add_assignments();
  told.set_node("node-2");
  const auto code = [&](v1::NodeState state, const std::string& verb) {
    told.set_state(state);
    return world_.Run({"node", verb, "node-2", "--reason", "a"});
  };
  EXPECT_EQ(code(v1::DRAINING, "drain"), kHolds);
  EXPECT_EQ(code(v1::READY, "drain"), kHolds);
  EXPECT_EQ(code(v1::OBSERVED, "stop"), kFails);
  EXPECT_EQ(code(v1::STOPPED, "stop"), kHolds);
  EXPECT_EQ(code(v1::DRAINING, "fence"), kFails);
  EXPECT_EQ(code(v1::FENCED, "fence"), kHolds);
  EXPECT_EQ(code(v1::SERVING, "cordon"), kHolds);
}

// Whoever goes on by the exit code is not to take a node that is still held for one that is back.
TEST_F(Words, WhatStillHoldsANodeThatWasToComeBackIsSaid) {
  v1::NodeAssignment& told = *world_.coordinator.plan.mutable_decision()->add_assignments();
  told.set_node("node-2");
  told.set_state(v1::READY);
  world_.width = 400;
  Say(Word::DRAIN, "node-2");
  EXPECT_EQ(world_.Run({"node", "start", "node-2", "--reason", "a"}), kFails);
  EXPECT_THAT(world_.out, HasSubstr("node-2 is still kept out: drain, by admin/bob: ; to take it "
                                    "back: connect-ha node uncordon node-2 --reason TEXT\n"));
  EXPECT_EQ(world_.Run({"node", "uncordon", "node-2", "--reason", "a"}), kHolds);
  EXPECT_THAT(world_.out, Not(HasSubstr("is still kept out")));
  Say(Word::FENCE, "node-2");
  told.set_state(v1::FENCED);
  told.set_reason("storage-is-mounted: a local ext4");
  EXPECT_EQ(world_.Run({"node", "unfence", "node-2", "--reason", "a"}), kFails);
  EXPECT_THAT(world_.out, HasSubstr("node-2 is to be fenced: storage-is-mounted: a local ext4"));
}

TEST_F(Words, AnEndIsNotForgottenWhereARuleFencesBesideAPerson) {
  v1::NodeAssignment& told = *world_.coordinator.plan.mutable_decision()->add_assignments();
  told.set_node("node-2");
  told.set_state(v1::FENCED);
  Say(Word::FENCE, "node-2");
  world_.Run({"node", "unfence", "node-2", "--until", "2h", "--reason", "a"});
  EXPECT_THAT(Asked(),
              ElementsAre("take back node: \"node-2\" kinds: FENCE why: \"a\"",
                          "give kind: UNFENCE node: \"node-2\" reason: \"a\" until { seconds: "
                          "1722520800 }"));
  world_.coordinator.plan.clear_words();
  Say(Word::FENCE, "node-2");
  told.set_state(v1::READY);
  EXPECT_EQ(world_.Run({"node", "unfence", "node-2", "--until", "2h", "--reason", "a"}), kHolds);
  EXPECT_THAT(world_.out, HasSubstr("--until ends nothing: no rule fences the node\n"));
}

// Who said it sees the node as it was told before.
TEST_F(Words, ThatNothingFollowsFromThemIsSaid) {
  world_.coordinator.plan.add_broken("it cannot be stored: the disk is full");
  const std::string not_in_force =
      "\nThe newest decision is NOT IN FORCE; the one before stays:\n"
      "  it cannot be stored: the disk is full\n";
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"node", "fence", "node-2", "--reason", "a"},
                                             {"node", "unfence", "node-2", "--reason", "a"}}) {
    EXPECT_EQ(world_.Run(words), kFails);
    EXPECT_THAT(world_.out, HasSubstr(not_in_force)) << words[1];
  }
  world_.Run({"status"});
  EXPECT_THAT(world_.out, HasSubstr(not_in_force));
}

// The last one that serves, say.
TEST_F(Words, PlanShowsNoActionAsTakenOfANodeThatStays) {
  v1::Decision& decision = *world_.coordinator.plan.mutable_decision();
  v1::NodeAssignment& told = *decision.add_assignments();
  told.set_node("node-1");
  v1::Hazard& hazard = *decision.add_hazards();
  hazard.set_node("node-1");
  hazard.set_rule("storage-is-mounted");
  hazard.set_action(v1::FENCE);
  hazard.set_acts(true);
  hazard.set_text("/mnt/connect is a local ext4");
  world_.width = 400;
  for (const v1::NodeState state : {v1::SERVING, v1::DRAINING}) {
    told.set_state(state);
    world_.Run({"plan"});
    EXPECT_THAT(world_.out, HasSubstr("  (fence)  ")) << state;
    EXPECT_THAT(world_.out, HasSubstr("is a local ext4; not done: see below\n")) << state;
  }
  told.set_state(v1::FENCED);
  world_.Run({"plan"});
  EXPECT_THAT(world_.out, HasSubstr("  fence  "));
  EXPECT_THAT(world_.out, Not(HasSubstr("not done")));
  hazard.set_action(v1::CLOSE);
  told.set_state(v1::DRAINING);
  world_.Run({"plan"});
  EXPECT_THAT(world_.out, HasSubstr("  close  "));
}

TEST(PlanText, EveryWordThatDoesNotEndByItselfSaysWhatTakesItBack) {
  for (int kind = Word::Kind_MIN + 1; kind <= Word::Kind_MAX; ++kind) {
    Word word;
    word.set_kind(static_cast<Word::Kind>(kind));
    word.set_node("node-1");
    EXPECT_EQ(TakenBackBy(word).empty(), kind == Word::START || kind == Word::RESTORED) << kind;
  }
  Word waiver;
  waiver.set_kind(Word::WAIVE);
  waiver.set_rule("disk-has-room");
  EXPECT_EQ(TakenBackBy(waiver), "connect-ha waive disk-has-room --take-back --reason TEXT");
  waiver.set_node("-rf");
  EXPECT_EQ(TakenBackBy(waiver),
            "connect-ha waive disk-has-room --node -rf --take-back --reason TEXT");
}

TEST(PlanText, NodesThatAreToldTheSameStandTogether) {
  std::ostringstream out;
  Terminal terminal{out, out};
  PrintTold(terminal, {{"node-1", "as it is", ""},
                       {"node-2", "drained", "its users"},
                       {"node-3", "as it is", ""},
                       {"node-4", "", ""}});
  EXPECT_EQ(out.str(),
            "\nnode-1, node-3  as it is\nnode-2          drained; waits for: its users\n");
  out.str("");
  PrintTold(terminal, {{"node-4", "", ""}});
  EXPECT_EQ(out.str(), "");
}

// It may take the last one that serves away.
TEST(PlanText, AWordThatAllowsDowntimeSaysSo) {
  v1::GetPlanResponse plan;
  Word& word = *plan.add_words();
  word.set_kind(Word::DRAIN);
  word.set_node("node-1");
  word.set_downtime(true);
  std::ostringstream out;
  Terminal terminal{out, out};
  PrintWords(terminal, plan, Time{});
  EXPECT_THAT(out.str(), HasSubstr("node-1  drain, allowing downtime  "));
}

TEST(PlanText, HeldByAPersonIsWhoIsNotToServe) {
  v1::GetPlanResponse plan;
  Word& word = *plan.add_words();
  word.set_node("node-1");
  for (const Word::Kind kind :
       {Word::CORDON, Word::DRAIN, Word::STOP, Word::FENCE, Word::RELEASE}) {
    word.set_kind(kind);
    EXPECT_TRUE(IsHeldByPerson(plan, "node-1")) << kind;
    EXPECT_FALSE(IsHeldByPerson(plan, "node-2")) << kind;
  }
  for (const Word::Kind kind : {Word::UNFENCE, Word::START, Word::WAIVE, Word::GONE}) {
    word.set_kind(kind);
    EXPECT_FALSE(IsHeldByPerson(plan, "node-1")) << kind;
  }
}

TEST(Duration, AnEndIsASpanOrATime) {
  const Time now{std::chrono::seconds(1722513600)};
  EXPECT_EQ(*ParseEnd("90s", now), now + std::chrono::seconds(90));
  EXPECT_EQ(*ParseEnd("2024-08-01T14:00:00Z", now), now + std::chrono::hours(2));
  EXPECT_EQ(*ParseEnd("2024-08-01T14:00:00+02:00", now), now);
  for (const char* wrong : {"", "soon", "14:00", "2024-13-01T14:00:00Z", "-1h"}) {
    EXPECT_FALSE(ParseEnd(wrong, now).ok()) << wrong;
  }
}

// Every action that the table has, has a name.
TEST(PlanText, ActionsHaveNames) {
  for (const Rule& rule : Rules()) EXPECT_THAT(ActionName(rule.action), Not(HasSubstr("-")));
  EXPECT_EQ(ActionName(v1::FENCE), "fence");
}

}  // namespace
}  // namespace connect_ha
