#include "coordinator/identity/enrolment.h"

#include <gtest/gtest.h>

#include "common/tls/join_proof.h"
#include "coordinator/store/sqlite_store.h"
#include "tests/fakes/temporary_directory.h"

namespace connect_ha {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const Time kNow = Time(seconds(1'730'000'000));
constexpr char kMachine[] = "0123456789abcdef0123456789abcdef";
constexpr char kRefused[] =
    "the join token was refused; fix: make a new token with: connect-ha token create";

class EnrolmentTest : public testing::Test {
 protected:
  // A node's side of the conversation.
  struct Joiner {
    std::string node = "node-1";
    std::string machine_id = kMachine;
    std::string key = *MakeKey();
  };

  JoinToken NewToken(const std::string& pattern = "", uint32_t uses = 0, seconds ttl = seconds(0),
                     Time now = kNow) {
    v1::CreateTokenRequest request;
    request.set_node_pattern(pattern);
    request.set_uses(uses);
    request.mutable_ttl()->set_seconds(ttl.count());
    const auto response = enrolment_.CreateToken(request, admin_, now);
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
    return enrolment_.Enroll(Request(token, joiner, now), "10.0.0.9", now);
  }

  absl::Status Remove(const std::string& node, Time now) {
    v1::RemoveNodeRequest request;
    request.set_node(node);
    return enrolment_.RemoveNode(request, admin_, now);
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

  TemporaryDirectory dir_;
  std::unique_ptr<SqliteStore> store_ = *SqliteStore::Open(dir_ / "store.db");
  Authority authority_ = *Authority::Create("analytics", kNow - hours(24));
  Enrolment enrolment_{*store_, authority_, "ha.example.com:8443", std::string(32, 'd')};
  const Identity admin_{"analytics", Role::kAdmin, "admin"};
};

TEST_F(EnrolmentTest, GivesACertificateForAToken) {
  const Joiner joiner;

  const auto response = Join(NewToken(), joiner);

  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->node(), "node-1");
  EXPECT_EQ(response->digest_key(), std::string(32, 'd'));
  EXPECT_TRUE(KeyMatches(joiner.key, response->certificate_pem()));
  EXPECT_TRUE(Stands(response->certificate_pem()).ok());
  const auto record = store_->GetNode("node-1");
  EXPECT_EQ(record->machine_id(), kMachine);
  EXPECT_EQ(FromProto(record->enrolled_at()), kNow);
  ASSERT_EQ(Events(v1::Event::NODE_ENROLLED).size(), 1u);
  EXPECT_EQ(Events(v1::Event::NODE_ENROLLED)[0].node(), "node-1");
}

TEST_F(EnrolmentTest, PrintsTheWholeJoinCommand) {
  v1::CreateTokenRequest request;
  request.set_node_pattern("node-1");

  const auto response = enrolment_.CreateToken(request, admin_, kNow);

  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->join_command(),
            "connect-ha-agent enroll --coordinator ha.example.com:8443 "
            "--ca-hash " +
                authority_.hash() + " --token " + response->token_secret() + " --node node-1");
  EXPECT_EQ(FromProto(response->token().expires_at()), kNow + hours(1));
  EXPECT_EQ(response->token().uses_allowed(), 1u);
  EXPECT_EQ(response->token().created_by(), "admin/admin");
}

TEST_F(EnrolmentTest, KeepsNoSecret) {
  const JoinToken token = NewToken();
  ASSERT_TRUE(Join(token, Joiner()).ok());

  EXPECT_EQ(store_->GetToken(token.id)->SerializeAsString().find(token.secret), std::string::npos);
  const auto events = store_->ListEvents(EventQuery());
  for (const v1::Event& event : *events) {
    EXPECT_EQ(event.text().find(token.secret), std::string::npos);
  }
}

TEST_F(EnrolmentTest, RefusesAGuessedSecretAndAnUnknownTokenInTheSameWords) {
  const JoinToken token = NewToken();

  const auto wrong_secret = Join({token.id, std::string(52, 'a')}, Joiner());
  const auto unknown = Join({"aaaaaaaaaa", token.secret}, Joiner());

  EXPECT_EQ(wrong_secret.status(), absl::UnauthenticatedError(kRefused));
  EXPECT_EQ(unknown.status(), wrong_secret.status());
  const auto events = Events(v1::Event::REFUSED);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].text(),
            "enrolment from 10.0.0.9 refused: wrong secret for token " + token.id);
  EXPECT_EQ(events[1].text(), "enrolment from 10.0.0.9 refused: no such token");
}

TEST_F(EnrolmentTest, DoesNotTellAGuesserThatATokenExpiredOrIsForAnotherNode) {
  const JoinToken token = NewToken("node-7");

  const auto guessed = Join({token.id, std::string(52, 'a')}, Joiner(), kNow + hours(2));

  EXPECT_EQ(guessed.status(), absl::UnauthenticatedError(kRefused));
}

TEST_F(EnrolmentTest, RefusesAReplayedRequest) {
  const JoinToken token = NewToken("", 5);
  const v1::EnrollRequest request = Request(token, Joiner(), kNow);
  ASSERT_TRUE(enrolment_.Enroll(request, "10.0.0.9", kNow).ok());

  const auto replayed = enrolment_.Enroll(request, "10.6.6.6", kNow);

  EXPECT_EQ(replayed.status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(store_->GetToken(token.id)->token().uses_spent(), 1u);
}

TEST_F(EnrolmentTest, RefusesAnOldChallenge) {
  const v1::EnrollRequest request = Request(NewToken(), Joiner(), kNow);

  EXPECT_EQ(enrolment_.Enroll(request, "10.0.0.9", kNow + seconds(61)).status().code(),
            absl::StatusCode::kAborted);
}

TEST_F(EnrolmentTest, RefusesAnExpiredToken) {
  const JoinToken token = NewToken("", 0, seconds(60));

  const auto late = Join(token, Joiner(), kNow + seconds(60));

  EXPECT_EQ(late.status(),
            absl::PermissionDeniedError("join token " + token.id + " expired at " +
                                        FormatUtc(kNow + seconds(60)) +
                                        "; fix: make a new token with: connect-ha token create"));
}

TEST_F(EnrolmentTest, RefusesARevokedToken) {
  const JoinToken token = NewToken();
  v1::RevokeTokenRequest request;
  request.set_id(token.id);
  ASSERT_TRUE(enrolment_.RevokeToken(request, admin_, kNow).ok());

  EXPECT_EQ(Join(token, Joiner()).status(),
            absl::PermissionDeniedError("join token " + token.id +
                                        " was revoked; fix: make a new token with: connect-ha "
                                        "token create"));
}

TEST_F(EnrolmentTest, RefusesATokenThatIsUsedUp) {
  const JoinToken token = NewToken();
  ASSERT_TRUE(Join(token, Joiner()).ok());

  const auto second = Join(token, {"node-2", "fedcba98", *MakeKey()});

  EXPECT_EQ(second.status(),
            absl::PermissionDeniedError("join token " + token.id +
                                        " is used up (1 of 1 uses); fix: make a new token with: "
                                        "connect-ha token create"));
  EXPECT_EQ(store_->GetNode("node-2").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(EnrolmentTest, TakesARepeatForTheSameUse) {
  const JoinToken token = NewToken();
  const Joiner joiner;
  const auto first = Join(token, joiner);

  const auto second = Join(token, joiner, kNow + hours(3));  // expired since, and used up

  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_TRUE(Stands(first->certificate_pem()).ok());
  EXPECT_TRUE(Stands(second->certificate_pem()).ok());
  EXPECT_EQ(store_->GetToken(token.id)->token().uses_spent(), 1u);
}

TEST_F(EnrolmentTest, DoesNotTakeAnotherKeyForARepeat) {
  const JoinToken token = NewToken();
  ASSERT_TRUE(Join(token, Joiner()).ok());

  EXPECT_EQ(Join(token, Joiner()).status().code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(EnrolmentTest, HoldsATokenToItsPattern) {
  const JoinToken token = NewToken("web-*", 2);

  const auto other = Join(token, {"node-1", kMachine, *MakeKey()});
  const auto right = Join(token, {"web-1", kMachine, *MakeKey()});

  EXPECT_EQ(other.status(),
            absl::PermissionDeniedError("join token " + token.id +
                                        " is for nodes named \"web-*\", not \"node-1\"; fix: "
                                        "enrol with --node and such a name"));
  EXPECT_TRUE(right.ok()) << right.status();
}

TEST_F(EnrolmentTest, RefusesANameThatAnotherMachineHas) {
  ASSERT_TRUE(Join(NewToken(), Joiner()).ok());

  const auto other = Join(NewToken(), {"node-1", "fedcba98", *MakeKey()});

  EXPECT_EQ(other.status(),
            absl::AlreadyExistsError(
                "another machine is enrolled as \"node-1\"; fix: enrol under another --node, or, "
                "when that machine is gone: connect-ha node remove node-1"));
  EXPECT_EQ(store_->GetNode("node-1")->machine_id(), kMachine);
}

TEST_F(EnrolmentTest, LetsTheSameMachineEnrolAnewWithoutSilencingItself) {
  const auto first = Join(NewToken(), Joiner());

  const auto second = Join(NewToken(), Joiner(), kNow + minutes(1));

  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_TRUE(Stands(first->certificate_pem()).ok());
  EXPECT_TRUE(Stands(second->certificate_pem()).ok());
}

TEST_F(EnrolmentTest, RefusesTheCertificatesOfARemovedNode) {
  const auto joined = Join(NewToken(), Joiner());

  ASSERT_TRUE(Remove("node-1", kNow + minutes(1)).ok());

  EXPECT_EQ(Stands(joined->certificate_pem()),
            absl::PermissionDeniedError(
                "node \"node-1\" was removed from cluster \"analytics\"; fix: to join again: "
                "connect-ha token create --node node-1, and run on the node what it prints"));
  v1::RenewRequest renew;
  renew.set_csr_der(*MakeCsr(*MakeKey()));
  EXPECT_EQ(
      enrolment_.Renew(renew, *ParseCertificate(joined->certificate_pem()), kNow).status().code(),
      absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(Events(v1::Event::NODE_REMOVED).size(), 1u);
}

TEST_F(EnrolmentTest, TakesARemovedNodeInAgainWithANewTokenOnly) {
  const JoinToken token = NewToken();
  const Joiner joiner;
  const auto before = Join(token, joiner);
  ASSERT_TRUE(Remove("node-1", kNow + minutes(1)).ok());

  const auto with_old_token = Join(token, joiner, kNow + minutes(2));
  const auto with_new_token =
      Join(NewToken("", 0, seconds(0), kNow + minutes(2)), joiner, kNow + minutes(2));

  EXPECT_EQ(with_old_token.status().code(), absl::StatusCode::kPermissionDenied);
  ASSERT_TRUE(with_new_token.ok()) << with_new_token.status();
  EXPECT_TRUE(Stands(with_new_token->certificate_pem()).ok());
  EXPECT_EQ(Stands(before->certificate_pem()).code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(EnrolmentTest, ARemovedNameMayGoToAnotherMachine) {
  ASSERT_TRUE(Join(NewToken(), Joiner()).ok());
  ASSERT_TRUE(Remove("node-1", kNow).ok());

  const auto other = Join(NewToken(), {"node-1", "fedcba98", *MakeKey()}, kNow + seconds(1));

  ASSERT_TRUE(other.ok()) << other.status();
  EXPECT_EQ(store_->GetNode("node-1")->machine_id(), "fedcba98");
}

TEST_F(EnrolmentTest, RemovesOnlyWhatIsThere) {
  EXPECT_EQ(Remove("node-9", kNow).message(),
            "no node \"node-9\"; fix: list them with: connect-ha nodes");
}

TEST_F(EnrolmentTest, RenewsForTheSameNameAndRole) {
  const auto joined = Join(NewToken(), Joiner());
  const auto caller = ParseCertificate(joined->certificate_pem());
  const std::string new_key = *MakeKey();
  v1::RenewRequest request;
  request.set_csr_der(*MakeCsr(new_key));

  const auto renewed = enrolment_.Renew(request, *caller, kNow + hours(15 * 24));

  ASSERT_TRUE(renewed.ok()) << renewed.status();
  const auto certificate = ParseCertificate(renewed->certificate_pem());
  EXPECT_EQ(certificate->identity, caller->identity);
  EXPECT_EQ(certificate->not_after, kNow + hours(45 * 24));
  EXPECT_TRUE(KeyMatches(new_key, renewed->certificate_pem()));
  EXPECT_TRUE(Stands(renewed->certificate_pem()).ok());
}

TEST_F(EnrolmentTest, RenewsAnAdminToo) {
  const std::string key = *MakeKey();
  const auto caller = ParseCertificate(*authority_.Issue({admin_, {}}, *MakeCsr(key), kNow));
  v1::RenewRequest request;
  request.set_csr_der(*MakeCsr(key));

  const auto renewed = enrolment_.Renew(request, *caller, kNow);

  ASSERT_TRUE(renewed.ok()) << renewed.status();
  EXPECT_EQ(ParseCertificate(renewed->certificate_pem())->identity, admin_);
}

TEST_F(EnrolmentTest, RefusesNamesAndMachinesThatAreNone) {
  const JoinToken token = NewToken("", 10);
  EXPECT_EQ(Join(token, {"Node", kMachine, *MakeKey()}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Join(token, {"node-1", "", *MakeKey()}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Join(token, {"node-1", "a\nb", *MakeKey()}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(EnrolmentTest, RefusesTokensThatMakeNoSense) {
  v1::CreateTokenRequest request;
  request.set_node_pattern("Node_*");
  EXPECT_FALSE(enrolment_.CreateToken(request, admin_, kNow).ok());
  request.Clear();
  request.mutable_ttl()->set_seconds(-1);
  EXPECT_FALSE(enrolment_.CreateToken(request, admin_, kNow).ok());
  request.mutable_ttl()->set_seconds(366 * 24 * 3600);
  EXPECT_FALSE(enrolment_.CreateToken(request, admin_, kNow).ok());
  request.Clear();
  request.set_uses(1'000'000);
  EXPECT_FALSE(enrolment_.CreateToken(request, admin_, kNow).ok());
}

TEST_F(EnrolmentTest, AFloodOfGuessesLeavesAFewEvents) {
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(Join({"aaaaaaaaaa", "b"}, Joiner(), kNow + std::chrono::milliseconds(i)).ok());
  }
  EXPECT_FALSE(Join({"aaaaaaaaaa", "b"}, Joiner(), kNow + minutes(1)).ok());

  const auto events = Events(v1::Event::REFUSED);
  ASSERT_EQ(events.size(), 11u);
  EXPECT_EQ(events[10].text(),
            "enrolment from 10.0.0.9 refused: no such token (and 90 more before)");
}

}  // namespace
}  // namespace connect_ha
