// The planner's thread: when it decides.
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "coordinator/cluster/planner.h"
#include "tests/coordinator/service/roster_fixture.h"

namespace connect_ha {
namespace {

Time Now() { return std::chrono::time_point_cast<Time::duration>(Time::clock::now()); }

class PlannerLoopTest : public RosterFixture {
 protected:
  PlannerLoopTest() {
    PlanFunctions functions;
    functions.decide = [this](const v1::PlanInput&) {
      const std::lock_guard lock(mutex_);
      ++decisions_;
      decided_.notify_all();
      v1::Decision decision;
      if (again_after_) *decision.mutable_wake_at() = ToProto(Now() + *again_after_);
      return decision;
    };
    functions.broken = [](const v1::PlanInput&, const v1::Decision&) {
      return std::vector<std::string>();
    };
    planner_ = std::make_unique<Planner>(*roster_, *evaluator_, *store_, functions);
    roster_->OnChange([this] { planner_->Wake(); });
    EXPECT_TRUE(planner_->Load(noon_).ok());
  }
  ~PlannerLoopTest() override {
    planner_->Stop();
    roster_->OnChange(nullptr);
    planner_.reset();
  }
  bool HasDecided(int times) {
    std::unique_lock lock(mutex_);
    return decided_.wait_for(lock, std::chrono::seconds(60), [&] { return decisions_ >= times; });
  }
  int decisions() {
    const std::lock_guard lock(mutex_);
    return decisions_;
  }

  std::mutex mutex_;
  std::condition_variable decided_;
  int decisions_ = 0;
  std::optional<std::chrono::microseconds> again_after_;
  std::unique_ptr<Planner> planner_;
};

TEST_F(PlannerLoopTest, DecidesAtOnceAndWhenSomethingChanged) {
  planner_->Start();
  ASSERT_TRUE(HasDecided(1));
  Enrol("a");
  EXPECT_TRUE(HasDecided(2));
}

TEST_F(PlannerLoopTest, DecidesWhenTimeAloneMakesItAnother) {
  again_after_ = std::chrono::milliseconds(5);
  planner_->Start();
  EXPECT_TRUE(HasDecided(4));
}

TEST_F(PlannerLoopTest, IsOverOnceItWasStopped) {
  planner_->Start();
  ASSERT_TRUE(HasDecided(1));
  planner_->Stop();
  const int before = decisions();
  planner_->Wake();
  EXPECT_EQ(decisions(), before);
  planner_->Decide(noon_);  // for who asks for it
  EXPECT_EQ(decisions(), before + 1);
}

}  // namespace
}  // namespace connect_ha
