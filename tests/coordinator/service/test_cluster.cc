#include "tests/coordinator/service/test_cluster.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "common/tls/channel.h"
#include "common/tls/crypto.h"

namespace connect_ha {
namespace {

std::string MakeTestDirectory() {
  std::string dir = testing::TempDir() + "coordinator_XXXXXX";
  EXPECT_NE(mkdtemp(dir.data()), nullptr);
  return dir;
}

}  // namespace

Time TestNow() { return std::chrono::time_point_cast<Time::duration>(Time::clock::now()); }

TestCluster::TestCluster() : dir_(MakeTestDirectory()) {
  InitOptions options;
  options.dir = dir_;
  options.spec = dir_ + "/example.yaml";
  options.cluster = "test";
  options.address = "localhost:8443";
  const auto made = InitCluster(options, TestNow());
  EXPECT_TRUE(made.ok()) << made.status();
  std::ofstream(spec_path()) << "cluster: test\n";
  Start();
  // Nodes are told where it answers, which is known only now.
  std::ofstream(dir_ + "/coordinator") << target() << "\n";
  Restart();
}

TestCluster::~TestCluster() {
  Stop();
  std::filesystem::remove_all(dir_);
}

void TestCluster::Start() {
  auto coordinator = Coordinator::Open(dir_, spec_path(), TestNow());
  ASSERT_TRUE(coordinator.ok()) << coordinator.status();
  coordinator_ = *std::move(coordinator);
  const absl::Status started = coordinator_->Start(absl::StrCat("127.0.0.1:", port_),
                                                   absl::StrCat("127.0.0.1:", enrol_port_));
  ASSERT_TRUE(started.ok()) << started;
  port_ = coordinator_->port();
  enrol_port_ = coordinator_->enrolment_port();
}

void TestCluster::Stop() {
  if (coordinator_ != nullptr) coordinator_->Stop(TestNow());
  coordinator_.reset();
}

void TestCluster::Restart() {
  Stop();
  Start();
}

std::string TestCluster::target() const { return absl::StrCat("localhost:", port_); }

std::string TestCluster::enrol_target() const { return absl::StrCat("localhost:", enrol_port_); }

TestIdentity TestCluster::Issue(Role role, const std::string& name) const {
  TestIdentity identity;
  identity.key = *MakeKey();
  const auto authority = LoadAuthority(dir_);
  const auto certificate =
      authority->Issue({{"test", role, name}, {}}, *MakeCsr(identity.key), TestNow());
  EXPECT_TRUE(certificate.ok()) << certificate.status();
  identity.certificate = *certificate;
  return identity;
}

std::shared_ptr<grpc::Channel> TestCluster::Connect(const TestIdentity& identity) const {
  ChannelOptions options;
  options.target = target();
  options.ca = LoadCoordinatorFiles(dir_)->ca;
  options.certificate = identity.certificate;
  options.key = identity.key;
  return MakeChannel(options);
}

std::shared_ptr<grpc::Channel> TestCluster::ConnectToEnrol() const {
  ChannelOptions options;
  options.target = enrol_target();
  options.ca = LoadCoordinatorFiles(dir_)->ca;
  return MakeChannel(options);
}

std::shared_ptr<grpc::Channel> TestCluster::ConnectNode(const std::string& name) const {
  return Connect(Issue(Role::kNode, name));
}

std::shared_ptr<grpc::Channel> TestCluster::ConnectAdmin() const {
  return Connect(Issue(Role::kAdmin, kFirstAdmin));
}

void TestCluster::LetIn(const std::string& admin, v1::Role role) {
  const auto record = coordinator_->store().ChangeAdminRecord(admin,
                                                              [&](v1::AdminRecord& stored) {
                                                                stored.set_role(role);
                                                                return absl::OkStatus();
                                                              },
                                                              {});
  ASSERT_TRUE(record.ok()) << record.status();
  ASSERT_TRUE(coordinator_->admins().Load().ok());
}

TestNode::TestNode(const TestCluster& cluster, const std::string& name)
    : channel_(cluster.ConnectNode(name)), stub_(v1::NodeService::NewStub(channel_)) {
  request.set_node(name);
  request.set_machine_id("machine-" + name);
  request.set_boot_id("boot-1");
  request.set_agent_version(CONNECT_HA_VERSION);
  request.set_reported_state(v1::OBSERVED);
  SetFacts(name + ".example.com");
}

void TestNode::SetFacts(const std::string& hostname) {
  facts_.mutable_host()->set_hostname(hostname);
  request.set_facts_digest(Hex(Sha256(facts_.SerializeAsString())));
  send_facts_ = true;
}

grpc::Status TestNode::Beat() {
  request.clear_facts();
  if (send_facts_) *request.mutable_facts() = facts_;
  const grpc::Status status = CallAcrossReconnect(
      *channel_, std::chrono::seconds(30),
      [&](grpc::ClientContext& context) { return stub_->Heartbeat(&context, request, &response); });
  if (status.ok()) send_facts_ = response.send_facts();
  return status;
}

std::unique_ptr<grpc::ClientReader<v1::Nudge>> TestNode::OpenNudges(grpc::ClientContext* context) {
  v1::NudgesRequest open;
  open.set_node(request.node());
  auto reader = stub_->Nudges(context, open);
  reader->WaitForInitialMetadata();
  return reader;
}

}  // namespace connect_ha
