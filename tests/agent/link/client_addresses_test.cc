// Where a node calls: which of several addresses, and what it says of one where no coordinator of
// its own answers.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "agent/link/identity.h"
#include "common/file.h"
#include "tests/agent/link/client_fixture.h"
#include "tests/agent/link/raw_server.h"
#include "tests/coordinator/service/test_cluster.h"

namespace connect_ha {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

TEST_F(ClientTest, ARenewalBringsTheAddressesAndTheOneThatAnsweredStays) {
  ASSERT_TRUE(WriteSmallFile(cluster_.dir() + "/coordinator", "new.example.com:8443\n", 0644).ok());
  cluster_.Restart();
  const auto client = Client(IssuedAgo("node-1", hours(20 * 24)), milliseconds(20));
  const std::vector<std::string> both = {"new.example.com:8443", cluster_.target()};

  EXPECT_TRUE(Eventually([&] {
    const auto identity = LoadNodeIdentity(state_ / "node-1");
    return identity.ok() && identity->coordinators == both;
  }));
}

// An agent of release 0.1 calls for ever where it joined.
TEST_F(ClientTest, WhereNodesJoinAReportIsToldWhatToDo) {
  NodeIdentity identity = IssuedAgo("node-1", hours(0));
  identity.coordinator = cluster_.enrol_target();

  const auto beat = Client(identity)->Heartbeat(Beat("node-1"));

  EXPECT_EQ(beat.status().code(), absl::StatusCode::kUnimplemented) << beat.status();
  EXPECT_NE(beat.status().message().find("token create --node node-1"), absl::string_view::npos)
      << beat.status();
}

TEST_F(ClientTest, OfSeveralAddressesTheNextIsTriedWhereOneDoesNotAnswer) {
  NodeIdentity identity = IssuedAgo("node-1", hours(0));
  identity.coordinators = {"127.0.0.1:1", cluster_.target()};
  const auto client = Client(identity);

  const auto first = client->Heartbeat(Beat("node-1"));
  const auto second = client->Heartbeat(Beat("node-1"));

  EXPECT_EQ(first.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(second.ok()) << second.status();
}

// As a host that is gone, whose packets nobody answers.
TEST_F(ClientTest, OfSeveralAddressesTheNextIsTriedWhereOneSaysNothing) {
  const RawServer silent("", false);
  NodeIdentity identity = IssuedAgo("node-1", hours(0));
  identity.coordinators = {silent.address(), cluster_.target()};
  const auto client = Client(identity);

  const auto first = client->Heartbeat(Beat("node-1"));
  const auto second = client->Heartbeat(Beat("node-1"));

  EXPECT_FALSE(first.ok());
  EXPECT_TRUE(second.ok()) << second.status();
}

TEST_F(ClientTest, OfSeveralAddressesItIsSaidWhichDoesNotAnswer) {
  NodeIdentity identity = IssuedAgo("node-1", hours(0));
  identity.coordinators = {"127.0.0.1:1", "127.0.0.1:2"};
  const auto client = Client(identity);

  for (const std::string& address : identity.coordinators) {
    const auto beat = client->Heartbeat(Beat("node-1"));
    EXPECT_NE(beat.status().message().find(address + ":"), absl::string_view::npos)
        << beat.status();
  }
}

TEST_F(ClientTest, AnotherCoordinatorAtTheAddressIsNamed) {
  NodeIdentity identity = IssuedAgo("node-1", hours(0));
  const TestCluster other;
  identity.coordinator = other.target();

  const auto beat = Client(identity)->Heartbeat(Beat("node-1"));

  EXPECT_EQ(beat.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(beat.status().message().find("not the pinned"), absl::string_view::npos)
      << beat.status();
}

TEST_F(ClientTest, APlaintextServerAtTheAddressIsNamed) {
  NodeIdentity identity = IssuedAgo("node-1", hours(0));
  const RawServer server("HTTP/1.1 400 Bad Request\r\n\r\n", false);
  identity.coordinator = server.address();

  const auto beat = Client(identity)->Heartbeat(Beat("node-1"));

  EXPECT_EQ(beat.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(beat.status().message().find("does not speak TLS"), absl::string_view::npos)
      << beat.status();
}

}  // namespace
}  // namespace connect_ha
