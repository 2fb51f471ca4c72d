// Calls of a node to a real coordinator: their time, and what becomes of them while it is away.
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "agent/link/identity.h"
#include "common/tls/channel.h"
#include "tests/agent/link/client_fixture.h"

namespace connect_ha {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_F(ClientTest, AllTriesOfACallEndAtOneDeadline) {
  const auto channel = cluster_.ConnectNode("node-1");
  ASSERT_TRUE(channel->WaitForConnected(std::chrono::system_clock::now() + seconds(20)));
  std::vector<std::chrono::system_clock::time_point> deadlines;
  CallAcrossReconnect(*channel, seconds(20), [&](grpc::ClientContext& context) {
    deadlines.push_back(context.deadline());
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "going down");
  });
  ASSERT_EQ(deadlines.size(), 4u);
  // The pauses between take a second.
  EXPECT_LT(deadlines.back() - deadlines.front(), milliseconds(500));
}

TEST_F(ClientTest, ACallIsNotTriedAgainWhereItsTimeIsUp) {
  const auto channel = cluster_.ConnectNode("node-1");
  int calls = 0;
  CallAcrossReconnect(*channel, milliseconds(1), [&](grpc::ClientContext&) {
    ++calls;
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "going down");
  });
  EXPECT_EQ(calls, 1);
}

TEST_F(ClientTest, NudgesReachTheNodeAndComeBackAfterARestart) {
  cluster_.coordinator().planner().Stop();  // it nudges, too, for what it decides of the node
  const auto client = Client(IssuedAgo("node-1", hours(0)));
  std::atomic<int> nudges{0};
  client->OnNudge([&] { ++nudges; });
  ASSERT_TRUE(client->Heartbeat(Beat("node-1")).ok());
  ASSERT_TRUE(Eventually([&] { return cluster_.coordinator().server().nodes_connected() == 1; }));

  ASSERT_TRUE(Admin()->Refresh({}).ok());
  EXPECT_TRUE(Eventually([&] { return nudges > 0; }));

  cluster_.Restart();
  cluster_.coordinator().planner().Stop();
  ASSERT_TRUE(Eventually([&] { return cluster_.coordinator().server().nodes_connected() == 1; }));
  const int before = nudges;
  ASSERT_TRUE(Eventually([&] { return client->Heartbeat(Beat("node-1")).ok(); }));
  ASSERT_TRUE(Admin()->Refresh({}).ok());
  EXPECT_TRUE(Eventually([&] { return nudges > before; }));
}

TEST_F(ClientTest, ACoordinatorThatIsAwayIsUnavailableWithTheReason) {
  const NodeIdentity identity = IssuedAgo("node-1", hours(0));
  cluster_.Stop();

  const auto beat = Client(identity)->Heartbeat(Beat("node-1"));

  EXPECT_EQ(beat.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(beat.status().message().find("connection refused"), absl::string_view::npos)
      << beat.status();
}

TEST_F(ClientTest, EndsAtOnceWhileTheCoordinatorIsAway) {
  const NodeIdentity identity = IssuedAgo("node-1", hours(20 * 24));
  cluster_.Stop();
  auto client = Client(identity, milliseconds(50));
  client->OnNudge([] {});
  std::this_thread::sleep_for(milliseconds(300));
  const auto begun = std::chrono::steady_clock::now();

  client.reset();

  EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds(2));
}

}  // namespace
}  // namespace connect_ha
