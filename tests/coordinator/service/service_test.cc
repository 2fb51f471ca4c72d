// The services as callers see them: over mutual TLS, with a store behind.
#include <gtest/gtest.h>

#include <fstream>
#include <future>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/tls/channel.h"
#include "tests/coordinator/service/test_cluster.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ServiceTest : public testing::Test {
 protected:
  v1::Snapshot Snapshot() { return cluster_.coordinator().roster().TakeSnapshot(TestNow()); }

  std::vector<std::string> Events(v1::Event::Kind kind) {
    std::vector<std::string> texts;
    EventQuery query;
    query.limit = 1000;
    const auto events = cluster_.coordinator().store().ListEvents(query);
    for (const v1::Event& event : *events) {
      if (event.kind() == kind) texts.push_back(event.node() + ": " + event.text());
    }
    return texts;
  }

  TestCluster cluster_;
};

TEST_F(ServiceTest, FirstHeartbeatMakesTheNodeAndItsFactsVisible) {
  TestNode node(cluster_, "node-1");
  const grpc::Status status = node.Beat();
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(node.response.assigned_state(), v1::OBSERVED);
  EXPECT_EQ(node.response.next_heartbeat_ms(), 5000u);
  EXPECT_FALSE(node.response.send_facts());
  EXPECT_GE(node.response.coordinator_sent_us(), node.response.coordinator_received_us());
  const v1::Snapshot snapshot = Snapshot();
  ASSERT_EQ(snapshot.nodes_size(), 1);
  EXPECT_EQ(snapshot.nodes(0).facts().host().hostname(), "node-1.example.com");
  EXPECT_EQ(snapshot.nodes(0).claimants(0).address(), "127.0.0.1");
}

TEST_F(ServiceTest, CoordinatorThatDoesNotHoldTheFactsAsksForThem) {
  TestNode node(cluster_, "node-1");
  ASSERT_TRUE(node.Beat().ok());
  node.request.set_facts_digest("another");
  grpc::ClientContext context;
  node.request.clear_facts();
  ASSERT_TRUE(node.stub().Heartbeat(&context, node.request, &node.response).ok());
  EXPECT_TRUE(node.response.send_facts());
}

TEST_F(ServiceTest, RestartKeepsFactsAndAsksForNothingAgain) {
  TestNode node(cluster_, "node-1");
  ASSERT_TRUE(node.Beat().ok());
  cluster_.Restart();
  EXPECT_EQ(Snapshot().nodes(0).facts().host().hostname(), "node-1.example.com");
  TestNode again(cluster_, "node-1");
  again.request.clear_facts();
  grpc::ClientContext context;
  ASSERT_TRUE(again.stub().Heartbeat(&context, again.request, &again.response).ok());
  EXPECT_FALSE(again.response.send_facts());
}

TEST_F(ServiceTest, ANodeCannotSpeakForAnotherOne) {
  TestNode node(cluster_, "node-1");
  ASSERT_TRUE(node.Beat().ok());
  node.request.set_node("node-2");
  const grpc::Status status = node.Beat();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(status.error_message(), "the certificate is node-1's, which cannot speak for node-2");
  EXPECT_EQ(Snapshot().nodes_size(), 1);
  EXPECT_EQ(Events(v1::Event::REFUSED),
            (std::vector<std::string>{"node-1: call from 127.0.0.1 refused: the certificate is "
                                      "node-1's, which cannot speak for node-2"}));
}

TEST_F(ServiceTest, WhatARefusedNodeSaysOfItsNameIsCutShort) {
  TestNode node(cluster_, "node-1");
  node.request.set_node(std::string(200'000, 'n'));
  const grpc::Status status = node.Beat();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED) << status.error_message();
  EXPECT_LT(status.error_message().size(), 400u);
  const auto events = Events(v1::Event::REFUSED);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_LT(events[0].size(), 400u);
}

TEST_F(ServiceTest, ANodesCertificateIsRefusedOnAdminCalls) {
  const auto stub = v1::AdminService::NewStub(cluster_.ConnectNode("node-1"));
  grpc::ClientContext context;
  v1::Snapshot snapshot;
  const grpc::Status status = stub->GetSnapshot(&context, {}, &snapshot);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(status.error_message(),
            "this call is for admins, the caller is node/node-1\nfix: run connect-ha with an "
            "admin's identity (--identity DIR)");
}

TEST_F(ServiceTest, AnAdminsCertificateIsRefusedOnNodeCalls) {
  const auto stub = v1::NodeService::NewStub(cluster_.ConnectAdmin());
  grpc::ClientContext context;
  v1::HeartbeatRequest request;
  v1::HeartbeatResponse response;
  request.set_node("alice");
  EXPECT_EQ(stub->Heartbeat(&context, request, &response).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(ServiceTest, CallsWithoutACertificateEndInTheHandshake) {
  const auto channel = cluster_.Connect({});
  grpc::ClientContext admin_context, node_context;
  v1::Checklist checklist;
  v1::HeartbeatRequest request;
  v1::HeartbeatResponse response;
  const auto admin =
      v1::AdminService::NewStub(channel)->GetChecklist(&admin_context, {}, &checklist);
  const auto node = v1::NodeService::NewStub(channel)->Heartbeat(&node_context, request, &response);
  EXPECT_EQ(admin.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(node.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(Events(v1::Event::REFUSED).size(), 0u);
}

TEST_F(ServiceTest, ReportOverTheLimitIsRefusedWithItsSize) {
  TestNode node(cluster_, "node-1");
  node.SetFacts(std::string(5'000'000, 'x'));
  const grpc::Status status = node.Beat();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_TRUE(absl::StrContains(status.error_message(), "the limit is 4194304"))
      << status.error_message();
  EXPECT_EQ(Events(v1::Event::REFUSED).size(), 1u);
}

TEST_F(ServiceTest, RefusalsAreWrittenDownOnceAMinuteForAnAddress) {
  TestNode node(cluster_, "node-1");
  node.request.set_node("node-2");
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(node.Beat().ok());
  EXPECT_EQ(Events(v1::Event::REFUSED).size(), 1u);
}

TEST_F(ServiceTest, RemovedNodeIsRefusedAtItsNextCallAndItsStreamEnds) {
  TestNode node(cluster_, "node-1");
  ASSERT_TRUE(node.Beat().ok());
  grpc::ClientContext stream_context, admin_context;
  stream_context.set_deadline(std::chrono::system_clock::now() + seconds(30));
  const auto nudges = node.OpenNudges(&stream_context);
  v1::RemoveNodeRequest remove;
  v1::RemoveNodeResponse removed;
  remove.set_node("node-1");
  const auto admin = v1::AdminService::NewStub(cluster_.ConnectAdmin());
  ASSERT_TRUE(admin->RemoveNode(&admin_context, remove, &removed).ok());
  v1::Nudge nudge;
  while (nudges->Read(&nudge)) {  // what the plan told it before
  }
  EXPECT_EQ(nudges->Finish().error_code(), grpc::StatusCode::PERMISSION_DENIED);
  const grpc::Status status = node.Beat();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_TRUE(absl::StrContains(status.error_message(), "was removed")) << status.error_message();
  EXPECT_EQ(Snapshot().nodes_size(), 0);
  cluster_.Restart();
  EXPECT_EQ(node.Beat().error_code(), grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(ServiceTest, RefreshNudgesTheNodeAndIsDoneWhenItGathered) {
  cluster_.coordinator().planner().Stop();  // it nudges, too, for what it decides of the node
  TestNode node(cluster_, "node-1");
  TestNode silent(cluster_, "node-2");
  ASSERT_TRUE(node.Beat().ok());
  ASSERT_TRUE(silent.Beat().ok());
  grpc::ClientContext stream_context, refresh_context;
  stream_context.set_deadline(std::chrono::system_clock::now() + seconds(60));
  const auto nudges = node.OpenNudges(&stream_context);
  const auto admin = v1::AdminService::NewStub(cluster_.ConnectAdmin());
  v1::RefreshResponse refresh;
  ASSERT_TRUE(admin->Refresh(&refresh_context, {}, &refresh).ok());
  v1::Nudge nudge;
  ASSERT_TRUE(nudges->Read(&nudge));

  const auto status = [&] {
    grpc::ClientContext context;
    v1::RefreshStatusRequest which;
    v1::RefreshStatusResponse response;
    which.set_number(refresh.number());
    EXPECT_TRUE(admin->RefreshStatus(&context, which, &response).ok());
    return response.ShortDebugString();
  };
  EXPECT_EQ(status(), "pending: \"node-1\" pending: \"node-2\"");
  ASSERT_TRUE(node.Beat().ok());
  EXPECT_EQ(node.response.gather(), refresh.number());
  node.request.set_gathered(node.response.gather());
  ASSERT_TRUE(node.Beat().ok());
  EXPECT_EQ(node.response.gather(), 0u);
  cluster_.coordinator().Tick(TestNow());  // as its loop does
  EXPECT_EQ(status(), "done: \"node-1\" pending: \"node-2\"");
  stream_context.TryCancel();
}

// A viewer that asks for everything and reads nothing would fill the memory.
TEST_F(ServiceTest, TheFactsOfAllNodesAreOnTheirWayToAnAdminAFewTimesAtOnce) {
  TestNode node(cluster_, "node-1");
  node.SetFacts(std::string(3 << 20, 'h'));
  ASSERT_TRUE(node.Beat().ok());
  const TestIdentity identity = cluster_.Issue(Role::kAdmin, kFirstAdmin);
  grpc::SslCredentialsOptions ssl;
  ssl.pem_root_certs = LoadCoordinatorFiles(cluster_.dir())->ca;
  ssl.pem_private_key = identity.key;
  ssl.pem_cert_chain = identity.certificate;
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);  // what is not read does not fit
  const auto slow = v1::AdminService::NewStub(
      grpc::CreateCustomChannel(cluster_.target(), grpc::SslCredentials(ssl), arguments));
  grpc::CompletionQueue queue;
  void* tag = nullptr;
  bool ok = false;
  grpc::ClientContext contexts[2];
  std::unique_ptr<grpc::ClientAsyncResponseReader<v1::Snapshot>> unread[2];
  for (int i = 0; i < 2; ++i) {
    unread[i] = slow->AsyncGetSnapshot(&contexts[i], {}, &queue);
    unread[i]->ReadInitialMetadata(&unread[i]);
    ASSERT_TRUE(queue.Next(&tag, &ok));
  }

  const auto admin = v1::AdminService::NewStub(cluster_.ConnectAdmin());
  const auto ask = [&](bool without_facts) {
    grpc::ClientContext context;
    v1::GetSnapshotRequest request;
    v1::Snapshot snapshot;
    request.set_without_facts(without_facts);
    return admin->GetSnapshot(&context, request, &snapshot).error_code();
  };
  EXPECT_EQ(ask(/*without_facts=*/false), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ask(/*without_facts=*/true), grpc::StatusCode::OK);
  for (int i = 0; i < 2; ++i) {
    v1::Snapshot read;
    grpc::Status status;
    unread[i]->Finish(&read, &status, &unread[i]);
    ASSERT_TRUE(queue.Next(&tag, &ok));
    EXPECT_TRUE(status.ok()) << status.error_message();
  }
  const auto until = std::chrono::steady_clock::now() + seconds(10);
  while (ask(/*without_facts=*/false) != grpc::StatusCode::OK) {
    ASSERT_LT(std::chrono::steady_clock::now(), until);
  }
}

// Where nothing is pending, too: a viewer who asks without end keeps nobody at work.
TEST_F(ServiceTest, AskingForARefreshJudgesNothing) {
  TestNode node(cluster_, "node-1");
  ASSERT_TRUE(node.Beat().ok());
  cluster_.coordinator().Tick(TestNow());
  node.SetFacts("another.example.com");
  ASSERT_TRUE(node.Beat().ok());
  const auto before = cluster_.coordinator().evaluator().Latest();
  grpc::ClientContext context;
  v1::RefreshStatusResponse status;
  const auto admin = v1::AdminService::NewStub(cluster_.ConnectAdmin());
  ASSERT_TRUE(admin->RefreshStatus(&context, {}, &status).ok());
  EXPECT_EQ(status.pending_size(), 0) << status.ShortDebugString();
  EXPECT_EQ(cluster_.coordinator().evaluator().Latest(), before);
}

TEST_F(ServiceTest, TwoLiveMachinesUnderOneNameAreShownAndTold) {
  TestNode first(cluster_, "node-1");
  TestNode second(cluster_, "node-1");
  second.request.set_machine_id("another-machine");
  ASSERT_TRUE(first.Beat().ok());
  ASSERT_TRUE(second.Beat().ok());
  EXPECT_EQ(second.response.conflict(), "");
  ASSERT_TRUE(first.Beat().ok());
  ASSERT_TRUE(second.Beat().ok());
  EXPECT_TRUE(absl::StrContains(first.response.conflict(), "two live machines claim this name"));
  EXPECT_EQ(second.response.conflict(), first.response.conflict());
  const v1::NodeSnapshot node = Snapshot().nodes(0);
  EXPECT_EQ(node.claimants_size(), 2);
  EXPECT_FALSE(node.facts().has_host());
  EXPECT_TRUE(absl::StrContains(node.facts().unobserved(0).reason(), "two live machines"));
  EXPECT_EQ(Events(v1::Event::NODE_CONFLICT).size(), 1u);
}

TEST_F(ServiceTest, AdminCallsAnswer) {
  TestNode node(cluster_, "node-1");
  ASSERT_TRUE(node.Beat().ok());
  cluster_.coordinator().Tick(TestNow());
  const auto admin = v1::AdminService::NewStub(cluster_.ConnectAdmin());
  {
    grpc::ClientContext context;
    v1::Checklist checklist;
    ASSERT_TRUE(admin->GetChecklist(&context, {}, &checklist).ok());
    EXPECT_EQ(checklist.cluster(), "test");
    EXPECT_GT(checklist.findings_size(), 10);
    EXPECT_TRUE(checklist.findings(0).has_since());
  }
  {
    grpc::ClientContext context;
    v1::GetSnapshotRequest request;
    v1::Snapshot snapshot;
    request.set_node("nobody");
    const grpc::Status missing = admin->GetSnapshot(&context, request, &snapshot);
    EXPECT_EQ(missing.error_code(), grpc::StatusCode::NOT_FOUND);
    EXPECT_EQ(missing.error_message(), "no node nobody\nfix: name one of these: node-1");
  }
  {
    grpc::ClientContext create, list, revoke, list_again;
    v1::CreateTokenResponse created;
    v1::ListTokensResponse listed, listed_again;
    v1::RevokeTokenRequest which;
    v1::RevokeTokenResponse revoked;
    ASSERT_TRUE(admin->CreateToken(&create, {}, &created).ok());
    ASSERT_TRUE(admin->ListTokens(&list, {}, &listed).ok());
    which.set_id(created.token().id());
    ASSERT_TRUE(admin->RevokeToken(&revoke, which, &revoked).ok());
    ASSERT_TRUE(admin->ListTokens(&list_again, {}, &listed_again).ok());
    EXPECT_FALSE(listed.tokens(0).revoked());
    EXPECT_TRUE(listed_again.tokens(0).revoked());
  }
  {
    grpc::ClientContext context;
    v1::ListEventsRequest request;
    v1::ListEventsResponse events;
    request.set_limit(2);
    ASSERT_TRUE(admin->ListEvents(&context, request, &events).ok());
    EXPECT_EQ(events.events_size(), 2);
    EXPECT_EQ(events.events(1).kind(), v1::Event::TOKEN_REVOKED);
  }
}

TEST_F(ServiceTest, ManyNudgeStreamsComeAndGo) {
  constexpr int kNodes = 50;
  std::vector<std::unique_ptr<TestNode>> nodes;
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<std::unique_ptr<grpc::ClientReader<v1::Nudge>>> streams;
  for (int i = 0; i < kNodes; ++i) {
    nodes.push_back(std::make_unique<TestNode>(cluster_, absl::StrCat("node-", i)));
    contexts.push_back(std::make_unique<grpc::ClientContext>());
    streams.push_back(nodes.back()->OpenNudges(contexts.back().get()));
  }
  EXPECT_EQ(cluster_.coordinator().server().nodes_connected(), size_t{kNodes});
  for (const auto& context : contexts) context->TryCancel();
  for (const auto& stream : streams) stream->Finish();
  const auto until = std::chrono::steady_clock::now() + seconds(10);
  while (cluster_.coordinator().server().nodes_connected() > 0 &&
         std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_EQ(cluster_.coordinator().server().nodes_connected(), 0u);
}

TEST_F(ServiceTest, CertificateIsReplacedUnderLoadWithoutALostHeartbeat) {
  std::atomic<bool> stop{false};
  std::atomic<int> beats{0};
  std::vector<std::future<std::string>> callers;
  for (int i = 0; i < 8; ++i) {
    callers.push_back(std::async(std::launch::async, [&, i]() -> std::string {
      TestNode node(cluster_, absl::StrCat("node-", i));
      while (!stop) {
        const grpc::Status status = node.Beat();
        if (!status.ok()) return absl::StrCat(status.error_code(), " ", status.error_message());
        ++beats;
      }
      return "";
    }));
  }
  // A caller that failed beats no more.
  const auto await_beats = [&] {
    const auto until = std::chrono::steady_clock::now() + seconds(20);
    for (const int before = beats; beats < before + 200;) {
      if (std::chrono::steady_clock::now() > until) break;
      std::this_thread::sleep_for(milliseconds(5));
    }
  };
  const auto files = *LoadCoordinatorFiles(cluster_.dir());
  for (int i = 0; i < 3; ++i) {
    await_beats();
    const absl::Status replaced = cluster_.coordinator().server().Replace(
        {files.certificate, files.key, files.ca}, seconds(2));
    ASSERT_TRUE(replaced.ok()) << replaced;
  }
  await_beats();
  stop = true;
  for (auto& caller : callers) EXPECT_EQ(caller.get(), "");
}

TEST_F(ServiceTest, PortOfAnotherProgramIsRefused) {
  TestCluster other;
  other.Stop();
  auto second = Coordinator::Open(other.dir(), other.spec_path(), TestNow());
  ASSERT_TRUE(second.ok()) << second.status();
  const absl::Status taken =
      (*second)->Start(absl::StrCat("127.0.0.1:", cluster_.coordinator().port()));
  EXPECT_EQ(taken.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StrContains(taken.message(), "is taken by another program")) << taken;
}

TEST_F(ServiceTest, StoreOfARunningCoordinatorIsRefused) {
  const auto second = Coordinator::Open(cluster_.dir(), cluster_.spec_path(), TestNow());
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace connect_ha
