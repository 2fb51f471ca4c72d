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
#include "connect_ha/v1/audit.pb.h"
#include "coordinator/cluster/roster.h"
#include "coordinator/identity/admins.h"
#include "coordinator/identity/hourly_limit.h"
#include "coordinator/rpc/port/peer.h"
#include "coordinator/store/store.h"

namespace connect_ha {

// Of one admin. A person does not come near it.
constexpr size_t kOrdersAnHour = 600;

class Callers {
 public:
  // Borrows all three.
  Callers(std::string cluster, Roster& roster, const Admins& admins, Store& store);

  using Caller = std::shared_ptr<const Certificate>;
  // The caller speaks for this very node, which was not removed. A refusal is logged, and an
  // event: at most one a minute for each neighbour (peer.h), ten in all.
  absl::StatusOr<Caller> RequireNode(const grpc::ServerContext& context, const std::string& node,
                                     Time now);
  // The caller is an admin whose record says that it may do at least what this role may.
  absl::StatusOr<Caller> RequireAdmin(const grpc::ServerContext& context, v1::Role least, Time now);
  // The caller is an operator, who makes every node work and is told of in the audit log:
  // ResourceExhausted when it did so kOrdersAnHour times within an hour.
  absl::StatusOr<Caller> RequireOperator(const grpc::ServerContext& context, Time now);
  // A node or an admin, whichever; an admin's record is looked at, a node's is not.
  absl::StatusOr<Caller> RequireAny(const grpc::ServerContext& context, Time now);

  // For refusals that the caller of this class decides on. Returns `refusal`.
  absl::Status Refuse(const grpc::ServerContext& context, const std::string& actor,
                      absl::Status refusal, Time now);
  // The same of one who calls from this address, in AddressOf's words.
  absl::Status RefuseAt(const std::string& address, const std::string& actor, absl::Status refusal,
                        Time now);

 private:
  absl::StatusOr<Caller> Identify(const grpc::ServerContext& context, Time now);
  absl::StatusOr<Caller> Parse(const std::string& pem);

  const std::string cluster_;
  Roster& roster_;
  const Admins& admins_;
  Store& store_;

  std::mutex parsed_mutex_;
  std::unordered_map<std::string, Caller> parsed_;  // by PEM
  LogPace refusals_;                                // by neighbour
  HourlyLimit orders_{kOrdersAnHour};               // by admin
};

// What this caller does, for the audit log. `why` is in the caller's words; both texts are cut to
// 1 KiB.
v1::AuditEntry AuditOf(const grpc::ServerContext& context, const Callers::Caller& caller,
                       v1::AuditEntry::Action action, const std::string& subject,
                       const std::string& text, const std::string& why, Time now);

// "node/node-1", as the peer's certificate says; "unknown" without one.
std::string ActorOf(const grpc::ServerContext& context);

}  // namespace connect_ha
