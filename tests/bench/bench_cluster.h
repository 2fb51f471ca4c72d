// A coordinator in a process of its own, and the identities to call it with.
#pragma once

#include <grpcpp/grpcpp.h>
#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "common/time.h"
#include "connect_ha/v1/node_service.pb.h"
#include "coordinator/identity/authority.h"

namespace connect_ha {

Time BenchNow();

struct BenchIdentity {
  std::string name;
  std::string key;
  std::string certificate;
};

class BenchCluster {
 public:
  // In a new directory below the current one's TMPDIR, on a free port.
  BenchCluster();
  ~BenchCluster();

  // `mode`: "serve" is the coordinator, "echo" answers heartbeats with nothing behind.
  // Returns when it serves; the seconds that took.
  double StartServer(const std::string& mode);
  void KillServer();

  // Resident memory and processor time of the server's process.
  double ResidentMiB() const;
  double CpuSeconds() const;

  // Before the server starts: nodes that the store knows.
  std::vector<BenchIdentity> EnrolNodes(int count);
  // Nodes that it does not know: the first call of each costs two writes more.
  std::vector<BenchIdentity> IssueNodes(int count);
  BenchIdentity IssueAdmin() const;
  std::shared_ptr<grpc::Channel> Connect(const BenchIdentity& identity) const;
  const std::string& dir() const { return dir_; }

 private:
  BenchIdentity Issue(Role role, const std::string& name) const;

  std::string dir_;
  std::string ca_;
  int port_ = 0;
  pid_t server_ = -1;
  std::unique_ptr<Authority> authority_;
};

// The facts of the healthy node in tests/clusters/base.textproto, about 4 KB, serialised as agents
// send them.
v1::HeartbeatRequest BenchReport(const std::string& node);
// Makes it another one: as drift would.
void ChangeReport(v1::HeartbeatRequest& report, int number);
// HeartbeatRequest.facts_digest of the facts of this number.
std::string BenchDigest(int number);

double ResidentMiBOf(pid_t process);

// Runs a server in this process until it is killed: coordinator_bench serve|echo DIR PORT.
int RunServer(const std::string& mode, const std::string& dir, const std::string& port);

}  // namespace connect_ha
