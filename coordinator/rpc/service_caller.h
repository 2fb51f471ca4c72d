// Who is calling: what the peer's certificate says, and whether that is enough. Any thread.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "absl/status/statusor.h"
#include "common/log_pace.h"
#include "common/time.h"
#include "common/tls/certificate.h"
#include "coordinator/cluster/roster.h"
#include "coordinator/rpc/port/peer.h"
#include "coordinator/store/store.h"

namespace connect_ha {

class Callers {
 public:
  // Borrows both.
  Callers(std::string cluster, Roster& roster, Store& store);

  using Caller = std::shared_ptr<const Certificate>;
  // The caller speaks for this very node, which was not removed. A refusal is logged, and an
  // event: at most one a minute for each neighbour (peer.h), ten in all.
  absl::StatusOr<Caller> RequireNode(const grpc::ServerContext& context, const std::string& node,
                                     Time now);
  absl::StatusOr<Caller> RequireAdmin(const grpc::ServerContext& context, Time now);
  // A node or an admin, whichever.
  absl::StatusOr<Caller> RequireAny(const grpc::ServerContext& context, Time now);

  // For refusals that the caller of this class decides on. Returns `refusal`.
  absl::Status Refuse(const grpc::ServerContext& context, const std::string& actor,
                      absl::Status refusal, Time now);

 private:
  absl::StatusOr<Caller> Identify(const grpc::ServerContext& context, Time now);
  absl::StatusOr<Caller> Parse(const std::string& pem);

  const std::string cluster_;
  Roster& roster_;
  Store& store_;

  std::mutex parsed_mutex_;
  std::unordered_map<std::string, Caller> parsed_;  // by PEM
  LogPace refusals_;                                // by neighbour
};

// "node/node-1", as the peer's certificate says; "unknown" without one.
std::string ActorOf(const grpc::ServerContext& context);

}  // namespace connect_ha
