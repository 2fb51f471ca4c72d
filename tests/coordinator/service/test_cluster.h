// A coordinator on a port of this machine, with real TLS and a real store, and callers for it.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "connect_ha/v1/admin_service.grpc.pb.h"
#include "connect_ha/v1/enrolment_service.grpc.pb.h"
#include "connect_ha/v1/node_service.grpc.pb.h"
#include "coordinator/coordinator.h"

namespace connect_ha {

Time TestNow();

// A key and certificate of the cluster's CA.
struct TestIdentity {
  std::string key;
  std::string certificate;
};

class TestCluster {
 public:
  // Makes a cluster "test" in a directory of its own, and starts its coordinator.
  TestCluster();
  ~TestCluster();
  TestCluster(const TestCluster&) = delete;

  // Stops the coordinator (without a word to the store when `killed`) and starts it again on the
  // same port.
  void Restart();
  void Stop();
  void Start();

  Coordinator& coordinator() { return *coordinator_; }
  const std::string& dir() const { return dir_; }
  std::string spec_path() const { return dir_ + "/cluster.yaml"; }
  std::string target() const;
  // Where nodes join.
  std::string enrol_target() const;

  TestIdentity Issue(Role role, const std::string& name) const;
  // A new connection each, to the port of nodes; without an identity: no certificate.
  std::shared_ptr<grpc::Channel> Connect(const TestIdentity& identity) const;
  std::shared_ptr<grpc::Channel> ConnectToEnrol() const;
  std::shared_ptr<grpc::Channel> ConnectNode(const std::string& name) const;
  // As the admin that init made.
  std::shared_ptr<grpc::Channel> ConnectAdmin() const;
  // Another one, whatever certificates it has.
  void LetIn(const std::string& admin, v1::Role role);

 private:
  std::string dir_;
  int port_ = 0;
  int enrol_port_ = 0;
  std::unique_ptr<Coordinator> coordinator_;
};

// A node that calls as an agent would.
class TestNode {
 public:
  TestNode(const TestCluster& cluster, const std::string& name);

  // One heartbeat; `request` is what it sends. Facts go along when the coordinator asked for them
  // or when they were not sent yet.
  grpc::Status Beat();
  void SetFacts(const std::string& hostname);
  // Opens the nudge stream and waits until the coordinator has it.
  std::unique_ptr<grpc::ClientReader<v1::Nudge>> OpenNudges(grpc::ClientContext* context);
  v1::NodeService::Stub& stub() { return *stub_; }

  v1::HeartbeatRequest request;
  v1::HeartbeatResponse response;

 private:
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::NodeService::Stub> stub_;
  v1::Facts facts_;
  bool send_facts_ = true;
};

}  // namespace connect_ha
