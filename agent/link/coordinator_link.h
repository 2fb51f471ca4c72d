// How the agent speaks to its coordinator: CoordinatorClient is the real one (gRPC), the loop's
// tests have a fake.
#pragma once

#include <functional>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "common/heartbeat.h"
#include "connect_ha/v1/node_service.pb.h"

namespace connect_ha {

class CoordinatorLink {
 public:
  virtual ~CoordinatorLink() = default;

  // One call, from one thread; returns within a bounded time (10 s at the most). Unavailable and
  // DeadlineExceeded: the coordinator is away, try again later. Every other error is an answer,
  // with a message for a person: PermissionDenied (this node was removed), Unauthenticated.
  virtual absl::StatusOr<v1::HeartbeatResponse> Heartbeat(const v1::HeartbeatRequest& request) = 0;

  // `wake` is called, from any thread, when the coordinator asks for a heartbeat now. Set once,
  // before the first Heartbeat; must stay callable until this object is gone.
  virtual void OnNudge(std::function<void()> wake) = 0;
};

// Whether the coordinator says, as the one whose authority this node pinned, that the node was
// removed from the cluster.
inline bool IsRemoval(const absl::Status& status) {
  return absl::IsPermissionDenied(status) && absl::StrContains(status.message(), kRemovedWords);
}

}  // namespace connect_ha
