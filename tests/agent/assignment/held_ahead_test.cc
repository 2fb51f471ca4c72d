// What a node is asked to get ready for, beside what it goes by.
#include <gtest/gtest.h>

#include <string>

#include "tests/agent/assignment/held_fixture.h"

namespace connect_ha {
namespace {

class AheadTest : public HeldTest {
 protected:
  AheadTest() {
    EXPECT_TRUE(Take(Ordered(Answer(v1::SERVING, DesiredOfLab(7)), "L", 1, 1, 100)).ok());
    held_->OnAhead([this] { ++told_; });
  }
  // An answer that asks the node to get ready for this.
  v1::HeartbeatResponse Ahead(const v1::Desired& desired, int64_t applied_at = 200) {
    v1::HeartbeatResponse answer = Only(desired.generation());
    *answer.mutable_ahead() = desired;
    answer.mutable_ahead()->set_lineage("L");
    answer.mutable_ahead()->mutable_applied_at()->set_seconds(applied_at);
    return answer;
  }
  v1::HeartbeatResponse Only(uint64_t generation) {
    v1::HeartbeatResponse answer = Ordered(Answer(v1::SERVING, 7), "L", 1, 2);
    answer.set_ahead_generation(generation);
    return answer;
  }
  uint64_t ahead() {
    const auto ahead = held_->Ahead();
    return ahead == nullptr ? 0 : ahead->desired.generation();
  }

  int told_ = 0;
};

TEST_F(AheadTest, IsHeldBesideWhatIsInForceAndNotWrittenDown) {
  const size_t written = host_.changes().size();
  ASSERT_TRUE(Take(Ahead(DesiredOfLab(8))).ok());
  EXPECT_EQ(ahead(), 8u);
  EXPECT_TRUE(held_->Ahead()->why.ok());
  EXPECT_EQ(held_->Ahead()->desired.spec().cluster(), "lab");
  EXPECT_EQ(generation(), 7u);
  EXPECT_EQ(held_->Report().generation, 7u);
  EXPECT_EQ(host_.changes().size(), written);
  StartAgent();
  EXPECT_EQ(ahead(), 0u);
  EXPECT_EQ(generation(), 7u);
}

TEST_F(AheadTest, StaysWhileItIsTheOneAndGoesWhenItIsNot) {
  ASSERT_TRUE(Take(Ahead(DesiredOfLab(8))).ok());
  ASSERT_TRUE(Take(Only(8)).ok());
  ASSERT_TRUE(Take(Ahead(DesiredOfLab(8))).ok());
  EXPECT_EQ(ahead(), 8u);
  EXPECT_EQ(told_, 1);
  // Applied anew under the same number, by a store that was put back.
  ASSERT_TRUE(Take(Ahead(DesiredOfLab(8), 300)).ok());
  EXPECT_EQ(told_, 2);
  ASSERT_TRUE(Take(Only(9)).ok());
  EXPECT_EQ(ahead(), 0u);
  EXPECT_EQ(told_, 3);
  ASSERT_TRUE(Take(Ahead(DesiredOfLab(9))).ok());
  ASSERT_TRUE(Take(Only(0)).ok());
  EXPECT_EQ(ahead(), 0u);
}

TEST_F(AheadTest, IsNoLongerAheadOnceItIsInForce) {
  ASSERT_TRUE(Take(Ahead(DesiredOfLab(8))).ok());
  v1::HeartbeatResponse answer = Ordered(Answer(v1::SERVING, DesiredOfLab(8)), "L", 1, 3, 200);
  answer.set_ahead_generation(8);
  ASSERT_TRUE(Take(answer).ok());
  EXPECT_EQ(generation(), 8u);
  EXPECT_EQ(ahead(), 0u);
}

TEST_F(AheadTest, WhatIsNotAboveOrOfAnotherStoreIsNotTaken) {
  ASSERT_TRUE(Take(Ahead(DesiredOfLab(7))).ok());
  EXPECT_EQ(ahead(), 0u);
  v1::HeartbeatResponse other = Ahead(DesiredOfLab(9));
  other.mutable_ahead()->set_lineage("M");
  ASSERT_TRUE(Take(other).ok());
  EXPECT_EQ(ahead(), 0u);
  // What an older coordinator says counts for nothing.
  ASSERT_TRUE(Take(Ahead(DesiredOfLab(8))).ok());
  v1::HeartbeatResponse older = Only(0);
  older.mutable_order()->set_epoch(0);
  ASSERT_TRUE(Take(older).ok());
  EXPECT_EQ(ahead(), 8u);
}

TEST_F(AheadTest, WhatWouldNotBeGoneByIsRefusedBeforeItIsInForce) {
  v1::Desired wrong = DesiredOfLab(8);
  wrong.mutable_spec()->set_cluster("other");
  ASSERT_TRUE(Take(Ahead(wrong)).ok());
  ASSERT_EQ(ahead(), 8u);
  EXPECT_FALSE(held_->Ahead()->why.ok());
  EXPECT_NE(held_->Ahead()->why.message().find("\nfix: "), std::string::npos);
  EXPECT_FALSE(held_->Ahead()->desired.has_spec());
  EXPECT_FALSE(held_->refusal().has_value());
  EXPECT_EQ(generation(), 7u);
}

TEST_F(AheadTest, ANodeThatWasRemovedGetsReadyForNothing) {
  ASSERT_TRUE(Take(Ahead(DesiredOfLab(8))).ok());
  ASSERT_TRUE(held_->TakeRemoval().ok());
  EXPECT_EQ(ahead(), 0u);
  ASSERT_TRUE(Take(Ahead(DesiredOfLab(9))).ok());
  EXPECT_EQ(ahead(), 0u);
}

}  // namespace
}  // namespace connect_ha
