// The coordinator's port: the gRPC server with its four services and grpc.health.v1, over TLS.
// Its certificate changes by a second server on the same port: calls go on, none is dropped.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "coordinator/rpc/service.h"

namespace connect_ha {

struct ServerCertificate {
  std::string certificate;  // PEM, the coordinator's and the CA's behind it
  std::string key;          // PEM
  std::string ca;           // PEM: who signs the callers' certificates
};

class Server {
 public:
  explicit Server(Core core);
  ~Server();

  // `listen`: host:port; port 0 takes a free one.
  absl::Status Start(const std::string& listen, const ServerCertificate& certificate);
  // From now on new connections see this certificate. Calls under way end as they would have; the
  // connections of the old certificate are closed after `grace`. Blocks that long at the most.
  absl::Status Replace(const ServerCertificate& certificate, std::chrono::milliseconds grace);
  // Takes no new calls, ends the streams, gives running calls `grace` to end.
  void Stop(std::chrono::milliseconds grace);

  int port() const { return port_; }
  size_t nodes_connected() const;
  // Gives memory back to the system once many nodes have left. Every five seconds.
  void ReturnMemory();

 private:
  class Generation;

  absl::Status Launch(const ServerCertificate& certificate);
  NodeLines Lines();

  Core core_;
  std::string host_;
  int port_ = 0;
  size_t most_connected_ = 0;  // since memory was given back
  int times_to_return_ = 0;    // memory, from now on
  mutable std::mutex mutex_;   // the list; generations are taken out before they are stopped
  std::vector<std::shared_ptr<Generation>> generations_;
};

}  // namespace connect_ha
