// A node's gate, all of it: what is answered, who keeps it, and where it is asked.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/gate/gate.h"
#include "agent/gate/gate_keeper.h"
#include "agent/gate/gate_server.h"

namespace connect_ha {

// While the node is in no cluster.
GateServerOptions ClosedToAll();

class NodeGate {
 public:
  // Made before whoever wakes it, and outlives them.
  explicit NodeGate(const std::string& connect_unit);
  ~NodeGate() { Close(); }

  // Looks, and answers on the sockets, until Close. What `options` and `gather` refer to lives
  // until then.
  void Open(GateOptions options, Host& host, std::function<void(uint32_t triggers)> gather,
            const std::vector<Fd>& sockets);
  void Close();

  // Something was gathered, or the node is told something else. From any thread, at any time.
  void Wake() { keeper_.Wake(); }
  // Between Open and Close.
  GateNews News() { return gate_->News(); }

 private:
  GateKeeper keeper_;
  std::unique_ptr<Gate> gate_;
  std::unique_ptr<GateServer> server_;
};

}  // namespace connect_ha
