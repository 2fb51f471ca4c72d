// The gate's HTTP server, on sockets that systemd listens on (connect-ha-gate.socket): it is never
// ended, so that whoever connects while the agent is started again waits a moment, and is not
// refused.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/gate/gate.h"
#include "agent/host/fd.h"

namespace connect_ha {

// Those that systemd handed over to this process (sd_listen_fds), as far as they are listening
// stream sockets; none where nobody did. Once, before anything else is opened or started.
std::vector<Fd> TakeListeningSockets();

struct GateServerOptions {
  std::string node;  // names itself in a header; "": not yet
  std::function<GateAnswer()> health;
  std::function<std::string()> page;
};

// Answers one request a connection, of a few at a time; who is slow is not waited for, and what is
// long is not read. Whoever can reach the port can keep it busy all the same: a load balancer's
// security group is what lets nobody else.
class GateServer {
 public:
  // Answers at once, until it is destroyed, which takes as long as who asks just now. The sockets
  // stay open.
  GateServer(const std::vector<Fd>& sockets, GateServerOptions options);
  ~GateServer();
  GateServer(const GateServer&) = delete;
  GateServer& operator=(const GateServer&) = delete;

 private:
  class Listener;

  const GateServerOptions options_;
  std::vector<std::unique_ptr<Listener>> listeners_;
};

}  // namespace connect_ha
