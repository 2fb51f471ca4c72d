#include "coordinator/rpc/service_caller.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/text/short_text.h"
#include "coordinator/rpc/service_unread.h"

namespace connect_ha {
namespace {

constexpr size_t kParsedKept = 20'000;

std::string PeerPem(const grpc::ServerContext& context) {
  const auto pems = context.auth_context()->FindPropertyValues("x509_pem_cert");
  return pems.empty() ? "" : std::string(pems.front().data(), pems.front().size());
}

absl::Status WrongRole(const Identity& identity, const std::string& needed) {
  const std::string fix = identity.role == Role::kNode
                              ? "run connect-ha with an admin's identity (--identity DIR)"
                              : "call with the node's own certificate";
  return absl::PermissionDeniedError(absl::StrCat("this call is for ", needed, ", the caller is ",
                                                  FormatActor(identity), "\nfix: ", fix));
}

// Where what went wrong ends.
size_t FixBegins(const std::string& reason) {
  return std::min(reason.find('\n'), reason.find("; fix: "));
}

}  // namespace

std::string ActorOf(const grpc::ServerContext& context) {
  const auto certificate = ParseCertificate(PeerPem(context));
  return certificate.ok() ? FormatActor(certificate->identity) : "unknown";
}

v1::AuditEntry AuditOf(const grpc::ServerContext& context, const Callers::Caller& caller,
                       v1::AuditEntry::Action action, const std::string& subject,
                       const std::string& text, const std::string& why, Time now) {
  v1::AuditEntry entry;
  *entry.mutable_at() = ToProto(now);
  entry.set_action(action);
  entry.set_actor(FormatActor(caller->identity));
  entry.set_address(AddressOf(context.peer()));
  entry.set_subject(subject);
  entry.set_text(ShortText(text, kTextBytes));
  entry.set_why(ShortText(why, kTextBytes));
  return entry;
}

Callers::Callers(std::string cluster, Roster& roster, const Admins& admins, Store& store)
    : cluster_(std::move(cluster)), roster_(roster), admins_(admins), store_(store) {}

absl::StatusOr<Callers::Caller> Callers::Parse(const std::string& pem) {
  {
    std::lock_guard lock(parsed_mutex_);
    const auto known = parsed_.find(pem);
    if (known != parsed_.end()) return known->second;
  }
  auto certificate = ParseCertificate(pem);
  if (!certificate.ok()) return absl::UnauthenticatedError(certificate.status().message());
  auto caller = std::make_shared<const Certificate>(*std::move(certificate));
  std::lock_guard lock(parsed_mutex_);
  if (parsed_.size() >= kParsedKept) parsed_.clear();
  parsed_[pem] = caller;
  return caller;
}

// TLS has verified the chain when the connection was made; a connection may live longer than its
// certificate.
absl::StatusOr<Callers::Caller> Callers::Identify(const grpc::ServerContext& context, Time now) {
  MessageWasRead();
  const std::string pem = PeerPem(context);
  if (pem.empty()) {
    return absl::UnauthenticatedError(
        "this call needs a certificate\nfix: enrol the node (connect-ha token create), or give an "
        "admin's identity (--identity DIR)");
  }
  auto caller = Parse(pem);
  if (!caller.ok()) return caller.status();
  const Identity& identity = (*caller)->identity;
  if (identity.cluster != cluster_) {
    return absl::PermissionDeniedError(absl::StrCat("the certificate is for cluster ",
                                                    identity.cluster, ", this one is ", cluster_));
  }
  if ((*caller)->not_after < now) {
    return absl::UnauthenticatedError(
        absl::StrCat("the certificate of ", FormatActor(identity), " expired at ",
                     FormatUtc((*caller)->not_after),
                     "\nfix: enrol again (connect-ha token create), or copy "
                     "the admin's identity anew from the coordinator"));
  }
  return caller;
}

absl::StatusOr<Callers::Caller> Callers::RequireNode(const grpc::ServerContext& context,
                                                     const std::string& node, Time now) {
  auto caller = Identify(context, now);
  if (!caller.ok()) return Refuse(context, "", caller.status(), now);
  const Identity& identity = (*caller)->identity;
  absl::Status status;
  if (identity.role != Role::kNode) {
    status = WrongRole(identity, "nodes");
  } else if (identity.name != node) {
    status = absl::PermissionDeniedError(absl::StrCat("the certificate is ", identity.name,
                                                      "'s, which cannot speak for ",
                                                      LogValue(ShortText(node, kNameBytes))));
  } else {
    status = roster_.Admit(**caller, now);
  }
  if (!status.ok()) return Refuse(context, FormatActor(identity), status, now);
  return caller;
}

absl::StatusOr<Callers::Caller> Callers::RequireAdmin(const grpc::ServerContext& context,
                                                      v1::Role least, Time now) {
  auto caller = Identify(context, now);
  if (!caller.ok()) return Refuse(context, "", caller.status(), now);
  const Identity& identity = (*caller)->identity;
  const absl::Status status = identity.role == Role::kAdmin ? admins_.Check(**caller, least)
                                                            : WrongRole(identity, "admins");
  if (status.ok()) return caller;
  return Refuse(context, FormatActor(identity), status, now);
}

absl::StatusOr<Callers::Caller> Callers::RequireOperator(const grpc::ServerContext& context,
                                                         Time now) {
  auto caller = RequireAdmin(context, v1::OPERATOR, now);
  if (!caller.ok()) return caller;
  const std::string actor = FormatActor((*caller)->identity);
  if (orders_.Allows(actor, now)) return caller;
  return Refuse(context, actor,
                absl::ResourceExhaustedError(absl::StrCat(
                    actor, " made every node work ", kOrdersAnHour,
                    " times within an hour\nfix: look for what calls connect-ha under this name so "
                    "often; where nobody here does, take the certificate back: connect-ha admin "
                    "remove ",
                    (*caller)->identity.name)),
                now);
}

absl::StatusOr<Callers::Caller> Callers::RequireAny(const grpc::ServerContext& context, Time now) {
  auto caller = Identify(context, now);
  if (!caller.ok()) return Refuse(context, "", caller.status(), now);
  const Identity& identity = (*caller)->identity;
  if (identity.role != Role::kAdmin) return caller;
  const absl::Status status = admins_.Check(**caller, v1::VIEWER);
  if (status.ok()) return caller;
  return Refuse(context, FormatActor(identity), status, now);
}

absl::Status Callers::Refuse(const grpc::ServerContext& context, const std::string& actor,
                             absl::Status refusal, Time now) {
  return RefuseAt(AddressOf(context.peer()), actor, std::move(refusal), now);
}

absl::Status Callers::RefuseAt(const std::string& address, const std::string& actor,
                               absl::Status refusal, Time now) {
  const std::string reason(refusal.message());
  if (!refusals_.Allows(NeighbourOf(address), now)) return refusal;
  spdlog::warn("event=REFUSED address={} actor={} reason={}", address, LogValue(actor),
               LogValue(reason));
  v1::Event event;
  *event.mutable_at() = ToProto(now);
  event.set_kind(v1::Event::REFUSED);
  event.set_actor(actor.empty() ? "unknown" : actor);
  event.set_text(ShortText(
      absl::StrCat("call from ", address, " refused: ", reason.substr(0, FixBegins(reason))),
      kTextBytes));
  if (actor.rfind("node/", 0) == 0) event.set_node(actor.substr(5));
  const absl::Status stored = store_.AddEvent(event).status();
  if (!stored.ok()) spdlog::error("cannot store an event: {}", std::string(stored.message()));
  return refusal;
}

}  // namespace connect_ha
