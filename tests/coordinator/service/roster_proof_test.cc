// What the coordinator does so that nodes can prove what they share.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/coordinator/service/roster_fixture.h"

namespace connect_ha {
namespace {

using std::chrono::seconds;

const Time kNoon{seconds(1'700'000'000)};

// A node that sees the beacons of these.
v1::HeartbeatRequest Seeing(const std::string& node, const std::vector<std::string>& others) {
  v1::HeartbeatRequest request;
  request.set_node(node);
  request.set_machine_id("machine-" + node);
  request.set_boot_id("boot-1");
  request.set_facts_digest(absl::StrCat("d", others.size()));
  v1::BeaconDirectory& directory = *request.mutable_facts()->mutable_beacons()->add_directories();
  directory.set_key("Server.DataDir");
  for (const std::string& other : others) directory.add_seen()->set_node(other);
  return request;
}

std::vector<std::string> Forgotten(const v1::HeartbeatResponse& response) {
  return {response.forget_beacons().begin(), response.forget_beacons().end()};
}

class RosterProofTest : public RosterFixture {};

TEST_F(RosterProofTest, AsksForSomethingThatNobodyCanHaveWrittenBefore) {
  Enrol("a");
  const std::string challenge = Hear(Seeing("a", {}), kNoon).proof_challenge();
  EXPECT_EQ(challenge.size(), 32u);
  EXPECT_EQ(Hear(Seeing("a", {}), kNoon + seconds(5)).proof_challenge(), challenge);
  EXPECT_EQ(roster_->TakeSnapshot(kNoon).proof_challenge(), challenge);
  Start(kNoon + seconds(10));
  EXPECT_NE(Hear(Seeing("a", {}), kNoon + seconds(10)).proof_challenge(), challenge);
}

TEST_F(RosterProofTest, NamesTheBeaconsOfRemovedNodesUntilTheyAreGone) {
  for (const char* node : {"a", "b", "c"}) Enrol(node);
  EXPECT_TRUE(Forgotten(Hear(Seeing("a", {"b", "c", "stranger"}), kNoon)).empty());
  Remove("b", kNoon + seconds(1));

  // Also in an answer to a call without facts: what counts is what the node saw last.
  v1::HeartbeatRequest bare = Seeing("a", {"b", "c", "stranger"});
  bare.clear_facts();
  EXPECT_EQ(Forgotten(Hear(bare, kNoon + seconds(2))), std::vector<std::string>({"b"}));
  EXPECT_TRUE(Forgotten(Hear(Seeing("a", {"c"}), kNoon + seconds(3))).empty());
}

TEST_F(RosterProofTest, SaysSinceWhenANodeIsBack) {
  Enrol("a");
  Hear(Seeing("a", {}), kNoon);
  Hear(Seeing("a", {}), kNoon + seconds(5));
  EXPECT_FALSE(roster_->TakeSnapshot(kNoon + seconds(5)).nodes(0).has_back_at());
  Hear(Seeing("a", {}), kNoon + seconds(125));
  EXPECT_EQ(FromProto(roster_->TakeSnapshot(kNoon + seconds(126)).nodes(0).back_at()),
            kNoon + seconds(125));
}

TEST_F(RosterProofTest, NamesAFewAtATime) {
  std::vector<std::string> names;
  for (int i = 0; i < 20; ++i) {
    names.push_back(absl::StrCat("n", i));
    Enrol(names.back());
    Remove(names.back(), kNoon);
  }
  Enrol("a");
  EXPECT_EQ(Forgotten(Hear(Seeing("a", names), kNoon)).size(), 16u);
}

TEST_F(RosterProofTest, TakesNoListOfBeaconsThatNoNodeHas) {
  Enrol("a");
  const std::vector<std::string> many(2'001, "n");
  EXPECT_EQ(roster_->Heartbeat(Seeing("a", many), "10.0.0.1", kNoon).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace connect_ha
