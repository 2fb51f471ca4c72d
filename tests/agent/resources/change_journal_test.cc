#include "agent/resources/converge/change_journal.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_host.h"

namespace connect_ha {
namespace {

class ChangeJournalTest : public testing::Test {
 protected:
  ChangeJournalTest() { host_.SetDirectory("/state"); }
  // As an agent that is started; the number of the change that it then makes.
  uint64_t NumberOfTheNext(uint64_t taken) {
    ChangeJournal journal(host_, "/state/changes");
    EXPECT_TRUE(journal.Load().ok());
    EXPECT_TRUE(journal.Taken(taken).ok());
    EXPECT_TRUE(journal.Finish({}).ok());
    const std::vector<v1::ChangeMade> pending = journal.Pending(100);
    return pending.empty() ? 0 : pending.back().number();
  }

  FakeHost host_;
};

TEST_F(ChangeJournalTest, ForgetsWhatWasTakenAndNothingElse) {
  ChangeJournal journal(host_, "/state/changes");
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(journal.Finish({}).ok());
  const uint64_t second = journal.Pending(2).back().number();
  ASSERT_TRUE(journal.Taken(second).ok());
  ASSERT_EQ(journal.Pending(100).size(), 1u);
  EXPECT_GT(journal.Pending(100)[0].number(), second);
}

// A node whose clock was a year ahead, and whose disk was then put back or replaced.
TEST_F(ChangeJournalTest, NumbersAboveWhatWasTakenThoughTheClockIsBehindIt) {
  host_.Advance(std::chrono::hours(365 * 24));
  const uint64_t ahead = NumberOfTheNext(0);
  host_.Erase("/state/changes");
  host_.Advance(-std::chrono::hours(365 * 24));
  const uint64_t next = NumberOfTheNext(ahead);
  EXPECT_GT(next, ahead);
  // Not only in memory.
  EXPECT_GT(NumberOfTheNext(ahead), next);
}

TEST_F(ChangeJournalTest, IsWrittenOnlyWhereSomethingIsAnother) {
  const uint64_t number = NumberOfTheNext(0);
  ChangeJournal journal(host_, "/state/changes");
  ASSERT_TRUE(journal.Load().ok());
  ASSERT_TRUE(journal.Taken(number).ok());
  const size_t written = host_.changes().size();
  ASSERT_TRUE(journal.Taken(number).ok());
  EXPECT_EQ(host_.changes().size(), written);
}

}  // namespace
}  // namespace connect_ha
