// What a node goes by that trusts signers: what they have signed, and nothing else.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "agent/assignment/assignment_file.h"
#include "tests/agent/assignment/held_fixture.h"

namespace connect_ha {
namespace {

class SignedHeldTest : public HeldTest {
 protected:
  SignedHeldTest() {
    Trust(key_);
    StartAgent();
  }
  void Trust(const SigningKey& key) {
    FakeFile file;
    file.content = PublicKeyLine(key.public_key);
    host_.SetFile(std::string(kTrustedDirectory) + "/alice.pub", file);
  }
  // As a coordinator that was taken over would: in a lineage of its own, applied just now.
  absl::Status Offer(const v1::Desired& desired, const std::string& lineage, uint64_t serial) {
    return Take(
        Ordered(Answer(v1::PREPARING, desired), lineage, 1, serial, static_cast<int64_t>(serial)));
  }

  const SigningKey key_ = NewKey();
};

TEST_F(SignedHeldTest, TakesWhatIsSignedAndTellsWhomItTrusts) {
  ASSERT_TRUE(Offer(SignedOfLab(7, key_), "L", 1).ok());
  EXPECT_TRUE(MayChangeNow());
  EXPECT_EQ(held_->Report().trusted_signers,
            std::vector<std::string>{PublicKeyName(key_.public_key)});
  ASSERT_TRUE(Offer(DesiredOfLab(8), "L", 2).ok());
  EXPECT_EQ(generation(), 7u);
  ASSERT_TRUE(held_->refusal().has_value());
  EXPECT_NE(held_->refusal()->why.message().find("it is not signed"), std::string::npos);
}

TEST_F(SignedHeldTest, WhatWasSignedOnceIsNotTakenAgainWhateverIsSaidBesideIt) {
  const v1::Desired third = SignedOfLab(3, key_, 1003);
  ASSERT_TRUE(Offer(third, "L", 1).ok());
  ASSERT_TRUE(Offer(SignedOfLab(7, key_), "L", 2).ok());
  ASSERT_TRUE(Offer(third, "M", 3).ok());
  EXPECT_EQ(generation(), 7u);
  ASSERT_TRUE(held_->refusal().has_value());
  EXPECT_NE(held_->refusal()->why.message().find("not above generation 7"), std::string::npos);
  v1::Desired renumbered = third;
  renumbered.set_generation(9);
  ASSERT_TRUE(Offer(renumbered, "L", 4).ok());
  EXPECT_EQ(generation(), 7u);
  StartAgent();
  ASSERT_TRUE(Offer(third, "M", 5).ok());
  EXPECT_EQ(generation(), 7u);
  ASSERT_TRUE(Offer(SignedOfLab(8, key_), "M", 6).ok());
  EXPECT_EQ(generation(), 8u);
}

TEST_F(SignedHeldTest, WhatItHeldUnsignedIsNotGoneByOnceItTrustsSigners) {
  host_.Erase(kTrustedDirectory);
  StartAgent();
  ASSERT_TRUE(Offer(DesiredOfLab(7), "L", 1).ok());
  ASSERT_TRUE(MayChangeNow());
  Trust(key_);
  StartAgent();
  EXPECT_FALSE(MayChangeNow());
  EXPECT_FALSE(held_->Orders()->has_desired());
  EXPECT_EQ(held_->Report().generation, 7u);
  ASSERT_TRUE(held_->refusal().has_value());
  EXPECT_EQ(held_->refusal()->generation, 7u);
  const absl::Status beside = ReadHeld(host_, kState).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(beside)) << beside;
  EXPECT_NE(beside.message().find("generation 7, which this node holds, is not gone by: it is not "
                                  "signed"),
            std::string::npos)
      << beside;
  ASSERT_TRUE(Offer(SignedOfLab(8, key_), "L", 2).ok());
  EXPECT_TRUE(MayChangeNow());
  EXPECT_FALSE(held_->refusal().has_value());
}

// For preview, check and facts: what is signed, and not what only stands beside it in the file.
TEST_F(SignedHeldTest, ACommandBesideTheServiceLooksAtWhatIsSignedToo) {
  v1::Assignment kept;
  kept.set_cluster("lab");
  *kept.mutable_desired() = SignedOfLab(7, key_);
  (*kept.mutable_desired()->mutable_spec()->mutable_accounts())["rstudio-connect"].set_uid(1234);
  ASSERT_TRUE(StoreAssignment(host_, kState, kept).ok());
  const absl::StatusOr<v1::Assignment> held = ReadHeld(host_, kState);
  ASSERT_TRUE(held.ok()) << held.status();
  EXPECT_EQ(held->desired().spec().accounts().at("rstudio-connect").uid(), 999u);
}

TEST_F(SignedHeldTest, GetsReadyForNothingThatIsNotSigned) {
  ASSERT_TRUE(Offer(SignedOfLab(7, key_), "L", 1).ok());
  v1::HeartbeatResponse answer = Ordered(Answer(v1::PREPARING, 7), "L", 1, 2);
  answer.set_ahead_generation(8);
  *answer.mutable_ahead() = DesiredOfLab(8);
  answer.mutable_ahead()->set_lineage("L");
  ASSERT_TRUE(Take(answer).ok());
  ASSERT_NE(held_->Ahead(), nullptr);
  EXPECT_FALSE(held_->Ahead()->why.ok());
  *answer.mutable_ahead() = SignedOfLab(9, key_);
  answer.mutable_ahead()->set_lineage("L");
  answer.set_ahead_generation(9);
  ASSERT_TRUE(Take(answer).ok());
  ASSERT_NE(held_->Ahead(), nullptr);
  EXPECT_TRUE(held_->Ahead()->why.ok()) << held_->Ahead()->why;
}

TEST_F(SignedHeldTest, ATrustThatCannotBeReadStopsEverything) {
  ASSERT_TRUE(Offer(SignedOfLab(7, key_), "L", 1).ok());
  host_.SetFile(std::string(kTrustedDirectory) + "/alice.pub", "");
  StartAgent();
  EXPECT_FALSE(MayChangeNow());
  EXPECT_TRUE(held_->refusal().has_value());
  ASSERT_TRUE(Offer(SignedOfLab(8, key_), "L", 2).ok());
  EXPECT_FALSE(MayChangeNow());
  EXPECT_TRUE(held_->Report().trusted_signers.empty());
}

}  // namespace
}  // namespace connect_ha
