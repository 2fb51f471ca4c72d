// The coordinator's two ports: gRPC over TLS. Nodes and admins call one, whose handshake demands a
// certificate of the cluster's authority; whoever has none yet enrols on the other. Both answer
// grpc.health.v1. The sockets are ours and outlive gRPC's servers (port/connections.h): for another
// certificate new servers take the connections that come from then on, and none is dropped.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "coordinator/rpc/port/connections.h"
#include "coordinator/rpc/server_generation.h"

namespace connect_ha {

class Server {
 public:
  // Lets this process open as many files as it may.
  explicit Server(Core core);
  ~Server();

  // Both host:port; port 0 takes a free one.
  absl::Status Start(const std::string& listen, const std::string& enrol_listen,
                     const ServerCertificate& certificate);
  // From now on new connections see this certificate. Calls under way end as they would have; the
  // connections of the old certificate are closed after `grace`. Blocks that long at the most.
  absl::Status Replace(const ServerCertificate& certificate, std::chrono::milliseconds grace);
  // Takes no new calls, ends the streams, gives running calls `grace` to end.
  void Stop(std::chrono::milliseconds grace);

  int port() const { return port_; }
  int enrolment_port() const { return enrolment_port_; }
  size_t nodes_connected() const;
  // Has this node call at once, if it has a stream open. Any thread.
  void Nudge(const std::string& node);
  // Connections that are served, on both ports.
  size_t connections() const { return connections_.served(); }
  // Gives memory back to the system once many nodes have left. Every five seconds.
  void ReturnMemory();

 private:
  absl::Status Launch(const ServerCertificate& certificate);
  bool HandOver(Port port, int socket);
  NodeLines Lines();
  EndpointHooks NodesHooks();
  EndpointHooks EnrolmentHooks();

  Core core_;
  int port_ = 0;
  int enrolment_port_ = 0;
  size_t most_connected_ = 0;  // since memory was given back
  int times_to_return_ = 0;    // memory, from now on
  mutable std::mutex mutex_;   // the list; generations are taken out before they are stopped
  std::vector<std::shared_ptr<ServerGeneration>> generations_;
  std::mutex newest_mutex_;  // held while a connection is handed over: nothing is stopped meanwhile
  ServerGeneration* newest_ = nullptr;
  Connections connections_;
};

}  // namespace connect_ha
