// The agent's side and the admin's side of the conversation, with a real coordinator over TLS.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "agent/link/coordinator_client.h"
#include "agent/link/enroll.h"
#include "common/file.h"
#include "common/tls/channel.h"
#include "coordinator/cli/link/admin_client.h"
#include "tests/agent/link/raw_server.h"
#include "tests/coordinator/service/test_cluster.h"
#include "tests/fakes/log_capture.h"
#include "tests/fakes/temporary_directory.h"

namespace connect_ha {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr char kMachine[] = "0123456789abcdef0123456789abcdef";

void Ignore(const std::string&) {}

template <typename Condition>
bool Eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return true;
}

// At the port where nodes and admins call there is none of the methods that are new.
class OlderCoordinator {
 public:
  explicit OlderCoordinator(const std::string& dir) {
    const auto files = LoadCoordinatorFiles(dir);
    EXPECT_TRUE(files.ok()) << files.status();
    grpc::SslServerCredentialsOptions tls(
        GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
    tls.pem_root_certs = files->ca;
    tls.pem_key_cert_pairs.push_back({files->key, files->certificate});
    grpc::ServerBuilder builder;
    builder.AddListeningPort("localhost:0", grpc::SslServerCredentials(tls), &port_);
    builder.RegisterService(&nodes_);
    server_ = builder.BuildAndStart();
    EXPECT_NE(server_, nullptr);
  }

  std::string address() const { return "localhost:" + std::to_string(port_); }

 private:
  v1::NodeService::Service nodes_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

class ClientTest : public testing::Test {
 protected:
  std::unique_ptr<AdminLink> Admin() {
    const std::string dir = cluster_.dir() + "/admin";
    EXPECT_TRUE(WriteSmallFile(dir + "/coordinator", cluster_.target() + "\n", 0644).ok());
    auto admin = OpenAdminClient(dir, TestNow());
    EXPECT_TRUE(admin.ok()) << admin.status();
    return *std::move(admin);
  }

  EnrollOptions Options(const std::string& node, const v1::CreateTokenRequest& request = {}) {
    const auto token = Admin()->CreateToken(request);
    EXPECT_TRUE(token.ok()) << token.status();
    EnrollOptions options;
    options.state_dir = state_ / node;
    options.coordinator = cluster_.enrol_target();
    options.ca_hash = token->ca_hash();
    options.token = token->token_secret();
    options.node = node;
    options.machine_id = kMachine;
    return options;
  }

  // An identity whose certificate was issued so long ago.
  NodeIdentity IssuedAgo(const std::string& node, hours age) {
    const auto authority = LoadAuthority(cluster_.dir());
    NodeIdentity identity;
    identity.coordinator = cluster_.target();
    identity.token_id = "abc";
    identity.ca = authority->certificate();
    identity.digest_key = "key";
    identity.credentials.key = *MakeKey();
    identity.credentials.certificate = *authority->Issue(
        {{"test", Role::kNode, node}, {}}, *MakeCsr(identity.credentials.key), TestNow() - age);
    identity.certificate = *ParseCertificate(identity.credentials.certificate);
    std::filesystem::create_directory(state_ / node);
    EXPECT_TRUE(StoreNodeIdentity(state_ / node, identity).ok());
    return identity;
  }

  std::unique_ptr<CoordinatorClient> Client(const NodeIdentity& identity,
                                            milliseconds renewal_check = seconds(60)) {
    CoordinatorClientOptions options;
    options.state_dir = state_ / identity.certificate.identity.name;
    options.identity = identity;
    options.now = TestNow;
    options.renewal_check = renewal_check;
    return std::make_unique<CoordinatorClient>(std::move(options));
  }

  static v1::HeartbeatRequest Beat(const std::string& node) {
    v1::HeartbeatRequest request;
    request.set_node(node);
    request.set_machine_id(kMachine);
    request.set_boot_id("boot");
    request.set_agent_version("0");
    return request;
  }

  TestCluster cluster_;
  TemporaryDirectory state_;
};

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

TEST_F(ClientTest, NudgesReachTheNodeAndComeBackAfterARestart) {
  const auto client = Client(IssuedAgo("node-1", hours(0)));
  std::atomic<int> nudges{0};
  client->OnNudge([&] { ++nudges; });
  ASSERT_TRUE(client->Heartbeat(Beat("node-1")).ok());
  ASSERT_TRUE(Eventually([&] { return cluster_.coordinator().server().nodes_connected() == 1; }));

  ASSERT_TRUE(Admin()->Refresh({}).ok());
  EXPECT_TRUE(Eventually([&] { return nudges > 0; }));

  cluster_.Restart();
  ASSERT_TRUE(Eventually([&] { return cluster_.coordinator().server().nodes_connected() == 1; }));
  const int before = nudges;
  ASSERT_TRUE(Eventually([&] { return client->Heartbeat(Beat("node-1")).ok(); }));
  ASSERT_TRUE(Admin()->Refresh({}).ok());
  EXPECT_TRUE(Eventually([&] { return nudges > before; }));
}

TEST_F(ClientTest, RenewsItsCertificateWithoutADroppedHeartbeat) {
  const NodeIdentity old_identity = IssuedAgo("node-1", hours(20 * 24));
  const auto client = Client(old_identity, milliseconds(200));
  client->OnNudge([] {});
  const auto renewed = [&] {
    const auto identity = LoadNodeIdentity(state_ / "node-1");
    return identity.ok() && identity->certificate.serial != old_identity.certificate.serial;
  };
  int beats = 0;
  int beats_since = 0;

  while (beats_since < 100 && beats < 10'000) {
    const auto beat = client->Heartbeat(Beat("node-1"));
    ASSERT_TRUE(beat.ok()) << "beat " << beats << ": " << beat.status();
    ++beats;
    if (beats_since > 0 || renewed()) ++beats_since;
  }

  EXPECT_EQ(beats_since, 100);
  const auto identity = LoadNodeIdentity(state_ / "node-1");
  ASSERT_TRUE(identity.ok()) << identity.status();
  EXPECT_EQ(identity->certificate.identity, old_identity.certificate.identity);
  EXPECT_GT(identity->certificate.not_after, TestNow() + hours(29 * 24));
  EXPECT_NE(identity->credentials.key, old_identity.credentials.key);
  EXPECT_TRUE(Eventually([&] { return cluster_.coordinator().server().nodes_connected() == 1; }));
}

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

TEST_F(ClientTest, ACoordinatorThatDoesNotRenewHasToBeUpgraded) {
  const OlderCoordinator older(cluster_.dir());
  NodeIdentity identity = IssuedAgo("node-1", hours(20 * 24));
  identity.coordinator = older.address();
  const LogCapture log;
  const auto client = Client(identity, milliseconds(20));

  EXPECT_EQ(log.Await("fix: upgrade the coordinator").size(), 1u);
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

TEST_F(ClientTest, AnotherDigestKeyIsFetchedAtOnceWithTheAddresses) {
  ASSERT_TRUE(WriteSmallFile(cluster_.dir() + "/coordinator", "new.example.com:8443\n", 0644).ok());
  cluster_.Restart();
  const std::vector<std::string> both = {"new.example.com:8443", cluster_.target()};
  const NodeIdentity old_identity = IssuedAgo("node-1", hours(0));
  const std::string key = LoadCoordinatorFiles(cluster_.dir())->digest_key;
  ASSERT_NE(old_identity.digest_key, key);
  const auto client = Client(old_identity, milliseconds(20));
  ASSERT_TRUE(client->Heartbeat(Beat("node-1")).ok());  // says which key the others use

  EXPECT_TRUE(Eventually([&] {
    const auto identity = LoadNodeIdentity(state_ / "node-1");
    return identity.ok() && identity->digest_key == key && identity->coordinators == both;
  }));
  EXPECT_TRUE(client->Heartbeat(Beat("node-1")).ok());
}

// Names a digest key and never brings it. Its renewals are good ones.
class NamesAKey : public v1::NodeService::Service, public v1::RenewalService::Service {
 public:
  explicit NamesAKey(const TestCluster& cluster) : authority_(LoadAuthority(cluster.dir())) {
    v1::NodeService::Service& node = *this;
    v1::RenewalService::Service& renewal = *this;
    const std::string key = *MakeKey();
    const std::string certificate = *authority_->Issue(
        {{"test", Role::kCoordinator, "coordinator"}, {"localhost"}}, *MakeCsr(key), TestNow());
    grpc::SslServerCredentialsOptions ssl;
    ssl.pem_key_cert_pairs.push_back({key, certificate});
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(ssl), &port_);
    builder.RegisterService(&node);
    builder.RegisterService(&renewal);
    server_ = builder.BuildAndStart();
  }
  std::string target() const { return "localhost:" + std::to_string(port_); }
  int renewals() const { return renewals_; }

  grpc::Status Heartbeat(grpc::ServerContext*, const v1::HeartbeatRequest*,
                         v1::HeartbeatResponse* response) override {
    response->set_digest_key_id("0123456789abcdef");
    return grpc::Status::OK;
  }
  grpc::Status Renew(grpc::ServerContext*, const v1::RenewRequest* request,
                     v1::RenewResponse* response) override {
    response->set_certificate_pem(
        *authority_->Issue({{"test", Role::kNode, "node-1"}, {}}, request->csr_der(), TestNow()));
    response->set_digest_key("of another id");
    ++renewals_;
    return grpc::Status::OK;
  }

 private:
  const absl::StatusOr<Authority> authority_;
  std::atomic<int> renewals_{0};
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

TEST_F(ClientTest, ADigestKeyThatIsNamedAndNotBroughtIsNotAskedForWithoutAnEnd) {
  const NamesAKey coordinator(cluster_);
  NodeIdentity identity = IssuedAgo("node-1", hours(0));
  identity.coordinators = {coordinator.target()};
  CoordinatorClientOptions options;
  options.state_dir = state_ / "node-1";
  options.identity = identity;
  options.renewal_check = milliseconds(1);
  const std::thread::id test = std::this_thread::get_id();
  std::atomic<int> looks{0};  // whether the certificate is due
  options.now = [&] {
    if (std::this_thread::get_id() != test) ++looks;
    return TestNow();
  };
  CoordinatorClient client(std::move(options));

  ASSERT_TRUE(client.Heartbeat(Beat("node-1")).ok());
  ASSERT_TRUE(Eventually([&] { return coordinator.renewals() == 1; }));
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(client.Heartbeat(Beat("node-1")).ok());  // names it again
    const int before = looks;
    ASSERT_TRUE(Eventually([&] { return looks > before + 2; }));
  }

  EXPECT_EQ(coordinator.renewals(), 1);
  // Another than was named would be replaced at once.
  EXPECT_EQ(LoadNodeIdentity(state_ / "node-1")->digest_key, identity.digest_key);
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

TEST_F(ClientTest, ANodeThatWasEnrolledAnewMeanwhileIsNotOverwrittenByARenewal) {
  const LogCapture log;
  const NodeIdentity old_identity = IssuedAgo("node-1", hours(20 * 24));
  NodeIdentity anew = IssuedAgo("node-1", hours(0));
  anew.token_id = "another";
  ASSERT_TRUE(StoreNodeIdentity(state_ / "node-1", anew).ok());
  const auto client = Client(old_identity, milliseconds(20));

  EXPECT_EQ(log.Await("the node was enrolled anew meanwhile").size(), 1u);
  EXPECT_EQ(LoadNodeIdentity(state_ / "node-1")->certificate.serial, anew.certificate.serial);
}

TEST_F(ClientTest, ANodeWhoseCertificateExpiredSaysHowToJoinAgain) {
  const auto client = Client(IssuedAgo("node-1", hours(31 * 24)));

  const auto beat = client->Heartbeat(Beat("node-1"));

  EXPECT_EQ(beat.status().code(), absl::StatusCode::kUnauthenticated);
  EXPECT_NE(beat.status().message().find("connect-ha token create --node node-1"),
            absl::string_view::npos)
      << beat.status();
}

TEST_F(ClientTest, ACoordinatorThatIsAwayIsUnavailableWithTheReason) {
  const NodeIdentity identity = IssuedAgo("node-1", hours(0));
  cluster_.Stop();

  const auto beat = Client(identity)->Heartbeat(Beat("node-1"));

  EXPECT_EQ(beat.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(beat.status().message().find("connection refused"), absl::string_view::npos)
      << beat.status();
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

class AdminClientTest : public ClientTest {
 protected:
  AdminClientTest() { cluster_.LetIn("alice", v1::VIEWER); }

  std::string Identity(Role role, hours age) {
    const std::string dir = state_ / "identity";
    std::filesystem::create_directory(dir);
    const auto authority = LoadAuthority(cluster_.dir());
    const std::string key = *MakeKey();
    const std::string certificate =
        *authority->Issue({{"test", role, "alice"}, {}}, *MakeCsr(key), TestNow() - age);
    EXPECT_TRUE(StoreCredentials(dir, "admin", {key, certificate}).ok());
    EXPECT_TRUE(WriteSmallFile(dir + "/ca.crt", authority->certificate(), 0644).ok());
    EXPECT_TRUE(WriteSmallFile(dir + "/coordinator", cluster_.target() + "\n", 0644).ok());
    return dir;
  }
};

TEST_F(AdminClientTest, RenewsItsCertificateOnTheWay) {
  const std::string dir = Identity(Role::kAdmin, hours(20 * 24));
  const std::string old_certificate = LoadCredentials(dir, "admin")->certificate;

  const auto admin = OpenAdminClient(dir, TestNow());

  ASSERT_TRUE(admin.ok()) << admin.status();
  EXPECT_TRUE((*admin)->GetChecklist({}).ok());
  const auto renewed = ParseCertificate(LoadCredentials(dir, "admin")->certificate);
  EXPECT_GT(renewed->not_after, TestNow() + hours(29 * 24));
  EXPECT_EQ(FormatActor(renewed->identity), "admin/alice");
}

TEST_F(AdminClientTest, GoesOnWithTheOldCertificateWhileTheCoordinatorIsAway) {
  const std::string dir = Identity(Role::kAdmin, hours(20 * 24));
  cluster_.Stop();

  const auto admin = OpenAdminClient(dir, TestNow());

  ASSERT_TRUE(admin.ok()) << admin.status();
  const auto checklist = (*admin)->GetChecklist({});
  EXPECT_EQ(checklist.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(checklist.status().message().find("systemctl status connect-ha-coordinator"),
            absl::string_view::npos)
      << checklist.status();
}

TEST_F(AdminClientTest, AnOlderCoordinatorHasToBeUpgraded) {
  const OlderCoordinator older(cluster_.dir());
  const std::string dir = Identity(Role::kAdmin, hours(20 * 24));
  ASSERT_TRUE(WriteSmallFile(dir + "/coordinator", older.address() + "\n", 0644).ok());

  const auto admin = OpenAdminClient(dir, TestNow());

  ASSERT_TRUE(admin.ok()) << admin.status();  // with the certificate that it has
  const auto nodes = (*admin)->ListNodes({});
  EXPECT_NE(nodes.status().message().find("fix: upgrade the coordinator"), absl::string_view::npos)
      << nodes.status();
}

TEST_F(AdminClientTest, SaysWhatToDoAboutAnIdentityThatWillNotDo) {
  EXPECT_EQ(OpenAdminClient("/nonexistent", TestNow()).status().code(),
            absl::StatusCode::kNotFound);
  const auto expired = OpenAdminClient(Identity(Role::kAdmin, hours(31 * 24)), TestNow());
  EXPECT_EQ(expired.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(expired.status().message().find("connect-ha init"), absl::string_view::npos);
  const auto node = OpenAdminClient(Identity(Role::kNode, hours(0)), TestNow());
  EXPECT_EQ(node.status().message(),
            state_ / "identity" + "/admin.crt is the certificate of node/alice, not of an admin");
}

}  // namespace
}  // namespace connect_ha
