// The link to the coordinator over gRPC with the node's certificate, which it keeps renewed. Of
// several addresses one that does not answer is left for the next. A renewal brings what they are
// by then, and the digest key: it does not wait for its time where the nodes' key is another, but
// asks for that once an hour at the most, and takes no other than the one that was named.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "agent/link/coordinator_link.h"
#include "agent/link/identity.h"
#include "common/time.h"

namespace connect_ha {

struct CoordinatorClientOptions {
  std::string state_dir;
  NodeIdentity identity;
  std::function<Time()> now;  // asked from any thread
  // How often to look whether the certificate is due.
  std::chrono::milliseconds renewal_check{60'000};
};

class CoordinatorClient : public CoordinatorLink {
 public:
  // Two threads: one waits on the nudge stream (from OnNudge on), re-opened with back-off when it
  // breaks; one renews the certificate when it is due and moves calls to a new channel. A heartbeat
  // on the way goes to its end on the old one.
  explicit CoordinatorClient(CoordinatorClientOptions options);
  // Ends the threads at once, whatever they wait for.
  ~CoordinatorClient() override;

  absl::StatusOr<v1::HeartbeatResponse> Heartbeat(const v1::HeartbeatRequest& request) override;
  void OnNudge(std::function<void()> wake) override;

 private:
  class Connection;
  std::unique_ptr<Connection> connection_;
};

}  // namespace connect_ha
