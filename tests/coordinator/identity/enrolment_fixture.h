// Who joins and what there is to join: for the tests of enrolment and of renewal.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "common/tls/crypto.h"
#include "common/tls/join_proof.h"
#include "coordinator/identity/enrolment.h"
#include "coordinator/store/sqlite.h"
#include "coordinator/store/sqlite_store.h"
#include "tests/fakes/temporary_directory.h"

namespace connect_ha {

inline const Time kNow = Time(std::chrono::seconds(1'730'000'000));
inline constexpr char kMachine[] = "0123456789abcdef0123456789abcdef";
// What an admin does, as far as the edge says it.
inline v1::AuditEntry By(Time now) {
  v1::AuditEntry entry;
  *entry.mutable_at() = ToProto(now);
  entry.set_actor("admin/admin");
  entry.set_address("10.0.0.1");
  entry.set_why("because");
  return entry;
}

class EnrolmentFixture : public testing::Test {
 protected:
  // A node's side of the conversation.
  struct Joiner {
    std::string node = "node-1";
    std::string machine_id = kMachine;
    std::string key = *MakeKey();
  };

  JoinToken NewToken(const std::string& pattern = "", uint32_t uses = 0,
                     std::chrono::seconds ttl = std::chrono::seconds(0), Time now = kNow) {
    v1::CreateTokenRequest request;
    request.set_node_pattern(pattern);
    request.set_uses(uses);
    request.mutable_ttl()->set_seconds(ttl.count());
    const auto response = enrolment_.CreateToken(request, By(now), now);
    EXPECT_TRUE(response.ok()) << response.status();
    return *ParseJoinToken(response->token_secret());
  }

  v1::EnrollRequest Request(const JoinToken& token, const Joiner& joiner, Time now) {
    v1::ChallengeRequest ask;
    ask.set_token_id(token.id);
    v1::EnrollRequest request;
    request.set_token_id(token.id);
    request.set_challenge(enrolment_.Challenge(ask, now).challenge());
    request.set_csr_der(*MakeCsr(joiner.key));
    request.set_node(joiner.node);
    request.set_machine_id(joiner.machine_id);
    request.set_proof(MakeProof(token.secret, {request.challenge(), request.csr_der(), token.id,
                                               joiner.node, joiner.machine_id}));
    return request;
  }

  absl::StatusOr<v1::EnrollResponse> Join(const JoinToken& token, const Joiner& joiner,
                                          Time now = kNow) {
    return enrolment_.Enroll(Request(token, joiner, now), "10.0.0.9", now,
                             [this](const v1::NodeRecord& record) { told_ = record; });
  }

  absl::Status Remove(const std::string& node, Time now) {
    v1::RemoveNodeRequest request;
    request.set_node(node);
    return enrolment_.RemoveNode(request, By(now), now);
  }

  absl::Status Stands(const std::string& certificate_pem) {
    const auto certificate = ParseCertificate(certificate_pem);
    return CheckNodeStands(*store_->GetNode(certificate->identity.name), *certificate);
  }

  std::vector<v1::Event> Events(v1::Event::Kind kind) {
    std::vector<v1::Event> events;
    EventQuery query;
    query.limit = 1000;
    const auto stored = store_->ListEvents(query);
    for (const v1::Event& event : *stored) {
      if (event.kind() == kind) events.push_back(event);
    }
    return events;
  }

  std::vector<v1::AuditEntry> Audit() { return *store_->ListAudit(0, 1000); }

  absl::StatusOr<v1::RenewResponse> Renew(const std::string& certificate_pem, Time now) {
    v1::RenewRequest request;
    request.set_csr_der(*MakeCsr(*MakeKey()));
    return enrolment_.Renew(request, *ParseCertificate(certificate_pem), now);
  }

  v1::NodeRecord told_;  // of the latest enrolment
  TemporaryDirectory dir_;
  std::unique_ptr<SqliteStore> store_ = *SqliteStore::Open(dir_ / "store.db");
  Authority authority_ = *Authority::Create("analytics", kNow - std::chrono::hours(24));
  Enrolment enrolment_{*store_, authority_, "ha.example.com:8443", std::string(32, 'd')};
  const Identity admin_{"analytics", Role::kAdmin, "admin"};
};

}  // namespace connect_ha
