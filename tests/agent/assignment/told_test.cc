// When this node was told its orders, and when it was there last.
#include "agent/assignment/told.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_host.h"

namespace connect_ha {
namespace {

using std::chrono::minutes;

constexpr char kState[] = "/var/lib/connect-ha-agent";
constexpr char kRuntime[] = "/run/connect-ha-agent";

class ToldTest : public testing::Test {
 protected:
  ToldTest() {
    host_.SetDirectory(kState);
    host_.SetDirectory(kRuntime);
    Boot();
  }
  // What is in memory is gone.
  void Boot() {
    host_.Erase(std::string(kRuntime) + "/told");
    notes_ = std::make_unique<ToldNotes>(host_, kState, kRuntime);
  }
  void Told() {
    v1::HeartbeatResponse answer;
    answer.set_assigned_state(v1::SERVING);
    notes_->Called(&answer);
  }
  bool IsTold() { return CheckTold(host_, kState, kRuntime).ok(); }

  FakeHost host_;
  std::unique_ptr<ToldNotes> notes_;
};

TEST_F(ToldTest, OnceAnsweredItIsToldUntilTheNextBootAndAWhileBeyond) {
  EXPECT_FALSE(IsTold());
  notes_->Called(nullptr);
  EXPECT_FALSE(IsTold());
  Told();
  EXPECT_TRUE(IsTold());
  host_.Advance(std::chrono::hours(100));
  EXPECT_TRUE(IsTold());
  Boot();
  EXPECT_FALSE(IsTold());
}

TEST_F(ToldTest, AShortBootWithoutACoordinatorIsNoReasonToWait) {
  Told();
  host_.Advance(minutes(29));
  Boot();
  EXPECT_TRUE(IsTold());
  // And so it goes on, however long the coordinator stays away.
  for (int i = 0; i < 20; ++i) {
    notes_->Called(nullptr);
    host_.Advance(minutes(11));
  }
  Boot();
  EXPECT_TRUE(IsTold());
}

// The agent comes up before Connect's unit asks.
TEST_F(ToldTest, ThatTheAgentRunsAgainDoesNotMakeUpForHavingBeenOff) {
  Told();
  host_.Advance(std::chrono::hours(24));
  Boot();
  notes_->Called(nullptr);
  EXPECT_FALSE(IsTold());
  Told();
  EXPECT_TRUE(IsTold());
}

// Noted as soon as it is known, so that the next boot does not take it for having been off.
TEST_F(ToldTest, AClockThatIsPutBackIsGoneByFromThenOn) {
  Told();
  host_.Advance(std::chrono::hours(-24));
  notes_->Called(nullptr);
  Boot();
  EXPECT_TRUE(IsTold());
  host_.Advance(std::chrono::hours(-24));
  EXPECT_FALSE(IsTold());
}

// Before the first decision after it came back a node is told no state.
TEST_F(ToldTest, AnAnswerWithoutAStateTellsNothing) {
  v1::HeartbeatResponse answer;
  answer.mutable_order()->set_serial(7);  // its own, as it is mirrored
  notes_->Called(&answer);
  EXPECT_FALSE(IsTold());
  Told();
  EXPECT_TRUE(IsTold());
}

TEST_F(ToldTest, LittleIsWritten) {
  Told();
  const size_t written = host_.changes().size();
  EXPECT_EQ(written, 2u);
  for (int i = 0; i < 100; ++i) Told();
  EXPECT_EQ(host_.changes().size(), written);
  host_.Advance(minutes(10));
  Told();
  EXPECT_EQ(host_.changes().size(), written + 1);
}

TEST_F(ToldTest, ADiskThatIsFullKeepsNothingFromGoingOn) {
  host_.SetError(kState, absl::ResourceExhaustedError("no space left on device"));
  Told();
  EXPECT_TRUE(IsTold());
}

}  // namespace
}  // namespace connect_ha
