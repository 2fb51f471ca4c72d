// What peers without a certificate can make of the coordinator's memory: the program itself, asked
// by a crowd of them, while a node reports as much as a node may.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <future>
#include <thread>
#include <vector>

#include "common/file.h"
#include "common/tls/certificate.h"
#include "common/tls/channel.h"
#include "common/tls/credential_files.h"
#include "connect_ha/v1/node_service.grpc.pb.h"
#include "coordinator/identity/init.h"
#include "tests/coordinator/port/raw_calls.h"
#include "tests/programs/process.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;

constexpr long kMostGrowthKb = 32 * 1024;
constexpr int kNeighbours = 20;
constexpr int kSilent = 400;
constexpr int kLoud = 48;

Time Now() { return std::chrono::time_point_cast<Time::duration>(Time::clock::now()); }

long ResidentKb(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmRSS:", 0) == 0) return std::stol(line.substr(6));
  }
  return -1;
}

// The most that a process had while this lives.
class MemoryWatch {
 public:
  explicit MemoryWatch(pid_t pid)
      : begun_(ResidentKb(pid)), most_(begun_), thread_([this, pid] {
          while (!stopping_) {
            most_ = std::max<long>(most_, ResidentKb(pid));
            std::this_thread::sleep_for(milliseconds(2));
          }
        }) {}
  ~MemoryWatch() {
    stopping_ = true;
    thread_.join();
  }
  long begun() const { return begun_; }
  long growth() const { return most_ - begun_; }

 private:
  const long begun_;
  std::atomic<long> most_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

std::string Repeat(const std::string& part, size_t times) {
  std::string all;
  all.reserve(part.size() * times);
  for (size_t i = 0; i < times; ++i) all += part;
  return all;
}

// 7.9 MB of a heartbeat: facts (field 8) with empty ProbeRun entries (field 31).
std::string EmptyProbeRuns() {
  const std::string runs = Repeat(std::string("\xfa\x01\x00", 3), 2'633'000);
  std::string head = "\x42";  // field 8, length-delimited
  size_t size = runs.size();
  for (; size >= 0x80; size >>= 7) head.push_back(static_cast<char>(size | 0x80));
  head.push_back(static_cast<char>(size));
  return head + runs;
}

class UnauthenticatedTest : public testing::Test {
 protected:
  UnauthenticatedTest() {
    InitOptions options;
    options.dir = dir_.path();
    options.spec = dir_ / "example.yaml";
    options.cluster = "test";
    options.address = "localhost:8443";
    const auto made = InitCluster(options, Now());
    EXPECT_TRUE(made.ok()) << made.status();
    dir_.Write("cluster.yaml", "cluster: test\n");
    program_ = std::make_unique<Process>(
        std::vector<std::string>{CONNECT_HA, "serve", "--dir", dir_.path(), "--spec",
                                 dir_ / "cluster.yaml", "--listen", "127.0.0.1:0"});
    EXPECT_TRUE(program_->AwaitError("event=SERVING")) << program_->error();
    port_ = PortAfter(" port=");
    enrolment_port_ = PortAfter(" enrolment_port=");
  }

  int PortAfter(const std::string& name) {
    const std::string log = program_->error();
    const size_t at = log.find(name);
    return at == std::string::npos ? 0 : std::stoi(log.substr(at + name.size()));
  }

  std::shared_ptr<grpc::Channel> Connect(int port, const CredentialPair& pair = {}) {
    ChannelOptions options;
    options.target = "localhost:" + std::to_string(port);
    options.ca = *ReadSmallFile(dir_ / "ca/ca.crt");
    options.certificate = pair.certificate;
    options.key = pair.key;
    return MakeChannel(options);
  }

  std::shared_ptr<grpc::Channel> ConnectNode(const std::string& node) {
    const std::string key = *MakeKey();
    const auto certificate =
        LoadAuthority(dir_.path())->Issue({{"test", Role::kNode, node}, {}}, *MakeCsr(key), Now());
    EXPECT_TRUE(certificate.ok()) << certificate.status();
    return Connect(port_, {key, *certificate});
  }

  // Connections of many neighbours over which nothing comes, or a beginning.
  std::vector<RawConnection> Silent() {
    std::vector<RawConnection> silent;
    for (int i = 0; i < kSilent; ++i) {
      const std::string from = "127.0.1." + std::to_string(1 + i % kNeighbours);
      silent.emplace_back(from, i % 2 == 0 ? port_ : enrolment_port_);
      // A TLS record that promises 16 KB, and never has them.
      if (i % 3 == 0) silent.back().Send(std::string("\x16\x03\x01\x40\x00\x01", 6));
    }
    return silent;
  }

  // Callers of both ports with messages of megabytes.
  std::vector<std::future<void>> Loud() {
    std::vector<std::future<void>> loud;
    for (int i = 0; i < kLoud; ++i) {
      loud.push_back(std::async(std::launch::async, [this, i] {
        const std::string message(4'000'000, 'x');
        const int port = i % 2 == 0 ? enrolment_port_ : port_;
        for (int calls = 0; calls < 3; ++calls) {
          EXPECT_FALSE(
              CallWithBytes(Connect(port), "/connect_ha.v1.EnrolmentService/Challenge", message)
                  .ok());
        }
      }));
    }
    return loud;
  }

  // A report nearly as large as one may be, over a connection of its own.
  grpc::Status ReportInFull(const std::string& node) {
    v1::HeartbeatRequest request;
    request.set_node(node);
    request.set_machine_id("machine");
    request.set_boot_id("boot");
    request.set_facts_digest("digest");
    request.mutable_facts()->mutable_host()->set_hostname(std::string(4'000'000, 'x'));
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    v1::HeartbeatResponse response;
    return v1::NodeService::NewStub(ConnectNode(node))->Heartbeat(&context, request, &response);
  }

  TemporaryDirectory dir_;
  std::unique_ptr<Process> program_;
  int port_ = 0;
  int enrolment_port_ = 0;
};

TEST_F(UnauthenticatedTest, ThreeCallsOfEmptyEntriesCostNothing) {
  const std::string message = EmptyProbeRuns();
  const MemoryWatch memory(program_->pid());
  for (int i = 0; i < 3; ++i) {
    for (const int port : {port_, enrolment_port_}) {
      EXPECT_FALSE(
          CallWithBytes(Connect(port), "/connect_ha.v1.NodeService/Heartbeat", message).ok());
    }
    EXPECT_FALSE(CallWithBytes(Connect(enrolment_port_),
                               "/connect_ha.v1.EnrolmentService/Challenge", message)
                     .ok());
  }
  EXPECT_LT(memory.growth(), kMostGrowthKb) << "from " << memory.begun();
}

TEST_F(UnauthenticatedTest, ACrowdCostsNoMoreAndANodeIsServedMeanwhile) {
  std::vector<RawConnection> silent;
  {
    const MemoryWatch memory(program_->pid());
    silent = Silent();
    for (const auto& call : Loud()) call.wait();
    EXPECT_LT(memory.growth(), kMostGrowthKb) << "from " << memory.begun();
  }
  const auto loud = Loud();
  const grpc::Status served = ReportInFull("node-1");
  EXPECT_TRUE(served.ok()) << served.error_message();
  for (const auto& call : loud) call.wait();
}

}  // namespace
}  // namespace connect_ha
