#include "tests/bench/bench_cluster.h"

#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/tls/certificate.h"
#include "common/tls/channel.h"
#include "connect_ha/v1/node_service.grpc.pb.h"
#include "coordinator/coordinator.h"
#include "coordinator/store/sqlite_store.h"
#include "tests/common/checklist/fixture.h"

namespace connect_ha {
namespace {

constexpr size_t kWriters = 64;  // whose writes are committed in groups

[[noreturn]] void Die(const std::string& what) {
  std::cerr << "bench: " << what << "\n";
  std::exit(1);
}

template <typename Value>
Value Must(absl::StatusOr<Value> value) {
  if (!value.ok()) Die(value.status().ToString());
  return *std::move(value);
}

// Answers and does nothing: what gRPC and TLS cost by themselves.
class Echo final : public v1::NodeService::Service {
  grpc::Status Heartbeat(grpc::ServerContext*, const v1::HeartbeatRequest*,
                         v1::HeartbeatResponse* response) override {
    response->set_next_heartbeat_ms(5000);
    return grpc::Status::OK;
  }
};

void Ready(int port) {
  std::cout << port << std::endl;  // the parent waits for this line
}

int RunEcho(const std::string& dir, const std::string& port) {
  const auto files = Must(LoadCoordinatorFiles(dir));
  grpc::SslServerCredentialsOptions tls(GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY);
  tls.pem_root_certs = files.ca;
  tls.pem_key_cert_pairs.push_back({files.key, files.certificate});
  grpc::ServerBuilder builder;
  int bound = 0;
  builder.AddListeningPort("127.0.0.1:" + port, grpc::SslServerCredentials(tls), &bound);
  Echo echo;
  builder.RegisterService(&echo);
  const auto server = builder.BuildAndStart();
  Ready(bound);
  server->Wait();
  return 0;
}

}  // namespace

double ResidentMiBOf(pid_t process) {
  std::ifstream statm(absl::StrCat("/proc/", process, "/statm"));
  double size = 0, resident = 0;
  statm >> size >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1024 * 1024);
}

Time BenchNow() { return std::chrono::time_point_cast<Time::duration>(Time::clock::now()); }

int RunServer(const std::string& mode, const std::string& dir, const std::string& port) {
  if (mode == "echo") return RunEcho(dir, port);
  spdlog::set_level(spdlog::level::err);
  const auto coordinator = Must(Coordinator::Open(dir, dir + "/cluster.yaml", BenchNow()));
  // The port beside may be somebody's when the server starts again on the one that it had.
  const absl::Status started = coordinator->Start("127.0.0.1:" + port, "127.0.0.1:0");
  if (!started.ok()) Die(started.ToString());
  Ready(coordinator->port());
  while (true) {
    const auto begun = std::chrono::steady_clock::now();
    coordinator->Tick(BenchNow());
    const auto worked = std::chrono::steady_clock::now() - begun;
    std::this_thread::sleep_for(
        std::max<std::chrono::nanoseconds>(std::chrono::milliseconds(200), worked * 9));
  }
}

BenchCluster::BenchCluster() {
  dir_ = (std::filesystem::temp_directory_path() / "connect-ha-bench-XXXXXX").string();
  if (mkdtemp(dir_.data()) == nullptr) Die("cannot make " + dir_);
  InitOptions options;
  options.dir = dir_;
  options.spec = dir_ + "/example.yaml";
  options.cluster = "bench";
  options.address = "localhost:8443";
  Must(InitCluster(options, BenchNow()));
  std::ofstream(dir_ + "/cluster.yaml") << "cluster: bench\n";
  ca_ = Must(LoadCoordinatorFiles(dir_)).ca;
  authority_ = std::make_unique<Authority>(Must(LoadAuthority(dir_)));
}

BenchCluster::~BenchCluster() {
  KillServer();
  std::filesystem::remove_all(dir_);
}

double BenchCluster::StartServer(const std::string& mode) {
  const auto begun = std::chrono::steady_clock::now();
  int ready[2];
  if (pipe(ready) != 0) Die("no pipe");
  server_ = fork();
  if (server_ == 0) {
    dup2(ready[1], STDOUT_FILENO);
    close(ready[0]);
    execl("/proc/self/exe", "coordinator_bench", mode.c_str(), dir_.c_str(),
          std::to_string(port_).c_str(), nullptr);
    _exit(127);
  }
  close(ready[1]);
  FILE* line = fdopen(ready[0], "r");
  if (fscanf(line, "%d", &port_) != 1) Die("the server did not start");
  fclose(line);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

void BenchCluster::KillServer() {
  if (server_ <= 0) return;
  kill(server_, SIGKILL);
  waitpid(server_, nullptr, 0);
  server_ = -1;
}

double BenchCluster::ResidentMiB() const { return ResidentMiBOf(server_); }

double BenchCluster::CpuSeconds() const {
  std::ifstream stat(absl::StrCat("/proc/", server_, "/stat"));
  std::string word;
  for (int i = 0; i < 13; ++i) stat >> word;
  double user = 0, system = 0;
  stat >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

BenchIdentity BenchCluster::Issue(Role role, const std::string& name) const {
  BenchIdentity identity{name, Must(MakeKey()), ""};
  identity.certificate =
      Must(authority_->Issue({{"bench", role, name}, {}}, Must(MakeCsr(identity.key)), BenchNow()));
  return identity;
}

std::vector<BenchIdentity> BenchCluster::IssueNodes(int count) {
  std::vector<BenchIdentity> nodes;
  nodes.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) nodes.push_back(Issue(Role::kNode, absl::StrCat("node-", i)));
  return nodes;
}

std::vector<BenchIdentity> BenchCluster::EnrolNodes(int count) {
  const auto nodes = IssueNodes(count);
  const auto store = Must(SqliteStore::Open(dir_ + "/store.db"));
  std::vector<std::thread> writers;
  for (size_t first = 0; first < kWriters; ++first) {
    writers.emplace_back([&, first] {
      for (size_t i = first; i < nodes.size(); i += kWriters) {
        v1::NodeRecord record;
        record.set_name(nodes[i].name);
        const absl::Status stored = store->AddNode(record);
        if (!stored.ok()) Die(stored.ToString());
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  return nodes;
}

BenchIdentity BenchCluster::IssueAdmin() const { return Issue(Role::kAdmin, kFirstAdmin); }

std::shared_ptr<grpc::Channel> BenchCluster::Connect(const BenchIdentity& identity) const {
  ChannelOptions options;
  options.target = absl::StrCat("localhost:", port_);
  options.ca = ca_;
  options.certificate = identity.certificate;
  options.key = identity.key;
  return MakeChannel(options);
}

v1::HeartbeatRequest BenchReport(const std::string& node) {
  v1::HeartbeatRequest report;
  report.set_node(node);
  report.set_machine_id("0123456789abcdef0123456789abcdef");
  report.set_boot_id("01234567-89ab-cdef-0123-456789abcdef");
  report.set_agent_version(CONNECT_HA_VERSION);
  report.set_reported_state(v1::OBSERVED);
  ChangeReport(report, 0);
  return report;
}

std::string BenchDigest(int number) { return absl::StrCat("digest-", number); }

// Serialised messages one after the other are one: what is the node's own follows what all have,
// which is serialised once, so that the callers take little of the machine that they share.
void ChangeReport(v1::HeartbeatRequest& report, int number) {
  static const v1::Facts healthy = test::BaseCluster().nodes(0).facts();
  static const std::string shared = [] {
    v1::Facts facts = healthy;
    facts.clear_host();
    facts.clear_instance();
    return facts.SerializeAsString();
  }();
  v1::Facts own;
  *own.mutable_host() = healthy.host();
  *own.mutable_instance() = healthy.instance();
  own.mutable_host()->set_hostname(report.node());
  own.mutable_host()->set_machine_id("machine-" + report.node());
  own.mutable_host()->set_boot_id("boot-" + report.node());
  own.mutable_host()->set_kernel(absl::StrCat("6.8.0-", number));
  own.mutable_instance()->set_instance_id("i-" + report.node());
  report.set_facts_bytes(shared + own.SerializeAsString());
  report.set_facts_digest(BenchDigest(number));
}

}  // namespace connect_ha
