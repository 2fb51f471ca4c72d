// What each loss means: a coordinator that is started where something of it is missing, or is an
// older copy. README, "What to keep, and what each loss means".
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/match.h"
#include "common/file.h"
#include "common/tls/credential_files.h"
#include "common/tls/crypto.h"
#include "coordinator/store/sqlite_store.h"
#include "tests/coordinator/service/test_cluster.h"

namespace connect_ha {
namespace {

namespace fs = std::filesystem;

class DisastersTest : public testing::Test {
 protected:
  ~DisastersTest() override { fs::remove_all(copy_); }

  // Of the stopped coordinator, as a backup would be.
  void Copy() {
    fs::remove_all(copy_);
    fs::copy(cluster_.dir(), copy_, fs::copy_options::recursive);
  }
  void RemoveStore() {
    for (const auto& entry : fs::directory_iterator(cluster_.dir())) {
      if (absl::StartsWith(entry.path().filename().string(), "store.db")) fs::remove_all(entry);
    }
  }
  void RestoreStore() {
    RemoveStore();
    for (const auto& entry : fs::directory_iterator(copy_)) {
      const std::string name = entry.path().filename().string();
      if (absl::StartsWith(name, "store.db")) fs::copy(entry, cluster_.dir() + "/" + name);
    }
  }

  absl::Status CannotStart() {
    return Coordinator::Open(cluster_.dir(), cluster_.spec_path(), TestNow()).status();
  }
  absl::StatusOr<InitResult> Init(const std::string& address = "") {
    InitOptions options;
    options.dir = cluster_.dir();
    options.spec = cluster_.dir() + "/example.yaml";
    options.address = address;
    return InitCluster(options, TestNow());
  }

  // With the identity that init left for the first admin.
  grpc::StatusCode AskAsFirst() {
    const auto pair = LoadCredentials(cluster_.dir() + "/admin", "admin");
    return Ask({pair->key, pair->certificate});
  }
  grpc::StatusCode Ask(const TestIdentity& identity) {
    grpc::ClientContext context;
    v1::ListAdminsResponse response;
    return v1::AdminService::NewStub(cluster_.Connect(identity))
        ->ListAdmins(&context, {}, &response)
        .error_code();
  }
  std::vector<v1::AuditEntry> Audit() { return *cluster_.coordinator().store().ListAudit(0, 1000); }

  TestCluster cluster_;
  const std::string copy_ = cluster_.dir() + "-copy";
};

TEST_F(DisastersTest, NothingLostANewClusterSaysSoOnce) {
  ASSERT_GE(Audit().size(), 3u);
  EXPECT_EQ(Audit()[0].action(), v1::AuditEntry::CLUSTER_MADE);
  EXPECT_EQ(Audit()[0].actor(), "init");
  EXPECT_EQ(Audit()[1].action(), v1::AuditEntry::ADMIN_CREATED);
  EXPECT_EQ(Audit()[2].action(), v1::AuditEntry::SPEC_APPLIED);
  const size_t before = Audit().size();
  cluster_.Restart();
  EXPECT_EQ(Audit().size(), before);
}

TEST_F(DisastersTest, TheStoreLostNodesAndTheFirstAdminAreKnownByTheirCertificates) {
  TestNode node(cluster_, "node-1");
  ASSERT_TRUE(node.Beat().ok());
  cluster_.LetIn("bob", v1::ADMIN);
  const TestIdentity bob = cluster_.Issue(Role::kAdmin, "bob");
  ASSERT_EQ(Ask(bob), grpc::StatusCode::OK);
  const std::string lineage = cluster_.coordinator().store().lineage();
  cluster_.Stop();
  RemoveStore();

  cluster_.Start();

  EXPECT_NE(cluster_.coordinator().store().lineage(), lineage);
  EXPECT_EQ(Audit()[0].action(), v1::AuditEntry::STORE_MADE);
  EXPECT_TRUE(absl::StrContains(Audit()[0].text(), "made anew")) << Audit()[0].text();
  EXPECT_EQ(AskAsFirst(), grpc::StatusCode::OK);
  EXPECT_EQ(Ask(bob), grpc::StatusCode::PERMISSION_DENIED);
  TestNode again(cluster_, "node-1");
  EXPECT_TRUE(again.Beat().ok());
}

TEST_F(DisastersTest, TheStoreLostAfterTheFirstAdminWasRemovedNobodyIsInUntilInitIsRunAgain) {
  const auto pair = LoadCredentials(cluster_.dir() + "/admin", "admin");
  const TestIdentity leaked{pair->key, pair->certificate};
  cluster_.LetIn("carol", v1::ADMIN);
  v1::RemoveAdminRequest remove;
  remove.set_name("admin");
  ASSERT_TRUE(cluster_.coordinator().admins().Remove(remove, {}, TestNow()).ok());
  cluster_.Stop();
  RemoveStore();
  cluster_.Start();
  EXPECT_EQ(Ask(leaked), grpc::StatusCode::PERMISSION_DENIED);
  // Then with a specification and no admins, as a store of release 0.1 is.
  cluster_.Restart();
  EXPECT_EQ(Ask(leaked), grpc::StatusCode::PERMISSION_DENIED);
  // What is issued counts in whole seconds.
  const auto issued_later = TestNow() + std::chrono::seconds(2);
  InitOptions options;
  options.dir = cluster_.dir();
  ASSERT_TRUE(InitCluster(options, issued_later).ok());

  ASSERT_TRUE(cluster_.coordinator().Reload(issued_later).ok());

  EXPECT_EQ(AskAsFirst(), grpc::StatusCode::OK);
  EXPECT_EQ(Ask(leaked), grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(DisastersTest, AnOlderCopyOfTheStoreKnowsOnlyWhatItKnewThen) {
  cluster_.LetIn("mallory", v1::ADMIN);
  cluster_.Stop();
  Copy();
  cluster_.Start();
  const std::string lineage = cluster_.coordinator().store().lineage();
  const uint64_t epoch = cluster_.coordinator().store().epoch();
  v1::RemoveAdminRequest remove;
  remove.set_name("mallory");
  ASSERT_TRUE(cluster_.coordinator().admins().Remove(remove, {}, TestNow()).ok());
  const TestIdentity mallory = cluster_.Issue(Role::kAdmin, "mallory");
  ASSERT_EQ(Ask(mallory), grpc::StatusCode::PERMISSION_DENIED);
  cluster_.Stop();
  RestoreStore();

  cluster_.Start();

  // So who was removed since the copy was made has to be removed again.
  EXPECT_EQ(Ask(mallory), grpc::StatusCode::OK);
  EXPECT_EQ(AskAsFirst(), grpc::StatusCode::OK);
  EXPECT_EQ(cluster_.coordinator().store().lineage(), lineage);
  EXPECT_GT(cluster_.coordinator().store().epoch(), epoch);
}

TEST_F(DisastersTest, TheAuthorityLostTheCoordinatorDoesNotStartAndInitMakesNoOther) {
  cluster_.Stop();
  Copy();
  fs::remove(cluster_.dir() + "/ca/ca.key");
  EXPECT_EQ(CannotStart().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Init().status().code(), absl::StatusCode::kFailedPrecondition);

  fs::copy(copy_ + "/ca/ca.key", cluster_.dir() + "/ca/ca.key");
  cluster_.Start();

  EXPECT_EQ(AskAsFirst(), grpc::StatusCode::OK);
}

TEST_F(DisastersTest, AnotherAuthorityInItsPlaceLetsNobodyOfTheOldOneIn) {
  const TestIdentity node = cluster_.Issue(Role::kNode, "node-1");
  const TestIdentity admin = cluster_.Issue(Role::kAdmin, "admin");
  cluster_.Stop();
  fs::remove_all(cluster_.dir() + "/ca");
  // Without a name for another cluster init makes none.
  EXPECT_EQ(Init().status().code(), absl::StatusCode::kInvalidArgument);
  InitOptions options;
  options.dir = cluster_.dir();
  options.cluster = "test";
  ASSERT_TRUE(InitCluster(options, TestNow()).ok());
  cluster_.Start();

  EXPECT_EQ(Ask(admin), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(Ask(node), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(AskAsFirst(), grpc::StatusCode::OK);
}

TEST_F(DisastersTest, TheDigestKeyLostInitMakesTheSameAgain) {
  const std::string key = LoadCoordinatorFiles(cluster_.dir())->digest_key;
  cluster_.Stop();
  fs::remove(cluster_.dir() + "/digest.key");
  EXPECT_EQ(CannotStart().code(), absl::StatusCode::kNotFound);

  ASSERT_TRUE(Init().ok());
  cluster_.Start();

  EXPECT_EQ(LoadCoordinatorFiles(cluster_.dir())->digest_key, key);
}

// Of release 0.1, where it was random.
TEST_F(DisastersTest, ADigestKeyThatComesBackAsAnotherIsToldToTheNodes) {
  cluster_.Stop();
  ASSERT_TRUE(WriteSmallFile(cluster_.dir() + "/digest.key", std::string(32, 'r'), 0600).ok());
  cluster_.Start();
  TestNode node(cluster_, "node-1");
  ASSERT_TRUE(node.Beat().ok());
  EXPECT_EQ(node.response.digest_key_id(), DigestKeyId(std::string(32, 'r')));
  cluster_.Stop();
  fs::remove(cluster_.dir() + "/digest.key");
  ASSERT_TRUE(Init().ok());
  cluster_.Start();

  TestNode after(cluster_, "node-1");
  ASSERT_TRUE(after.Beat().ok());

  EXPECT_EQ(after.response.digest_key_id(),
            DigestKeyId(LoadCoordinatorFiles(cluster_.dir())->digest_key));
  EXPECT_NE(after.response.digest_key_id(), node.response.digest_key_id());
  grpc::ClientContext context;
  v1::RenewRequest request;
  request.set_csr_der(*MakeCsr(*MakeKey()));
  v1::RenewResponse renewed;
  ASSERT_TRUE(v1::RenewalService::NewStub(cluster_.ConnectNode("node-1"))
                  ->Renew(&context, request, &renewed)
                  .ok());
  EXPECT_EQ(DigestKeyId(renewed.digest_key()), after.response.digest_key_id());
}

TEST_F(DisastersTest, TheHostLostTheCaAloneMakesTheClusterAgain) {
  TestNode node(cluster_, "node-1");
  ASSERT_TRUE(node.Beat().ok());
  const std::string id = node.response.digest_key_id();
  const TestIdentity old_admin = cluster_.Issue(Role::kAdmin, "admin");
  const std::string address = LoadCoordinatorFiles(cluster_.dir())->address;
  cluster_.Stop();
  Copy();
  for (const auto& entry : fs::directory_iterator(cluster_.dir())) {
    const std::string name = entry.path().filename().string();
    if (name != "ca" && name != "cluster.yaml") fs::remove_all(entry);
  }
  EXPECT_EQ(CannotStart().code(), absl::StatusCode::kNotFound);
  InitOptions options;
  options.dir = cluster_.dir();
  options.address = address;
  // What is issued counts in whole seconds.
  ASSERT_TRUE(InitCluster(options, TestNow() + std::chrono::seconds(2)).ok());

  cluster_.Start();

  EXPECT_EQ(Audit()[0].action(), v1::AuditEntry::STORE_MADE);
  EXPECT_EQ(AskAsFirst(), grpc::StatusCode::OK);
  EXPECT_EQ(Ask(old_admin), grpc::StatusCode::PERMISSION_DENIED);
  TestNode again(cluster_, "node-1");
  ASSERT_TRUE(again.Beat().ok());
  EXPECT_EQ(again.response.digest_key_id(), id);
}

TEST_F(DisastersTest, AStoreOfReleaseOneWithoutAdminsLetsItsOneAdminIn) {
  const TestIdentity before = cluster_.Issue(Role::kAdmin, "admin");
  cluster_.Stop();
  // As an upgrade finds it: nothing of admins, and no file of the first one.
  RemoveStore();
  fs::remove(FirstAdminPath(cluster_.dir()));
  {
    auto store = SqliteStore::Open(cluster_.dir() + "/store.db");
    ASSERT_TRUE(store.ok()) << store.status();
    v1::NodeRecord record;
    record.set_name("node-1");
    ASSERT_TRUE((*store)->AddNode(record).ok());
  }

  cluster_.Start();

  EXPECT_EQ(Ask(before), grpc::StatusCode::OK);
}

TEST_F(DisastersTest, AnAddressThatInitIsGivenReachesTheNodesByTheirRenewals) {
  const TestIdentity node = cluster_.Issue(Role::kNode, "node-1");
  cluster_.Stop();
  ASSERT_TRUE(Init("new.example.com").ok());
  cluster_.Start();
  grpc::ClientContext context;
  v1::RenewRequest request;
  request.set_csr_der(*MakeCsr(*MakeKey()));
  v1::RenewResponse renewed;

  // They still call the old one, which the coordinator's certificate keeps.
  ASSERT_TRUE(
      v1::RenewalService::NewStub(cluster_.Connect(node))->Renew(&context, request, &renewed).ok());

  ASSERT_EQ(renewed.coordinators_size(), 1);
  EXPECT_EQ(renewed.coordinators(0), "new.example.com:8443");
}

}  // namespace
}  // namespace connect_ha
