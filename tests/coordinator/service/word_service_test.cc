// What people say of nodes and rules: who may, what is written down, and what becomes of it.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "absl/strings/match.h"
#include "tests/coordinator/service/test_cluster.h"

namespace connect_ha {
namespace {

using std::chrono::hours;
using v1::Word;

Word Said(Word::Kind kind) {
  Word word;
  word.set_kind(kind);
  word.set_reason("kernel update");
  if (kind == Word::WAIVE) {
    word.set_rule("clocks-are-synchronised");
  } else {
    word.set_node("node-1");
  }
  if (kind == Word::WAIVE || kind == Word::UNFENCE) {
    *word.mutable_until() = ToProto(TestNow() + hours(2));
  }
  return word;
}

class WordServiceTest : public testing::Test {
 protected:
  WordServiceTest() {
    EXPECT_TRUE(node_.Beat().ok());
    cluster_.LetIn("olga", v1::OPERATOR);
    operator_ = v1::AdminService::NewStub(cluster_.Connect(cluster_.Issue(Role::kAdmin, "olga")));
  }

  grpc::Status Give(v1::AdminService::Stub& stub, const Word& word) {
    grpc::ClientContext context;
    v1::GiveWordRequest request;
    *request.mutable_word() = word;
    return stub.GiveWord(&context, request, &given_);
  }
  grpc::Status TakeBack(v1::AdminService::Stub& stub, const v1::TakeBackRequest& request) {
    grpc::ClientContext context;
    return stub.TakeBack(&context, request, &taken_);
  }
  grpc::Status TakeBack(v1::AdminService::Stub& stub, Word::Kind kind) {
    v1::TakeBackRequest request;
    request.set_node("node-1");
    request.add_kinds(kind);
    request.set_why("done");
    return TakeBack(stub, request);
  }
  v1::GetPlanResponse Plan() {
    grpc::ClientContext context;
    v1::GetPlanResponse plan;
    EXPECT_TRUE(operator_->GetPlan(&context, {}, &plan).ok());
    return plan;
  }
  std::vector<v1::AuditEntry> Audit() { return *cluster_.coordinator().store().ListAudit(0, 1000); }

  TestCluster cluster_;
  TestNode node_{cluster_, "node-1"};
  std::unique_ptr<v1::AdminService::Stub> admin_ =
      v1::AdminService::NewStub(cluster_.ConnectAdmin());
  std::unique_ptr<v1::AdminService::Stub> operator_;
  v1::GiveWordResponse given_;
  v1::TakeBackResponse taken_;
};

TEST_F(WordServiceTest, AWordIsInThePlanWithWhoSaidItAndSurvivesARestart) {
  Word word = Said(Word::CORDON);
  word.set_by("admin/somebody-else");
  word.set_role(v1::ADMIN);
  word.set_number(17);
  const grpc::Status given = Give(*operator_, word);
  ASSERT_TRUE(given.ok()) << given.error_message();
  EXPECT_EQ(given_.word().by(), "admin/olga");
  EXPECT_EQ(given_.word().role(), v1::OPERATOR);
  EXPECT_NE(given_.word().number(), 17u);
  EXPECT_EQ(given_.assignment().node(), "node-1");
  ASSERT_EQ(Plan().words_size(), 1);
  EXPECT_EQ(Plan().words(0).reason(), "kernel update");

  cluster_.Restart();
  operator_ = v1::AdminService::NewStub(cluster_.Connect(cluster_.Issue(Role::kAdmin, "olga")));
  const v1::GetPlanResponse plan = Plan();
  ASSERT_EQ(plan.words_size(), 1);
  EXPECT_EQ(plan.words(0).number(), given_.word().number());
}

TEST_F(WordServiceTest, TheAuditLogNamesWhoFromWhereWhatAndWhy) {
  const size_t before = Audit().size();
  ASSERT_TRUE(Give(*operator_, Said(Word::CORDON)).ok());
  ASSERT_TRUE(TakeBack(*operator_, Word::CORDON).ok());
  EXPECT_EQ(taken_.words_size(), 1);
  EXPECT_TRUE(Plan().words().empty());
  const auto audit = Audit();
  ASSERT_EQ(audit.size(), before + 2);
  const v1::AuditEntry& given = audit[before];
  const v1::AuditEntry& taken = audit[before + 1];
  EXPECT_EQ(given.action(), v1::AuditEntry::WORD_GIVEN);
  EXPECT_EQ(given.why(), "kernel update");
  EXPECT_EQ(taken.action(), v1::AuditEntry::WORD_TAKEN_BACK);
  EXPECT_EQ(taken.why(), "done");
  for (const v1::AuditEntry* entry : {&given, &taken}) {
    EXPECT_EQ(entry->actor(), "admin/olga");
    EXPECT_EQ(entry->address(), "127.0.0.1");
    EXPECT_EQ(entry->subject(), "node-1");
    EXPECT_TRUE(absl::StrContains(entry->text(), "cordon")) << entry->text();
  }
}

TEST_F(WordServiceTest, AnOperatorNeitherFencesNorLetsGoNorAllowsDowntime) {
  for (const Word::Kind kind : {Word::FENCE, Word::UNFENCE, Word::RELEASE, Word::GONE}) {
    EXPECT_EQ(Give(*operator_, Said(kind)).error_code(), grpc::StatusCode::PERMISSION_DENIED);
    EXPECT_EQ(TakeBack(*operator_, kind).error_code(), grpc::StatusCode::PERMISSION_DENIED);
  }
  Word drain = Said(Word::DRAIN);
  drain.set_downtime(true);
  EXPECT_EQ(Give(*operator_, drain).error_code(), grpc::StatusCode::PERMISSION_DENIED);
  Word waiver = Said(Word::WAIVE);
  waiver.set_rule("data-dir-is-shared");
  EXPECT_EQ(Give(*operator_, waiver).error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_TRUE(Plan().words().empty());

  EXPECT_TRUE(Give(*operator_, Said(Word::WAIVE)).ok());
  for (const Word& word : {Said(Word::FENCE), drain, waiver}) EXPECT_TRUE(Give(*admin_, word).ok());
}

// It would be taken, and heeded by no decision.
TEST_F(WordServiceTest, WhatTheSpecificationHasFenceIsWaivedByAnAdmin) {
  v1::ApplySpecRequest request;
  v1::SpecBundle& bundle = *request.mutable_bundle();
  bundle.mutable_spec()->set_cluster("test");
  (*bundle.mutable_spec()->mutable_rules())["clocks-are-synchronised"].set_action(v1::FENCE);
  bundle.set_source("cluster: test\n");
  request.set_newest_generation(1);
  grpc::ClientContext context;
  v1::ApplySpecResponse applied;
  const grpc::Status status = admin_->ApplySpec(&context, request, &applied);
  ASSERT_TRUE(status.ok()) << status.error_message();
  const grpc::Status refused = Give(*operator_, Said(Word::WAIVE));
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_TRUE(absl::StrContains(refused.error_message(), "fix: ")) << refused.error_message();
  EXPECT_TRUE(Give(*admin_, Said(Word::WAIVE)).ok());
  EXPECT_EQ(Plan().words_size(), 1);
}

// One of them may be of a rule that fences, which an admin waived.
TEST_F(WordServiceTest, AnOperatorTakesBackWaiversByTheirRuleAlone) {
  ASSERT_TRUE(Give(*operator_, Said(Word::WAIVE)).ok());
  v1::TakeBackRequest request;
  request.set_why("done");
  request.add_kinds(Word::WAIVE);
  EXPECT_EQ(TakeBack(*operator_, request).error_code(), grpc::StatusCode::PERMISSION_DENIED);
  request.set_rule("clocks-are-synchronised");
  EXPECT_TRUE(TakeBack(*operator_, request).ok());
}

TEST_F(WordServiceTest, WhatIsNotSaidInFullIsRefusedAndNotWrittenDown) {
  const size_t before = Audit().size();
  Word word = Said(Word::DRAIN);
  word.clear_reason();
  EXPECT_EQ(Give(*operator_, word).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  word = Said(Word::WAIVE);
  word.clear_until();
  EXPECT_EQ(Give(*operator_, word).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  word = Said(Word::DRAIN);
  word.set_node("node-9");
  EXPECT_EQ(Give(*operator_, word).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(TakeBack(*operator_, Word::DRAIN).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(Audit().size(), before);
}

TEST_F(WordServiceTest, WhoAllowsDowntimeOrPutsADatabaseBackIsAnAdmin) {
  Word word = Said(Word::APPROVE);
  word.clear_node();
  word.set_generation(1);
  EXPECT_TRUE(Give(*operator_, word).ok());
  word.set_downtime(true);
  EXPECT_EQ(Give(*operator_, word).error_code(), grpc::StatusCode::PERMISSION_DENIED);
  word.set_downtime(false);
  word.set_generation(9);
  EXPECT_EQ(Give(*admin_, word).error_code(), grpc::StatusCode::NOT_FOUND);
  word.set_kind(Word::RESTORED);
  word.clear_generation();
  word.set_version("2024.08.0");
  EXPECT_EQ(Give(*operator_, word).error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_TRUE(Give(*admin_, word).ok());
}

TEST_F(WordServiceTest, ChangesThatEndedAreListedNewestFirst) {
  Store& store = cluster_.coordinator().store();
  Store::PlanChange change;
  for (const uint64_t generation : {1, 2, 3}) {
    v1::Rollout& rollout = change.ended.emplace_back();
    rollout.set_generation(generation);
    rollout.set_end(v1::Rollout::DONE);
  }
  // The planner writes, too.
  absl::Status put;
  do {
    const auto plan = store.GetPlan();
    ASSERT_TRUE(plan.ok()) << plan.status();
    change.revision = plan->revision;
    change.memory = plan->memory;
    put = store.PutPlan(change);
  } while (absl::IsAborted(put));
  ASSERT_TRUE(put.ok()) << put;
  const auto list = [this](uint32_t limit) {
    grpc::ClientContext context;
    v1::ListRolloutsRequest request;
    request.set_limit(limit);
    v1::ListRolloutsResponse listed;
    EXPECT_TRUE(operator_->ListRollouts(&context, request, &listed).ok());
    std::vector<uint64_t> generations;
    for (const v1::Rollout& one : listed.rollouts()) generations.push_back(one.generation());
    return generations;
  };
  EXPECT_EQ(list(0), (std::vector<uint64_t>{3, 2, 1}));
  EXPECT_EQ(list(2), (std::vector<uint64_t>{3, 2}));
}

TEST_F(WordServiceTest, WhatIsOfAnotherGenerationIsNotTakenBack) {
  Word word = Said(Word::APPROVE);
  word.clear_node();
  word.set_generation(1);
  ASSERT_TRUE(Give(*operator_, word).ok());
  v1::TakeBackRequest request;
  request.add_kinds(Word::APPROVE);
  request.set_why("a mistake");
  request.set_generation(7);
  const grpc::Status other = TakeBack(*operator_, request);
  EXPECT_EQ(other.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_NE(other.error_message().find("nobody said approve of generation 7"), std::string::npos)
      << other.error_message();
  request.set_generation(1);
  EXPECT_TRUE(TakeBack(*operator_, request).ok());
  EXPECT_EQ(taken_.words_size(), 1);
}

TEST_F(WordServiceTest, NothingIsTakenBackWithoutAReason) {
  ASSERT_TRUE(Give(*operator_, Said(Word::CORDON)).ok());
  const size_t before = Audit().size();
  v1::TakeBackRequest request;
  request.set_node("node-1");
  request.add_kinds(Word::CORDON);
  for (const char* const why : {"", "  "}) {
    request.set_why(why);
    EXPECT_EQ(TakeBack(*operator_, request).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  }
  EXPECT_EQ(Audit().size(), before);
  EXPECT_EQ(Plan().words_size(), 1);
}

TEST_F(WordServiceTest, WhatIsOnlyObservedIsToldWhatWouldBe) {
  ASSERT_TRUE(Give(*operator_, Said(Word::CORDON)).ok());  // decided when it is answered
  const v1::GetPlanResponse plan = Plan();
  ASSERT_EQ(plan.decision().assignments_size(), 1);
  EXPECT_EQ(plan.decision().assignments(0).state(), v1::OBSERVED);
  EXPECT_TRUE(plan.has_decided_at());
  EXPECT_TRUE(plan.broken().empty());
  ASSERT_TRUE(plan.has_would());
  EXPECT_EQ(plan.would().assignments_size(), 1);
}

}  // namespace
}  // namespace connect_ha
