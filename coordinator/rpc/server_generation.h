// gRPC's servers of both ports, with one certificate.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>

#include "coordinator/rpc/endpoint.h"
#include "coordinator/rpc/port/connection_table.h"
#include "coordinator/rpc/service.h"
#include "coordinator/rpc/service_nudges.h"

namespace connect_ha {

struct ServerCertificate {
  std::string certificate;  // PEM, the coordinator's and the CA's behind it
  std::string key;          // PEM
  std::string ca;           // PEM: who signs the callers' certificates
};

class ServerGeneration {
 public:
  // `core` is borrowed.
  ServerGeneration(Core& core, NodeLines lines, EndpointHooks nodes_hooks,
                   EndpointHooks enrolment_hooks);

  // False when gRPC does not take the certificate.
  bool Start(const ServerCertificate& certificate);
  // Once it started, and before it is stopped: a connected socket, which is gRPC's from now on.
  void Take(Port port, int socket);
  // Takes no new calls, ends the streams, gives running calls `grace` to end. Again: does nothing.
  void Stop(std::chrono::milliseconds grace);

  Nudges& nudges() { return *nudges_; }

 private:
  using Acceptor = std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor>;

  bool StartNodes(const ServerCertificate& certificate);
  bool StartEnrolment(const ServerCertificate& certificate);

  NodeServer node_;
  EnrolmentServer enrolment_;
  RenewalServer renewal_;
  AdminServer admin_;
  Endpoint nodes_endpoint_;
  Endpoint enrolment_endpoint_;
  Acceptor nodes_acceptor_;
  Acceptor enrolment_acceptor_;
  std::unique_ptr<Nudges> nudges_;
  std::unique_ptr<grpc::Server> nodes_server_;
  std::unique_ptr<grpc::Server> enrolment_server_;
};

}  // namespace connect_ha
