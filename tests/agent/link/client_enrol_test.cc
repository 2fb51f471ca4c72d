// How a node joins a real coordinator, is removed, and joins again.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "agent/link/coordinator_link.h"
#include "agent/link/enroll.h"
#include "agent/link/identity.h"
#include "common/file.h"
#include "connect_ha/v1/admin_service.pb.h"
#include "coordinator/identity/init.h"
#include "tests/agent/link/client_fixture.h"
#include "tests/coordinator/service/test_cluster.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

void Ignore(const std::string&) {}

TEST_F(ClientTest, EnrolsAndBeats) {
  const EnrollOptions options = Options("node-1");

  const auto result = Enroll(options, TestNow, Ignore);

  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_FALSE(result->already);
  EXPECT_FALSE(FileExists(options.state_dir + "/node.key.enrolling"));
  const auto identity = LoadNodeIdentity(options.state_dir);
  ASSERT_TRUE(identity.ok()) << identity.status();
  EXPECT_EQ(identity->certificate.serial, result->identity.certificate.serial);
  EXPECT_EQ(identity->digest_key, LoadCoordinatorFiles(cluster_.dir())->digest_key);
  const auto beat = Client(*identity)->Heartbeat(Beat("node-1"));
  EXPECT_TRUE(beat.ok()) << beat.status();
}

TEST_F(ClientTest, EnrollingTwiceWithOneTokenIsTheSame) {
  const EnrollOptions options = Options("node-1");
  const auto first = Enroll(options, TestNow, Ignore);

  const auto second = Enroll(options, TestNow, Ignore);

  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_TRUE(second->already);
  EXPECT_EQ(second->identity.certificate.serial, first->identity.certificate.serial);
}

// As the user data of a node do that joined with release 0.1, once its port was corrected there.
TEST_F(ClientTest, EnrollingAgainAtAnotherPortOfTheCoordinatorIsTheSame) {
  const EnrollOptions options = Options("node-1");
  ASSERT_TRUE(Enroll(options, TestNow, Ignore).ok());
  NodeIdentity older = *LoadNodeIdentity(options.state_dir);
  older.coordinator = cluster_.target();
  ASSERT_TRUE(StoreNodeIdentity(options.state_dir, older).ok());

  const auto again = Enroll(options, TestNow, Ignore);

  ASSERT_TRUE(again.ok()) << again.status();  // though the token is used up
  EXPECT_TRUE(again->already);
}

// As on a machine that was made from a node's disk, with the group's token in its user data.
TEST_F(ClientTest, AnotherMachineWithTheNodesFilesIsEnrolledAnew) {
  v1::CreateTokenRequest group;
  group.set_uses(3);
  EnrollOptions options = Options("node-1", group);
  ASSERT_TRUE(Enroll(options, TestNow, Ignore).ok());
  options.machine_id = "fedcba9876543210fedcba9876543210";
  const auto same_name = Enroll(options, TestNow, Ignore);
  options.node = "node-2";
  const auto own_name = Enroll(options, TestNow, Ignore);
  const auto again = Enroll(options, TestNow, Ignore);

  EXPECT_FALSE(same_name.ok());  // another machine's
  ASSERT_TRUE(own_name.ok()) << own_name.status();
  EXPECT_FALSE(own_name->already);
  EXPECT_EQ(own_name->identity.certificate.identity.name, "node-2");
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->already);
}

// The coordinator has spent the token, and the node was killed before it stored the answer.
TEST_F(ClientTest, EnrolmentThatWasKilledIsRunAgainWithTheSameToken) {
  const EnrollOptions options = Options("node-1");
  ASSERT_TRUE(Enroll(options, TestNow, Ignore).ok());
  std::filesystem::rename(options.state_dir + "/node.key",
                          options.state_dir + "/node.key.enrolling");
  for (const char* name : {"/node.crt", "/ca.crt", "/digest.key", "/enrolment"}) {
    std::filesystem::remove(options.state_dir + name);
  }

  const auto again = Enroll(options, TestNow, Ignore);

  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_FALSE(again->already);
  const auto tokens = Admin()->ListTokens({});
  ASSERT_EQ(tokens->tokens_size(), 1);
  EXPECT_EQ(tokens->tokens(0).uses_spent(), 1u);
}

TEST_F(ClientTest, EnrolmentWaitsForACoordinatorThatIsNotUpYet) {
  EnrollOptions options = Options("node-1");
  options.wait = seconds(30);
  cluster_.Stop();
  std::vector<std::string> reports;
  std::thread later([this] {
    std::this_thread::sleep_for(milliseconds(300));
    cluster_.Start();
  });

  const auto result =
      Enroll(options, TestNow, [&](const std::string& line) { reports.push_back(line); });
  later.join();

  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_FALSE(reports.empty());
  EXPECT_NE(reports[0].find("connection refused"), std::string::npos) << reports[0];
}

TEST_F(ClientTest, EnrolmentGivesUpAtOnceWhenNotToldToWait) {
  const EnrollOptions options = Options("node-1");
  cluster_.Stop();

  const auto result = Enroll(options, TestNow, Ignore);

  EXPECT_EQ(result.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(FileExists(options.state_dir + "/node.key.enrolling"));
}

TEST_F(ClientTest, EnrolmentDoesNotWaitWhereWaitingDoesNotHelp) {
  EnrollOptions options = Options("node-1");
  options.wait = seconds(60);
  options.ca_hash = "sha256:" + std::string(64, '0');

  const auto result = Enroll(options, TestNow, Ignore);

  EXPECT_EQ(result.status().code(), absl::StatusCode::kFailedPrecondition) << result.status();
}

TEST_F(ClientTest, JoiningOnThePortOfNodesSaysThatAnotherIsMeant) {
  EnrollOptions options = Options("node-1");
  options.coordinator = cluster_.target();

  const auto result = Enroll(options, TestNow, Ignore);

  EXPECT_EQ(result.status().code(), absl::StatusCode::kUnavailable) << result.status();
  EXPECT_NE(result.status().message().find("check the port"), absl::string_view::npos)
      << result.status();
}

TEST_F(ClientTest, ARemovedNodeIsToldAndJoinsAgainWithANewToken) {
  const auto first = Enroll(Options("node-1"), TestNow, Ignore);
  const auto client = Client(first->identity);
  ASSERT_TRUE(client->Heartbeat(Beat("node-1")).ok());
  v1::RemoveNodeRequest remove;
  remove.set_node("node-1");
  ASSERT_TRUE(Admin()->RemoveNode(remove).ok());

  const auto beat = client->Heartbeat(Beat("node-1"));
  // Certificates count in whole seconds.
  std::this_thread::sleep_for(milliseconds(1'100));
  const auto second = Enroll(Options("node-1"), TestNow, Ignore);

  EXPECT_EQ(beat.status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_TRUE(IsRemoval(beat.status())) << beat.status();
  EXPECT_NE(beat.status().message().find("was removed from cluster \"test\""),
            absl::string_view::npos)
      << beat.status();
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_TRUE(Client(second->identity)->Heartbeat(Beat("node-1")).ok());
  EXPECT_EQ(client->Heartbeat(Beat("node-1")).status().code(), absl::StatusCode::kPermissionDenied);
}

}  // namespace
}  // namespace connect_ha
