// connect-ha proof: who sees whom.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/common/checklist/fixture.h"
#include "tests/coordinator/cli/world.h"

namespace connect_ha {
namespace {

using testing::HasSubstr;
using testing::Not;

// A cluster of tests/clusters/data-dir-is-shared, all of it seen at the world's time.
void See(World& world, const std::string& fixture) {
  world.coordinator.snapshot = test::LoadCluster(test::ClustersDirectory() +
                                                 "/data-dir-is-shared/" + fixture + ".textproto");
}

TEST(Proof, ShowsHowOldWhatANodeSeesIs) {
  World world;
  See(world, "pass");
  EXPECT_EQ(world.Run({"proof", "storage"}), kHolds) << world.error;
  EXPECT_EQ(world.out,
            "Server.DataDir: who (left) sees whose beacon, and how long before that look it was "
            "renewed\n"
            "        node-1  node-2\n"
            "node-1  -       21s\n"
            "node-2  21s     -\n"
            "2 nodes, each is seen by every other\n");
}

TEST(Proof, FailsWhereANodeDoesNotSeeAnother) {
  World world;
  See(world, "fail-copy");
  EXPECT_EQ(world.Run({"proof", "storage"}), kFails);
  EXPECT_THAT(world.out, HasSubstr("node-1  -       NO\n"));
  EXPECT_THAT(world.out, HasSubstr("node-1 does not see node-2: only an old one is there\n"));
  EXPECT_THAT(world.out, HasSubstr("\nfix:   connect-ha checklist --rule data-dir-is-shared\n"));
}

TEST(Proof, OfOneNodeSaysThatThereIsNoOther) {
  World world;
  See(world, "pass-one-node");
  EXPECT_EQ(world.Run({"proof", "storage"}), kHolds);
  EXPECT_THAT(world.out, HasSubstr("there is no other node to see\n"));
}

TEST(Proof, SaysWhoHasNoPartInIt) {
  World world;
  See(world, "follows-not-heard");
  EXPECT_EQ(world.Run({"proof", "storage"}), kUnknown);
  EXPECT_THAT(world.out, HasSubstr("node-2: not heard for 3m 10s (limit 30s)\n"));
  EXPECT_THAT(world.out, HasSubstr("\nfix:   connect-ha checklist --rule data-dir-is-shared\n"));
  See(world, "unknown-not-written");
  EXPECT_EQ(world.Run({"proof", "storage"}), kUnknown);
  EXPECT_THAT(world.out, HasSubstr("node-2: cannot put its beacon there: cannot make "));
}

TEST(Proof, SaysWhatToTypeWhereNobodyAskedForIt) {
  World world;
  See(world, "pass");
  world.coordinator.snapshot.mutable_spec()->clear_prove();
  EXPECT_EQ(world.Run({"proof"}), kUnknown);
  EXPECT_EQ(world.out,
            "Server.DataDir: not asked for\n"
            "fix:   write prove: {storage: true} into cluster.yaml, and put it into force with "
            "connect-ha apply:\n"
            "       each node then works on small files of its own in .connect-ha below the shared "
            "directories\n"
            "\n"
            "database: not asked for\n"
            "fix:   write prove: {database: true} into cluster.yaml, and put it into force with "
            "connect-ha apply:\n"
            "       each node then holds one idle connection to the database\n");
}

TEST(Proof, OfTheDatabaseIsWhoseLockIsSeen) {
  World world;
  See(world, "pass");
  uint32_t key = 7;
  for (v1::NodeSnapshot& node : *world.coordinator.snapshot.mutable_nodes()) {
    v1::PresenceFacts& presence = *node.mutable_facts()->mutable_presence();
    presence.set_own_key(key++);
    presence.set_rounds(5);
    presence.add_seen_keys(7);
    presence.add_seen_keys(8);
  }
  EXPECT_EQ(world.Run({"proof", "database"}), kHolds);
  EXPECT_THAT(world.out, HasSubstr("node-1  -       seen\n"));
  EXPECT_THAT(world.out, Not(HasSubstr("Server.DataDir")));
}

TEST(Proof, OfTheDatabaseShowsHowLongAgoALockWasSeen) {
  World world;
  See(world, "pass");
  for (v1::NodeSnapshot& node : *world.coordinator.snapshot.mutable_nodes()) {
    v1::PresenceFacts& presence = *node.mutable_facts()->mutable_presence();
    for (int i = 0; i < presence.seen_keys_size(); ++i) presence.add_seen_ages_ms(12'345);
  }
  EXPECT_EQ(world.Run({"proof", "database"}), kHolds);
  EXPECT_EQ(world.out,
            "database: who (left) sees whose lock, and how long before its latest report it last "
            "did\n"
            "        node-1  node-2\n"
            "node-1  -       12s\n"
            "node-2  12s     -\n"
            "2 nodes, each is seen by every other\n");
  EXPECT_EQ(world.Run({"proof", "database", "--output", "json"}), kHolds);
  EXPECT_THAT(world.out, HasSubstr("\"age_ms\": \"12345\""));
}

TEST(Proof, IsJsonWhereThatIsAskedFor) {
  World world;
  See(world, "fail-apart");
  EXPECT_EQ(world.Run({"proof", "storage", "--output", "json"}), kFails);
  EXPECT_THAT(world.out, HasSubstr("\"of\": \"Server.DataDir\""));
  EXPECT_THAT(world.out, HasSubstr("\"sight\": \"NOT_SEEN\""));
}

TEST(Proof, OfSomethingElseIsNone) {
  World world;
  EXPECT_EQ(world.Run({"proof", "network"}), kUsage);
  EXPECT_THAT(world.error, HasSubstr("connect-ha proof storage"));
}

}  // namespace
}  // namespace connect_ha
