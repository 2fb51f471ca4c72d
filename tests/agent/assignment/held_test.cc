// What a node goes by, through restarts, full disks, other clusters, and what it is not to take.
#include "agent/assignment/held.h"

#include <gtest/gtest.h>

#include "agent/assignment/assignment_file.h"
#include "tests/agent/assignment/held_fixture.h"
#include "tests/fakes/log_capture.h"

namespace connect_ha {
namespace {

TEST_F(HeldTest, HoldsNothingAtFirst) {
  EXPECT_TRUE(loaded_.ok()) << loaded_;
  EXPECT_EQ(held_->Orders()->state(), v1::OBSERVED);
  EXPECT_FALSE(held_->Orders()->has_desired());
  EXPECT_FALSE(held_->refusal().has_value());
  EXPECT_TRUE(host_.changes().empty());
}

TEST_F(HeldTest, WhatItTookHoldsAfterARestart) {
  ASSERT_TRUE(Take(Answer(v1::PREPARING, DesiredOfLab(7))).ok());
  EXPECT_TRUE(MayChangeNow());
  StartAgent();
  EXPECT_TRUE(MayChangeNow());
  EXPECT_EQ(generation(), 7u);
  EXPECT_EQ(held_->Report().generation, 7u);
}

TEST_F(HeldTest, IsWrittenOnlyWhenSomethingElseIsSaid) {
  ASSERT_TRUE(Take(Ordered(Answer(v1::PREPARING, DesiredOfLab(7)), "L", 1, 1)).ok());
  const size_t written = host_.changes().size();
  const uint64_t version = held_->version();
  ASSERT_TRUE(Take(Ordered(Answer(v1::PREPARING, 7), "L", 1, 50)).ok());
  EXPECT_EQ(host_.changes().size(), written);
  EXPECT_EQ(held_->version(), version);
  EXPECT_EQ(held_->Report().order.serial(), 50u);
  // An epoch tells a coordinator that was superseded: it is kept.
  ASSERT_TRUE(Take(Ordered(Answer(v1::PREPARING, 7), "L", 2, 51)).ok());
  EXPECT_GT(host_.changes().size(), written);
  StartAgent();
  ASSERT_TRUE(Take(Ordered(Answer(v1::OBSERVED, 7), "L", 1, 99)).ok());
  EXPECT_TRUE(MayChangeNow());
}

TEST_F(HeldTest, AGateThatIsToStayClosedDoesSoOverARestartUntilItIsSaidOtherwise) {
  v1::HeartbeatResponse answer = Ordered(Answer(v1::SERVING, DesiredOfLab(7)), "L", 1, 1);
  answer.set_closed(true);
  ASSERT_TRUE(Take(answer).ok());
  EXPECT_TRUE(held_->Orders()->closed());
  StartAgent();
  EXPECT_TRUE(held_->Orders()->closed());
  int told = 0;
  held_->OnChange([&told] { ++told; });
  ASSERT_TRUE(Take(Ordered(Answer(v1::SERVING, 7), "L", 1, 2)).ok());
  EXPECT_FALSE(held_->Orders()->closed());
  EXPECT_EQ(told, 1);
  StartAgent();
  EXPECT_FALSE(held_->Orders()->closed());
}

TEST_F(HeldTest, ThatTheDatabaseWasPutBackIsKeptWhateverElseIsSaid) {
  v1::HeartbeatResponse answer = Ordered(Answer(v1::STOPPED, DesiredOfLab(7)), "L", 4, 1);
  answer.mutable_database_restored()->set_epoch(3);
  answer.mutable_database_restored()->set_serial(9);
  ASSERT_TRUE(Take(answer).ok());
  StartAgent();
  EXPECT_EQ(held_->Orders()->database_restored().serial(), 9u);
  ASSERT_TRUE(Take(Ordered(Answer(v1::SERVING, 7), "L", 4, 2)).ok());
  EXPECT_EQ(held_->Orders()->database_restored().serial(), 9u);
  // An older coordinator's word.
  answer.mutable_database_restored()->set_serial(8);
  ASSERT_TRUE(Take(answer).ok());
  EXPECT_EQ(held_->Orders()->database_restored().serial(), 9u);
}

TEST_F(HeldTest, AsWhichGenerationConnectMayStartIsKeptAsItWasSaidLast) {
  v1::HeartbeatResponse answer = Ordered(Answer(v1::PREPARING, DesiredOfLab(7)), "L", 4, 1);
  answer.set_not_before(7);
  ASSERT_TRUE(Take(answer).ok());
  EXPECT_EQ(held_->Orders()->not_before(), 7u);
  StartAgent();
  EXPECT_EQ(held_->Orders()->not_before(), 7u);
  // An older coordinator knows no such thing.
  ASSERT_TRUE(Take(Ordered(Answer(v1::PREPARING, 7), "L", 4, 2)).ok());
  EXPECT_EQ(held_->Orders()->not_before(), 0u);
}

TEST_F(HeldTest, OfANodeThatIsNotToServeNothingIsSaidToBeClosed) {
  v1::HeartbeatResponse answer = Ordered(Answer(v1::STOPPED, DesiredOfLab(7)), "L", 1, 1);
  answer.set_closed(true);
  ASSERT_TRUE(Take(answer).ok());
  EXPECT_FALSE(held_->Orders()->closed());
}

TEST_F(HeldTest, AnOrderThatIsBelowTheOneHeldIsNotTaken) {
  ASSERT_TRUE(Take(Ordered(Answer(v1::PREPARING, DesiredOfLab(7)), "L", 4, 9)).ok());
  ASSERT_TRUE(Take(Ordered(Answer(v1::OBSERVED, DesiredOfLab(8)), "L", 4, 8)).ok());
  EXPECT_TRUE(MayChangeNow());
  EXPECT_EQ(generation(), 7u);
  ASSERT_TRUE(Take(Ordered(Answer(v1::OBSERVED, DesiredOfLab(8)), "L", 4, 10)).ok());
  EXPECT_FALSE(MayChangeNow());
  EXPECT_EQ(generation(), 8u);
}

TEST_F(HeldTest, AnotherLineageIsTakenOnceSomethingWasAppliedInIt) {
  ASSERT_TRUE(Take(Ordered(Answer(v1::PREPARING, DesiredOfLab(7)), "L", 4, 9, 100)).ok());
  ASSERT_TRUE(Take(Ordered(Answer(v1::OBSERVED, DesiredOfLab(1)), "M", 1, 1, 90)).ok());
  EXPECT_EQ(generation(), 7u);
  EXPECT_TRUE(MayChangeNow());
  EXPECT_EQ(held_->Report().lineage, "L");
  ASSERT_TRUE(Take(Ordered(Answer(v1::PREPARING, DesiredOfLab(2)), "M", 1, 2, 110)).ok());
  EXPECT_EQ(generation(), 2u);
  EXPECT_EQ(held_->Report().lineage, "M");
}

TEST_F(HeldTest, WhatItHoldsSinceRelease01GivesWayToAnotherLineageToo) {
  ASSERT_TRUE(Take(Answer(v1::PREPARING, DesiredOfLab(7))).ok());
  ASSERT_TRUE(Take(Ordered(Answer(v1::PREPARING, 7), "L", 1, 1)).ok());
  EXPECT_EQ(held_->Report().lineage, "");
  ASSERT_TRUE(Take(Ordered(Answer(v1::PREPARING, DesiredOfLab(2)), "M", 1, 1, 110)).ok());
  EXPECT_EQ(generation(), 2u);
  EXPECT_EQ(held_->Report().lineage, "M");
  EXPECT_EQ(held_->Report().order.lineage(), "M");
}

// D3: an install fills the disk, and somebody says stop.
TEST_F(HeldTest, ARestrictionHoldsThoughTheDiskIsFullAlsoAfterARestart) {
  ASSERT_TRUE(Take(Answer(v1::PREPARING, DesiredOfLab(7))).ok());
  FillDisk();
  EXPECT_FALSE(Take(Answer(v1::OBSERVED, 7)).ok());
  EXPECT_FALSE(MayChangeNow());
  StartAgentOnTheFullDisk();
  EXPECT_FALSE(MayChangeNow());
  EXPECT_EQ(generation(), 7u);
}

TEST_F(HeldTest, WhereTheCopyCannotBeReadNothingIsChangedUntilItIsSaidAgain) {
  ASSERT_TRUE(Take(Answer(v1::PREPARING, DesiredOfLab(7))).ok());
  host_.SetFile(std::string(kRuntime) + "/assignment", "\xff\xff");
  StartAgent();
  EXPECT_FALSE(MayChangeNow());
  EXPECT_EQ(generation(), 7u);
  ASSERT_TRUE(Take(Answer(v1::PREPARING, 7)).ok());
  EXPECT_TRUE(MayChangeNow());
}

TEST_F(HeldTest, ASpecificationThatOnlyObservesHoldsThoughTheDiskIsFull) {
  ASSERT_TRUE(Take(Answer(v1::PREPARING, DesiredOfLab(7))).ok());
  FillDisk();
  v1::Desired observe = DesiredOfLab(8);
  observe.mutable_spec()->set_enforcement(v1::OBSERVE);
  EXPECT_FALSE(Take(Answer(v1::OBSERVED, observe)).ok());
  EXPECT_EQ(generation(), 8u);
  EXPECT_FALSE(MayChangeNow());
  StartAgentOnTheFullDisk();
  EXPECT_EQ(generation(), 8u);
  EXPECT_FALSE(MayChangeNow());
}

TEST_F(HeldTest, WhatPermitsHoldsOnlyOnceItIsOnDiskAndWhatItReplacesNoLonger) {
  ASSERT_TRUE(Take(Answer(v1::PREPARING, DesiredOfLab(7))).ok());
  FillDisk();
  EXPECT_FALSE(Take(Answer(v1::PREPARING, DesiredOfLab(8))).ok());
  EXPECT_EQ(generation(), 7u);
  EXPECT_FALSE(MayChangeNow());
  StartAgentOnTheFullDisk();
  EXPECT_FALSE(MayChangeNow());
  host_.SetError(kState, absl::OkStatus());
  EXPECT_TRUE(Take(Answer(v1::PREPARING, DesiredOfLab(8))).ok());
  EXPECT_EQ(generation(), 8u);
  EXPECT_TRUE(MayChangeNow());
  StartAgent();
  EXPECT_TRUE(MayChangeNow());
  EXPECT_EQ(generation(), 8u);
}

TEST_F(HeldTest, APermissionAloneIsNotGoneByBeforeItIsOnDisk) {
  ASSERT_TRUE(Take(Answer(v1::OBSERVED, DesiredOfLab(7))).ok());
  FillDisk();
  EXPECT_FALSE(Take(Answer(v1::PREPARING, 7)).ok());
  EXPECT_FALSE(MayChangeNow());
}

TEST_F(HeldTest, WhatCouldNotBeWrittenIsTriedAgainWithTheNextAnswer) {
  ASSERT_TRUE(Take(Answer(v1::PREPARING, DesiredOfLab(7))).ok());
  FillDisk();
  EXPECT_FALSE(Take(Answer(v1::OBSERVED, 7)).ok());
  EXPECT_FALSE(Take(Answer(v1::OBSERVED, 7)).ok());
  host_.SetError(kState, absl::OkStatus());
  EXPECT_TRUE(Take(Answer(v1::OBSERVED, 7)).ok());
  EXPECT_EQ(LoadAssignment(host_, kState)->state(), v1::OBSERVED);
  EXPECT_FALSE(LoadAssignment(host_, kRuntime).ok());
}

// The converger is interrupted before the disk is waited for.
TEST_F(HeldTest, TellsOfARestrictionBeforeItIsWrittenDown) {
  ASSERT_TRUE(Take(Answer(v1::PREPARING, DesiredOfLab(7))).ok());
  v1::NodeState on_disk = v1::NODE_STATE_UNSPECIFIED;
  bool may_change = true;
  held_->OnChange([&] {
    on_disk = LoadAssignment(host_, kState)->state();
    may_change = MayChangeNow();
  });
  ASSERT_TRUE(Take(Answer(v1::OBSERVED, 7)).ok());
  EXPECT_EQ(on_disk, v1::PREPARING);
  EXPECT_FALSE(may_change);
}

TEST_F(HeldTest, WhereverAPermissionIsKilledNothingElseIsPermitted) {
  for (int call = 1; call < 6; ++call) {
    host_.Erase(std::string(kState) + "/assignment");
    StartAgent();
    ASSERT_TRUE(Take(Answer(v1::OBSERVED, DesiredOfLab(7))).ok());
    host_.DieAtCall(call);
    static_cast<void>(Take(Answer(v1::PREPARING, DesiredOfLab(8))));
    host_.Revive();
    StartAgent();
    EXPECT_TRUE(loaded_.ok()) << loaded_;
    EXPECT_TRUE(!MayChangeNow() || generation() == 8u) << call;
  }
}

TEST_F(HeldTest, AnEmptyFileIsADamagedOne) {
  ASSERT_TRUE(Take(Answer(v1::PREPARING, DesiredOfLab(7))).ok());
  host_.SetFile(std::string(kState) + "/assignment", "");
  EXPECT_EQ(ReadHeld(host_, kState).status().code(), absl::StatusCode::kDataLoss);
  StartAgent();
  EXPECT_EQ(loaded_.code(), absl::StatusCode::kDataLoss);
}

// For what looks beside the service: a restriction that the disk had no room for.
TEST_F(HeldTest, WhatStandsInMemoryIsReadToo) {
  ASSERT_TRUE(Take(Answer(v1::PREPARING, DesiredOfLab(7))).ok());
  EXPECT_EQ(ReadHeld(host_, kState, kRuntime)->state(), v1::PREPARING);
  FillDisk();
  static_cast<void>(Take(Answer(v1::STOPPED, 7)));
  host_.SetError(kState, absl::OkStatus());
  EXPECT_EQ(ReadHeld(host_, kState)->state(), v1::PREPARING);
  EXPECT_EQ(ReadHeld(host_, kState, kRuntime)->state(), v1::STOPPED);
  FillDisk();
  static_cast<void>(held_->TakeRemoval());
  host_.SetError(kState, absl::OkStatus());
  EXPECT_TRUE(SaysRemoved(ReadHeld(host_, kState, kRuntime).status()));
  EXPECT_FALSE(SaysRemoved(ReadHeld(host_, kState).status()));
}

// D1.
TEST_F(HeldTest, AnotherClustersOrdersAreSetAsideAndNotGoneBy) {
  ASSERT_TRUE(Take(Answer(v1::PREPARING, DesiredOfLab(7))).ok());
  host_.SetFile(std::string(kState) + "/changes", "untold");
  options_.owner = {"other", "machine-1", "token-9", "machine-1"};
  StartAgent();
  EXPECT_TRUE(loaded_.ok()) << loaded_;
  EXPECT_FALSE(MayChangeNow());
  EXPECT_EQ(held_->Report().generation, 0u);
  EXPECT_FALSE(host_.Stat(std::string(kState) + "/changes").ok());
  v1::Desired desired = DesiredOfLab(1);
  desired.mutable_spec()->set_cluster("other");
  ASSERT_TRUE(Take(Answer(v1::PREPARING, desired)).ok());
  EXPECT_EQ(generation(), 1u);
}

TEST_F(HeldTest, WhatCannotBeSetAsideIsNotGoneByEither) {
  ASSERT_TRUE(Take(Answer(v1::PREPARING, DesiredOfLab(7))).ok());
  options_.owner.machine_id = "machine-2";
  host_.SetError(std::string(kState) + "/set-aside", absl::ResourceExhaustedError("full"));
  StartAgent();
  EXPECT_FALSE(loaded_.ok());
  EXPECT_FALSE(MayChangeNow());
  EXPECT_FALSE(held_->Orders()->has_desired());
}

// D4.
TEST_F(HeldTest, ARemovedNodeIsObservedUntilItEnrolsAgain) {
  ASSERT_TRUE(Take(Answer(v1::PREPARING, DesiredOfLab(7))).ok());
  ASSERT_TRUE(held_->TakeRemoval().ok());
  EXPECT_FALSE(MayChangeNow());
  EXPECT_FALSE(held_->Orders()->has_desired());
  EXPECT_TRUE(absl::IsFailedPrecondition(ReadHeld(host_, kState).status()));
  StartAgent();
  ASSERT_TRUE(Take(Answer(v1::PREPARING, DesiredOfLab(8))).ok());
  EXPECT_FALSE(MayChangeNow());
  ASSERT_TRUE(held_->refusal().has_value());
  EXPECT_NE(held_->refusal()->why.message().find("was removed from its cluster\nfix: "),
            std::string::npos);

  options_.owner.enrolment = "token-2";
  StartAgent();
  ASSERT_TRUE(Take(Answer(v1::PREPARING, DesiredOfLab(8))).ok());
  EXPECT_TRUE(MayChangeNow());
}

TEST_F(HeldTest, ARemovedNodeLooksAtNoDraft) {
  EXPECT_TRUE(held_->CheckDraft(DesiredOfLab(0)).ok());
  ASSERT_TRUE(held_->TakeRemoval().ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(held_->CheckDraft(DesiredOfLab(0)).status()));
}

TEST_F(HeldTest, ARemovedNodeTakesNothing) {
  ASSERT_TRUE(Take(Answer(v1::PREPARING, DesiredOfLab(7))).ok());
  ASSERT_TRUE(held_->TakeRemoval().ok());
  ASSERT_TRUE(Take(Answer(v1::PREPARING, DesiredOfLab(8))).ok());
  EXPECT_EQ(held_->Report().generation, 7u);
}

TEST_F(HeldTest, ARemovalHoldsThoughTheDiskIsFull) {
  ASSERT_TRUE(Take(Answer(v1::PREPARING, DesiredOfLab(7))).ok());
  FillDisk();
  EXPECT_FALSE(held_->TakeRemoval().ok());
  EXPECT_FALSE(MayChangeNow());
  StartAgentOnTheFullDisk();
  EXPECT_FALSE(MayChangeNow());
  EXPECT_TRUE(held_->Orders()->removed());
}

TEST_F(HeldTest, ANodeThatAllowsToBeObservedHoldsWhatItIsToldAndPermitsNothing) {
  options_.allow = v1::ALLOW_OBSERVE;
  StartAgent();
  ASSERT_TRUE(Take(Answer(v1::PREPARING, DesiredOfLab(7))).ok());
  EXPECT_EQ(generation(), 7u);
  EXPECT_FALSE(MayChangeNow());
  EXPECT_EQ(held_->Report().allow, v1::ALLOW_OBSERVE);
}

TEST_F(HeldTest, WhatTakesANodeOutOfServiceHoldsThoughTheDiskIsFullOrTheSpecificationRefused) {
  for (const v1::NodeState state : {v1::DRAINING, v1::STOPPED, v1::FENCED}) {
    ASSERT_TRUE(Take(Answer(v1::SERVING, DesiredOfLab(7))).ok());
    FillDisk();
    EXPECT_FALSE(Take(Answer(state, 7)).ok());
    EXPECT_EQ(held_->Orders()->state(), state);
    StartAgentOnTheFullDisk();
    EXPECT_EQ(held_->Orders()->state(), state);
    host_.SetError(kState, absl::OkStatus());
    ASSERT_TRUE(Take(Answer(v1::SERVING, 7)).ok());
    v1::Desired wrong = DesiredOfLab(8);
    wrong.mutable_spec()->mutable_runtimes()->add_r()->set_version("../4.3.3");
    ASSERT_TRUE(Take(Answer(state, wrong)).ok());
    EXPECT_EQ(held_->Orders()->state(), state);
    EXPECT_EQ(generation(), 7u);
  }
}

TEST_F(HeldTest, ToServeIsGoneByOnlyOnceItIsOnDisk) {
  ASSERT_TRUE(Take(Answer(v1::READY, DesiredOfLab(7))).ok());
  FillDisk();
  EXPECT_FALSE(Take(Answer(v1::SERVING, 7)).ok());
  EXPECT_EQ(held_->Orders()->state(), v1::READY);
  host_.SetError(kState, absl::OkStatus());
  ASSERT_TRUE(Take(Answer(v1::SERVING, 7)).ok());
  StartAgent();
  EXPECT_EQ(held_->Orders()->state(), v1::SERVING);
}

TEST_F(HeldTest, WhatServesIsOnlyObservedWhereNothingMayBeStarted) {
  options_.allow = v1::ALLOW_INSTALL;
  StartAgent();
  for (const v1::NodeState state : {v1::SERVING, v1::DRAINING, v1::STOPPED, v1::FENCED}) {
    ASSERT_TRUE(Take(Answer(state, DesiredOfLab(7))).ok());
    EXPECT_EQ(held_->Orders()->state(), v1::OBSERVED) << state;
  }
  ASSERT_TRUE(Take(Answer(v1::PREPARING, 7)).ok());
  EXPECT_TRUE(MayChangeNow());
}

TEST_F(HeldTest, AReasonIsShownAndNotWrittenForItsOwnSakeNorDoesItDisturbAnybody) {
  int changed = 0;
  v1::HeartbeatResponse answer = Ordered(Answer(v1::DRAINING, DesiredOfLab(7)), "L", 1, 1);
  answer.set_assigned_reason("admin/alice: a new kernel");
  ASSERT_TRUE(Take(answer).ok());
  EXPECT_EQ(held_->Orders()->reason(), "admin/alice: a new kernel");
  held_->OnChange([&changed] { ++changed; });
  const size_t written = host_.changes().size();
  answer.set_assigned_reason("admin/alice: a new kernel\nand more");
  ASSERT_TRUE(Take(answer).ok());
  EXPECT_EQ(held_->Orders()->reason(), "admin/alice: a new kernel?and more");
  EXPECT_EQ(host_.changes().size(), written);
  EXPECT_EQ(changed, 0);
  held_->OnChange(nullptr);
}

TEST_F(HeldTest, ALaterOrderToServeIsTold) {
  int changed = 0;
  ASSERT_TRUE(Take(Ordered(Answer(v1::SERVING, DesiredOfLab(7)), "L", 1, 1)).ok());
  held_->OnChange([&changed] { ++changed; });
  ASSERT_TRUE(Take(Ordered(Answer(v1::SERVING, 7), "L", 1, 1)).ok());
  EXPECT_EQ(changed, 0);
  ASSERT_TRUE(Take(Ordered(Answer(v1::SERVING, 7), "L", 1, 2)).ok());
  EXPECT_EQ(changed, 1);
  EXPECT_EQ(held_->Orders()->order().serial(), 2u);
  held_->OnChange(nullptr);
}

TEST_F(HeldTest, ToTakeItsHandsOffIsOfToBeObservedAlone) {
  v1::HeartbeatResponse answer = Answer(v1::READY, DesiredOfLab(7));
  answer.set_release(true);
  ASSERT_TRUE(Take(answer).ok());
  EXPECT_FALSE(held_->Orders()->release());
  answer.set_assigned_state(v1::OBSERVED);
  ASSERT_TRUE(Take(answer).ok());
  EXPECT_TRUE(held_->Orders()->release());
  StartAgent();
  EXPECT_TRUE(held_->Orders()->release());
  ASSERT_TRUE(Take(Answer(v1::OBSERVED, 7)).ok());
  EXPECT_FALSE(held_->Orders()->release());
}

TEST_F(HeldTest, WhatIsSaidOfTheGateIsKept) {
  v1::HeartbeatResponse answer = Answer(v1::SERVING, DesiredOfLab(7));
  answer.set_no_other_serves(true);
  v1::WaivedRule& waived = *answer.add_waived();
  waived.set_rule("accounts-match");
  waived.mutable_until()->set_seconds(1'722'513'600);
  ASSERT_TRUE(Take(answer).ok());
  StartAgent();
  EXPECT_TRUE(held_->Orders()->no_other_serves());
  ASSERT_EQ(held_->Orders()->waived_size(), 1);
  EXPECT_EQ(held_->Orders()->waived(0).rule(), "accounts-match");
  EXPECT_EQ(held_->Orders()->waived(0).until().seconds(), 1'722'513'600);
  answer = Answer(v1::SERVING, 7);
  answer.set_others_not_known(true);
  ASSERT_TRUE(Take(answer).ok());
  EXPECT_TRUE(held_->Orders()->no_other_serves());
  EXPECT_EQ(held_->Orders()->waived_size(), 0);
  ASSERT_TRUE(Take(Answer(v1::SERVING, 7)).ok());
  EXPECT_FALSE(held_->Orders()->no_other_serves());
}

TEST_F(HeldTest, SinceWhenItsStateIsAssignedIsKept) {
  v1::HeartbeatResponse answer = Answer(v1::SERVING, DesiredOfLab(7));
  answer.mutable_assigned_since()->set_seconds(1'722'513'600);
  ASSERT_TRUE(Take(answer).ok());
  StartAgent();
  EXPECT_EQ(held_->Orders()->since().seconds(), 1'722'513'600);
  ASSERT_TRUE(held_->TakeRemoval().ok());
  EXPECT_FALSE(held_->Orders()->has_since());
}

// The last node that serves is not closed by a rule for want of room on its disk.
TEST_F(HeldTest, WhatIsSaidOfTheGateHoldsThoughTheDiskIsFull) {
  v1::HeartbeatResponse answer = Answer(v1::SERVING, DesiredOfLab(7));
  answer.add_waived()->set_rule("accounts-match");
  ASSERT_TRUE(Take(answer).ok());
  FillDisk();
  answer = Answer(v1::SERVING, 7);
  answer.set_no_other_serves(true);
  for (int i = 0; i < 2; ++i) {
    EXPECT_FALSE(Take(answer).ok());
    EXPECT_TRUE(held_->Orders()->no_other_serves());
    EXPECT_EQ(held_->Orders()->waived_size(), 0);
  }
  StartAgentOnTheFullDisk();
  EXPECT_EQ(held_->Orders()->state(), v1::SERVING);
  EXPECT_FALSE(held_->Orders()->no_other_serves());
  EXPECT_FALSE(Take(answer).ok());
  host_.SetError(kState, absl::OkStatus());
  EXPECT_TRUE(Take(answer).ok());
  StartAgent();
  EXPECT_TRUE(held_->Orders()->no_other_serves());
}

TEST_F(HeldTest, WhatIsSaidOfTheGateHoldsThoughTheSpecificationIsRefused) {
  ASSERT_TRUE(Take(Answer(v1::SERVING, DesiredOfLab(7))).ok());
  v1::Desired wrong = DesiredOfLab(8);
  wrong.mutable_spec()->mutable_runtimes()->add_r()->set_version("../4.3.3");
  v1::HeartbeatResponse answer = Answer(v1::SERVING, wrong);
  answer.set_no_other_serves(true);
  ASSERT_TRUE(Take(answer).ok());
  EXPECT_EQ(generation(), 7u);
  EXPECT_TRUE(held_->refusal().has_value());
  EXPECT_TRUE(held_->Orders()->no_other_serves());
}

TEST_F(HeldTest, WhatIsRefusedLeavesWhatIsHeldAndIsTold) {
  ASSERT_TRUE(Take(Answer(v1::READY, DesiredOfLab(7))).ok());
  const uint64_t version = held_->version();
  v1::Desired wrong = DesiredOfLab(8);
  wrong.mutable_spec()->mutable_runtimes()->add_r()->set_version("../4.3.3");
  const LogCapture log;
  ASSERT_TRUE(Take(Answer(v1::PREPARING, wrong)).ok());
  ASSERT_TRUE(Take(Answer(v1::PREPARING, wrong)).ok());
  EXPECT_EQ(generation(), 7u);
  EXPECT_EQ(held_->Orders()->state(), v1::READY);
  ASSERT_TRUE(held_->refusal().has_value());
  EXPECT_EQ(held_->refusal()->generation, 8u);
  EXPECT_GT(held_->version(), version);
  EXPECT_EQ(log.Await("event=specification-refused generation=8").size(), 1u);
  // To stop needs nothing that is valid.
  ASSERT_TRUE(Take(Answer(v1::OBSERVED, wrong)).ok());
  EXPECT_FALSE(MayChangeNow());
  ASSERT_TRUE(Take(Answer(v1::PREPARING, DesiredOfLab(9))).ok());
  EXPECT_FALSE(held_->refusal().has_value());
  EXPECT_EQ(generation(), 9u);
}

}  // namespace
}  // namespace connect_ha
