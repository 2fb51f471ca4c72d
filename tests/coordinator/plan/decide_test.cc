// What nodes are to be: into service, kept there, and out of it by people and by EC2.
#include "coordinator/plan/decide.h"

#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "tests/coordinator/plan/plan_cluster.h"

namespace connect_ha {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

TEST(DecideTest, AClusterThatIsRightIsLeftAsItIs) {
  PlanCluster cluster(3);
  const v1::Decision decision = cluster.Decide();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(decision.assignments(i).state(), v1::SERVING);
    EXPECT_EQ(decision.assignments(i).order().serial(), 1u);
    EXPECT_EQ(decision.assignments(i).reason(), "");
    EXPECT_EQ(decision.assignments(i).waits_for(), "");
  }
  EXPECT_EQ(decision.said_size(), 0);
  EXPECT_FALSE(decision.has_wake_at());
  EXPECT_EQ(decision.remember().SerializeAsString(), cluster.input.memory().SerializeAsString());
}

TEST(DecideTest, NothingIsChangedWithoutASpecificationThatEnforces) {
  for (const v1::NodeState state : {v1::OBSERVED, v1::PREPARING, v1::READY, v1::SERVING,
                                    v1::DRAINING, v1::STOPPED, v1::FENCED}) {
    PlanCluster cluster(2);
    cluster.Become(0, state);
    cluster.input.mutable_spec()->set_enforcement(v1::OBSERVE);
    EXPECT_EQ(cluster.State(0), v1::OBSERVED);
    EXPECT_TRUE(absl::StartsWith(cluster.Reason(0), "the specification only observes"));
    cluster.input.mutable_spec()->set_enforcement(v1::ENFORCE);
    cluster.input.set_generation(0);
    EXPECT_EQ(cluster.State(0), v1::OBSERVED);
  }
}

TEST(DecideTest, ANodeIsTakenNoFurtherThanItAllows) {
  PlanCluster cluster(2);
  cluster.Bare(0);
  cluster.node(0).mutable_brief()->set_allow(v1::ALLOW_OBSERVE);
  EXPECT_EQ(cluster.State(0), v1::OBSERVED);
  cluster.node(0).mutable_brief()->set_allow(v1::ALLOW_INSTALL);
  cluster.Settle();
  EXPECT_EQ(cluster.State(0), v1::READY);
  EXPECT_TRUE(absl::StrContains(cluster.Reason(0), "allow: serve")) << cluster.Reason(0);
  cluster.node(0).mutable_brief()->set_allow(v1::ALLOW_SERVE);
  cluster.node(0).set_can_serve(false);
  EXPECT_EQ(cluster.State(0), v1::READY);
  cluster.node(0).set_can_serve(true);
  EXPECT_EQ(cluster.State(0), v1::SERVING);
}

TEST(DecideTest, BareNodesArePreparedVerifiedAndServe) {
  PlanCluster cluster(2);
  for (const int i : {0, 1}) {
    cluster.Bare(i);
    cluster.node(i).mutable_convergence()->set_state(v1::Convergence::DIFFERS);
    v1::Change& change = *cluster.node(i).mutable_convergence()->add_changes();
    change.set_resource("package rstudio-connect");
    change.set_interrupts("Connect must be stopped");
  }
  EXPECT_EQ(cluster.Step().assignments(0).state(), v1::PREPARING);
  EXPECT_EQ(cluster.Step().assignments(1).waits_for(), "package rstudio-connect");
  for (const int i : {0, 1}) {
    cluster.node(i).mutable_convergence()->set_state(v1::Convergence::CONVERGED);
    cluster.node(i).mutable_convergence()->clear_changes();
  }
  const v1::Decision ready = cluster.Step();
  EXPECT_EQ(ready.assignments(0).state(), v1::READY);
  EXPECT_EQ(ready.assignments(1).state(), v1::READY);
  const v1::Decision first = cluster.Step();
  EXPECT_EQ(first.assignments(0).state(), v1::SERVING);
  EXPECT_EQ(first.assignments(1).state(), v1::READY);  // makes neither key nor tables beside it
  const v1::Decision serving = cluster.Step();
  EXPECT_EQ(serving.assignments(0).state(), v1::SERVING);
  EXPECT_EQ(serving.assignments(1).state(), v1::SERVING);
}

TEST(DecideTest, ANodeJoinsWhileTheOthersServe) {
  PlanCluster cluster(3);
  cluster.Bare(2);
  const v1::Decision decision = cluster.Settle();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(decision.assignments(i).state(), v1::SERVING);
  EXPECT_EQ(decision.assignments(0).order().serial(), 1u);  // nobody else was touched
}

TEST(DecideTest, WhatIsNotKnownKeepsANodeFromService) {
  const auto waits = [](const char* what, auto change) {
    PlanCluster cluster(2);
    cluster.Become(0, v1::READY);
    change(cluster);
    EXPECT_EQ(cluster.State(0), v1::READY) << what;
    EXPECT_FALSE(absl::EndsWith(cluster.Reason(0), "| ")) << what << ": " << cluster.Reason(0);
  };
  waits("rule", [](PlanCluster& c) { c.Rule(0, "data-dir-is-shared").set_outcome(v1::UNKNOWN); });
  waits("follows", [](PlanCluster& c) { c.Rule(0, "runtimes-match-r").set_outcome(v1::FOLLOWS); });
  waits("fails", [](PlanCluster& c) { c.Fail(0, "runtimes-match-r", v1::PEERS); });
  waits("mount", [](PlanCluster& c) {
    c.node(0).mutable_brief()->mutable_facts()->set_mount_verified(false);
  });
  waits("mount not known", [](PlanCluster& c) {
    c.input.mutable_spec()->mutable_storage()->set_mount_point("/mnt/connect");
    c.node(0).mutable_brief()->mutable_facts()->clear_mount_verified();
  });
  waits("version", [](PlanCluster& c) { c.node(0).clear_installed_version(); });
  waits("its version", [](PlanCluster& c) { c.node(0).set_installed_version("2024.09.0"); });
  waits("another's version", [](PlanCluster& c) {
    c.node(1).clear_running_version();
    c.node(1).clear_installed_version();
  });
  waits("a lost node's version", [](PlanCluster& c) {
    c.node(1).set_running_version("2024.06.0");
    c.Lose(1);
  });
  waits("undecided elsewhere",
        [](PlanCluster& c) { c.Fail(1, "data-dir-is-shared", v1::PROOF, true); });
  waits("cordoned", [](PlanCluster& c) { c.Say(v1::Word::CORDON, "node-1"); });
  waits("drained", [](PlanCluster& c) { c.Say(v1::Word::DRAIN, "node-1"); });
  waits("unit", [](PlanCluster& c) { c.node(0).set_connect(v1::CONNECT_UNKNOWN); });
}

TEST(DecideTest, AMachineThatIsGoneForGoodKeepsNobodyFromService) {
  PlanCluster cluster(2);
  cluster.Become(0, v1::READY);
  cluster.node(1).set_running_version("2024.06.0");
  cluster.Lose(1);
  EXPECT_EQ(cluster.State(0), v1::READY);
  cluster.Say(v1::Word::GONE, "node-2");
  EXPECT_EQ(cluster.State(0), v1::SERVING);
  cluster.Wait(seconds(1));
  *cluster.node(1).mutable_brief()->mutable_last_seen() = cluster.input.now();
  const v1::Decision decision = cluster.Decide();  // it speaks again
  ASSERT_EQ(decision.ended_words_size(), 1);
  EXPECT_EQ(decision.assignments(0).state(), v1::READY);
}

// Off for an hour, it holds that it serves, and the other one has gone on to a newer version.
TEST(DecideTest, WhatWasDeclaredGoneIsNotToldAgainToServe) {
  PlanCluster cluster(2);
  cluster.Lose(0);
  cluster.Say(v1::Word::GONE, "node-1");
  EXPECT_FALSE(cluster.Step().assignments(0).has_order());
  cluster.Wait(seconds(1));
  cluster.node(1).set_running_version("2024.09.0");
  cluster.node(1).set_installed_version("2024.09.0");
  v1::PlanNode& back = cluster.node(0);
  back.mutable_brief()->set_lost(false);
  *back.mutable_brief()->mutable_last_seen() = cluster.input.now();
  EXPECT_FALSE(cluster.Step().assignments(0).has_order());  // its facts do not count yet
  EXPECT_EQ(cluster.input.words_size(), 0);
  back.set_fresh(true);
  back.set_connect(v1::CONNECT_UNKNOWN);
  EXPECT_FALSE(cluster.Step().assignments(0).has_order());
  back.set_connect(v1::CONNECT_RESTS);
  back.clear_running_version();
  back.mutable_brief()->mutable_facts()->set_answers(false);
  const v1::Decision decision = cluster.Settle();
  EXPECT_EQ(decision.assignments(0).state(), v1::READY);
  EXPECT_TRUE(decision.assignments(0).has_order());
}

TEST(DecideTest, WhatWasDeclaredGoneAndStillServesGoesOn) {
  PlanCluster cluster(2);
  cluster.Lose(0);
  cluster.Say(v1::Word::GONE, "node-1");
  cluster.Step();
  cluster.Wait(seconds(1));
  cluster.node(0).mutable_brief()->set_lost(false);
  *cluster.node(0).mutable_brief()->mutable_last_seen() = cluster.input.now();
  cluster.node(0).set_fresh(true);
  const v1::Decision decision = cluster.Step();
  EXPECT_EQ(decision.assignments(0).state(), v1::SERVING);
  EXPECT_TRUE(decision.assignments(0).has_order());
}

TEST(DecideTest, NodesThatWouldStartWithTwoVersionsDoNot) {
  PlanCluster cluster(2);
  cluster.Become(0, v1::READY);
  cluster.Become(1, v1::READY);
  cluster.node(1).set_installed_version("2024.09.0");
  cluster.input.mutable_memory()->clear_database();  // that has known none
  const v1::Decision decision = cluster.Decide();
  EXPECT_EQ(decision.assignments(0).state(), v1::READY);
  EXPECT_EQ(decision.assignments(1).state(), v1::READY);
  EXPECT_EQ(decision.remember().database().newest_version(), "");
  EXPECT_EQ(decision.said_size(), 1);
}

TEST(DecideTest, WhatRunsAsTheSpecificationSaysIsAdopted) {
  PlanCluster cluster(2);
  cluster.Brownfield(0);
  cluster.Brownfield(1);
  cluster.Fail(0, "boot-is-guarded");     // is put right while it serves
  cluster.Fail(1, "service-is-healthy");  // it answers, and is not enabled: so is that
  const v1::Decision decision = cluster.Step();
  EXPECT_EQ(decision.assignments(0).state(), v1::SERVING);
  EXPECT_EQ(decision.assignments(1).state(), v1::SERVING);
}

TEST(DecideTest, WhatRunsSomethingElseStaysObservedWithTheDifference) {
  PlanCluster cluster(2);
  cluster.Brownfield(0);
  cluster.node(0).mutable_convergence()->set_state(v1::Convergence::DIFFERS);
  v1::Change& change = *cluster.node(0).mutable_convergence()->add_changes();
  change.set_resource("package rstudio-connect");
  change.set_from("2024.06.0");
  change.set_to("2024.08.0");
  change.set_interrupts("Connect must be stopped");
  EXPECT_EQ(cluster.State(0), v1::OBSERVED);
  EXPECT_TRUE(absl::StrContains(cluster.Reason(0), "package rstudio-connect: 2024.06.0, to be"))
      << cluster.Reason(0);
  change.clear_interrupts();  // nothing would be stopped for it
  EXPECT_EQ(cluster.State(0), v1::SERVING);
  cluster.Fail(0, "data-dir-is-shared", v1::PROOF);
  EXPECT_EQ(cluster.State(0), v1::OBSERVED);  // nor is it fenced because it was enrolled
}

TEST(DecideTest, ADrainGivesUsersTheirTimeAndEndsReady) {
  PlanCluster cluster(2);
  cluster.Say(v1::Word::DRAIN, "node-1");
  cluster.node(0).set_jobs(3);
  cluster.Step();
  const v1::Decision draining = cluster.Step();
  EXPECT_EQ(draining.assignments(0).state(), v1::DRAINING);
  EXPECT_EQ(draining.assignments(0).reason(), "drained by admin/alice: a test");
  EXPECT_TRUE(absl::StrContains(draining.assignments(0).waits_for(), "3 still run"));
  EXPECT_EQ(draining.wake_at().seconds(), cluster.input.now().seconds() + 300);
  cluster.Wait(minutes(5));
  EXPECT_EQ(cluster.Step().assignments(0).state(), v1::READY);
  EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::READY);
  cluster.TakeBack(v1::Word::DRAIN);
  EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::SERVING);
}

TEST(DecideTest, AStopEndsStoppedAndAStartPreparesAnew) {
  PlanCluster cluster(2);
  cluster.Say(v1::Word::STOP, "node-1").set_now(true);
  EXPECT_EQ(cluster.Step().assignments(0).state(), v1::STOPPED);
  EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::STOPPED);
  cluster.TakeBack(v1::Word::STOP);
  EXPECT_EQ(cluster.Step().assignments(0).state(), v1::READY);
  EXPECT_EQ(cluster.Step().assignments(0).state(), v1::SERVING);
}

TEST(DecideTest, ADrainThatIsTakenBackStopsNothing) {
  PlanCluster cluster(2);
  cluster.Say(v1::Word::DRAIN, "node-1");
  cluster.Step();
  cluster.TakeBack(v1::Word::DRAIN);
  EXPECT_EQ(cluster.State(0), v1::SERVING);
  cluster.Say(v1::Word::CORDON, "node-1");
  EXPECT_EQ(cluster.State(0), v1::DRAINING);
}

TEST(DecideTest, ACordonedNodeGoesOnServing) {
  PlanCluster cluster(2);
  cluster.Say(v1::Word::CORDON, "node-1");
  EXPECT_EQ(cluster.State(0), v1::SERVING);
}

TEST(DecideTest, PeopleTakeTheLastOneOutOnlyWithDowntime) {
  for (const v1::Word::Kind kind : {v1::Word::DRAIN, v1::Word::STOP, v1::Word::FENCE}) {
    PlanCluster cluster(2);
    cluster.Become(1, v1::STOPPED);
    cluster.Say(v1::Word::STOP, "node-2");
    v1::Word& word = cluster.Say(kind, "node-1");
    EXPECT_EQ(cluster.State(0), v1::SERVING);
    EXPECT_TRUE(absl::StrContains(cluster.Reason(0), "so few others serve: 0")) << kind;
    EXPECT_EQ(cluster.Decide().said_size(), 1);
    word.set_downtime(true);
    EXPECT_NE(cluster.State(0), v1::SERVING);
  }
}

TEST(DecideTest, OfTwoDrainsAtOnceTheEarlierGoes) {
  PlanCluster cluster(3);
  cluster.input.mutable_spec()->mutable_nodes()->set_minimum_serving(2);
  cluster.Say(v1::Word::DRAIN, "node-2");
  cluster.Wait(seconds(1));
  cluster.Say(v1::Word::DRAIN, "node-1");
  const v1::Decision decision = cluster.Step();
  EXPECT_EQ(decision.assignments(0).state(), v1::SERVING);
  EXPECT_EQ(decision.assignments(1).state(), v1::DRAINING);
}

TEST(DecideTest, ADrainThatWasGrantedCountsBeforeItIsObeyed) {
  PlanCluster cluster(2);
  cluster.Say(v1::Word::DRAIN, "node-1");
  *cluster.input.mutable_memory() = cluster.Decide().remember();  // the node has not called yet
  cluster.Say(v1::Word::DRAIN, "node-2");
  const v1::Decision decision = cluster.Decide();
  EXPECT_EQ(decision.assignments(0).state(), v1::DRAINING);
  EXPECT_EQ(decision.assignments(1).state(), v1::SERVING);
}

TEST(DecideTest, ANodeThatNobodyReachesIsNotProtected) {
  PlanCluster cluster(3);
  cluster.input.mutable_spec()->mutable_nodes()->set_minimum_serving(2);
  cluster.Become(1, v1::STOPPED);
  cluster.Say(v1::Word::STOP, "node-2");
  cluster.node(0).mutable_brief()->mutable_facts()->set_answers(false);
  cluster.Say(v1::Word::DRAIN, "node-1");
  EXPECT_EQ(cluster.State(0), v1::SERVING);  // one late answer
  cluster.Fail(0, "service-is-healthy");
  EXPECT_EQ(cluster.State(0), v1::DRAINING);
}

TEST(DecideTest, WordsEndAndAreRemoved) {
  PlanCluster cluster(2);
  v1::Word& word = cluster.Say(v1::Word::DRAIN, "node-1");
  word.mutable_until()->set_seconds(cluster.input.now().seconds() + 60);
  EXPECT_EQ(cluster.Step().wake_at().seconds(), cluster.input.now().seconds() + 60);
  cluster.Wait(minutes(1));
  const v1::Decision decision = cluster.Step();
  EXPECT_EQ(decision.ended_words_size(), 1);
  EXPECT_EQ(decision.assignments(0).state(), v1::SERVING);
}

TEST(DecideTest, AReleasedNodeIsHandedBack) {
  PlanCluster cluster(2);
  cluster.Say(v1::Word::RELEASE, "node-1");
  const v1::Decision decision = cluster.Step();
  EXPECT_EQ(decision.assignments(0).state(), v1::OBSERVED);
  EXPECT_TRUE(decision.assignments(0).release());
  EXPECT_EQ(cluster.Settle().assignments(0).order().SerializeAsString(),
            decision.assignments(0).order().SerializeAsString());
  cluster.TakeBack(v1::Word::RELEASE);
  EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::SERVING);
}

TEST(DecideTest, Ec2sNoticeDrainsInTime) {
  PlanCluster cluster(2);
  v1::InstanceNotice& notice = *cluster.node(0).add_notices();
  notice.set_kind(v1::InstanceNotice::MAINTENANCE);
  notice.mutable_at()->set_seconds(cluster.input.now().seconds() + 3600);
  const v1::Decision before = cluster.Decide();
  EXPECT_EQ(before.assignments(0).state(), v1::SERVING);
  EXPECT_EQ(before.wake_at().seconds(), cluster.input.now().seconds() + 3600 - 900);
  cluster.Wait(minutes(45));
  EXPECT_EQ(cluster.Step().assignments(0).state(), v1::DRAINING);
  EXPECT_TRUE(absl::StartsWith(cluster.Reason(0), "EC2 has scheduled maintenance"));
  cluster.node(0).clear_notices();
  EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::SERVING);
}

TEST(DecideTest, AnInstanceThatGoesIsDrainedWhileAnotherServes) {
  for (const auto kind : {v1::InstanceNotice::SPOT_INTERRUPTION, v1::InstanceNotice::TERMINATING}) {
    PlanCluster cluster(2);
    cluster.input.mutable_spec()->mutable_nodes()->set_minimum_serving(2);
    cluster.node(0).add_notices()->set_kind(kind);
    EXPECT_EQ(cluster.State(0), v1::DRAINING);
    cluster.Become(1, v1::STOPPED);
    cluster.Say(v1::Word::STOP, "node-2");
    EXPECT_EQ(cluster.State(0), v1::SERVING);  // until it goes, it is better than none
  }
}

TEST(DecideTest, AConnectThatDoesNotStartLeavesServiceUntilAPersonTriesAgain) {
  PlanCluster cluster(2);
  cluster.node(0).set_start_failed("connect: bad licence");
  cluster.node(0).mutable_brief()->mutable_facts()->set_answers(false);
  const v1::Decision failed = cluster.Step();
  EXPECT_EQ(failed.assignments(0).state(), v1::STOPPED);
  EXPECT_TRUE(absl::StrContains(failed.assignments(0).reason(), "bad licence"));
  EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::STOPPED);
  cluster.node(0).clear_start_failed();
  cluster.Say(v1::Word::START, "node-1");
  EXPECT_EQ(cluster.Settle().assignments(0).state(), v1::SERVING);
  EXPECT_EQ(cluster.input.words_size(), 0);
}

TEST(DecideTest, AClosedGateIsWaitedForWithItsReason) {
  PlanCluster cluster(2);
  cluster.node(0).set_gate(v1::GATE_CLOSED);
  cluster.node(0).set_gate_reason("clocks-are-synchronised: 5 s apart");
  const v1::Decision decision = cluster.Decide();
  EXPECT_EQ(decision.assignments(0).state(), v1::SERVING);
  EXPECT_EQ(decision.assignments(0).waits_for(),
            "its gate to open: clocks-are-synchronised: 5 s apart");
  cluster.input.mutable_spec()->mutable_load_balancer()->set_health_check(
      v1::LoadBalancerSpec::CONNECT);
  EXPECT_EQ(cluster.Decide().assignments(0).waits_for(), "");
}

// What somebody asked for and is not done is said beside what the node is there for.
TEST(DecideTest, WhatKeepsANodeIsSaidBesideItsReason) {
  PlanCluster cluster(2);
  cluster.Become(1, v1::READY);
  cluster.Say(v1::Word::CORDON, "node-2");
  cluster.Become(0, v1::OBSERVED);
  v1::Change& change = *cluster.node(0).mutable_convergence()->add_changes();
  cluster.node(0).mutable_convergence()->set_state(v1::Convergence::DIFFERS);
  change.set_resource("file rstudio-connect.gcfg");
  change.set_interrupts("Connect must be restarted");
  cluster.Say(v1::Word::DRAIN, "node-1");
  const std::string reason = cluster.Reason(0);
  EXPECT_TRUE(absl::StrContains(reason, "nothing is changed under it; drained by")) << reason;
  EXPECT_TRUE(absl::StrContains(reason, "it stays, since so few others serve")) << reason;
}

// A change for which Connect would have to be restarted may stand behind one that takes none.
TEST(DecideTest, WhatDiffersKeepsANodeObservedWhereverItStands) {
  PlanCluster cluster(2);
  cluster.Become(0, v1::OBSERVED);
  v1::Convergence& convergence = *cluster.node(0).mutable_convergence();
  convergence.set_state(v1::Convergence::DIFFERS);
  convergence.add_changes()->set_resource("unit rstudio-connect.service");
  EXPECT_EQ(cluster.State(0), v1::SERVING);
  v1::Change& change = *convergence.add_changes();
  change.set_resource("package rstudio-connect");
  change.set_interrupts("Connect must be stopped");
  EXPECT_EQ(cluster.State(0), v1::OBSERVED);
}

TEST(DecideTest, AConnectThatSomebodyStartedIsLeftAlone) {
  PlanCluster cluster(2);
  cluster.Become(0, v1::READY);
  cluster.node(0).set_connect(v1::CONNECT_RUNS);
  EXPECT_EQ(cluster.State(0), v1::OBSERVED);
}

TEST(DecideTest, ADecisionThatIsTakenTwiceIsTakenOnce) {
  PlanCluster cluster(3);
  cluster.Say(v1::Word::DRAIN, "node-2");
  cluster.Fail(0, "runtimes-match-r");
  const v1::Decision first = cluster.Decide();
  EXPECT_EQ(first.SerializeAsString(), cluster.Decide().SerializeAsString());
  *cluster.input.mutable_memory() = first.remember();
  const v1::Decision second = cluster.Decide();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(second.assignments(i).state(), first.assignments(i).state());
    EXPECT_EQ(second.assignments(i).order().SerializeAsString(),
              first.assignments(i).order().SerializeAsString());
  }
}

}  // namespace
}  // namespace connect_ha
