// What lists show of the nodes.
#include <gtest/gtest.h>

#include <chrono>

#include "common/time.h"
#include "tests/coordinator/service/roster_bounds_fixture.h"

namespace connect_ha {
namespace {

using std::chrono::seconds;

const Time kNoon{seconds(1'700'000'000)};

TEST_F(RosterBoundsTest, BriefsShowWhatListsNeedWithoutTheFacts) {
  Enrol("heard");
  Enrol("silent");
  Hear(Beat("heard"), kNoon);
  const auto briefs = roster_->Briefs(kNoon + seconds(5));
  ASSERT_EQ(briefs.size(), 2u);
  EXPECT_EQ(briefs[0].name(), "heard");
  EXPECT_EQ(briefs[0].facts().connect_version(), "2024.08.0");
  EXPECT_EQ(briefs[0].facts().unit_state(), "inactive");
  EXPECT_EQ(briefs[0].facts().system(), "Ubuntu 22.04.4 LTS");
  EXPECT_EQ(briefs[0].facts().zone(), "us-east-1a");
  EXPECT_EQ(briefs[0].claimants(), 1u);
  EXPECT_LE(briefs[0].ByteSizeLong(), 300u);
  EXPECT_FALSE(briefs[1].has_last_seen());
  EXPECT_FALSE(briefs[1].has_facts());
}

TEST_F(RosterBoundsTest, BriefsGoByTheSpecificationInForce) {
  Enrol("a");
  v1::HeartbeatRequest request = Beat("a");
  v1::Facts facts;
  ASSERT_TRUE(facts.ParseFromString(request.facts_bytes()));
  facts.mutable_storage();  // nothing is mounted
  request.set_facts_bytes(facts.SerializeAsString());
  Hear(request, kNoon);
  EXPECT_FALSE(roster_->Briefs(kNoon).front().facts().has_mount_verified());
  v1::Desired desired;
  desired.set_generation(1);
  desired.mutable_spec()->mutable_storage()->set_mount_point("/mnt/connect");
  roster_->SetSpec(desired);
  const auto briefs = roster_->Briefs(kNoon);
  ASSERT_EQ(briefs.size(), 1u);
  ASSERT_TRUE(briefs[0].facts().has_mount_verified());
  EXPECT_FALSE(briefs[0].facts().mount_verified());
}

}  // namespace
}  // namespace connect_ha
