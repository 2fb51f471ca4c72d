#include "coordinator/identity/enrolment.h"

#include <gtest/gtest.h>

#include <future>

#include "tests/coordinator/identity/enrolment_fixture.h"

namespace connect_ha {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

using EnrolmentTest = EnrolmentFixture;

constexpr char kRefused[] =
    "the join token was refused; fix: make a new token with: connect-ha token create";

void Nobody(const v1::NodeRecord&) {}

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

  const auto response = enrolment_.CreateToken(request, By(kNow), kNow);

  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->join_command(),
            "connect-ha-agent enroll --coordinator ha.example.com:8444 "
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
  ASSERT_TRUE(enrolment_.Enroll(request, "10.0.0.9", kNow, Nobody).ok());

  const auto replayed = enrolment_.Enroll(request, "10.6.6.6", kNow, Nobody);

  EXPECT_EQ(replayed.status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(store_->GetToken(token.id)->token().uses_spent(), 1u);
}

TEST_F(EnrolmentTest, RefusesAnOldChallenge) {
  const v1::EnrollRequest request = Request(NewToken(), Joiner(), kNow);

  EXPECT_EQ(enrolment_.Enroll(request, "10.0.0.9", kNow + seconds(61), Nobody).status().code(),
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
  ASSERT_TRUE(enrolment_.RevokeToken(request, By(kNow), kNow).ok());

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

TEST_F(EnrolmentTest, EnrollingAnewKeepsWhichChangesWereTaken) {
  ASSERT_TRUE(Join(NewToken(), Joiner()).ok());
  ASSERT_TRUE(store_->AddNodeChanges("node-1", {{7, v1::Event()}}).ok());

  ASSERT_TRUE(Join(NewToken(), Joiner(), kNow + minutes(1)).ok());

  EXPECT_EQ(told_.changes_taken(), 7u);
  EXPECT_EQ(store_->GetNode("node-1")->changes_taken(), 7u);
}

TEST_F(EnrolmentTest, TellsOfAnEnrolmentBeforeARemovalCanBegin) {
  std::future<absl::Status> removal;

  const auto joined = enrolment_.Enroll(
      Request(NewToken(), Joiner(), kNow), "10.0.0.9", kNow, [&](const v1::NodeRecord& record) {
        EXPECT_EQ(record.name(), "node-1");
        EXPECT_FALSE(record.removed());
        removal = std::async(std::launch::async, [this] {
          const auto alone = enrolment_.OneAtATime();
          return Remove("node-1", kNow);
        });
        EXPECT_EQ(removal.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
      });

  EXPECT_TRUE(joined.ok()) << joined.status();
  EXPECT_TRUE(removal.get().ok());
  EXPECT_TRUE(store_->GetNode("node-1")->removed());
}

TEST_F(EnrolmentTest, AUsedTokenBringsNobodyBackWhoseRecordWasPurged) {
  const JoinToken token = NewToken();
  const Joiner joiner;
  ASSERT_TRUE(Join(token, joiner).ok());
  ASSERT_TRUE(Remove("node-1", kNow + minutes(1)).ok());
  ASSERT_TRUE(store_->PurgeNodes(kNow + minutes(2)).ok());

  const auto again = Join(token, joiner, kNow + minutes(3));

  EXPECT_EQ(again.status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(store_->GetNode("node-1").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(EnrolmentTest, WritesDownWhoDidWhatAndWhy) {
  const JoinToken token = NewToken("node-1");
  ASSERT_TRUE(Join(token, Joiner()).ok());
  ASSERT_TRUE(Remove("node-1", kNow + minutes(1)).ok());
  v1::RevokeTokenRequest revoke;
  revoke.set_id(token.id);
  ASSERT_TRUE(enrolment_.RevokeToken(revoke, By(kNow), kNow).ok());

  const auto audit = Audit();

  ASSERT_EQ(audit.size(), 4u);
  EXPECT_EQ(audit[0].action(), v1::AuditEntry::TOKEN_CREATED);
  EXPECT_EQ(audit[0].subject(), token.id);
  EXPECT_EQ(audit[0].text(), "for nodes named node-1, 1 uses, until 2024-10-27T04:33:20Z");
  EXPECT_EQ(audit[1].action(), v1::AuditEntry::NODE_ENROLLED);
  EXPECT_EQ(audit[1].actor(), "token/" + token.id);
  EXPECT_EQ(audit[1].address(), "10.0.0.9");
  EXPECT_EQ(audit[1].subject(), "node-1");
  EXPECT_EQ(audit[2].action(), v1::AuditEntry::NODE_REMOVED);
  EXPECT_EQ(audit[2].subject(), "node-1");
  EXPECT_EQ(audit[3].action(), v1::AuditEntry::TOKEN_REVOKED);
  EXPECT_EQ(audit[3].subject(), token.id);
  for (const size_t i : {0u, 2u, 3u}) {
    EXPECT_EQ(audit[i].actor(), "admin/admin") << i;
    EXPECT_EQ(audit[i].address(), "10.0.0.1") << i;
    EXPECT_EQ(audit[i].why(), "because") << i;
  }
  for (const auto kind :
       {v1::Event::TOKEN_CREATED, v1::Event::NODE_REMOVED, v1::Event::TOKEN_REVOKED}) {
    const auto events = Events(kind);
    ASSERT_EQ(events.size(), 1u) << v1::Event::Kind_Name(kind);
    EXPECT_EQ(events[0].actor(), "admin/admin") << v1::Event::Kind_Name(kind);
  }
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
  EXPECT_FALSE(enrolment_.CreateToken(request, By(kNow), kNow).ok());
  request.Clear();
  request.mutable_ttl()->set_seconds(-1);
  EXPECT_FALSE(enrolment_.CreateToken(request, By(kNow), kNow).ok());
  request.mutable_ttl()->set_seconds(366 * 24 * 3600);
  EXPECT_FALSE(enrolment_.CreateToken(request, By(kNow), kNow).ok());
  request.Clear();
  request.set_uses(1'000'000);
  EXPECT_FALSE(enrolment_.CreateToken(request, By(kNow), kNow).ok());
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

// What is known live follows the store by this answer.
TEST_F(EnrolmentTest, ANodeIsRemovedThoughTheEventCannotBeStored) {
  ASSERT_TRUE(Join(NewToken(), Joiner()).ok());
  const auto other = Database::Open(dir_ / "store.db", 2000);
  ASSERT_TRUE(other.ok()) << other.status();
  const absl::Status full = (*other)->Execute(
      "CREATE TRIGGER no_events BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'full'); END");
  ASSERT_TRUE(full.ok()) << full;

  EXPECT_TRUE(Remove("node-1", kNow).ok());

  EXPECT_TRUE(store_->GetNode("node-1")->removed());
  EXPECT_TRUE(Events(v1::Event::NODE_REMOVED).empty());
}

}  // namespace
}  // namespace connect_ha
