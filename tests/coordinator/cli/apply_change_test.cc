// What apply says of a change of the cluster, and how it follows one.
#include "common/spec/spec_bundle.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/coordinator/cli/apply_fixture.h"

namespace connect_ha {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// What is applied is a change of the cluster, which need not begin at once.
class ApplyChange : public ApplyAndServe {
 protected:
  v1::Outlook& Outlook() { return *world_.coordinator.previews[0].mutable_outlook(); }
  v1::RolloutStatus& Rollout() {
    return *world_.coordinator.plan.mutable_decision()->mutable_rollout();
  }
  // Another one is in force, and stays so for now.
  void HasAnotherInForce() {
    world_.coordinator.specs.resize(1);
    world_.coordinator.specs[0].set_generation(1);
    world_.coordinator.plan.mutable_decision()->mutable_remember()->set_generation(1);
  }
  // What the plan says in one of the seconds to come; the last one stays.
  void Then(v1::RolloutStatus::Phase phase, v1::RolloutStatus::Standing standing,
            const std::string& reason = "") {
    Rollout().set_generation(1);
    Rollout().set_kind(v1::Rollout::TOGETHER);
    Rollout().set_phase(phase);
    Rollout().set_standing(standing);
    Rollout().set_reason(reason);
    ThenAsItIs();
  }
  void ThenAsItIs() {
    auto& plans = world_.coordinator.plans;
    // What is applied is asked for once before it is followed, whether it is in force.
    if (plans.empty()) plans.push_back(world_.coordinator.plan);
    plans.push_back(world_.coordinator.plan);
  }
  // Until it was told to stop, however often it looked until then.
  void ExpectItWaitedToTheLast() const {
    EXPECT_LT(world_.waits, 0);
    EXPECT_THAT(world_.error, HasSubstr("not done after "));
    EXPECT_THAT(world_.error, Not(HasSubstr("is not begun")));
  }
};

TEST_F(ApplyChange, SaysBeforeItAsksWhatTheClusterIsAskedFor) {
  HasAnotherInForce();
  Outlook().set_kind(v1::Rollout::TOGETHER);
  Outlook().set_text("this stops Connect on all nodes, about 4 min");
  Outlook().add_because("node-1: package rstudio-connect: another version");
  Outlook().set_needs("connect-ha approve");
  world_.input = "y\n";
  EXPECT_EQ(world_.Run({"apply", path_}), kHolds);
  EXPECT_EQ(world_.out,
            "node-1: 1 change\n  package rstudio-connect  ->\n"
            "this stops Connect on all nodes, about 4 min\n"
            "  node-1: package rstudio-connect: another version\n"
            "before it begins: connect-ha approve --reason TEXT\n"
            "generation 2 is applied; before it begins: connect-ha approve 2 --reason TEXT\n");
  EXPECT_THAT(world_.error, HasSubstr("Apply it and change 1 node once it is approved? [y/N] "));
}

TEST_F(ApplyChange, WhatIsNotInForceYetIsNotSaidToBe) {
  HasAnotherInForce();
  Outlook().set_kind(v1::Rollout::ROLLING);
  EXPECT_EQ(world_.Run({"apply", path_, "--yes"}), kHolds);
  EXPECT_THAT(world_.out,
              HasSubstr("\ngeneration 2 is applied; how far it is: connect-ha rollout status\n"));
  Outlook().set_needs("the maintenance window Sun 02:00-04:00 UTC, or: connect-ha approve --now");
  EXPECT_EQ(world_.Run({"apply", path_, "--yes"}), kHolds);
  EXPECT_THAT(world_.out, HasSubstr("\ngeneration 2 is applied; before it begins: the maintenance "
                                    "window Sun 02:00-04:00 UTC, or: connect-ha approve --now "
                                    "--reason TEXT\n"));
  Outlook().set_needs("connect-ha approve --now");  // the window is too short
  EXPECT_EQ(world_.Run({"apply", path_, "--yes"}), kHolds);
  EXPECT_THAT(world_.out, HasSubstr("\ngeneration 2 is applied; before it begins: connect-ha "
                                    "approve 2 --reason TEXT --now\n"));
  world_.coordinator.plan.mutable_decision()->mutable_remember()->set_generation(2);
  EXPECT_EQ(world_.Run({"apply", path_, "--yes"}), kHolds);
  EXPECT_THAT(world_.out, HasSubstr("\ngeneration 2 is in force\n")) << "at once";
}

TEST_F(ApplyChange, WhatWaitsForNoWordIsNotSaidToWaitForOne) {
  HasAnotherInForce();
  world_.input = "n\n";
  Outlook().set_needs("the maintenance window Sun 02:00-04:00 UTC, or: connect-ha approve --now");
  EXPECT_EQ(world_.Run({"apply", path_}), kFails);
  EXPECT_THAT(world_.error,
              HasSubstr("Apply it and change 1 node in the maintenance window? [y/N] "));
  // It is begun, and takes nobody out of service.
  Outlook().set_kind(v1::Rollout::ROLLING);
  Outlook().set_needs("connect-ha approve --allow-downtime");
  world_.input = "y\n";
  EXPECT_EQ(world_.Run({"apply", path_}), kHolds);
  EXPECT_THAT(world_.error, HasSubstr("Apply it and change 1 node? [y/N] "));
  EXPECT_THAT(world_.out, HasSubstr("\nbefore a node leaves service for it: connect-ha approve "
                                    "--allow-downtime --reason TEXT\n"));
  EXPECT_THAT(world_.out, HasSubstr("; before a node leaves service for it: connect-ha approve 2 "
                                    "--reason TEXT --allow-downtime\n"));
}

TEST_F(ApplyChange, WhatIsRefusedIsNotAskedForNorApplied) {
  Outlook().set_refused("the database was migrated by 2024.08.0");
  Outlook().set_fix("connect-ha rollout restored --version VERSION");
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"apply", path_}, {"apply", path_, "--yes"}}) {
    EXPECT_EQ(world_.Run(words), kUsage);
    EXPECT_THAT(world_.out, HasSubstr("this is refused: the database was migrated by 2024.08.0\n"
                                      "  fix: connect-ha rollout restored --version VERSION\n"));
    EXPECT_THAT(world_.error, HasSubstr("nothing was changed\n"));
    EXPECT_THAT(world_.error, Not(HasSubstr("[y/N]")));
  }
  EXPECT_THAT(world_.coordinator.changes, ElementsAre("preview analytics", "preview analytics"));
}

TEST_F(ApplyChange, OfASpecificationThatOnlyObservesNothingIsAsked) {
  std::ofstream(path_) << "cluster: analytics\n";
  Outlook().set_kind(v1::Rollout::TOGETHER);
  Outlook().set_refused("the database was migrated by 2024.08.0");
  EXPECT_EQ(world_.Run({"apply", path_, "--yes"}), kHolds);
  EXPECT_THAT(world_.out, HasSubstr("generation 1 is in force\n"));
  EXPECT_THAT(world_.out, Not(HasSubstr("refused")));
}

TEST_F(ApplyChange, WaitingFollowsItThroughItsPhases) {
  Follow(Told(v1::SERVING, v1::SERVING), 100);
  Then(v1::RolloutStatus::STAGING, v1::RolloutStatus::GOES_ON);
  Then(v1::RolloutStatus::STOPPING, v1::RolloutStatus::GOES_ON);
  Then(v1::RolloutStatus::STOPPING, v1::RolloutStatus::GOES_ON);
  Then(v1::RolloutStatus::DONE, v1::RolloutStatus::GOES_ON);
  EXPECT_EQ(ApplyAndWait(), kHolds);
  EXPECT_EQ(Took(), std::chrono::seconds(3));
  EXPECT_THAT(world_.out, HasSubstr("[0s] generation 1: together: staging\n"
                                    "[1s] generation 1: together: stopping\n"
                                    "[3s] node-1: as generation 1 says; serving\n"
                                    "1 of 1 node as generation 1 says, after 3s\n"));
}

// As what is installed at first is: nodes say what they fetch, and what they are stuck at.
TEST_F(ApplyChange, WaitingForWhatIsMadeInPlaceFollowsTheNodes) {
  Follow(Told(v1::PREPARING, v1::PREPARING, v1::Convergence::CHANGING), 100);
  v1::Step& step =
      *world_.coordinator.snapshots[0].mutable_nodes(0)->mutable_convergence()->mutable_step();
  step.set_resource("package r-4.3.3");
  step.set_phase(v1::Step::INSTALLING);
  Then(v1::RolloutStatus::IN_PLACE, v1::RolloutStatus::GOES_ON);
  world_.coordinator.snapshots.push_back(Told(v1::SERVING, v1::SERVING));
  EXPECT_EQ(ApplyAndWait(), kHolds);
  EXPECT_THAT(world_.out, HasSubstr("[0s] node-1: installing package r-4.3.3\n"
                                    "[1s] node-1: as generation 1 says; serving\n"));
}

TEST_F(ApplyChange, WaitingEndsWhereItWaitsForAnApproval) {
  Follow(Told(v1::SERVING, v1::SERVING), 100);
  Then(v1::RolloutStatus::STAGING, v1::RolloutStatus::GOES_ON);
  Rollout().mutable_outlook()->set_needs("connect-ha approve 1");
  Then(v1::RolloutStatus::AWAITING, v1::RolloutStatus::WAITS, "a person's approval");
  EXPECT_EQ(ApplyAndWait(), kFails);
  EXPECT_EQ(Took(), std::chrono::seconds(1));
  EXPECT_THAT(world_.error,
              HasSubstr("error: generation 1 is not begun; it waits for: a person's approval\n"
                        "fix:   connect-ha approve 1 --reason TEXT\n"));
}

TEST_F(ApplyChange, WaitingGoesOnWhereItIsApprovedAndWaitsForSomethingElse) {
  Follow(Told(v1::SERVING, v1::SERVING), 5);
  v1::Word& word = *world_.coordinator.plan.add_words();
  word.set_kind(v1::Word::APPROVE);
  word.set_generation(1);
  Rollout().mutable_outlook()->set_needs("connect-ha approve 1");
  Then(v1::RolloutStatus::AWAITING, v1::RolloutStatus::WAITS, "node-2 is not heard");
  EXPECT_EQ(ApplyAndWait(), kUnknown);
  ExpectItWaitedToTheLast();
}

TEST_F(ApplyChange, WaitingGoesOnWhereTheWindowIsOpenAndSomethingElseIsWaitedFor) {
  Follow(Told(v1::SERVING, v1::SERVING), 5);
  Rollout().mutable_outlook()->set_needs(
      "the maintenance window Sun 02:00-04:00 UTC, or: connect-ha approve --now");
  Rollout().add_fixes("connect-ha checklist; once that is right it goes on by itself");
  Then(v1::RolloutStatus::AWAITING, v1::RolloutStatus::WAITS, "node-2: its facts are late");
  EXPECT_EQ(ApplyAndWait(), kUnknown);
  ExpectItWaitedToTheLast();
}

// Another one is under way: what becomes of that one is shown, and does not end it.
TEST_F(ApplyChange, WaitingIsOfWhatWasAppliedBesideOneThatIsUnderWay) {
  Follow(Told(v1::SERVING, v1::SERVING), 100);
  v1::RolloutStatus& next = *Rollout().mutable_next();
  next.set_generation(1);
  next.set_phase(v1::RolloutStatus::STAGING);
  next.set_standing(v1::RolloutStatus::GOES_ON);
  Rollout().set_kind(v1::Rollout::ROLLING);
  Rollout().set_phase(v1::RolloutStatus::ROLLING);
  Rollout().set_standing(v1::RolloutStatus::HALTED);
  ThenAsItIs();
  next.set_phase(v1::RolloutStatus::AWAITING);
  next.mutable_outlook()->set_needs("connect-ha approve 1");
  ThenAsItIs();
  EXPECT_EQ(ApplyAndWait(), kFails);
  EXPECT_EQ(Took(), std::chrono::seconds(1));
  EXPECT_THAT(world_.out, HasSubstr("generation 0: rolling: rolling; HALTED\n"));
  EXPECT_THAT(world_.error, HasSubstr("generation 1 is not begun; it waits for: an approval\n"));
  // Before the other one is done nobody can have it begun.
  Rollout().set_kind(v1::Rollout::TOGETHER);
  Rollout().set_phase(v1::RolloutStatus::FIRST);
  Rollout().set_standing(v1::RolloutStatus::GOES_ON);
  world_.coordinator.plans.clear();
  world_.coordinator.plan_polls = 0;
  world_.waits = 5;
  EXPECT_EQ(world_.Run({"apply", path_, "--yes", "--wait"}), kUnknown);
  ExpectItWaitedToTheLast();
}

TEST_F(ApplyChange, WaitingEndsWhereItIsHalted) {
  Follow(Told(v1::SERVING, v1::SERVING), 100);
  Rollout().add_fixes("connect-ha node start node-1 --reason TEXT");
  Then(v1::RolloutStatus::FIRST, v1::RolloutStatus::HALTED, "node-1: cannot migrate");
  EXPECT_EQ(ApplyAndWait(), kFails);
  EXPECT_THAT(world_.out, HasSubstr("HALTED: node-1: cannot migrate\n"
                                    "  fix: connect-ha node start node-1 --reason TEXT\n"));
}

// The nodes are right by what they said before, and what is to come is not known.
TEST_F(ApplyChange, WaitingDoesNotEndBeforeTheCoordinatorHasDecided) {
  Follow(Told(v1::SERVING, v1::SERVING), 100);
  const Time decided_at = world_.now;
  world_.coordinator.plan.clear_decided_at();
  ThenAsItIs();
  *world_.coordinator.plan.mutable_decided_at() = ToProto(decided_at);
  ThenAsItIs();
  EXPECT_EQ(ApplyAndWait(), kHolds);
  EXPECT_EQ(Took(), std::chrono::seconds(1));
}

TEST_F(ApplyChange, ANewerOneEndsTheFollowing) {
  Follow(Told(v1::SERVING, v1::SERVING), 100);
  Then(v1::RolloutStatus::STAGING, v1::RolloutStatus::GOES_ON);
  world_.coordinator.plans.back().mutable_decision()->mutable_rollout()->set_generation(2);
  EXPECT_EQ(ApplyAndWait(), kFails);
  EXPECT_THAT(world_.error, HasSubstr("generation 2 came after 1"));
}

TEST_F(ApplyChange, WhatWasGivenUpIsAppliedAnew) {
  world_.coordinator.specs.resize(1);
  v1::SpecGeneration& spec = world_.coordinator.specs[0];
  spec.set_generation(1);
  ASSERT_TRUE(LoadSpecBundle(path_, *spec.mutable_bundle()).empty());
  EXPECT_EQ(world_.Run({"apply", path_, "--yes"}), kHolds);
  EXPECT_THAT(world_.out, HasSubstr("nothing to apply"));
  Rollout().mutable_next()->set_phase(v1::RolloutStatus::ABORTED);
  EXPECT_EQ(world_.Run({"apply", path_, "--yes"}), kHolds) << "beside another one";
  EXPECT_THAT(world_.out, HasSubstr("generation 2 is in force\n"));
  Rollout().Clear();
  Rollout().set_phase(v1::RolloutStatus::ABORTED);
  EXPECT_EQ(world_.Run({"apply", path_, "--yes"}), kHolds);
  EXPECT_THAT(world_.out, HasSubstr("generation 2 is in force\n"));
}

// What nodes differ in is changed together, and nothing is under way.
TEST_F(ApplyChange, WhatAllHaveToStopForIsAppliedAnew) {
  world_.coordinator.specs.resize(1);
  v1::SpecGeneration& spec = world_.coordinator.specs[0];
  spec.set_generation(1);
  ASSERT_TRUE(LoadSpecBundle(path_, *spec.mutable_bundle()).empty());
  world_.coordinator.snapshot = Told(v1::SERVING, v1::SERVING, v1::Convergence::DIFFERS);
  v1::Convergence& convergence =
      *world_.coordinator.snapshot.mutable_nodes(0)->mutable_convergence();
  convergence.set_needs(v1::Change::RESTART);
  EXPECT_EQ(world_.Run({"apply", path_, "--yes"}), kHolds);
  EXPECT_THAT(world_.out, HasSubstr("nothing to apply"));
  convergence.set_needs(v1::Change::TOGETHER);
  Rollout().set_phase(v1::RolloutStatus::REST);
  EXPECT_EQ(world_.Run({"apply", path_, "--yes"}), kHolds);
  EXPECT_THAT(world_.out, HasSubstr("nothing to apply"));
  Rollout().set_phase(v1::RolloutStatus::DONE);
  EXPECT_EQ(world_.Run({"apply", path_, "--yes"}), kHolds);
  EXPECT_THAT(world_.out, HasSubstr("generation 2 is in force\n"));
}

}  // namespace
}  // namespace connect_ha
