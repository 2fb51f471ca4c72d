// Whoever should not get in, does not, is told why, and leaves the coordinator serving the others.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/tls/channel.h"
#include "common/tls/grpc_log.h"
#include "common/tls/join_proof.h"
#include "coordinator/rpc/methods.h"
#include "tests/coordinator/port/raw_calls.h"
#include "tests/coordinator/service/test_cluster.h"
#include "tests/fakes/log_capture.h"

namespace connect_ha {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr char kMachine[] = "0123456789abcdef0123456789abcdef";

class ImpostorsTest : public testing::Test {
 protected:
  // Whatever a test did, a node that is one is served.
  void TearDown() override {
    TestNode node(cluster_, "honest");
    EXPECT_TRUE(node.Beat().ok());
  }

  static void SetDeadline(grpc::ClientContext& context) {
    context.set_deadline(std::chrono::system_clock::now() + seconds(10));
  }

  std::shared_ptr<grpc::Channel> ConnectWith(const std::string& key,
                                             const std::string& certificate) {
    return cluster_.Connect({key, certificate});
  }

  grpc::Status Beat(const std::shared_ptr<grpc::Channel>& channel, const std::string& node) {
    grpc::ClientContext context;
    SetDeadline(context);
    v1::HeartbeatRequest request;
    request.set_node(node);
    v1::HeartbeatResponse response;
    return v1::NodeService::NewStub(channel)->Heartbeat(&context, request, &response);
  }

  grpc::Status Checklist(const std::shared_ptr<grpc::Channel>& channel) {
    grpc::ClientContext context;
    SetDeadline(context);
    v1::Checklist response;
    return v1::AdminService::NewStub(channel)->GetChecklist(&context, {}, &response);
  }

  JoinToken NewToken(int ttl_seconds = 0) {
    grpc::ClientContext context;
    SetDeadline(context);
    v1::CreateTokenRequest request;
    request.mutable_ttl()->set_seconds(ttl_seconds);
    v1::CreateTokenResponse response;
    const auto status = v1::AdminService::NewStub(cluster_.ConnectAdmin())
                            ->CreateToken(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return *ParseJoinToken(response.token_secret());
  }

  v1::EnrollRequest Request(const JoinToken& token, const std::string& node) {
    grpc::ClientContext context;
    SetDeadline(context);
    v1::ChallengeResponse challenge;
    EXPECT_TRUE(enrolment_->Challenge(&context, {}, &challenge).ok());
    v1::EnrollRequest request;
    request.set_token_id(token.id);
    request.set_challenge(challenge.challenge());
    request.set_csr_der(*MakeCsr(*MakeKey()));
    request.set_node(node);
    request.set_machine_id(kMachine);
    request.set_proof(MakeProof(
        token.secret, {request.challenge(), request.csr_der(), token.id, node, kMachine}));
    return request;
  }

  grpc::Status Enroll(const v1::EnrollRequest& request) {
    grpc::ClientContext context;
    SetDeadline(context);
    v1::EnrollResponse response;
    return enrolment_->Enroll(&context, request, &response);
  }

  grpc::Status Remove(const std::string& node) {
    grpc::ClientContext context;
    SetDeadline(context);
    v1::RemoveNodeRequest request;
    request.set_node(node);
    v1::RemoveNodeResponse response;
    return v1::AdminService::NewStub(cluster_.ConnectAdmin())
        ->RemoveNode(&context, request, &response);
  }

  // Sends bytes to the port as they are and returns what comes back until the other end hangs up
  // or a second has passed.
  std::string SendRaw(const std::string& bytes) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval wait{1, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(cluster_.coordinator().port()));
    EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    std::string answer;
    char buffer[4096];
    ssize_t count = 0;
    while ((count = recv(fd, buffer, sizeof buffer, 0)) > 0) {
      answer.append(buffer, static_cast<size_t>(count));
    }
    close(fd);
    return answer;
  }

  TestCluster cluster_;
  const std::unique_ptr<v1::EnrolmentService::Stub> enrolment_ =
      v1::EnrolmentService::NewStub(cluster_.ConnectToEnrol());
};

TEST_F(ImpostorsTest, CertificateOfAnotherAuthorityIsRefused) {
  const Authority other = *Authority::Create("test", TestNow());
  const std::string key = *MakeKey();
  const std::string certificate =
      *other.Issue({{"test", Role::kNode, "node-1"}, {}}, *MakeCsr(key), TestNow());

  EXPECT_EQ(Beat(ConnectWith(key, certificate), "node-1").error_code(),
            grpc::StatusCode::UNAVAILABLE);
}

TEST_F(ImpostorsTest, ExpiredCertificateIsRefused) {
  const std::string key = *MakeKey();
  const std::string certificate = *LoadAuthority(cluster_.dir())
                                       ->Issue({{"test", Role::kNode, "node-1"}, {}}, *MakeCsr(key),
                                               TestNow() - hours(31 * 24));

  EXPECT_EQ(Beat(ConnectWith(key, certificate), "node-1").error_code(),
            grpc::StatusCode::UNAVAILABLE);
}

TEST_F(ImpostorsTest, NodesCertificateServesNobodyAsACoordinator) {
  // Even one that carries the name it is called by, which no node's does.
  const std::string key = *MakeKey();
  const std::string certificate =
      *LoadAuthority(cluster_.dir())
           ->Issue({{"test", Role::kNode, "node-1"}, {"localhost"}}, *MakeCsr(key), TestNow());
  grpc::ServerBuilder builder;
  grpc::SslServerCredentialsOptions ssl;
  ssl.pem_key_cert_pairs.push_back({key, certificate});
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(ssl), &port);
  v1::NodeService::Service service;
  builder.RegisterService(&service);
  const auto server = builder.BuildAndStart();
  ChannelOptions options;
  options.target = "localhost:" + std::to_string(port);
  options.ca = LoadCoordinatorFiles(cluster_.dir())->ca;

  EXPECT_EQ(Beat(MakeChannel(options), "node-2").error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(ImpostorsTest, GuessedAndUnknownTokensGetTheSameAnswer) {
  const JoinToken token = NewToken();

  const auto guessed = Enroll(Request({token.id, std::string(52, 'a')}, "node-1"));
  const auto unknown = Enroll(Request({"aaaaaaaaaa", std::string(52, 'a')}, "node-1"));

  EXPECT_EQ(guessed.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(guessed.error_message(),
            "the join token was refused; fix: make a new token with: connect-ha token create");
  EXPECT_EQ(unknown.error_code(), guessed.error_code());
  EXPECT_EQ(unknown.error_message(), guessed.error_message());
}

TEST_F(ImpostorsTest, ReplayedEnrolmentIsRefused) {
  const v1::EnrollRequest request = Request(NewToken(), "node-1");
  ASSERT_TRUE(Enroll(request).ok());

  EXPECT_EQ(Enroll(request).error_code(), grpc::StatusCode::ABORTED);
}

TEST_F(ImpostorsTest, ProofIsGoodForNoOtherKeyAndNoOtherName) {
  const JoinToken token = NewToken();
  v1::EnrollRequest other_key = Request(token, "node-1");
  other_key.set_csr_der(*MakeCsr(*MakeKey()));
  v1::EnrollRequest other_name = Request(token, "node-1");
  other_name.set_node("node-2");

  EXPECT_EQ(Enroll(other_key).error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(Enroll(other_name).error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_TRUE(Enroll(Request(token, "node-1")).ok());  // nothing was spent
}

TEST_F(ImpostorsTest, UsedTokenIsRefused) {
  const JoinToken token = NewToken();
  ASSERT_TRUE(Enroll(Request(token, "node-1")).ok());

  const auto second = Enroll(Request(token, "node-2"));

  EXPECT_EQ(second.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_NE(second.error_message().find("is used up"), std::string::npos);
}

TEST_F(ImpostorsTest, ExpiredTokenIsRefused) {
  const JoinToken token = NewToken(1);
  usleep(1'100'000);

  const auto late = Enroll(Request(token, "node-1"));

  EXPECT_EQ(late.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_NE(late.error_message().find("expired at"), std::string::npos);
}

TEST_F(ImpostorsTest, RevokedTokenIsRefused) {
  const JoinToken token = NewToken();
  grpc::ClientContext context;
  SetDeadline(context);
  v1::RevokeTokenRequest revoke;
  revoke.set_id(token.id);
  v1::RevokeTokenResponse revoked;
  ASSERT_TRUE(v1::AdminService::NewStub(cluster_.ConnectAdmin())
                  ->RevokeToken(&context, revoke, &revoked)
                  .ok());

  const auto late = Enroll(Request(token, "node-1"));

  EXPECT_EQ(late.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_NE(late.error_message().find("was revoked"), std::string::npos);
}

TEST_F(ImpostorsTest, RemovedNodeCannotRenewItsWayBack) {
  const TestIdentity node = cluster_.Issue(Role::kNode, "node-1");
  const auto channel = cluster_.Connect(node);
  ASSERT_TRUE(Beat(channel, "node-1").ok());
  ASSERT_TRUE(Remove("node-1").ok());
  grpc::ClientContext context;
  SetDeadline(context);
  v1::RenewRequest renew;
  renew.set_csr_der(*MakeCsr(*MakeKey()));
  v1::RenewResponse renewed;

  const auto status = v1::RenewalService::NewStub(channel)->Renew(&context, renew, &renewed);

  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_NE(status.error_message().find("was removed from cluster"), std::string::npos);
}

TEST_F(ImpostorsTest, CallersWithoutTheRightRoleAreTold) {
  const LogCapture log;
  const auto node = cluster_.ConnectNode("node-1");
  const auto nobody = cluster_.Connect({});

  EXPECT_EQ(Checklist(node).error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(Checklist(nobody).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(Beat(node, "node-2").error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(Beat(cluster_.ConnectAdmin(), "node-1").error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(Beat(nobody, "node-1").error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(log.Await("event=REFUSED address="),
            (std::vector<std::string>{
                "event=REFUSED address=127.0.0.1 actor=node/node-1 reason=\"this call is for "
                "admins, the caller is node/node-1\\nfix: run connect-ha with an admin's identity "
                "(--identity DIR)\""}));
}

TEST_F(ImpostorsTest, CallsThatAreAnsweredAreNotTakenForUnreadOnes) {
  const LogCapture log;
  const JoinToken token = NewToken();
  ASSERT_TRUE(Enroll(Request(token, "node-1")).ok());
  ASSERT_TRUE(Beat(cluster_.ConnectNode("node-1"), "node-1").ok());
  ASSERT_TRUE(Checklist(cluster_.ConnectAdmin()).ok());
  ASSERT_TRUE(Remove("node-1").ok());
  ASSERT_EQ(Beat(cluster_.ConnectNode("node-1"), "node-1").error_code(),
            grpc::StatusCode::PERMISSION_DENIED);

  EXPECT_EQ(log.Await("event=REFUSED").size(), 1u);  // of the node that was removed
}

TEST_F(ImpostorsTest, PlaintextIsRefused) {
  const auto channel =
      grpc::CreateChannel("127.0.0.1:" + std::to_string(cluster_.coordinator().port()),
                          grpc::InsecureChannelCredentials());

  EXPECT_EQ(Beat(channel, "node-1").error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(ImpostorsTest, BytesThatAreNoTlsAreRefused) {
  for (const std::string& bytes :
       {std::string("GET / HTTP/1.1\r\n\r\n"), std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        std::string(100'000, '\0'), std::string(100'000, '\xff'),
        std::string("\x16\x03\x01\xff\xff\x01", 6)}) {
    // A TLS alert at the most.
    EXPECT_LE(SendRaw(bytes).size(), 16u);
  }
}

// gRPC says each text once a minute: what the other tests cause, too.
TEST_F(ImpostorsTest, HandshakesThatFailAreInTheLogOnceWithTheReason) {
  const LogCapture log;
  RouteGrpcLog(GrpcSide::kServer);
  const Authority other = *Authority::Create("test", TestNow());
  const std::string key = *MakeKey();
  const std::string certificate =
      *other.Issue({{"test", Role::kNode, "node-1"}, {}}, *MakeCsr(key), TestNow());

  const grpc::Status refused = Beat(ConnectWith(key, certificate), "node-1");
  for (int i = 0; i < 5; ++i) SendRaw("GET / HTTP/1.1\r\n\r\n");

  EXPECT_EQ(refused.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_NE(refused.error_message(), "");
  EXPECT_EQ(log.Await("certificate verify failed"),
            (std::vector<std::string>{
                "event=REFUSED actor=unknown reason=\"TLS handshake failed (certificate verify "
                "failed): the caller's certificate is of another authority than this cluster's, or "
                "has expired\""}));
  EXPECT_EQ(log.Await("http request"),
            (std::vector<std::string>{"event=REFUSED actor=unknown reason=\"TLS handshake failed "
                                      "(http request): the caller speaks HTTP without TLS\""}));
}

TEST_F(ImpostorsTest, MalformedMessageIsAnErrorOfItsCaller) {
  const LogCapture log;
  const auto channel = cluster_.ConnectNode("node-1");
  const auto joining = cluster_.ConnectToEnrol();
  for (const char* method :
       {"/connect_ha.v1.NodeService/Heartbeat", "/connect_ha.v1.EnrolmentService/Enroll",
        "/connect_ha.v1.AdminService/CreateToken"}) {
    const bool joins = std::string(method).find("Enroll") != std::string::npos;
    for (const std::string& bytes :
         {std::string("\xff\xff\xff\xff"), std::string("\x0a\x7f"), std::string(1000, '\x0b')}) {
      const auto status = CallWithBytes(joins ? joining : channel, method, bytes);
      EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL)
          << method << ": " << status.error_message();
    }
  }
  EXPECT_EQ(CallWithBytes(channel, "/connect_ha.v1.NodeService/Format", "").error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(log.Await("event=REFUSED"),
            (std::vector<std::string>{
                "event=REFUSED address=127.0.0.1 actor=node/node-1 reason=\"its message is not of "
                "the method's type, or no thread was free for it\""}));
}

TEST_F(ImpostorsTest, OversizedMessageIsRefusedBeforeItIsHeld) {
  const auto call = [this](size_t bytes) {
    return CallWithBytes(cluster_.ConnectNode("node-1"), "/connect_ha.v1.NodeService/Heartbeat",
                         std::string(bytes, 'x'));
  };
  // gRPC's own limit, without ours, is less.
  constexpr size_t kLimit = kMaxNodesReceiveBytes;
  const auto refused = call(kLimit + 1);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_NE(refused.error_message().find("larger than max"), std::string::npos)
      << refused.error_message();
  // It arrives, and is not parsed.
  const auto unparsed = call(kLimit);
  EXPECT_EQ(unparsed.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_NE(unparsed.error_message().find("the limit is 262144"), std::string::npos)
      << unparsed.error_message();
}

TEST_F(ImpostorsTest, GarbageForARequestIsRefused) {
  const JoinToken token = NewToken();
  v1::EnrollRequest request = Request(token, "node-1");
  request.set_csr_der(std::string(3000, '\x30'));
  request.set_proof(MakeProof(
      token.secret, {request.challenge(), request.csr_der(), token.id, "node-1", kMachine}));

  EXPECT_EQ(Enroll(request).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace connect_ha
