// Who sees whom, at the edges: what is no proof, and whom it names.
#include "common/checklist/view/proof_matrix.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace connect_ha {
namespace {

constexpr char kChallenge[] = "c1";
constexpr int64_t kNow = 1'722'513'600;
using Places = std::vector<size_t>;

// Nodes that see each other.
class MatrixTest : public ::testing::Test {
 protected:
  void Make(int count) {
    cluster_.mutable_taken_at()->set_seconds(kNow);
    cluster_.set_proof_challenge(kChallenge);
    for (int i = 0; i < count; ++i) {
      v1::NodeSnapshot& node = *cluster_.add_nodes();
      node.set_name(absl::StrCat("node-", i));
      node.mutable_last_seen()->set_seconds(kNow - 2);
      node.mutable_facts()->mutable_host()->set_machine_id(absl::StrCat("m", i));
      node.mutable_facts()->mutable_connect()->mutable_unit()->set_active_state("inactive");
      v1::BeaconDirectory& own = *node.mutable_facts()->mutable_beacons()->add_directories();
      own.set_key("Server.DataDir");
      own.set_nonce(absl::StrCat("n", i));
      own.set_challenge(kChallenge);
      own.set_rounds(5);
      v1::PresenceFacts& presence = *node.mutable_facts()->mutable_presence();
      presence.set_own_key(static_cast<uint32_t>(100 + i));
      presence.set_rounds(5);
      for (int other = 0; other < count; ++other) {
        presence.add_seen_keys(static_cast<uint32_t>(100 + other));
        if (other == i) continue;
        v1::SeenBeacon& seen = *own.add_seen();
        seen.set_node(absl::StrCat("node-", other));
        seen.set_machine_id(absl::StrCat("m", other));
        seen.set_nonce(absl::StrCat("n", other));
        seen.set_challenge(kChallenge);
        seen.set_renewed(true);
      }
    }
  }
  v1::BeaconDirectory& Own(int node) {
    return *cluster_.mutable_nodes(node)->mutable_facts()->mutable_beacons()->mutable_directories(
        0);
  }
  v1::SeenBeacon& Seen(int node, int other) {
    for (v1::SeenBeacon& seen : *Own(node).mutable_seen()) {
      if (seen.node() == absl::StrCat("node-", other)) return seen;
    }
    ADD_FAILURE() << "nothing seen of " << other;
    return *Own(node).add_seen();
  }
  void Serve(int node) {
    v1::ConnectFacts& connect = *cluster_.mutable_nodes(node)->mutable_facts()->mutable_connect();
    connect.mutable_unit()->set_active_state("active");
    connect.mutable_ping()->set_http_status(200);
  }
  // Neither sees the other's beacon or lock.
  void Separate(int a, int b) {
    for (const auto& [viewer, other] : {std::pair<int, int>(a, b), std::pair<int, int>(b, a)}) {
      auto& keys =
          *cluster_.mutable_nodes(viewer)->mutable_facts()->mutable_presence()->mutable_seen_keys();
      keys.erase(std::remove(keys.begin(), keys.end(), static_cast<uint32_t>(100 + other)),
                 keys.end());
      v1::BeaconDirectory kept = Own(viewer);
      Own(viewer).clear_seen();
      for (const v1::SeenBeacon& seen : kept.seen()) {
        if (seen.node() != absl::StrCat("node-", other)) *Own(viewer).add_seen() = seen;
      }
    }
  }
  std::vector<const v1::NodeSnapshot*> Nodes() const {
    std::vector<const v1::NodeSnapshot*> nodes;
    for (const v1::NodeSnapshot& node : cluster_.nodes()) nodes.push_back(&node);
    return nodes;
  }
  void Put(int node, const std::string& key, const std::string& resolved) {
    v1::DataDirectory& directory =
        *cluster_.mutable_nodes(node)->mutable_facts()->mutable_storage()->add_directories();
    directory.set_key(key);
    directory.set_resolved(resolved);
    directory.set_mount_point("/mnt/connect");
  }
  ProofMatrix Beacons() const { return SeeBeacons(cluster_, Nodes(), "Server.DataDir"); }
  Glance At(size_t viewer, size_t other) const { return Beacons().glances[viewer][other]; }

  v1::Snapshot cluster_;
};

TEST_F(MatrixTest, AllSeeAll) {
  Make(3);
  EXPECT_TRUE(Beacons().AllSeen());
  EXPECT_FALSE(FindApart(Beacons()));
}

TEST_F(MatrixTest, WhatWasWrittenBeforeItWasAskedForProvesNothing) {
  Make(2);
  cluster_.set_proof_challenge("c2");
  EXPECT_FALSE(Beacons().AllSeen());
  EXPECT_FALSE(FindApart(Beacons()));
  EXPECT_NE(Beacons().why_not[0], "");
}

TEST_F(MatrixTest, WhatIsNotSeenIsNoProofBeforeBothHaveSettled) {
  Make(2);
  Separate(0, 1);
  EXPECT_TRUE(FindApart(Beacons()));
  Own(0).set_rounds(4);
  EXPECT_FALSE(FindApart(Beacons()));
  Own(0).set_rounds(5);
  Own(1).set_rounds(4);
  EXPECT_FALSE(FindApart(Beacons()));
}

// Its agent may have ended meanwhile.
TEST_F(MatrixTest, WhoWasNotHeardLatelyIsNotMissed) {
  Make(2);
  Separate(0, 1);
  cluster_.mutable_nodes(1)->mutable_last_seen()->set_seconds(kNow - 45);
  EXPECT_TRUE(FindApart(Beacons()));
  cluster_.mutable_nodes(1)->mutable_last_seen()->set_seconds(kNow - 46);
  EXPECT_FALSE(FindApart(Beacons()));
  cluster_.mutable_nodes(1)->clear_last_seen();
  EXPECT_FALSE(FindApart(Beacons()));
}

// A machine that was paused for two minutes is heard at once, with what it said before; that its
// beacon is renewed, and that its lock is gone, shows in the next rounds.
TEST_F(MatrixTest, WhoHasJustComeBackIsNotMissed) {
  Make(2);
  Seen(0, 1).set_renewed(false);
  cluster_.mutable_nodes(0)->mutable_facts()->mutable_presence()->clear_seen_keys();
  EXPECT_TRUE(FindApart(Beacons()));
  EXPECT_TRUE(FindApart(SeePresence(cluster_, Nodes())));
  for (const int back : {0, 1}) {
    cluster_.mutable_nodes(back)->mutable_back_at()->set_seconds(kNow - 120);
    EXPECT_FALSE(FindApart(Beacons())) << back;
    EXPECT_FALSE(FindApart(SeePresence(cluster_, Nodes()))) << back;
    EXPECT_FALSE(Beacons().AllSeen()) << back;
    cluster_.mutable_nodes(back)->mutable_back_at()->set_seconds(kNow - 121);
    EXPECT_TRUE(FindApart(Beacons())) << back;
    EXPECT_TRUE(FindApart(SeePresence(cluster_, Nodes()))) << back;
  }
}

// Of a node that is gone, while the coordinator's clock comes to where it was before.
TEST_F(MatrixTest, WhoWasHeardInTheFutureIsNotMissed) {
  Make(2);
  Separate(0, 1);
  cluster_.mutable_nodes(1)->mutable_last_seen()->set_seconds(kNow + 46);
  EXPECT_FALSE(FindApart(Beacons()));
  cluster_.mutable_nodes(1)->mutable_last_seen()->set_seconds(kNow + 1);
  EXPECT_TRUE(FindApart(Beacons()));
}

// The agent was started again, and the coordinator has an older report of it.
TEST_F(MatrixTest, ARenewedBeaconUnderAnotherNonceIsNoProof) {
  Make(2);
  Seen(1, 0).set_nonce("newer");
  EXPECT_EQ(At(1, 0).sight, Sight::kWaiting);
  EXPECT_EQ(At(0, 1).sight, Sight::kSeen);
}

TEST_F(MatrixTest, TellsWhatIsThereInstead) {
  Make(2);
  Seen(1, 0).set_renewed(false);
  EXPECT_EQ(At(1, 0).sight, Sight::kNotSeen);
  EXPECT_EQ(At(1, 0).instead, Instead::kOld);
  Seen(1, 0).set_machine_id("another");
  EXPECT_EQ(At(1, 0).instead, Instead::kOtherMachine);
  Own(1).clear_seen();
  EXPECT_EQ(At(1, 0).instead, Instead::kNothing);
}

// After a look that missed it, for one.
TEST_F(MatrixTest, WhatWasReadForTooFewLooksIsNoOldOne) {
  Make(2);
  Seen(1, 0).set_renewed(false);
  Seen(1, 0).set_too_new(true);
  EXPECT_EQ(At(1, 0).sight, Sight::kWaiting);
  EXPECT_FALSE(FindApart(Beacons()));
  EXPECT_FALSE(Beacons().AllSeen());
}

TEST_F(MatrixTest, WhatCannotBeReadIsUnknown) {
  Make(2);
  Seen(1, 0).set_error("is a link");
  EXPECT_EQ(At(1, 0).sight, Sight::kWaiting);
  EXPECT_EQ(At(1, 0).why, "the beacon under its name is a link");
  Own(1).clear_seen();
  Own(1).set_left_out(3);
  EXPECT_EQ(At(1, 0).sight, Sight::kWaiting);
}

TEST_F(MatrixTest, WhoCannotWriteHasNoPart) {
  Make(2);
  Own(1).set_error("read-only file system");
  EXPECT_EQ(Beacons().why_not[1], "cannot put its beacon there: read-only file system");
  EXPECT_FALSE(Beacons().AllSeen());
  EXPECT_FALSE(FindApart(Beacons()));
}

TEST_F(MatrixTest, OfTwoBothAreNamed) {
  Make(2);
  Separate(0, 1);
  const auto apart = FindApart(Beacons());
  ASSERT_TRUE(apart);
  EXPECT_EQ(apart->named, Places({0, 1}));
  EXPECT_TRUE(apart->others.empty());
}

TEST_F(MatrixTest, TheFewAreNamedAgainstTheMany) {
  Make(3);
  Separate(0, 1);
  Separate(0, 2);
  const auto apart = FindApart(Beacons());
  ASSERT_TRUE(apart);
  EXPECT_EQ(apart->named, Places({0}));
  EXPECT_EQ(apart->others, Places({1, 2}));
}

TEST_F(MatrixTest, OfTwoHalvesNobodyIsRight) {
  Make(4);
  for (const int a : {0, 1}) {
    for (const int b : {2, 3}) Separate(a, b);
  }
  const auto apart = FindApart(Beacons());
  ASSERT_TRUE(apart);
  EXPECT_EQ(apart->named, Places({0, 1, 2, 3}));
  EXPECT_TRUE(apart->others.empty());
}

TEST_F(MatrixTest, TwoThatAThirdSeesBothAreNamed) {
  Make(3);
  Separate(0, 1);
  const auto apart = FindApart(Beacons());
  ASSERT_TRUE(apart);
  EXPECT_EQ(apart->named, Places({0, 1}));
  EXPECT_TRUE(apart->others.empty());
}

// They may all have one copy of what users have.
TEST_F(MatrixTest, NewcomersDoNotOutvoteThoseThatServe) {
  for (const auto& [serving, all] : {std::pair<int, int>(1, 3), std::pair<int, int>(2, 5)}) {
    cluster_.Clear();
    Make(all);
    Places right;
    Places newcomers;
    for (int node = 0; node < all; ++node) {
      (node < serving ? right : newcomers).push_back(static_cast<size_t>(node));
      if (node < serving) Serve(node);
      for (int other = serving; node < serving && other < all; ++other) Separate(node, other);
    }
    const std::vector<ProofMatrix> matrices = {Beacons(), SeePresence(cluster_, Nodes())};
    for (const ProofMatrix& matrix : matrices) {
      const auto apart = FindApart(matrix);
      ASSERT_TRUE(apart);
      EXPECT_EQ(apart->named, newcomers);
      EXPECT_EQ(apart->others, right);
    }
  }
}

// Connect is being started again, or was killed: users' content is still there.
TEST_F(MatrixTest, WhoIsToServeIsAWitnessWhileConnectIsDown) {
  Make(3);
  Separate(0, 1);
  Separate(0, 2);
  cluster_.mutable_nodes(0)->set_assigned_state(v1::SERVING);
  const auto apart = FindApart(Beacons());
  ASSERT_TRUE(apart);
  EXPECT_EQ(apart->named, Places({1, 2}));
  EXPECT_EQ(apart->others, Places({0}));
}

TEST_F(MatrixTest, ANewcomerIsNoWitnessBetweenTwoThatServe) {
  Make(3);
  Serve(0);
  Serve(1);
  Separate(0, 1);
  Separate(0, 2);
  const auto apart = FindApart(Beacons());
  ASSERT_TRUE(apart);
  EXPECT_EQ(apart->named, Places({0, 1, 2}));
  EXPECT_TRUE(apart->others.empty());
}

TEST_F(MatrixTest, OfThreeThatServeTwoAreRight) {
  Make(4);
  for (const int node : {0, 1, 2}) Serve(node);
  for (const int other : {0, 1, 3}) Separate(2, other);
  const auto apart = FindApart(Beacons());
  ASSERT_TRUE(apart);
  EXPECT_EQ(apart->named, Places({2}));
  EXPECT_EQ(apart->others, Places({0, 1, 3}));
}

// The one that serves writes nothing: which of the others are with it is not known.
TEST_F(MatrixTest, WhoHasNoPartNamesNobody) {
  Make(4);
  Serve(0);
  Own(0).set_error("read-only file system");
  Separate(1, 2);
  Separate(1, 3);
  const auto apart = FindApart(Beacons());
  ASSERT_TRUE(apart);
  EXPECT_EQ(apart->named, Places({1, 2, 3}));
  EXPECT_TRUE(apart->others.empty());
}

TEST_F(MatrixTest, TooManyProveNothing) {
  Make(3);
  std::vector<const v1::NodeSnapshot*> many(kMostProvedNodes + 1, &cluster_.nodes(0));
  const ProofMatrix matrix = SeeBeacons(cluster_, many, "Server.DataDir");
  EXPECT_NE(matrix.too_many, "");
  EXPECT_FALSE(matrix.AllSeen());
  EXPECT_FALSE(FindApart(matrix));
}

// Whoever may connect to the database can hold as many locks as are looked at.
TEST_F(MatrixTest, WhatMayBeBeyondTheKeysThatAreLookedAtIsNotMissed) {
  Make(2);
  v1::PresenceFacts& presence = *cluster_.mutable_nodes(0)->mutable_facts()->mutable_presence();
  presence.clear_seen_keys();
  for (uint32_t key = 0; key < 1023; ++key) presence.add_seen_keys(2000 + key);
  EXPECT_TRUE(FindApart(SeePresence(cluster_, Nodes())));
  presence.add_seen_keys(5000);
  EXPECT_FALSE(FindApart(SeePresence(cluster_, Nodes())));
  EXPECT_FALSE(SeePresence(cluster_, Nodes()).AllSeen());
}

TEST_F(MatrixTest, LocksAreSeenByTheirKeys) {
  Make(2);
  EXPECT_TRUE(SeePresence(cluster_, Nodes()).AllSeen());
  v1::PresenceFacts& presence = *cluster_.mutable_nodes(1)->mutable_facts()->mutable_presence();
  presence.clear_seen_keys();
  presence.add_seen_keys(presence.own_key());
  EXPECT_TRUE(FindApart(SeePresence(cluster_, Nodes())));
  presence.set_rounds(4);
  EXPECT_FALSE(FindApart(SeePresence(cluster_, Nodes())));
  presence.set_rounds(5);
  presence.set_shared_session(true);
  EXPECT_FALSE(FindApart(SeePresence(cluster_, Nodes())));
  EXPECT_NE(SeePresence(cluster_, Nodes()).why_not[1], "");
}

TEST_F(MatrixTest, LocksHaveTheAgesThatAnAgentSays) {
  Make(2);
  EXPECT_FALSE(SeePresence(cluster_, Nodes()).glances[0][1].age_ms);
  v1::PresenceFacts& presence = *cluster_.mutable_nodes(0)->mutable_facts()->mutable_presence();
  presence.add_seen_ages_ms(400);
  EXPECT_FALSE(SeePresence(cluster_, Nodes()).glances[0][1].age_ms);  // of which of the two?
  presence.add_seen_ages_ms(12'000);
  EXPECT_EQ(SeePresence(cluster_, Nodes()).glances[0][1].age_ms, 12'000);
  EXPECT_FALSE(SeePresence(cluster_, Nodes()).glances[1][0].age_ms);
}

// In which mode it is cannot be seen.
TEST_F(MatrixTest, APoolerMayShareSessions) {
  Make(2);
  v1::PresenceFacts& presence = *cluster_.mutable_nodes(1)->mutable_facts()->mutable_presence();
  presence.set_shared_session(true);
  EXPECT_EQ(SeePresence(cluster_, Nodes()).why_not[1],
            "a pooler stands between, which may share sessions");
  presence.set_error("another process answers");
  EXPECT_EQ(SeePresence(cluster_, Nodes()).why_not[1],
            "a pooler stands between, which may share sessions: another process answers");
}

// One data directory, in which two nodes have their databases at two places.
TEST_F(MatrixTest, TwoPlacesBelowOneDataDirectoryAreTwoDirectories) {
  Make(2);
  for (const int node : {0, 1}) {
    Put(node, "Server.DataDir", "/mnt/connect/data");
    Put(node, "Database.Dir", absl::StrCat("/mnt/connect/data/", node));
  }
  const ProofMatrix matrix = SeeBeacons(cluster_, Nodes(), "Database.Dir");
  EXPECT_EQ(matrix.glances[0][1].why, "the directory is another one there");
  EXPECT_NE(matrix.glances[0][1].sight, Sight::kSeen);
}

TEST_F(MatrixTest, ADirectoryThatIsNotReportedIsBelowNone) {
  Make(2);
  Put(0, "Database.Dir", "/mnt/connect/data/db");
  Put(1, "Server.DataDir", "/mnt/connect/data");
  const ProofMatrix matrix = SeeBeacons(cluster_, Nodes(), "Database.Dir");
  EXPECT_NE(matrix.why_not[0], "");
  EXPECT_NE(matrix.why_not[1], "");
}

}  // namespace
}  // namespace connect_ha
