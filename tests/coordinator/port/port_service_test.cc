// The two ports through real sockets: who may be there, for how long, with how much.
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/tls/channel.h"
#include "tests/coordinator/port/raw_calls.h"
#include "tests/coordinator/service/test_cluster.h"
#include "tests/fakes/log_capture.h"

namespace connect_ha {
namespace {

using google::protobuf::ServiceDescriptor;
using std::chrono::milliseconds;
using std::chrono::seconds;

bool Eventually(const std::function<bool()>& condition) {
  const auto until = std::chrono::steady_clock::now() + seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return true;
}

const ServiceDescriptor& ServiceOf(const google::protobuf::FileDescriptor& file,
                                   const std::string& name) {
  return *file.FindServiceByName(name);
}

class PortServiceTest : public testing::Test {
 protected:
  size_t Connections() { return cluster_.coordinator().server().connections(); }

  // The methods of a service that `channel` does not answer.
  std::vector<std::string> NotThere(const std::shared_ptr<grpc::Channel>& channel,
                                    const ServiceDescriptor& service) {
    std::vector<std::string> missing;
    for (int i = 0; i < service.method_count(); ++i) {
      const std::string path =
          absl::StrCat("/", service.full_name(), "/", service.method(i)->name());
      const grpc::Status status = CallWithBytes(channel, path, "");
      if (status.error_code() == grpc::StatusCode::UNIMPLEMENTED) missing.push_back(path);
    }
    return missing;
  }

  grpc::Status Beat(const std::shared_ptr<grpc::Channel>& channel, const std::string& node) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + seconds(20));
    v1::HeartbeatRequest request;
    request.set_node(node);
    request.set_machine_id("machine");
    v1::HeartbeatResponse response;
    return v1::NodeService::NewStub(channel)->Heartbeat(&context, request, &response);
  }

  const google::protobuf::FileDescriptor& node_file_ = *v1::HeartbeatRequest::descriptor()->file();
  const google::protobuf::FileDescriptor& admin_file_ =
      *v1::GetChecklistRequest::descriptor()->file();
  const google::protobuf::FileDescriptor& enrolment_file_ =
      *v1::ChallengeRequest::descriptor()->file();
  TestCluster cluster_;
};

TEST_F(PortServiceTest, EachPortHasItsServicesAndNoOther) {
  const auto nodes = cluster_.ConnectAdmin();
  const auto enrolment = cluster_.ConnectToEnrol();
  const ServiceDescriptor& node = ServiceOf(node_file_, "NodeService");
  const ServiceDescriptor& admin = ServiceOf(admin_file_, "AdminService");
  const ServiceDescriptor& renewal = ServiceOf(enrolment_file_, "RenewalService");
  const ServiceDescriptor& joining = ServiceOf(enrolment_file_, "EnrolmentService");

  for (const ServiceDescriptor* service : {&node, &admin, &renewal}) {
    EXPECT_EQ(NotThere(nodes, *service), std::vector<std::string>{}) << service->name();
    EXPECT_EQ(NotThere(enrolment, *service).size(), static_cast<size_t>(service->method_count()));
  }
  EXPECT_EQ(NotThere(enrolment, joining), std::vector<std::string>{});
  EXPECT_EQ(NotThere(nodes, joining).size(), static_cast<size_t>(joining.method_count()));
}

TEST_F(PortServiceTest, AnAgentOfTheFirstReleaseRenewsWhereItAlwaysDid) {
  v1::RenewRequest request;
  request.set_csr_der(*MakeCsr(*MakeKey()));
  const auto channel = cluster_.ConnectNode("node-1");
  ASSERT_TRUE(Beat(channel, "node-1").ok());
  const grpc::Status status =
      CallWithBytes(channel, "/connect_ha.v1.EnrolmentService/Renew", request.SerializeAsString());
  EXPECT_TRUE(status.ok()) << status.error_message();
}

TEST_F(PortServiceTest, SilentConnectionsOfOneNeighbourKeepNobodyElseOut) {
  std::vector<RawConnection> silent;
  for (int i = 0; i < 200; ++i) {
    silent.emplace_back("127.0.0.2", cluster_.coordinator().port());
    ASSERT_TRUE(silent.back().connected());
  }
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < 10; ++i) {
    const std::string node = absl::StrCat("node-", i);
    EXPECT_TRUE(Beat(cluster_.ConnectNode(node), node).ok());
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds(10));
  EXPECT_LE(Connections(), 24u + 10u);  // the others of the neighbour wait
}

TEST_F(PortServiceTest, AConnectionThatNobodyCallsOverIsHungUpOn) {
  const RawConnection silent("127.0.0.2", cluster_.coordinator().port());
  EXPECT_TRUE(silent.IsHungUpOn());
  EXPECT_TRUE(Eventually([this] { return Connections() == 0; }));
}

TEST_F(PortServiceTest, WhoSendsTooMuchWhereNodesJoinIsHungUpOn) {
  const LogCapture log;
  const auto channel = cluster_.ConnectToEnrol();
  const auto stub = v1::EnrolmentService::NewStub(channel);
  v1::ChallengeRequest request;
  request.set_token_id(std::string(15'000, 'a'));
  grpc::Status status;
  for (int calls = 0; calls < 5000 && status.ok(); ++calls) {
    grpc::ClientContext context;
    v1::ChallengeResponse response;
    status = stub->Challenge(&context, request, &response);
  }
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE) << status.error_message();
  // Not for the time that it took.
  const std::vector<std::string> hung_up = log.Await("hung up: ");
  ASSERT_EQ(hung_up.size(), 1u);
  EXPECT_TRUE(absl::StrContains(hung_up[0], "hung up: it sent ")) << hung_up[0];
}

TEST_F(PortServiceTest, AMessageThatIsTooLargeToJoinWithIsRefusedUnparsed) {
  v1::ChallengeRequest request;
  request.set_token_id(std::string(17'000, 'a'));
  const grpc::Status status =
      CallWithBytes(cluster_.ConnectToEnrol(), "/connect_ha.v1.EnrolmentService/Challenge",
                    request.SerializeAsString());
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_TRUE(absl::StrContains(status.error_message(), "the limit is 16384"))
      << status.error_message();
}

// A small one may become a large one.
TEST_F(PortServiceTest, AMessageThatIsPackedIsNotTaken) {
  const auto stub = v1::EnrolmentService::NewStub(cluster_.ConnectToEnrol());
  grpc::ClientContext packed, plain;
  packed.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  v1::ChallengeRequest request;
  request.set_token_id(std::string(10'000, 'a'));
  v1::ChallengeResponse response;
  EXPECT_FALSE(stub->Challenge(&packed, request, &response).ok());
  EXPECT_TRUE(stub->Challenge(&plain, request, &response).ok());
}

TEST_F(PortServiceTest, OneCertificatesNameHasSoManyConnections) {
  const TestIdentity identity = cluster_.Issue(Role::kNode, "node-1");
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  for (int i = 0; i < 12; ++i) {
    channels.push_back(cluster_.Connect(identity));
    const grpc::Status status = Beat(channels.back(), "node-1");
    ASSERT_TRUE(status.ok()) << status.error_message();
  }
  EXPECT_TRUE(Eventually([this] { return Connections() == 8; })) << Connections();
  EXPECT_TRUE(Beat(channels.back(), "node-1").ok());  // the newest stays
  EXPECT_EQ(Connections(), 8u);
}

// Else the first ones would be hung up on, as more than one name may have.
TEST_F(PortServiceTest, WhoIsRefusedIsKnownNoMoreThanBefore) {
  const TestIdentity identity = cluster_.Issue(Role::kNode, "node-1");
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  for (int i = 0; i < 12; ++i) {
    channels.push_back(cluster_.Connect(identity));
    EXPECT_EQ(Beat(channels.back(), "node-2").error_code(), grpc::StatusCode::PERMISSION_DENIED);
  }
  EXPECT_EQ(Connections(), 12u);
}

TEST_F(PortServiceTest, ARemovedNodesConnectionsEnd) {
  const auto node = cluster_.ConnectNode("node-1");
  ASSERT_TRUE(Beat(node, "node-1").ok());
  {
    grpc::ClientContext context;  // keeps its connection as long as it lives
    v1::RemoveNodeRequest remove;
    v1::RemoveNodeResponse removed;
    remove.set_node("node-1");
    const auto admin = v1::AdminService::NewStub(cluster_.ConnectAdmin());
    ASSERT_TRUE(admin->RemoveNode(&context, remove, &removed).ok());
  }
  EXPECT_EQ(Beat(node, "node-1").error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_TRUE(Eventually([this] { return Connections() == 0; }));
}

TEST_F(PortServiceTest, ARemovedAdminsConnectionsEnd) {
  cluster_.LetIn("bob", v1::ADMIN);
  const auto bob = cluster_.Connect(cluster_.Issue(Role::kAdmin, "bob"));
  const auto list = [&bob] {
    grpc::ClientContext context;
    v1::ListNodesResponse nodes;
    return v1::AdminService::NewStub(bob)->ListNodes(&context, {}, &nodes).error_code();
  };
  ASSERT_EQ(list(), grpc::StatusCode::OK);
  {
    grpc::ClientContext context;
    v1::RemoveAdminRequest remove;
    v1::RemoveAdminResponse removed;
    remove.set_name("bob");
    const auto admin = v1::AdminService::NewStub(cluster_.ConnectAdmin());
    ASSERT_TRUE(admin->RemoveAdmin(&context, remove, &removed).ok());
  }
  EXPECT_EQ(list(), grpc::StatusCode::PERMISSION_DENIED);  // it is told
  EXPECT_TRUE(Eventually([this] { return Connections() == 0; }));
}

TEST_F(PortServiceTest, AnAdminThatGotANewCertificateIsHungUpOnWithTheOldOne) {
  cluster_.LetIn("bob", v1::ADMIN);
  const auto bob = cluster_.Connect(cluster_.Issue(Role::kAdmin, "bob"));
  const auto stub = v1::AdminService::NewStub(bob);
  grpc::ClientContext list_context, replace_context;
  v1::ListNodesResponse nodes;
  ASSERT_TRUE(stub->ListNodes(&list_context, {}, &nodes).ok());
  v1::CreateAdminRequest replace;
  v1::CreateAdminResponse response;
  replace.set_name("bob");
  replace.set_role(v1::VIEWER);
  replace.set_csr_der(*MakeCsr(*MakeKey()));
  replace.set_replace(true);
  ASSERT_TRUE(stub->CreateAdmin(&replace_context, replace, &response).ok());
  EXPECT_TRUE(Eventually([this] { return Connections() == 0; }));
}

TEST_F(PortServiceTest, ANodeHasOneNudgeStreamTheNewest) {
  cluster_.coordinator().planner().Stop();  // it nudges, too, for what it decides of the node
  TestNode node(cluster_, "node-1");
  ASSERT_TRUE(node.Beat().ok());
  grpc::ClientContext first_context, second_context, admin_context;
  for (grpc::ClientContext* context : {&first_context, &second_context}) {
    context->set_deadline(std::chrono::system_clock::now() + seconds(60));
  }
  const auto first = node.OpenNudges(&first_context);
  ASSERT_EQ(cluster_.coordinator().server().nodes_connected(), 1u);
  const auto second = node.OpenNudges(&second_context);
  v1::Nudge nudge;
  EXPECT_FALSE(first->Read(&nudge));
  EXPECT_EQ(first->Finish().error_code(), grpc::StatusCode::ABORTED);
  EXPECT_EQ(cluster_.coordinator().server().nodes_connected(), 1u);

  v1::RefreshResponse refresh;
  const auto admin = v1::AdminService::NewStub(cluster_.ConnectAdmin());
  ASSERT_TRUE(admin->Refresh(&admin_context, {}, &refresh).ok());
  EXPECT_TRUE(second->Read(&nudge));
  second_context.TryCancel();
  second->Finish();
}

TEST_F(PortServiceTest, AnotherCertificateIsSeenOnBothPortsAndNothingIsLeftOfTheOldServers) {
  const auto files = *LoadCoordinatorFiles(cluster_.dir());
  ASSERT_TRUE(Beat(cluster_.ConnectNode("node-1"), "node-1").ok());
  for (int i = 0; i < 3; ++i) {
    const absl::Status replaced = cluster_.coordinator().server().Replace(
        {files.certificate, files.key, files.ca}, seconds(1));
    ASSERT_TRUE(replaced.ok()) << replaced;
    const int nodes_port = cluster_.coordinator().port();
    EXPECT_TRUE(Beat(cluster_.ConnectNode("node-1"), "node-1").ok());
    EXPECT_EQ(cluster_.coordinator().port(), nodes_port);
    grpc::ClientContext context;
    v1::ChallengeResponse challenge;
    EXPECT_TRUE(v1::EnrolmentService::NewStub(cluster_.ConnectToEnrol())
                    ->Challenge(&context, {}, &challenge)
                    .ok());
  }
  EXPECT_TRUE(Eventually([this] { return Connections() == 0; })) << Connections();
}

TEST_F(PortServiceTest, APortThatIsTakenIsNamedWithItsOption) {
  TestCluster other;
  other.Stop();
  auto second = Coordinator::Open(other.dir(), other.spec_path(), TestNow());
  ASSERT_TRUE(second.ok()) << second.status();
  const absl::Status taken = (*second)->Start(
      "127.0.0.1:0", absl::StrCat("127.0.0.1:", cluster_.coordinator().enrolment_port()));
  EXPECT_EQ(taken.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StrContains(taken.message(), "or give another --enrol-listen")) << taken;
}

}  // namespace
}  // namespace connect_ha
