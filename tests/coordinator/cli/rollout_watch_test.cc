// How a change of the cluster is watched, and when that ends.
#include <algorithm>
#include <chrono>
#include <functional>

#include "gmock/gmock.h"
#include "tests/coordinator/cli/rollout_fixture.h"

namespace connect_ha {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using v1::RolloutStatus;

void End(v1::GetPlanResponse& plan) {
  RolloutStatus& rollout = *plan.mutable_decision()->mutable_rollout();
  rollout.set_phase(RolloutStatus::DONE);
  rollout.clear_standing();
}

// What is shown in each of the seconds to come; the last one stays.
class WatchTest : public RolloutTest {
 protected:
  void Then(const std::function<void(v1::GetPlanResponse& plan)>& change) {
    auto& plans = world_.coordinator.plans;
    if (plans.empty()) plans.push_back(world_.coordinator.plan);
    plans.push_back(plans.back());
    change(plans.back());
  }
  void ThenItIsDone(uint64_t generation = 8) {
    Then([generation](v1::GetPlanResponse& plan) {
      RolloutStatus& rollout = *plan.mutable_decision()->mutable_rollout();
      rollout.set_generation(generation);
      rollout.set_phase(RolloutStatus::DONE);
      rollout.clear_standing();
      rollout.clear_reason();
      rollout.clear_fixes();
    });
  }
  int Watch(const std::vector<std::string>& more = {}) {
    world_.waits = 20;
    std::vector<std::string> words = {"rollout", "status", "--watch"};
    words.insert(words.end(), more.begin(), more.end());
    return world_.Run(words);
  }
  std::chrono::microseconds Took() const { return world_.now - begun_; }

  const Time begun_ = world_.now;
};

TEST_F(WatchTest, WritesWhatChangedUntilItIsDone) {
  Then([](v1::GetPlanResponse& plan) {  // only time passed
    plan.mutable_decision()->mutable_rollout()->set_left_us(1);
  });
  Then([](v1::GetPlanResponse& plan) {
    RolloutStatus& rollout = *plan.mutable_decision()->mutable_rollout();
    rollout.set_phase(RolloutStatus::REST);
    rollout.mutable_nodes(0)->set_step(v1::RolloutStep::CHANGED);
    rollout.mutable_nodes(0)->clear_waits_for();
  });
  ThenItIsDone();
  EXPECT_EQ(Watch(), kHolds);
  EXPECT_EQ(world_.out,
            "[0s] generation 8: together: first\n"
            "[0s] begun: from generation 7; applied by admin/alice; approved by admin/bob; all "
            "stopped at 2024-08-01T11:58:20Z; node-1 goes first\n"
            "[0s] node-1: serving (closed), verifying; waits for: Connect to answer\n"
            "[0s] node-2: stopped, held; waits for: node-1 to be right\n"
            "[2s] generation 8: together: rest\n"
            "[2s] node-1: serving (closed), changed\n"
            "generation 8 is done; connect-ha history\n");
  EXPECT_EQ(Took(), std::chrono::seconds(3));
}

TEST_F(WatchTest, EndsWhereAPersonHasToSayHowItGoesOn) {
  Then([this](v1::GetPlanResponse& plan) {
    Halt();
    *plan.mutable_decision()->mutable_rollout() = Rollout();
  });
  EXPECT_EQ(Watch(), kFails);
  EXPECT_EQ(Took(), std::chrono::seconds(1));
  EXPECT_THAT(world_.out, HasSubstr("HALTED: node-1: Connect does not start: it exited\n"
                                    "  | cannot migrate\n  fix: connect-ha node start node-1"));
}

TEST_F(WatchTest, EndsWhereANewerOneTookItsPlace) {
  Then([](v1::GetPlanResponse& plan) {
    plan.mutable_decision()->mutable_rollout()->set_generation(9);
    plan.mutable_decision()->mutable_rollout()->set_phase(RolloutStatus::STAGING);
  });
  EXPECT_EQ(Watch(), kFails);
  EXPECT_THAT(world_.error, HasSubstr("generation 9 took the place of 8\nfix:   "));
}

// A store that is an older copy knows no 8, or the end of another one.
TEST_F(WatchTest, SaysNotThatItIsDoneWhereNobodyKnows) {
  Then([](v1::GetPlanResponse& plan) { plan.mutable_decision()->clear_rollout(); });
  EXPECT_EQ(Watch(), kFails);
  EXPECT_THAT(world_.error, HasSubstr("how generation 8 ended is not known here"));
  EXPECT_THAT(world_.error, HasSubstr("\nfix:   connect-ha history"));
  world_.coordinator.plans.clear();
  world_.coordinator.plan_polls = 0;
  ThenItIsDone(7);
  EXPECT_EQ(Watch(), kFails);
  EXPECT_THAT(world_.error, HasSubstr("how generation 8 ended is not known here"));
}

// One that is to come does not end it.
TEST_F(WatchTest, GoesOnToTheEndWhileANewerOneIsToCome) {
  const auto next = [this](v1::GetPlanResponse& plan) {
    *plan.mutable_decision()->mutable_rollout()->mutable_next() = Next(RolloutStatus::AWAITING);
  };
  Then(next);
  Then([](v1::GetPlanResponse& plan) {
    const RolloutStatus shown = plan.decision().rollout().next();
    *plan.mutable_decision()->mutable_rollout() = shown;
  });
  v1::Rollout ended;
  ended.set_generation(8);
  ended.set_end(v1::Rollout::DONE);
  world_.coordinator.rollouts = {ended};
  EXPECT_EQ(Watch(), kHolds);
  EXPECT_EQ(Took(), std::chrono::seconds(2));
  EXPECT_THAT(world_.out,
              HasSubstr("[1s] generation 9: together: awaiting; waits for: a person's"));
  EXPECT_THAT(world_.out, HasSubstr("generation 8 is done"));
}

// Of a store that is an older copy the change is not known.
TEST_F(WatchTest, WhatIsNotKnownAnyMoreIsNotDone) {
  Then([](v1::GetPlanResponse& plan) {
    End(plan);
    plan.mutable_decision()->mutable_rollout()->set_generation(7);
  });
  EXPECT_EQ(Watch(), kFails);
  EXPECT_THAT(world_.error, HasSubstr("how generation 8 ended is not known here"));
  EXPECT_THAT(world_.error, HasSubstr("\nfix:   connect-ha history; connect-ha spec show\n"));
}

TEST_F(WatchTest, GoesOnWhileItIsPausedOrWaits) {
  Rollout().set_standing(RolloutStatus::PAUSED);
  EXPECT_EQ(Watch(), kHolds);
  EXPECT_EQ(Took(), std::chrono::seconds(21)) << "until it was told to stop";
}

// Right after its start a coordinator has decided nothing: that is not the end of the change.
TEST_F(WatchTest, ACoordinatorThatGoesAwayAndComesBackIsAwaited) {
  Then([](v1::GetPlanResponse& plan) {
    plan.clear_decided_at();
    plan.mutable_decision()->clear_rollout();
  });
  Then([this](v1::GetPlanResponse& plan) { plan = world_.coordinator.plan; });
  ThenItIsDone();
  world_.on_wait = [this, waited = 0]() mutable {
    ++waited;
    world_.coordinator.error =
        waited == 1 || waited == 2 ? absl::UnavailableError("no answer") : absl::OkStatus();
  };
  EXPECT_EQ(Watch(), kHolds);
  EXPECT_EQ(world_.error, "error: no answer\nthe coordinator answers again\n");
  EXPECT_THAT(world_.out, HasSubstr("generation 8 is done"));
}

TEST_F(WatchTest, IsRedrawnOnATerminal) {
  world_.interactive = true;
  ThenItIsDone();
  EXPECT_EQ(Watch(), kHolds);
  EXPECT_THAT(world_.out, StartsWith("\x1b[H\x1b[2Jcluster analytics   generation 8"));
  EXPECT_THAT(world_.out, HasSubstr("serving (closed)"));
  EXPECT_THAT(world_.out, HasSubstr("generation 8   together: done"));
}

TEST_F(WatchTest, AsJsonIsAnObjectALine) {
  Then([](v1::GetPlanResponse& plan) {  // only time passed
    plan.mutable_decision()->mutable_rollout()->set_left_us(1);
  });
  ThenItIsDone();
  EXPECT_EQ(Watch({"--json"}), kHolds);
  EXPECT_EQ(std::count(world_.out.begin(), world_.out.end(), '\n'), 2);
  EXPECT_THAT(world_.out, StartsWith("{\"generation\":\"8\",\"kind\":\"TOGETHER\""));
}

TEST_F(WatchTest, WithoutAChangeThereIsNothingToWatch) {
  NoChange();
  EXPECT_EQ(Watch(), kHolds);
  EXPECT_EQ(world_.out, "no change is under way; connect-ha history\n");
}

}  // namespace
}  // namespace connect_ha
