#include "agent/link/identity.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "common/file.h"
#include "coordinator/identity/authority.h"
#include "tests/fakes/temporary_directory.h"

namespace connect_ha {
namespace {

const Time kNow = Time(std::chrono::seconds(1'730'000'000));

NodeIdentity MakeIdentity(const Authority& authority, const std::string& token) {
  NodeIdentity identity;
  identity.coordinator = "ha.example.com:8444";
  identity.coordinators = {"ha.example.com:8443", "[2001:db8::1]:8443"};
  identity.token_id = token;
  identity.ca = authority.certificate();
  identity.digest_key = std::string("\0\n=key", 6);
  identity.credentials.key = *MakeKey();
  identity.credentials.certificate = *authority.Issue(
      {{authority.cluster(), Role::kNode, "node-1"}, {}}, *MakeCsr(identity.credentials.key), kNow);
  identity.certificate = *ParseCertificate(identity.credentials.certificate);
  return identity;
}

TEST(NodeIdentity, IsReadBackAndSecret) {
  const TemporaryDirectory dir;
  const NodeIdentity identity = MakeIdentity(*Authority::Create("analytics", kNow), "abc");

  ASSERT_TRUE(StoreNodeIdentity(dir.path(), identity).ok());

  const auto loaded = LoadNodeIdentity(dir.path());
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->coordinator, "ha.example.com:8444");
  EXPECT_EQ(loaded->coordinators, identity.coordinators);
  EXPECT_EQ(loaded->token_id, "abc");
  EXPECT_EQ(loaded->ca, identity.ca);
  EXPECT_EQ(loaded->digest_key, identity.digest_key);
  EXPECT_EQ(loaded->credentials.key, identity.credentials.key);
  EXPECT_EQ(FormatIdentity(loaded->certificate.identity), "connect-ha://analytics/node/node-1");
  for (const auto& entry : std::filesystem::directory_iterator(dir.path())) {
    EXPECT_EQ(entry.status().permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write)
        << entry.path();
  }
}

TEST(NodeIdentity, OfReleaseOneCallsWhereItJoined) {
  const TemporaryDirectory dir;
  ASSERT_TRUE(
      StoreNodeIdentity(dir.path(), MakeIdentity(*Authority::Create("old", kNow), "abc")).ok());
  ASSERT_TRUE(WriteSmallFile(dir / "enrolment",
                             "coordinator=old.example.com:8443\ncluster=old\nnode=node-1\n"
                             "token=abc\nmachine=m\n",
                             0600)
                  .ok());

  const auto loaded = LoadNodeIdentity(dir.path());

  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->coordinators, (std::vector<std::string>{"old.example.com:8443"}));
}

TEST(NodeIdentity, WhatTheCoordinatorSaysComesFirstAndWhatWasKnownStays) {
  const std::vector<std::string> known = {"old.example.com:8443", "b.example.com:8443"};
  EXPECT_EQ(MergedCoordinators({"b.example.com", "bad address", "new.example.com:1"}, known),
            (std::vector<std::string>{"b.example.com:8443", "new.example.com:1",
                                      "old.example.com:8443"}));
  EXPECT_EQ(MergedCoordinators({}, known), known);
  std::vector<std::string> many;
  for (int i = 1; i <= 20; ++i) many.push_back("h" + std::to_string(i) + ":8443");
  EXPECT_EQ(MergedCoordinators(many, known).size(), 8u);
}

TEST(NodeIdentity, ThatIsNotThereSaysHowToJoin) {
  const auto identity = LoadNodeIdentity("/nonexistent");

  EXPECT_EQ(identity.status(),
            absl::NotFoundError("this node is not enrolled (cannot read /nonexistent/node.crt: No "
                                "such file or directory); fix: run on the coordinator: connect-ha "
                                "token create, and here what it prints"));
}

TEST(NodeIdentity, OfTwoClustersHalfAndHalfSaysToEnrolAgain) {
  const TemporaryDirectory dir;
  ASSERT_TRUE(
      StoreNodeIdentity(dir.path(), MakeIdentity(*Authority::Create("old", kNow), "abc")).ok());
  const Authority other = *Authority::Create("new", kNow);
  ASSERT_TRUE(WriteSmallFile(dir / "ca.crt", other.certificate(), 0600).ok());

  EXPECT_EQ(LoadNodeIdentity(dir.path()).status().code(), absl::StatusCode::kFailedPrecondition);
}

// Killed for real at many moments: what is found is not enrolled, or whole.
TEST(NodeIdentity, IsWholeOrNoneWhereverTheFirstEnrolmentWasKilled) {
  constexpr int kKills = 16;
  const Authority authority = *Authority::Create("analytics", kNow);
  const NodeIdentity identity = MakeIdentity(authority, "abc");
  const TemporaryDirectory undisturbed;
  const auto begun = std::chrono::steady_clock::now();
  ASSERT_TRUE(StoreNodeIdentity(undisturbed.path(), identity).ok());
  const auto span = std::chrono::steady_clock::now() - begun;
  for (int i = 0; i < kKills; ++i) {
    const TemporaryDirectory dir;
    const pid_t child = fork();
    if (child == 0) _exit(StoreNodeIdentity(dir.path(), identity).ok() ? 0 : 1);
    std::this_thread::sleep_for(span * i / kKills);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);

    const auto loaded = LoadNodeIdentity(dir.path());

    if (loaded.ok()) {
      EXPECT_EQ(loaded->token_id, "abc");
    } else {
      EXPECT_EQ(loaded.status().code(), absl::StatusCode::kNotFound) << loaded.status();
    }
    ASSERT_TRUE(StoreNodeIdentity(dir.path(), identity).ok());
    EXPECT_TRUE(LoadNodeIdentity(dir.path()).ok());
  }
}

}  // namespace
}  // namespace connect_ha
