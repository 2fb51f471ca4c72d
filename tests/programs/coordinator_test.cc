// `connect-ha serve` as systemd runs it: the real program, its signals and what it tells.
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "common/file.h"
#include "common/tls/certificate.h"
#include "common/tls/channel.h"
#include "common/tls/openssl.h"
#include "common/tls/tls_look.h"
#include "connect_ha/v1/node_service.grpc.pb.h"
#include "coordinator/cli/link/admin_client.h"
#include "coordinator/identity/init.h"
#include "tests/programs/process.h"

namespace connect_ha {
namespace {

Time Now() { return std::chrono::time_point_cast<Time::duration>(Time::clock::now()); }

class ServeTest : public testing::Test {
 protected:
  ServeTest() {
    InitOptions options;
    options.dir = dir_.path();
    options.spec = dir_ / "cluster.yaml";
    options.cluster = "test";
    options.address = "localhost:8443";
    const auto made = InitCluster(options, Now());
    EXPECT_TRUE(made.ok()) << made.status();
    WriteSpec("cluster: test\n");
  }

  void WriteSpec(const std::string& text) { std::ofstream(dir_ / "cluster.yaml") << text; }

  std::unique_ptr<Process> Start(const std::vector<std::string>& environment = {}) {
    return std::make_unique<Process>(
        std::vector<std::string>{CONNECT_HA, "serve", "--dir", dir_.path(), "--spec",
                                 dir_ / "cluster.yaml", "--listen", listen_},
        environment);
  }

  // Started, and serving at target_.
  std::unique_ptr<Process> Serve(const std::vector<std::string>& environment = {}) {
    auto program = Start(environment);
    EXPECT_TRUE(program->AwaitError("event=SERVING cluster=test port=")) << program->error();
    const std::string log = program->error();
    const size_t port = log.find("port=") + 5;
    target_ = "localhost:" + log.substr(port, log.find(' ', port) - port);
    const size_t enrolment = log.find("enrolment_port=") + 15;
    enrol_target_ = "localhost:" + log.substr(enrolment, log.find(' ', enrolment) - enrolment);
    std::ofstream(dir_ / "admin/coordinator") << target_ << "\n";
    return program;
  }

  std::unique_ptr<AdminLink> Admin() {
    auto admin = OpenAdminClient(dir_ / "admin", Now());
    EXPECT_TRUE(admin.ok()) << admin.status();
    return *std::move(admin);
  }

  // What grpc.health.v1 answers for the whole server: the bytes of HealthCheckResponse.
  std::string AskHealth() {
    ChannelOptions options;
    options.target = enrol_target_;
    options.ca = *ReadSmallFile(dir_ / "ca/ca.crt");
    grpc::GenericStub stub(MakeChannel(options));
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
    grpc::CompletionQueue queue;
    const grpc::Slice empty("");
    const grpc::ByteBuffer request(&empty, 1);
    grpc::ByteBuffer response;
    grpc::Status status;
    auto call = stub.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check", request, &queue);
    call->StartCall();
    call->Finish(&response, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    if (!status.ok()) return status.error_message();
    std::vector<grpc::Slice> slices;
    std::string bytes;
    response.Dump(&slices);
    for (const grpc::Slice& slice : slices) {
      bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    }
    return bytes;
  }

  // A first report of a node.
  grpc::Status Report(const std::string& node) {
    ChannelOptions options;
    options.target = target_;
    options.ca = *ReadSmallFile(dir_ / "ca/ca.crt");
    options.key = *MakeKey();
    options.certificate =
        *LoadAuthority(dir_.path())
             ->Issue({{"test", Role::kNode, node}, {}}, *MakeCsr(options.key), Now());
    v1::HeartbeatRequest request;
    request.set_node(node);
    request.set_machine_id("machine");
    request.set_boot_id("boot");
    request.set_facts_digest("digest");
    request.mutable_facts()->mutable_host()->set_hostname(node);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    v1::HeartbeatResponse response;
    return v1::NodeService::NewStub(MakeChannel(options))->Heartbeat(&context, request, &response);
  }

  std::string PresentedSerial() {
    const auto chain = LookAtServer(*ParseAddress(target_), std::chrono::seconds(5));
    if (!chain.ok()) return chain.status().ToString();
    return ParseCertificate(WriteCertificate(chain->front().get()))->serial;
  }

  TemporaryDirectory dir_;
  std::string listen_ = "127.0.0.1:0";
  std::string target_;
  std::string enrol_target_;
};

TEST_F(ServeTest, TellsSystemdThatItServesLivesAndStops) {
  NotifySocket systemd;
  const auto program = Serve(systemd.Environment(400));
  EXPECT_TRUE(systemd.Await("READY=1"));
  EXPECT_TRUE(systemd.Await("WATCHDOG=1"));
  EXPECT_TRUE(systemd.Await("WATCHDOG=1"));

  program->Signal(SIGTERM);

  EXPECT_TRUE(systemd.Await("STOPPING=1"));
  EXPECT_EQ(program->Wait(), 0);
  EXPECT_NE(program->error().find("event=STOPPED"), std::string::npos) << program->error();
}

// Each write takes three seconds: the report's, and then that of the loop, which judges it. That
// was taken for work, after which the loop rested for 27.
TEST_F(ServeTest, IsFedWhileItWaitsForTheDiskAndAfterwards) {
  using Clock = std::chrono::steady_clock;
  NotifySocket systemd;
  std::vector<std::string> environment = systemd.Environment(400);
  environment.push_back(std::string("LD_PRELOAD=") + SLOW_DISK);
  environment.push_back("CONNECT_HA_SLOW_DISK=" + (dir_ / "slow"));
  const auto program = Serve(environment);
  ASSERT_TRUE(systemd.Await("READY=1"));
  ASSERT_TRUE(systemd.Await("WATCHDOG=1"));
  dir_.Write("slow", "");
  const auto report = std::async(std::launch::async, [this] { return Report("node-1"); });

  auto longest = Clock::duration::zero();
  const auto until = Clock::now() + std::chrono::seconds(12);
  for (auto fed = Clock::now(); fed < until;) {
    ASSERT_TRUE(systemd.Await("WATCHDOG=1"));
    longest = std::max(longest, Clock::now() - fed);
    fed = Clock::now();
  }
  std::filesystem::remove(dir_ / "slow");
  report.wait();

  EXPECT_LT(longest, std::chrono::seconds(2));
}

// Waiting for the disk is no work, after which the loop would rest for ten seconds.
TEST_F(ServeTest, JudgesSoonAfterItWaitedForTheDisk) {
  const auto program =
      Serve({std::string("LD_PRELOAD=") + SLOW_DISK, "CONNECT_HA_SLOW_DISK=" + (dir_ / "slow")});
  const auto admin = Admin();
  const auto are_judged = [&admin](uint32_t nodes, std::chrono::seconds limit) {
    const auto until = std::chrono::steady_clock::now() + limit;
    while (std::chrono::steady_clock::now() < until) {
      const auto checklist = admin->GetChecklist({});
      if (checklist.ok() && checklist->nodes() == nodes) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return false;
  };
  dir_.Write("slow", "");
  ASSERT_TRUE(Report("node-1").ok());
  ASSERT_TRUE(are_judged(1, std::chrono::seconds(30)));  // and is on its way to the disk
  std::filesystem::remove(dir_ / "slow");
  ASSERT_TRUE(Report("node-2").ok());
  EXPECT_TRUE(are_judged(2, std::chrono::seconds(6)));
}

TEST_F(ServeTest, AnswersHealthChecksOfWhomeverItCanTrustItselfWhereNodesJoin) {
  const auto program = Serve();

  EXPECT_EQ(AskHealth(), "\x08\x01");  // status: SERVING
  EXPECT_EQ(program->error().find("event=REFUSED"), std::string::npos) << program->error();
}

TEST_F(ServeTest, KeepsWhatItKnewOverACleanStopAndOverNone) {
  auto program = Serve();
  const auto token = Admin()->CreateToken({});
  ASSERT_TRUE(token.ok()) << token.status();
  for (const int signal : {SIGTERM, SIGKILL}) {
    program->Signal(signal);
    EXPECT_EQ(program->Wait(), signal == SIGTERM ? 0 : 128 + SIGKILL);
    program = Serve();
    const auto tokens = Admin()->ListTokens({});
    ASSERT_TRUE(tokens.ok()) << tokens.status();
    ASSERT_EQ(tokens->tokens_size(), 1);
    EXPECT_EQ(tokens->tokens(0).id(), token->token().id());
  }
}

TEST_F(ServeTest, TakesTheFileOnceAndSaysLaterThatItIsNotInForce) {
  WriteSpec("cluster: test\nlimits: {stale_after: 17s}\n");
  auto program = Serve();
  const auto stale_after = [this] {
    return Admin()->GetSnapshot({})->spec().limits().stale_after().seconds();
  };
  program->Signal(SIGHUP);
  ASSERT_TRUE(program->AwaitError("event=RELOADED")) << program->error();

  WriteSpec("cluster: test\nlimits: {stale_after: 19s}\n");
  program->Signal(SIGHUP);
  ASSERT_TRUE(program->AwaitError("event=NOT_RELOADED")) << program->error();
  EXPECT_TRUE(program->AwaitError("fix: connect-ha apply ")) << program->error();
  EXPECT_EQ(stale_after(), 17);

  program->Signal(SIGTERM);
  program->Wait();
  program = Serve();
  EXPECT_EQ(stale_after(), 17);
}

TEST_F(ServeTest, PresentsTheCertificateThatItIsGivenAfterAReload) {
  const auto program = Serve();
  const std::string before = PresentedSerial();
  const auto authority = LoadAuthority(dir_.path());
  const std::string key = *ReadSmallFile(dir_ / "tls/coordinator.key");
  const auto certificate = authority->Issue(
      {{"test", Role::kCoordinator, "coordinator"}, {"localhost"}}, *MakeCsr(key), Now());
  ASSERT_TRUE(certificate.ok()) << certificate.status();
  ASSERT_TRUE(
      WriteSmallFile(dir_ / "tls/coordinator.crt", *certificate + authority->certificate(), 0644)
          .ok());

  program->Signal(SIGHUP);

  ASSERT_TRUE(program->AwaitError("presents a new certificate")) << program->error();
  EXPECT_EQ(PresentedSerial(), ParseCertificate(*certificate)->serial);
  EXPECT_NE(PresentedSerial(), before);
  EXPECT_TRUE(Admin()->GetChecklist({}).ok());
}

// As after a restore over a coordinator that runs.
TEST_F(ServeTest, EndsForGoodWhereItsStoreIsAnotherOneByNow) {
  const auto program = Serve();
  std::filesystem::copy_file(dir_ / "store.db", dir_ / "restored.db");
  std::filesystem::rename(dir_ / "restored.db", dir_ / "store.db");

  EXPECT_EQ(program->Wait(), 3);
  EXPECT_NE(program->error().find("event=SUPERSEDED"), std::string::npos) << program->error();
}

TEST_F(ServeTest, SaysWhyItCannotStart) {
  WriteSpec("cluster: another\n");
  auto other_cluster = Start();
  EXPECT_EQ(other_cluster->Wait(), 2);
  EXPECT_NE(other_cluster->error().find("fix: write cluster: test"), std::string::npos)
      << other_cluster->error();

  WriteSpec("cluster: test\n");
  const auto program = Serve();
  listen_ = "127.0.0.1:" + target_.substr(target_.find(':') + 1);
  auto second = Start();
  EXPECT_EQ(second->Wait(), 2);
  EXPECT_NE(second->error().find("cannot start"), std::string::npos) << second->error();
}

}  // namespace
}  // namespace connect_ha
