// What the loop tells of what the node is told to be: it is done by the converger's thread.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "tests/agent/loop/loop_fixture.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Until the converger's thread has said what the test waits for; each turn a heartbeat.
class AssignedLoopTest : public LoopTest {
 protected:
  template <typename Condition>
  const v1::HeartbeatRequest& TurnUntil(Condition condition) {
    for (int i = 0; i < 1'000 && !condition(link_.requests.back()); ++i) {
      std::this_thread::sleep_for(milliseconds(5));
      After(seconds(6));
    }
    return link_.requests.back();
  }
  v1::HeartbeatResponse Assigned(v1::NodeState state, uint64_t generation) {
    v1::HeartbeatResponse response;
    response.set_assigned_state(state);
    response.set_assigned_generation(generation);
    v1::Desired& desired = *response.mutable_desired();
    desired.set_generation(generation);
    desired.mutable_spec()->set_cluster("lab");
    desired.mutable_spec()->set_enforcement(v1::ENFORCE);
    return response;
  }
};

TEST_F(AssignedLoopTest, ObservedItReportsWhatWouldBeChanged) {
  Answer(Assigned(v1::OBSERVED, 3));
  Begin();
  const v1::HeartbeatRequest& request = TurnUntil([](const v1::HeartbeatRequest& sent) {
    return sent.convergence().state() == v1::Convergence::DIFFERS;
  });
  EXPECT_EQ(request.reported_state(), v1::OBSERVED);
  EXPECT_EQ(request.reported_generation(), 3u);
  ASSERT_EQ(request.convergence().changes_size(), 1);
  EXPECT_EQ(request.convergence().changes(0).resource(), "unit rstudio-connect.service");
  EXPECT_TRUE(request.changes_made().empty());
}

TEST_F(AssignedLoopTest, PreparingItChangesIsReadyAndTellsEachChangeUntilItIsStored) {
  host_.SetDirectory("/etc/systemd/system");
  Answer(Assigned(v1::PREPARING, 3));
  Begin();
  const v1::HeartbeatRequest ready = TurnUntil(
      [](const v1::HeartbeatRequest& sent) { return sent.reported_state() == v1::READY; });
  ASSERT_EQ(ready.changes_made_size(), 1);
  EXPECT_EQ(ready.changes_made(0).change().to(), "masked, stopped");
  After(seconds(6));
  EXPECT_EQ(link_.requests.back().changes_made_size(), 1);
  v1::HeartbeatResponse response;
  response.set_changes_taken(ready.changes_made(0).number());
  Answer(response);
  After(seconds(6));
  After(seconds(6));
  EXPECT_EQ(link_.requests.back().changes_made_size(), 0);
}

// It was stopped just now, and what was gathered before has it running yet.
TEST_F(AssignedLoopTest, WhatItIsToldToBeIsToldWithWhatSaysSo) {
  host_.SetDirectory("/etc/systemd/system");
  host_.SetFile("/unit-state", "active");
  Answer(Assigned(v1::DRAINING, 3));
  Begin();
  TurnUntil([](const v1::HeartbeatRequest& sent) { return sent.reported_state() == v1::DRAINING; });
  Answer(Assigned(v1::PREPARING, 3));
  const v1::HeartbeatRequest stopped =
      TurnUntil([](const v1::HeartbeatRequest& sent) { return sent.changes_made_size() == 1; });
  EXPECT_EQ(stopped.changes_made(0).change().to(), "masked, stopped");
  After(seconds(6));
  EXPECT_EQ(link_.requests.back().reported_state(), v1::DRAINING);
  host_.SetFile("/unit-state", "inactive");
  const v1::HeartbeatRequest ready = TurnUntil(
      [](const v1::HeartbeatRequest& sent) { return sent.reported_state() == v1::READY; });
  EXPECT_EQ(ready.reported_state(), v1::READY);
  // Somebody starts it: that it was stopped stays true.
  host_.SetFile("/unit-state", "active");
  After(seconds(60));
  EXPECT_EQ(link_.requests.back().reported_state(), v1::READY);
}

// It has stopped Connect before it first told anything.
TEST_F(AssignedLoopTest, WhatItIsToldToBeIsToldWithWhatSaysSoFromTheFirst) {
  host_.SetDirectory("/etc/systemd/system");
  host_.SetFile("/unit-state", "active");
  Answer(Assigned(v1::PREPARING, 3));
  Begin();
  EXPECT_EQ(link_.requests.front().reported_state(), v1::OBSERVED);
  TurnUntil([](const v1::HeartbeatRequest& sent) { return sent.changes_made_size() == 1; });
  After(seconds(6));
  EXPECT_EQ(link_.requests.back().reported_state(), v1::OBSERVED);
  host_.SetFile("/unit-state", "inactive");
  const v1::HeartbeatRequest ready = TurnUntil(
      [](const v1::HeartbeatRequest& sent) { return sent.reported_state() == v1::READY; });
  EXPECT_EQ(ready.reported_state(), v1::READY);
}

TEST_F(AssignedLoopTest, AnswersAPreviewThatIsAskedForOnce) {
  v1::HeartbeatResponse response;
  response.mutable_preview()->set_number(9);
  *response.mutable_preview()->mutable_desired() = Assigned(v1::OBSERVED, 4).desired();
  Answer(response);
  Begin();
  const v1::HeartbeatRequest request =
      TurnUntil([](const v1::HeartbeatRequest& sent) { return sent.has_preview(); });
  EXPECT_EQ(request.preview().number(), 9u);
  EXPECT_EQ(request.preview().changes_size(), 1);
  EXPECT_EQ(request.reported_generation(), 0u);
  After(seconds(6));
  EXPECT_FALSE(link_.requests.back().has_preview());
}

TEST_F(AssignedLoopTest, SaysHowFarItIsWithWhatItIsToGetReadyFor) {
  host_.SetDirectory("/etc/systemd/system");
  v1::HeartbeatResponse response = Assigned(v1::PREPARING, 3);
  response.set_ahead_generation(4);
  *response.mutable_ahead() = Assigned(v1::PREPARING, 4).desired();
  Answer(response);
  Begin();
  const v1::HeartbeatRequest request =
      TurnUntil([](const v1::HeartbeatRequest& sent) { return sent.has_ahead(); });
  EXPECT_EQ(request.ahead().generation(), 4u);
  EXPECT_EQ(request.reported_generation(), 3u);
  // A coordinator that was started again gives it again, and is told that it is there.
  Answer(response);
  After(seconds(6));
  After(seconds(6));
  EXPECT_EQ(link_.requests.back().ahead().generation(), 4u);
  // An answer that asks for nothing such ends it.
  v1::HeartbeatResponse none;
  none.set_assigned_state(v1::PREPARING);
  none.set_assigned_generation(3);
  Answer(none);
  After(seconds(6));
  const size_t told = link_.requests.size();
  After(seconds(61));
  ASSERT_GT(link_.requests.size(), told);
  EXPECT_FALSE(link_.requests.back().has_ahead());
}

TEST_F(AssignedLoopTest, ACoordinatorThatLostTheSpecificationTakesNoneAway) {
  Answer(Assigned(v1::OBSERVED, 3));
  Begin();
  v1::HeartbeatResponse empty;
  empty.set_assigned_state(v1::OBSERVED);
  empty.mutable_desired();
  Answer(empty);
  After(seconds(6));
  EXPECT_EQ(converger_->News().generation, 3u);
}

TEST_F(AssignedLoopTest, ACoordinatorWithAnOlderSpecificationChangesNothing) {
  Answer(Assigned(v1::PREPARING, 3));
  Begin();
  TurnUntil([](const v1::HeartbeatRequest& sent) { return sent.reported_generation() == 3; });
  Answer(Assigned(v1::OBSERVED, 2));
  After(seconds(6));
  EXPECT_EQ(converger_->News().generation, 3u);
  EXPECT_NE(converger_->News().state, v1::OBSERVED);
}

TEST_F(AssignedLoopTest, WhatItHoldsOutlivesTheAgentAndACoordinatorThatIsAway) {
  Answer(Assigned(v1::OBSERVED, 3));
  Begin();
  ConvergeOptions options;
  options.state_dir = "/state";
  ProbeCache cache;
  Held held(Holding(), host_);
  EXPECT_TRUE(held.Load().ok());
  Converger again(options, host_, cache, held, nullptr);
  EXPECT_TRUE(again.Start().ok());
  EXPECT_EQ(again.News().generation, 3u);
}

TEST_F(AssignedLoopTest, SaysWhoseOrdersItHoldsAndWhatItAllows) {
  v1::HeartbeatResponse response = Assigned(v1::OBSERVED, 3);
  response.mutable_desired()->set_lineage("L");
  response.mutable_desired()->mutable_applied_at()->set_seconds(100);
  response.mutable_order()->set_lineage("L");
  response.mutable_order()->set_epoch(4);
  response.mutable_order()->set_serial(9);
  Answer(response);
  Begin();
  After(seconds(6));
  const v1::HeartbeatRequest& request = link_.requests.back();
  EXPECT_EQ(request.reported_generation(), 3u);
  EXPECT_EQ(request.reported_lineage(), "L");
  EXPECT_EQ(request.reported_applied_at().seconds(), 100);
  EXPECT_EQ(request.order().epoch(), 4u);
  EXPECT_EQ(request.order().serial(), 9u);
  EXPECT_EQ(request.allow(), v1::ALLOW_SERVE);
  EXPECT_EQ(request.trusted_signers_size(), 0);
}

TEST_F(AssignedLoopTest, ANodeThatWasRemovedIsObserved) {
  host_.SetDirectory("/etc/systemd/system");
  Answer(Assigned(v1::PREPARING, 3));
  Begin();
  TurnUntil([](const v1::HeartbeatRequest& sent) { return sent.reported_state() == v1::READY; });
  link_.error = absl::PermissionDeniedError(
      "node \"node-1\" was removed from cluster \"lab\"; fix: to join again: ...");
  After(seconds(6));
  EXPECT_EQ(converger_->News().state, v1::OBSERVED);
  Held again(Holding(), host_);
  EXPECT_TRUE(again.Load().ok());
  EXPECT_TRUE(again.Orders()->removed());
}

TEST_F(AssignedLoopTest, AnotherRefusalChangesNothing) {
  host_.SetDirectory("/etc/systemd/system");
  Answer(Assigned(v1::PREPARING, 3));
  Begin();
  TurnUntil([](const v1::HeartbeatRequest& sent) { return sent.reported_state() == v1::READY; });
  for (const absl::Status& error :
       {absl::PermissionDeniedError("the certificate is for cluster other, this one is lab"),
        absl::UnavailableError("node-1 was removed"), absl::UnauthenticatedError("was removed")}) {
    link_.error = error;
    After(seconds(60));
    EXPECT_EQ(converger_->News().state, v1::READY) << error;
  }
}

}  // namespace
}  // namespace connect_ha
