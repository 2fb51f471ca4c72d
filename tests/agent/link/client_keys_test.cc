// How a node's certificate and the digest key are renewed by a real coordinator, and when not.
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/link/coordinator_client.h"
#include "agent/link/identity.h"
#include "common/file.h"
#include "common/tls/certificate.h"
#include "common/tls/identity.h"
#include "connect_ha/v1/enrolment_service.grpc.pb.h"
#include "connect_ha/v1/node_service.grpc.pb.h"
#include "coordinator/identity/authority.h"
#include "coordinator/identity/init.h"
#include "tests/agent/link/client_fixture.h"
#include "tests/agent/link/older_coordinator.h"
#include "tests/coordinator/service/test_cluster.h"
#include "tests/fakes/log_capture.h"

namespace connect_ha {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

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

TEST_F(ClientTest, ACoordinatorThatDoesNotRenewHasToBeUpgraded) {
  const OlderCoordinator older(cluster_.dir());
  NodeIdentity identity = IssuedAgo("node-1", hours(20 * 24));
  identity.coordinator = older.address();
  const LogCapture log;
  const auto client = Client(identity, milliseconds(20));

  EXPECT_EQ(log.Await("fix: upgrade the coordinator").size(), 1u);
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

}  // namespace
}  // namespace connect_ha
