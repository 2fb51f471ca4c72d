// Which specifications a heartbeat brings: the one in force, and the one to get ready for.
#include <gtest/gtest.h>

#include <string>

#include "coordinator/cluster/node/bounds.h"
#include "tests/coordinator/service/step_fixture.h"

namespace connect_ha {
namespace {

// Generation 3 is in force, and 4 was applied. The node serves as 3.
class StepSpecsTest : public StepTest {
 protected:
  StepSpecsTest() {
    newest_ = desired_;
    newest_->set_generation(4);
    *newest_->mutable_applied_at() = ToProto(kNoon);
    newest_->set_connect_config("of generation 4");
    Assign(v1::SERVING, 1);
  }
  static v1::HeartbeatRequest Holding(uint64_t generation) {
    v1::HeartbeatRequest request = Beat();
    request.set_reported_state(v1::SERVING);
    request.set_reported_generation(generation);
    request.set_reported_lineage(kLineage);
    request.mutable_order()->set_lineage(kLineage);
    request.mutable_order()->set_epoch(2);
    request.mutable_order()->set_serial(1);
    return request;
  }
  v1::HeartbeatRequest Staging(bool ready = false) const {
    v1::HeartbeatRequest request = Holding(3);
    v1::Ahead& said = *request.mutable_ahead();
    said.set_generation(4);
    *said.mutable_applied_at() = newest_->applied_at();
    said.set_lineage(kLineage);
    said.set_ready(ready);
    return request;
  }
};

TEST_F(StepSpecsTest, ANodeIsGivenWhatToGetReadyForUntilItSpeaksOfIt) {
  const StepResult first = Take(Holding(3), 0);
  EXPECT_FALSE(first.answer.has_desired());
  EXPECT_EQ(first.answer.assigned_generation(), 3u);
  EXPECT_EQ(first.answer.ahead_generation(), 4u);
  EXPECT_EQ(first.answer.ahead().connect_config(), "of generation 4");
  EXPECT_EQ(first.answer.ahead().lineage(), kLineage);
  const StepResult told = Take(Staging(), 1);
  EXPECT_EQ(told.answer.ahead_generation(), 4u);
  EXPECT_FALSE(told.answer.has_ahead());
  EXPECT_FALSE(Take(Holding(3), 2).answer.has_ahead());  // nothing of it changed
  newest_->set_generation(5);
  const StepResult newer = Take(Holding(3), 3);
  EXPECT_EQ(newer.answer.ahead_generation(), 5u);
  EXPECT_EQ(newer.answer.ahead().generation(), 5u);
}

TEST_F(StepSpecsTest, OneThatWasAppliedAnewUnderItsNumberIsAnother) {
  v1::HeartbeatRequest other = Staging(true);
  *other.mutable_ahead()->mutable_applied_at() = ToProto(kNoon - std::chrono::hours(1));
  EXPECT_TRUE(Take(other, 0).answer.has_ahead());
  other = Staging(true);
  other.mutable_ahead()->set_lineage("another store's");
  EXPECT_TRUE(Take(other, 1).answer.has_ahead());
  EXPECT_FALSE(Take(Staging(true), 2).answer.has_ahead());
}

// Its agent was started again, say: with its facts it says all that it has to say.
TEST_F(StepSpecsTest, WhoSpeaksOfItNoMoreIsGivenItAnew) {
  Take(Staging(true), 0);
  const StepResult anew = Take(WithFacts(Holding(3)), 1);
  EXPECT_EQ(anew.after.staged, nullptr);
  EXPECT_TRUE(anew.answer.has_ahead());
}

TEST_F(StepSpecsTest, WhatIsInForceComesFirstAndNotWithIt) {
  const StepResult lacks = Take(Holding(2), 0);
  EXPECT_EQ(lacks.answer.desired().generation(), 3u);
  EXPECT_EQ(lacks.answer.ahead_generation(), 4u);
  EXPECT_FALSE(lacks.answer.has_ahead());
  EXPECT_TRUE(Take(Holding(3), 1).answer.has_ahead());
}

TEST_F(StepSpecsTest, ThereIsNothingToGetReadyForWhereTheNewestIsInForceOrOnlyObserves) {
  newest_->mutable_spec()->set_enforcement(v1::OBSERVE);
  EXPECT_EQ(Take(Holding(3), 0).answer.ahead_generation(), 0u);
  EXPECT_FALSE(Take(Holding(3), 1).answer.has_ahead());
  const v1::HeartbeatRequest staging = Staging();
  newest_.reset();
  EXPECT_EQ(Take(staging, 2).answer.ahead_generation(), 0u);
}

TEST_F(StepSpecsTest, WhoIsLeftAloneIsGivenNothingAndLosesNothing) {
  const auto is_left = [this](const v1::HeartbeatRequest& request, int after_s) {
    const StepResult result = Take(request, after_s);
    EXPECT_EQ(result.answer.ahead_generation(), 4u);
    EXPECT_FALSE(result.answer.has_ahead());
    EXPECT_FALSE(result.answer.has_desired());
  };
  v1::HeartbeatRequest ahead = Holding(9);
  is_left(ahead, 0);
  EXPECT_TRUE(node_.ahead);
  node_ = KnownNode();
  assigned_.reset();
  is_left(Holding(3), 1);
}

// A store that is an older copy: what the node holds is not above what was applied since.
TEST_F(StepSpecsTest, WhetherANodeIsAheadGoesByTheNewest) {
  newest_->set_generation(9);
  EXPECT_FALSE(Take(Holding(5), 0).after.ahead);
  EXPECT_FALSE(Take(Holding(9), 1).after.ahead);
  EXPECT_TRUE(Take(Holding(10), 2).after.ahead);
}

TEST_F(StepSpecsTest, WhoGetsReadyIsAskedOften) {
  v1::HeartbeatRequest request = Staging();
  request.mutable_ahead()->mutable_step()->set_resource("package r-4.4.1");
  EXPECT_EQ(Take(request, 0).answer.next_heartbeat_ms(), 1000u);
  EXPECT_NE(Take(Staging(true), 1).answer.next_heartbeat_ms(), 1000u);
}

TEST_F(StepSpecsTest, ThatTheGateStaysClosedIsTold) {
  EXPECT_FALSE(Take(Holding(3), 0).answer.closed());
  v1::NodeAssignment closed = *assigned_;
  closed.set_closed(true);
  assigned_ = std::make_shared<const v1::NodeAssignment>(closed);
  EXPECT_TRUE(Take(Holding(3), 1).answer.closed());
}

// Until something was decided by it, however often that counts anew.
TEST_F(StepSpecsTest, WhatAGateRefusedBeforeItsAgentWasStartedAgainIsKeptForThePlan) {
  v1::HeartbeatRequest request = Holding(3);
  request.mutable_service()->set_refused(25);
  Take(request, 0);
  request.mutable_service()->set_refused(3);
  EXPECT_TRUE(Take(request, 1).plan_changed);
  EXPECT_EQ(node_.service->refused(), 3u);
  EXPECT_EQ(node_.refused_before, 25u);
  request.mutable_service()->set_refused(1);
  EXPECT_FALSE(Take(request, 2).plan_changed);
  EXPECT_EQ(node_.refused_before, 25u);
}

TEST_F(StepSpecsTest, ThePlanSeesWhatIsReadyAndNotHowFarAStepIs) {
  v1::HeartbeatRequest request = Staging();
  request.mutable_service()->set_gate_open(true);
  Take(request, 0);
  request.mutable_ahead()->mutable_step()->set_done_bytes(17);
  request.mutable_service()->set_refused(5);
  EXPECT_FALSE(Take(request, 1).plan_changed);
  EXPECT_EQ(node_.service->refused(), 5u);
  EXPECT_EQ(node_.staged->step().done_bytes(), 17u);
  request.mutable_ahead()->set_ready(true);
  EXPECT_TRUE(Take(request, 2).plan_changed);
  request.mutable_convergence()->set_state(v1::Convergence::DIFFERS);
  request.mutable_convergence()->set_needs(v1::Change::RESTART);
  EXPECT_TRUE(Take(request, 3).plan_changed);
  request.mutable_convergence()->set_needs(v1::Change::NOTHING);
  EXPECT_TRUE(Take(request, 4).plan_changed);
  EXPECT_FALSE(Take(request, 5).plan_changed);
}

TEST(BoundedTest, WhatAChangeNeedsIsKeptAndTheRestIsShort) {
  const std::string mebibyte(1024 * 1024, 'x');
  v1::Ahead said;
  said.set_generation(4);
  said.set_lineage(mebibyte);
  said.set_needs(v1::Change::TOGETHER);
  for (int i = 0; i < 5000; ++i) said.add_changes()->set_needs(v1::Change::RELOAD);
  said.add_troubles()->set_error(mebibyte);
  said.mutable_step()->set_resource(mebibyte);
  const v1::Ahead kept = Bounded(said);
  EXPECT_EQ(kept.needs(), v1::Change::TOGETHER);
  ASSERT_EQ(kept.changes_size(), kMostChangesKept);
  EXPECT_EQ(kept.changes(0).needs(), v1::Change::RELOAD);
  EXPECT_LE(kept.ByteSizeLong(), 16u * 1024);
  v1::Preview preview;
  preview.set_needs(v1::Change::RESTART);
  EXPECT_EQ(Bounded(preview).needs(), v1::Change::RESTART);
  v1::Convergence convergence;
  convergence.set_needs(v1::Change::RESTART);
  EXPECT_EQ(Bounded(convergence).needs(), v1::Change::RESTART);
}

}  // namespace
}  // namespace connect_ha
