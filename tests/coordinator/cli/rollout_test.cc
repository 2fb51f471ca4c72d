// Changes of the cluster: what is shown of them, and what people say of them.
#include <google/protobuf/util/json_util.h>

#include "coordinator/cli/rollout/rollout_text.h"
#include "coordinator/cli/text/preview_text.h"
#include "coordinator/plan/change/phases.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/coordinator/cli/rollout_fixture.h"

namespace connect_ha {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using v1::RolloutStatus;
using v1::Word;

TEST_F(RolloutTest, IsSaidAsTyped) {
  EXPECT_EQ(world_.Run({"approve", "8", "--reason", "agreed"}), kHolds);
  EXPECT_EQ(world_.Run({"rollout", "approve", "9", "--reason=a", "--now", "--allow-downtime"}),
            kHolds);
  EXPECT_EQ(world_.Run({"rollout", "pause", "--reason", "a"}), kHolds);
  EXPECT_EQ(world_.Run({"rollout", "restored", "--version", "2024.08.0", "--reason", "a"}), kHolds);
  EXPECT_THAT(Asked(),
              ElementsAre("give kind: APPROVE reason: \"agreed\" generation: 8",
                          "give kind: APPROVE reason: \"a\" now: true downtime: true generation: 9",
                          "give kind: PAUSE reason: \"a\"",
                          "give kind: RESTORED reason: \"a\" version: \"2024.08.0\""));
}

TEST_F(RolloutTest, IsOfTheOneThatIsToComeWhereNoneIsNamed) {
  EXPECT_EQ(world_.Run({"approve", "--reason", "a"}), kHolds);
  EXPECT_EQ(world_.Run({"rollout", "abort", "--reason", "a"}), kHolds);
  EXPECT_THAT(Asked(), ElementsAre("give kind: APPROVE reason: \"a\" generation: 8",
                                   "give kind: ABORT reason: \"a\" generation: 8"));
  NoChange();
  for (const char* command : {"approve", "abort"}) {
    EXPECT_EQ(world_.Run({"rollout", command, "--reason", "a"}), kUsage) << command;
    EXPECT_THAT(world_.error, HasSubstr("no change is to come or under way\nfix:   ")) << command;
  }
  EXPECT_EQ(Asked().size(), 2u);
}

TEST_F(RolloutTest, WhatIsSaidIsFollowedByWhereItIs) {
  EXPECT_EQ(world_.Run({"rollout", "pause", "--reason", "a"}), kHolds);
  EXPECT_EQ(world_.out,
            "pause: said; to take it back: connect-ha rollout resume --reason TEXT\n"
            "generation 8, together: first, for 3m, about 1m 30s left; connect-ha rollout "
            "status\n");
}

TEST_F(RolloutTest, ALostNodeIsDeclaredGoneBeforeAnythingIsApproved) {
  EXPECT_EQ(world_.Run({"approve", "8", "--skip-lost", "node-3", "--reason", "a"}), kHolds);
  EXPECT_THAT(Asked(), ElementsAre("give kind: GONE node: \"node-3\" reason: \"a\"",
                                   "give kind: APPROVE reason: \"a\" generation: 8"));
  world_.coordinator.changes.clear();
  EXPECT_EQ(world_.Run({"approve", "8", "--skip-lost", "nod-3", "--reason", "a"}), kUsage);
  EXPECT_THAT(world_.error, HasSubstr("did you mean \"node-3\"?"));
  EXPECT_THAT(Asked(), ElementsAre());
}

TEST_F(RolloutTest, WhichOfTwoIsMeantIsAsked) {
  Next(RolloutStatus::AWAITING);
  for (const std::string command : {"approve", "abort"}) {
    EXPECT_EQ(world_.Run({"rollout", command, "--reason", "a"}), kUsage) << command;
    EXPECT_THAT(world_.error, HasSubstr("generation 8 is under way, and 9 is to come")) << command;
    EXPECT_THAT(world_.error, HasSubstr(command + " 8 --reason TEXT; or: connect-ha")) << command;
    EXPECT_THAT(world_.error, HasSubstr(command + " 9 --reason TEXT\n")) << command;
  }
  EXPECT_THAT(Asked(), ElementsAre());
  EXPECT_EQ(world_.Run({"rollout", "abort", "8", "--reason", "a"}), kHolds);
  EXPECT_EQ(world_.Run({"rollout", "abort", "9", "--reason", "a"}), kHolds);
  EXPECT_THAT(Asked(), ElementsAre("give kind: ABORT reason: \"a\" generation: 8",
                                   "give kind: ABORT reason: \"a\" generation: 9"));
  EXPECT_THAT(world_.out, StartsWith("abort generation 9: said; to take it back: connect-ha "
                                     "rollout resume 9 --reason TEXT\n"));
}

// What was aborted by mistake does not come back with a pause of another one.
TEST_F(RolloutTest, ResumeTakesBackThePauseAlone) {
  Said(Word::ABORT, 9);
  Said(Word::PAUSE);
  EXPECT_EQ(world_.Run({"rollout", "resume", "--reason", "done"}), kHolds);
  EXPECT_THAT(Asked(), ElementsAre("take back kinds: PAUSE why: \"done\""));
  EXPECT_THAT(world_.out, StartsWith("pause, by admin/bob: taken back\n"));
  EXPECT_EQ(world_.Run({"rollout", "resume", "--reason", "done"}), kHolds);
  EXPECT_EQ(Asked().back(), "take back kinds: ABORT why: \"done\" generation: 9");
  EXPECT_EQ(world_.coordinator.plan.words_size(), 1) << "the approval stays";
}

TEST_F(RolloutTest, ResumeTakesBackTheAbortThatIsNamed) {
  for (const uint64_t generation : {8, 9}) Said(Word::ABORT, generation);
  EXPECT_EQ(world_.Run({"rollout", "resume", "--reason", "done"}), kUsage);
  EXPECT_THAT(world_.error, HasSubstr("several generations are aborted"));
  EXPECT_THAT(world_.error, HasSubstr("connect-ha rollout resume 9 --reason TEXT"));
  Said(Word::PAUSE);
  EXPECT_EQ(world_.Run({"rollout", "resume", "8", "--reason", "done"}), kHolds);
  EXPECT_THAT(Asked(), ElementsAre("take back kinds: ABORT why: \"done\" generation: 8"));
}

TEST_F(RolloutTest, HowAPauseIsTakenBackIsSaidWhereAGenerationIsTyped) {
  Said(Word::PAUSE);
  EXPECT_EQ(world_.Run({"rollout", "resume", "8", "--reason", "done"}), kUsage);
  EXPECT_EQ(world_.error,
            "error: nobody said abort of generation 8, and a pause is in force\n"
            "fix:   connect-ha rollout resume --reason TEXT\n");
  EXPECT_THAT(Asked(), ElementsAre());
}

TEST_F(RolloutTest, WhatHaltedByItselfIsNotResumedAndItIsSaidHowItGoesOn) {
  EXPECT_EQ(world_.Run({"rollout", "resume", "--reason", "done"}), kUsage);
  EXPECT_EQ(world_.error, "error: nobody said pause or abort\nfix:   connect-ha rollout status\n");
  Halt();
  EXPECT_EQ(world_.Run({"rollout", "resume", "--reason", "done"}), kUsage);
  EXPECT_THAT(world_.error, HasSubstr("generation 8 is halted by what went wrong"));
  EXPECT_THAT(world_.error, HasSubstr("connect-ha node start node-1 --reason TEXT; or: connect-ha "
                                      "spec rollback 7"));
  EXPECT_THAT(Asked(), ElementsAre());
}

TEST_F(RolloutTest, ToSkipALostNodeTakesNothingBack) {
  Said(Word::PAUSE);
  Said(Word::ABORT, 9);
  EXPECT_EQ(world_.Run({"rollout", "resume", "--skip-lost", "node-3", "--reason", "a"}), kHolds);
  EXPECT_THAT(Asked(), ElementsAre("give kind: GONE node: \"node-3\" reason: \"a\""));
}

TEST_F(RolloutTest, AnApprovalIsTakenBack) {
  EXPECT_EQ(world_.Run({"approve", "--take-back", "--reason", "a"}), kHolds);
  EXPECT_THAT(Asked(), ElementsAre("take back kinds: APPROVE why: \"a\" generation: 8"));
  EXPECT_THAT(world_.out, StartsWith("approve generation 8, by admin/bob: taken back\n"));
}

TEST_F(RolloutTest, AnApprovalOfOneGenerationIsTakenBack) {
  Said(Word::APPROVE, 9);
  EXPECT_EQ(world_.Run({"approve", "--take-back", "--reason", "a"}), kUsage);
  EXPECT_THAT(world_.error, HasSubstr("several generations are approved"));
  EXPECT_EQ(world_.Run({"approve", "9", "--take-back", "--reason", "a"}), kHolds);
  EXPECT_THAT(world_.out, StartsWith("approve generation 9, by admin/bob: taken back\n"));
  EXPECT_EQ(world_.Run({"approve", "7", "--take-back", "--reason", "a"}), kUsage);
  EXPECT_EQ(world_.coordinator.plan.words_size(), 1);
}

// What is not known yet is not said to be so.
TEST_F(RolloutTest, ACoordinatorThatHasJustStartedIsAwaited) {
  world_.coordinator.plan.clear_decided_at();
  world_.waits = 1000;
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"rollout", "status"},
                                             {"approve", "--reason", "a"},
                                             {"rollout", "abort", "--reason", "a"},
                                             {"rollout", "resume", "--reason", "a"}}) {
    EXPECT_EQ(world_.Run(words), kUnknown) << words[0];
    EXPECT_THAT(world_.error, HasSubstr("has just started")) << words[0];
    EXPECT_EQ(world_.out, "") << words[0];
  }
  EXPECT_THAT(Asked(), ElementsAre());
  world_.on_wait = [this] { *world_.coordinator.plan.mutable_decided_at() = ToProto(world_.now); };
  EXPECT_EQ(world_.Run({"rollout", "status"}), kHolds);
  EXPECT_THAT(world_.out, HasSubstr("generation 8"));
}

TEST_F(RolloutTest, NothingIsSaidThatIsMistyped) {
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"approve", "8"},
                                             {"approve", "eight", "--reason", "a"},
                                             {"approve", "0", "--reason", "a"},
                                             {"rollout", "pause"},
                                             {"rollout", "resume", "--reason", " "},
                                             {"rollout", "abort"},
                                             {"rollout", "restored", "--reason", "a"},
                                             {"rollout", "restored", "--version", "2024.08.0"}}) {
    EXPECT_EQ(world_.Run(words), kUsage) << words[0] << " " << words[1];
    EXPECT_THAT(world_.error, HasSubstr("\nfix:   ")) << words[0] << " " << words[1];
  }
  EXPECT_THAT(Asked(), ElementsAre());
}

// Where the reason was forgotten, what is said of that does not lead to the opposite.
TEST_F(RolloutTest, WhatIsToBeTypedInsteadIsTheSameWithAReason) {
  world_.width = 400;
  const auto fix = [this](const std::vector<std::string>& words) {
    EXPECT_EQ(world_.Run(words), kUsage);
    return world_.error.substr(world_.error.find("\nfix:   "));
  };
  EXPECT_EQ(fix({"approve", "--take-back"}),
            "\nfix:   connect-ha approve --take-back --reason TEXT\n");
  EXPECT_EQ(fix({"approve", "8", "--now", "--skip-lost", "node-3"}),
            "\nfix:   connect-ha approve --skip-lost node-3 --now 8 --reason TEXT\n");
  EXPECT_EQ(fix({"rollout", "restored", "--version", "2024.08.0"}),
            "\nfix:   connect-ha rollout restored --version 2024.08.0 --reason TEXT\n");
  EXPECT_THAT(Asked(), ElementsAre());
}

TEST_F(RolloutTest, ThatNothingFollowsYetIsTheExitCode) {
  world_.coordinator.plan.add_broken("node-1 would leave service, and no other node serves");
  EXPECT_EQ(world_.Run({"rollout", "pause", "--reason", "a"}), kFails);
  EXPECT_THAT(world_.out, HasSubstr("NOT IN FORCE"));
  EXPECT_EQ(world_.Run({"approve", "8", "--skip-lost", "node-3", "--reason", "a"}), kFails);
  EXPECT_THAT(Asked(), ElementsAre("give kind: PAUSE reason: \"a\"",
                                   "give kind: GONE node: \"node-3\" reason: \"a\"",
                                   "give kind: APPROVE reason: \"a\" generation: 8"));
}

TEST_F(RolloutTest, TheExitCodeSaysWhetherItGoesOn) {
  EXPECT_EQ(world_.Run({"rollout", "status"}), kHolds);
  Rollout().set_standing(RolloutStatus::PAUSED);
  EXPECT_EQ(world_.Run({"rollout", "status"}), kHolds);
  Halt();
  EXPECT_EQ(world_.Run({"rollout", "status"}), kFails);
  EXPECT_THAT(world_.out, HasSubstr("HALTED: node-1: Connect does not start: it exited\n"
                                    "  | cannot migrate\n"
                                    "  fix: connect-ha node start node-1 --reason TEXT\n"
                                    "  fix: connect-ha spec rollback 7\n"));
  for (const auto phase : {RolloutStatus::REFUSED, RolloutStatus::ABORTED}) {
    Rollout().set_phase(phase);
    Rollout().set_standing(RolloutStatus::STANDING_UNSPECIFIED);
    EXPECT_EQ(world_.Run({"rollout", "status"}), kFails) << phase;
  }
  NoChange();
  EXPECT_EQ(world_.Run({"rollout", "status"}), kHolds);
}

TEST_F(RolloutTest, TheOneToComeIsNamedBesideTheOneUnderWay) {
  Next(RolloutStatus::AWAITING).add_fixes("connect-ha approve 9 --reason ...");
  Rollout().mutable_next()->mutable_outlook()->set_text("this stops Connect on all nodes");
  EXPECT_EQ(world_.Run({"rollout", "status"}), kHolds);
  EXPECT_THAT(world_.out, HasSubstr("generation 8   together: first"));
  EXPECT_THAT(
      world_.out,
      HasSubstr("\nto come: generation 9, together: awaiting; waits for: a person's approval\n"
                "  fix: connect-ha approve 9 --reason ...\n"
                "\nthis stops Connect on all nodes\n"));
  Rollout().mutable_next()->set_phase(RolloutStatus::REFUSED);
  EXPECT_EQ(world_.Run({"rollout", "status"}), kFails) << "of either";
  EXPECT_THAT(world_.out, Not(HasSubstr("this stops")));
}

TEST_F(RolloutTest, WithoutAChangeTheLatestIsNamed) {
  NoChange();
  v1::Rollout& latest =
      *world_.coordinator.plan.mutable_decision()->mutable_remember()->mutable_rollout();
  EXPECT_EQ(world_.Run({"rollout", "status"}), kHolds);
  EXPECT_EQ(world_.out, "no change is under way\n");
  latest.set_end(v1::Rollout::DONE);
  latest.mutable_ended_at()->set_seconds(1722513590);
  EXPECT_EQ(world_.Run({"rollout", "status"}), kHolds);
  EXPECT_EQ(world_.out,
            "no change is under way; the latest: generation 8, done at 2024-08-01T11:59:50Z; "
            "connect-ha history\n");
}

TEST_F(RolloutTest, WithoutAChangeAPauseThatHoldsTheNextIsNamed) {
  NoChange();
  Said(Word::PAUSE);
  world_.coordinator.plan.mutable_words()->rbegin()->set_reason("a");
  world_.width = 400;
  EXPECT_EQ(world_.Run({"rollout", "status"}), kHolds);
  EXPECT_EQ(
      world_.out,
      "no change is under way\nwhat is applied next waits: pause, by admin/bob: a; to take it "
      "back: connect-ha rollout resume --reason TEXT\n");
}

TEST_F(RolloutTest, JsonIsTheMessage) {
  EXPECT_EQ(world_.Run({"rollout", "status", "--json"}), kHolds);
  const std::string by_switch = world_.out;
  RolloutStatus read;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(by_switch, &read).ok());
  EXPECT_EQ(read.SerializeAsString(), Rollout().SerializeAsString());
  EXPECT_EQ(world_.Run({"rollout", "status", "--output", "json"}), kHolds);
  EXPECT_EQ(world_.out, by_switch);
}

v1::Rollout Ended() {
  v1::Rollout rollout;
  rollout.set_generation(8);
  rollout.set_from(7);
  rollout.set_kind(v1::Rollout::TOGETHER);
  rollout.set_applied_by("admin/alice");
  rollout.set_approved_by("maintenance window Sun 02:00-04:00 UTC");
  rollout.mutable_began_at()->set_seconds(1722513000);
  rollout.mutable_in_force_at()->set_seconds(1722513060);
  rollout.set_first("node-1");
  rollout.mutable_verified_at()->set_seconds(1722513180);
  rollout.mutable_opened_at()->set_seconds(1722513190);
  rollout.mutable_ended_at()->set_seconds(1722513300);
  rollout.set_end(v1::Rollout::DONE);
  for (const char* name : {"node-1", "node-2", "node-3"}) {
    v1::RolloutNode& node = *rollout.add_nodes();
    node.set_node(name);
    node.set_to_change(true);
  }
  rollout.mutable_nodes(0)->set_out_us(130'000'000);
  rollout.mutable_nodes(0)->set_refused(41);
  rollout.mutable_nodes(1)->set_out_us(200'000'000);
  rollout.mutable_nodes(1)->mutable_out_since()->set_seconds(1722513290);
  rollout.mutable_nodes(1)->set_refused(1);
  rollout.mutable_nodes(2)->set_skipped(true);
  return rollout;
}

TEST_F(RolloutTest, TheHistorySaysWhoApprovedHowLongEachWasOutAndWhatGatesRefused) {
  world_.coordinator.rollouts = {Ended()};
  EXPECT_EQ(world_.Run({"history"}), kHolds);
  EXPECT_EQ(world_.out,
            "generation 8   together   done   2024-08-01T11:50:00Z   took 5m\n"
            "  from generation 7, applied by admin/alice, approved by maintenance window Sun "
            "02:00-04:00 UTC\n"
            "  all stopped at 2024-08-01T11:51:00Z, node-1 first, right after 2m, serving again "
            "after 2m 10s\n"
            "  node-1  out for 2m 10s  41 requests refused by its gate\n"
            "  node-2  out for 3m 30s  1 request refused by its gate\n"
            "  node-3  declared gone\n");
}

TEST_F(RolloutTest, WhatWasChangedWhileItServedIsNotSaidToHaveHadNothingToChange) {
  v1::Rollout rollout;
  rollout.set_generation(8);
  rollout.set_kind(v1::Rollout::IN_PLACE);
  rollout.add_nodes()->set_node("node-1");
  world_.coordinator.rollouts = {rollout};
  EXPECT_EQ(world_.Run({"history"}), kHolds);
  EXPECT_THAT(world_.out, HasSubstr("\n  node-1  no restart needed\n"));
}

TEST_F(RolloutTest, TheHistoryHasWhatWentBack) {
  v1::Rollout rollout = Ended();
  rollout.clear_in_force_at();
  rollout.set_end(v1::Rollout::WENT_BACK);
  rollout.set_remarks("the window is over");
  rollout.mutable_nodes(2)->set_out_us(60'000'000);
  world_.coordinator.rollouts = {rollout};
  EXPECT_EQ(world_.Run({"history"}), kHolds);
  EXPECT_THAT(world_.out, StartsWith("generation 8   together   went back   "));
  EXPECT_THAT(world_.out, HasSubstr("  not all nodes were stopped\n  the window is over\n"));
  EXPECT_THAT(world_.out, HasSubstr("  node-3  out for 1m, declared gone\n"));
  rollout = Ended();
  rollout.clear_ended_at();
  rollout.clear_opened_at();
  rollout.set_end(v1::Rollout::END_UNSPECIFIED);
  world_.coordinator.rollouts = {rollout};
  EXPECT_EQ(world_.Run({"history"}), kHolds);
  EXPECT_THAT(world_.out, HasSubstr("right after 2m, not serving yet\n"));
}

TEST_F(RolloutTest, TheHistoryHasTheOneUnderWayAndNoMoreThanIsAskedFor) {
  v1::Rollout rolling = Ended();
  rolling.set_kind(v1::Rollout::ROLLING);
  rolling.clear_ended_at();
  rolling.set_end(v1::Rollout::END_UNSPECIFIED);
  rolling.clear_approved_by();
  world_.coordinator.rollouts = {rolling, Ended()};
  EXPECT_EQ(world_.Run({"history", "--limit", "1"}), kHolds);
  EXPECT_THAT(world_.out,
              StartsWith("generation 8   rolling   under way   2024-08-01T11:50:00Z   for 10m\n"
                         "  from generation 7, applied by admin/alice\n"
                         "  node-1"));
  EXPECT_THAT(world_.out, Not(HasSubstr("took")));
  EXPECT_EQ(world_.Run({"history", "--limit", "none"}), kUsage);
  world_.coordinator.rollouts.clear();
  EXPECT_EQ(world_.Run({"history"}), kHolds);
  EXPECT_THAT(world_.out, StartsWith("no change of this cluster was begun yet"));
}

TEST_F(RolloutTest, PlanAndStatusNameItInALine) {
  world_.coordinator.snapshot.clear_nodes();
  v1::NodeSnapshot& node = *world_.coordinator.snapshot.add_nodes();
  node.set_name("node-1");
  node.set_assigned_state(v1::SERVING);
  node.set_reported_state(v1::READY);
  const std::string line =
      "\ngeneration 8, together: first, for 3m, about 1m 30s left; connect-ha rollout status\n";
  for (const char* command : {"plan", "status"}) {
    world_.Run({command});
    EXPECT_THAT(world_.out, HasSubstr(line)) << command;
    EXPECT_THAT(world_.out, HasSubstr("ready -> serving (closed)")) << command;
    EXPECT_THAT(world_.out, HasSubstr("generation 8  ")) << command << ": the approval";
  }
  NoChange();
  for (const char* command : {"plan", "status"}) {
    world_.Run({command});
    EXPECT_THAT(world_.out, Not(HasSubstr("rollout status"))) << command;
  }
}

TEST(RolloutText, AnApprovalIsAwaitedUntilSomebodyGaveIt) {
  v1::GetPlanResponse plan;
  RolloutStatus& rollout = *plan.mutable_decision()->mutable_rollout();
  rollout.set_generation(8);
  rollout.set_phase(RolloutStatus::AWAITING);
  EXPECT_FALSE(AwaitsApproval(plan, rollout)) << "a node, or the database";
  rollout.mutable_outlook()->set_needs("connect-ha approve 8");
  EXPECT_TRUE(AwaitsApproval(plan, rollout));
  Word& word = *plan.add_words();
  word.set_kind(Word::APPROVE);
  word.set_generation(7);
  EXPECT_TRUE(AwaitsApproval(plan, rollout));
  word.set_generation(8);
  EXPECT_FALSE(AwaitsApproval(plan, rollout));
}

TEST(RolloutText, AnOutlookSaysWhatItNeedsAndWhy) {
  std::ostringstream out;
  Terminal terminal{out, out};
  v1::Outlook outlook;
  PrintOutlook(terminal, outlook);
  EXPECT_EQ(out.str(), "");
  outlook.set_text("a rolling restart, about 6 min, at least 1 node serving");
  outlook.add_because("node-1: package python-3.11.9: Connect must be restarted");
  outlook.add_unknown("node-5");
  outlook.set_needs("connect-ha approve 8");
  PrintOutlook(terminal, outlook);
  EXPECT_EQ(out.str(),
            "this needs: a rolling restart, about 6 min, at least 1 node serving\n"
            "  node-1: package python-3.11.9: Connect must be restarted\n"
            "it may need more: node-5 has not said what would change there\n"
            "before it begins: connect-ha approve 8 --reason TEXT\n");
  out.str("");
  outlook.set_refused("R 4.1.3 would be removed, and 312 items of content are pinned to it");
  outlook.set_fix("leave it in runtimes.r");
  PrintOutlook(terminal, outlook);
  EXPECT_EQ(out.str(),
            "this is refused: R 4.1.3 would be removed, and 312 items of content are pinned to it\n"
            "  fix: leave it in runtimes.r\n");
}

// A phase, a step or a kind that is added has to have its name.
TEST(RolloutText, EverythingHasAName) {
  for (int phase = 1; phase <= RolloutStatus::Phase_MAX; ++phase) {
    EXPECT_NE(PhaseName(static_cast<RolloutStatus::Phase>(phase)), "-") << phase;
  }
  for (int step = 1; step <= v1::RolloutStep::Step_MAX; ++step) {
    EXPECT_NE(StepName(static_cast<v1::RolloutStep::Step>(step)), "-") << step;
  }
  EXPECT_EQ(StepName(v1::RolloutStep::GETTING_READY), "getting ready");
  EXPECT_EQ(RolloutKindName(v1::Rollout::IN_PLACE), "in place");
  EXPECT_EQ(RolloutKindName(v1::Rollout::KIND_UNSPECIFIED), "-");
}

TEST(RolloutPhases, AreListedForPeopleAndPrograms) {
  World world;
  EXPECT_EQ(world.Run({"rollout", "phases"}), kHolds);
  for (const PhaseRow& row : Phases()) EXPECT_THAT(world.out, HasSubstr(row.name));
  EXPECT_EQ(world.Run({"rollout", "phases", "--json"}), kHolds);
  v1::PhaseTable table;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(world.out, &table).ok());
  ASSERT_EQ(table.phases_size(), static_cast<int>(Phases().size()));
  EXPECT_EQ(table.phases(0).phase(), Phases()[0].phase);
  EXPECT_EQ(world.Run({"rollout", "phases", "--markdown"}), kHolds);
  EXPECT_EQ(world.out, PhasesMarkdown());
}

}  // namespace
}  // namespace connect_ha
