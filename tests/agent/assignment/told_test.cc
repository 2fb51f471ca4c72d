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
  bool IsTold() { return CheckTold(host_, kState, kRuntime).ok(); }

  FakeHost host_;
  std::unique_ptr<ToldNotes> notes_;
};

TEST_F(ToldTest, OnceAnsweredItIsToldUntilTheNextBootAndAWhileBeyond) {
  EXPECT_FALSE(IsTold());
  notes_->Called(false);
  EXPECT_FALSE(IsTold());
  notes_->Called(true);
  EXPECT_TRUE(IsTold());
  host_.Advance(std::chrono::hours(100));
  EXPECT_TRUE(IsTold());
  Boot();
  EXPECT_FALSE(IsTold());
}

TEST_F(ToldTest, AShortBootWithoutACoordinatorIsNoReasonToWait) {
  notes_->Called(true);
  host_.Advance(minutes(29));
  Boot();
  EXPECT_TRUE(IsTold());
  // And so it goes on, however long the coordinator stays away.
  for (int i = 0; i < 20; ++i) {
    notes_->Called(false);
    host_.Advance(minutes(11));
  }
  Boot();
  EXPECT_TRUE(IsTold());
}

// The agent comes up before Connect's unit asks.
TEST_F(ToldTest, ThatTheAgentRunsAgainDoesNotMakeUpForHavingBeenOff) {
  notes_->Called(true);
  host_.Advance(std::chrono::hours(24));
  Boot();
  notes_->Called(false);
  EXPECT_FALSE(IsTold());
  notes_->Called(true);
  EXPECT_TRUE(IsTold());
}

TEST_F(ToldTest, LittleIsWritten) {
  notes_->Called(true);
  const size_t written = host_.changes().size();
  EXPECT_EQ(written, 2u);
  for (int i = 0; i < 100; ++i) notes_->Called(true);
  EXPECT_EQ(host_.changes().size(), written);
  host_.Advance(minutes(10));
  notes_->Called(true);
  EXPECT_EQ(host_.changes().size(), written + 1);
}

TEST_F(ToldTest, ADiskThatIsFullKeepsNothingFromGoingOn) {
  host_.SetError(kState, absl::ResourceExhaustedError("no space left on device"));
  notes_->Called(true);
  EXPECT_TRUE(IsTold());
}

}  // namespace
}  // namespace connect_ha
