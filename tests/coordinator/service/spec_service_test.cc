// The specification as admins and nodes see it: over mutual TLS, with a store behind.
#include <gtest/gtest.h>

#include <fstream>
#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/spec/signed_spec.h"
#include "common/time.h"
#include "common/tls/channel.h"
#include "coordinator/plan/plan.h"
#include "coordinator/store/sqlite_store.h"
#include "tests/coordinator/service/test_cluster.h"
#include "tests/fakes/log_capture.h"

namespace connect_ha {
namespace {

using std::chrono::seconds;

v1::SpecBundle Bundle(const std::string& cluster, uint32_t stale_after_s) {
  v1::SpecBundle bundle;
  bundle.mutable_spec()->set_cluster(cluster);
  bundle.mutable_spec()->mutable_limits()->mutable_stale_after()->set_seconds(stale_after_s);
  bundle.set_source(absl::StrCat("cluster: ", cluster, "\n"));
  return bundle;
}

class SpecServiceTest : public testing::Test {
 protected:
  SpecServiceTest() : admin_(v1::AdminService::NewStub(cluster_.ConnectAdmin())) {}

  grpc::Status Apply(const v1::SpecBundle& bundle, uint64_t newest) {
    grpc::ClientContext context;
    v1::ApplySpecRequest request;
    *request.mutable_bundle() = bundle;
    request.set_newest_generation(newest);
    return admin_->ApplySpec(&context, request, &applied_);
  }
  grpc::Status RollBack(uint64_t generation, uint64_t newest) {
    grpc::ClientContext context;
    v1::ApplySpecRequest request;
    request.set_generation(generation);
    request.set_newest_generation(newest);
    return admin_->ApplySpec(&context, request, &applied_);
  }
  v1::SpecGeneration Get(uint64_t generation) {
    grpc::ClientContext context;
    v1::GetSpecRequest request;
    v1::SpecGeneration spec;
    request.set_generation(generation);
    EXPECT_TRUE(admin_->GetSpec(&context, request, &spec).ok());
    return spec;
  }
  // A call on the old connection would be the one to notice.
  void Restart() {
    cluster_.Restart();
    admin_ = v1::AdminService::NewStub(cluster_.ConnectAdmin());
  }
  seconds StaleAfter() {
    return std::chrono::duration_cast<seconds>(cluster_.coordinator().roster().StaleAfter());
  }

  TestCluster cluster_;
  std::unique_ptr<v1::AdminService::Stub> admin_;
  v1::ApplySpecResponse applied_;
};

TEST_F(SpecServiceTest, TheFileIsTheFirstGenerationAndThenTheStoreHolds) {
  EXPECT_EQ(Get(0).generation(), 1u);
  EXPECT_EQ(Get(1).applied_by(), "coordinator");
  EXPECT_EQ(Get(1).bundle().source(), "cluster: test\n");
  std::ofstream(cluster_.spec_path()) << "this will not do";
  Restart();
  grpc::ClientContext context;
  v1::ListSpecsResponse list;
  ASSERT_TRUE(admin_->ListSpecs(&context, {}, &list).ok());
  EXPECT_EQ(list.generations_size(), 1);
}

TEST_F(SpecServiceTest, AnAppliedSpecificationHoldsAtOnceAndAfterARestart) {
  const grpc::Status status = Apply(Bundle("test", 17), 1);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(applied_.generation(), 2u);
  EXPECT_EQ(StaleAfter(), seconds(17));
  Restart();
  EXPECT_EQ(StaleAfter(), seconds(17));
  EXPECT_EQ(Get(2).applied_by(), "admin/admin");
  const auto events = cluster_.coordinator().store().ListEvents({});
  ASSERT_TRUE(events.ok()) << events.status();
  std::vector<std::string> applied;
  for (const v1::Event& event : *events) {
    if (event.kind() == v1::Event::SPEC_APPLIED) applied.push_back(event.text());
  }
  ASSERT_FALSE(applied.empty());
  EXPECT_EQ(applied.back(), "generation 2: observed");
}

TEST_F(SpecServiceTest, OneOfAnOlderReleaseThatNodesWillRefuseIsToldAtTheStart) {
  v1::SpecGeneration older;
  older.set_generation(2);
  *older.mutable_applied_at() = ToProto(TestNow());
  *older.mutable_bundle() = Bundle("test", 17);
  (*older.mutable_bundle()->mutable_spec()->mutable_secrets())["db"].set_file("/root/db");
  v1::AuditEntry entry;
  *entry.mutable_at() = older.applied_at();
  ASSERT_TRUE(cluster_.coordinator().store().AddSpec(older, 1, v1::Event(), entry).ok());
  const LogCapture log;
  Restart();
  cluster_.coordinator().planner().Decide(TestNow());
  EXPECT_EQ(StaleAfter(), seconds(17));  // nodes that took it go on by it
  const auto told = log.Await("event=SPEC_INVALID generation=2");
  ASSERT_EQ(told.size(), 1u);
  EXPECT_TRUE(absl::StrContains(told[0], "secrets.db.file must be")) << told[0];
}

TEST_F(SpecServiceTest, ASpecificationThatWillNotDoIsRefusedWithEveryReason) {
  v1::SpecBundle wrong = Bundle("Test!", 0);
  wrong.mutable_spec()->mutable_connect()->set_config("c.gcfg");
  const grpc::Status status = Apply(wrong, 1);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_TRUE(
      absl::StrContains(status.error_message(), "limits.stale_after must be 15s or longer"));
  EXPECT_TRUE(absl::StrContains(status.error_message(), "connect.config names a file that was"));
  const grpc::Status other = Apply(Bundle("other", 17), 1);
  EXPECT_EQ(other.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_TRUE(absl::StrContains(other.error_message(), "write cluster: test"));
  EXPECT_EQ(Get(0).generation(), 1u);
}

TEST_F(SpecServiceTest, WhoPreviewedAgainstAnOlderGenerationIsTold) {
  ASSERT_TRUE(Apply(Bundle("test", 17), 1).ok());
  const grpc::Status late = Apply(Bundle("test", 19), 1);
  EXPECT_EQ(late.error_code(), grpc::StatusCode::ABORTED);
  EXPECT_EQ(StaleAfter(), seconds(17));
}

TEST_F(SpecServiceTest, AnOlderGenerationIsTakenUpAsANewOne) {
  ASSERT_TRUE(Apply(Bundle("test", 17), 1).ok());
  ASSERT_TRUE(Apply(Bundle("test", 19), 2).ok());
  ASSERT_TRUE(RollBack(2, 3).ok());
  EXPECT_EQ(applied_.generation(), 4u);
  EXPECT_EQ(Get(0).rollback_of(), 2u);
  EXPECT_EQ(StaleAfter(), seconds(17));
  EXPECT_EQ(RollBack(17, 4).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(SpecServiceTest, TheNextGenerationIsAboveWhatAnyNodeHolds) {
  v1::HeartbeatRequest request;
  request.set_node("node-1");
  request.set_reported_generation(9);
  request.set_reported_lineage(cluster_.coordinator().store().lineage());
  v1::NodeRecord record;
  record.set_name("node-1");
  Roster& roster = cluster_.coordinator().roster();
  roster.Enrolled(record);
  ASSERT_TRUE(roster.Heartbeat(request, "10.0.0.1", TestNow()).ok());
  ASSERT_TRUE(Apply(Bundle("test", 17), 1).ok());
  EXPECT_EQ(applied_.generation(), 10u);
  Restart();
  EXPECT_EQ(Get(0).generation(), 10u);
}

TEST_F(SpecServiceTest, WhatOneNodeSaysOfItselfMovesNoNumberOutOfReach) {
  Roster& roster = cluster_.coordinator().roster();
  const auto beat = [&](const std::string& name, uint64_t generation) {
    v1::NodeRecord record;
    record.set_name(name);
    roster.Enrolled(record);
    v1::HeartbeatRequest request;
    request.set_node(name);
    request.set_reported_generation(generation);
    request.set_reported_lineage(cluster_.coordinator().store().lineage());
    ASSERT_TRUE(roster.Heartbeat(request, "10.0.0.1", TestNow()).ok());
  };
  beat("node-1", std::numeric_limits<uint64_t>::max());
  beat("node-2", 1 + kGenerationsAbove + 500);
  ASSERT_TRUE(Apply(Bundle("test", 17), 1).ok());
  EXPECT_EQ(applied_.generation(), 2u);
  EXPECT_EQ(Get(0).generation(), 2u);
  EXPECT_EQ(StaleAfter(), seconds(17));
  beat("node-3", 9);
  ASSERT_TRUE(Apply(Bundle("test", 19), 2).ok());
  EXPECT_EQ(applied_.generation(), 10u);
  const grpc::Status absurd = Apply(Bundle("test", 17), std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(absurd.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

// It would stay the newest, and never be begun.
TEST_F(SpecServiceTest, WhatWouldBeRefusedIsNotApplied) {
  cluster_.Stop();
  {
    const auto store = SqliteStore::Open(cluster_.dir() + "/store.db");
    ASSERT_TRUE(store.ok()) << store.status();
    const auto plan = (*store)->GetPlan();
    ASSERT_TRUE(plan.ok()) << plan.status();
    Store::PlanChange change;
    change.revision = plan->revision;
    change.memory = plan->memory;
    change.memory.clear_nodes();
    change.memory.mutable_database()->set_newest_version("2025.01.0");
    ASSERT_TRUE((*store)->PutPlan(change).ok());
  }
  cluster_.Start();
  admin_ = v1::AdminService::NewStub(cluster_.ConnectAdmin());
  cluster_.coordinator().planner().Decide(TestNow());
  v1::SpecBundle older = Bundle("test", 17);
  older.mutable_spec()->set_enforcement(v1::ENFORCE);
  older.mutable_spec()->mutable_connect()->set_version("2024.08.0");
  const grpc::Status refused = Apply(older, 1);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_TRUE(absl::StrContains(refused.error_message(), "2025.01.0")) << refused.error_message();
  EXPECT_TRUE(absl::StrContains(refused.error_message(), "\nfix: ")) << refused.error_message();
  EXPECT_EQ(Get(0).generation(), 1u);
  older.mutable_spec()->mutable_connect()->set_version("2025.02.0");
  const grpc::Status status = Apply(older, 1);
  EXPECT_TRUE(status.ok()) << status.error_message();
}

class SignedSpecServiceTest : public SpecServiceTest {
 protected:
  static v1::SpecBundle SignedBundle(uint64_t generation) {
    v1::SpecBundle bundle = Bundle("test", 17);
    const auto key = ParseSigningKeyFile(*MakeSigningKeyFile());
    const auto is_signed = SignSpec(ToSign(bundle, generation), *key);
    EXPECT_TRUE(is_signed.ok()) << is_signed.status();
    *bundle.mutable_signed_spec() = *is_signed;
    return bundle;
  }
};

TEST_F(SignedSpecServiceTest, HasTheNumberThatItWasSignedWithAndReachesTheNodesSo) {
  const v1::SpecBundle bundle = SignedBundle(5);
  const grpc::Status status = Apply(bundle, 1);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(applied_.generation(), 5u);
  EXPECT_EQ(Get(0).bundle().signed_spec().signature(), bundle.signed_spec().signature());
  TestNode node(cluster_, "node-1");
  ASSERT_TRUE(node.Beat().ok());
  cluster_.coordinator().planner().Decide(TestNow());  // on who has just come
  ASSERT_TRUE(node.Beat().ok());
  EXPECT_EQ(node.response.desired().generation(), 5u);
  EXPECT_EQ(node.response.desired().signed_spec().payload(), bundle.signed_spec().payload());
  EXPECT_EQ(node.response.desired().lineage(), cluster_.coordinator().store().lineage());
}

TEST_F(SignedSpecServiceTest, ANumberThatIsNotTheNextIsRefused) {
  for (const uint64_t generation : {uint64_t{1}, 1 + kGenerationsAbove + 2, ~uint64_t{0}}) {
    const grpc::Status status = Apply(SignedBundle(generation), 1);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << generation;
    EXPECT_TRUE(absl::StrContains(status.error_message(), "it was signed as generation"))
        << status.error_message();
  }
  EXPECT_EQ(Get(0).generation(), 1u);
}

TEST_F(SignedSpecServiceTest, WhatWasSignedHasToBeWhatIsApplied) {
  v1::SpecBundle bundle = SignedBundle(2);
  bundle.mutable_spec()->mutable_limits()->mutable_stale_after()->set_seconds(18);
  grpc::Status status = Apply(bundle, 1);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_TRUE(absl::StrContains(status.error_message(), "is not what is to be applied"))
      << status.error_message();
  bundle = SignedBundle(2);
  (*bundle.mutable_signed_spec()->mutable_signature())[0] ^= 1;
  status = Apply(bundle, 1);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_TRUE(absl::StrContains(status.error_message(), "the signature is not that of"))
      << status.error_message();
}

TEST_F(SignedSpecServiceTest, WhatIsTakenUpAgainIsNotSignedAsWhatItBecomes) {
  ASSERT_TRUE(Apply(SignedBundle(2), 1).ok());
  ASSERT_TRUE(Apply(Bundle("test", 19), 2).ok());
  ASSERT_TRUE(RollBack(2, 3).ok());
  EXPECT_EQ(StaleAfter(), seconds(17));
  EXPECT_FALSE(Get(0).bundle().has_signed_spec());
}

TEST_F(SpecServiceTest, AReloadNamesAFileThatIsNotInForce) {
  ASSERT_TRUE(cluster_.coordinator().Reload(TestNow()).ok());
  std::ofstream(cluster_.spec_path()) << "cluster: test\nlimits: {stale_after: 17s}\n";
  const absl::Status status = cluster_.coordinator().Reload(TestNow());
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(status.message(), "is not what generation 1")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "fix: connect-ha apply ")) << status;
}

TEST_F(SpecServiceTest, NodesAreNotAskedAndMayNotAsk) {
  const auto node = v1::AdminService::NewStub(cluster_.ConnectNode("node-1"));
  grpc::ClientContext context;
  v1::SpecGeneration spec;
  EXPECT_EQ(node->GetSpec(&context, {}, &spec).error_code(), grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(SpecServiceTest, APreviewIsAskedOfEveryNodeAndShownAsItComes) {
  TestNode asked(cluster_, "node-1");
  TestNode silent(cluster_, "node-2");
  ASSERT_TRUE(asked.Beat().ok());
  ASSERT_TRUE(silent.Beat().ok());
  cluster_.coordinator().planner().Decide(TestNow());
  grpc::ClientContext preview_context;
  v1::PreviewSpecRequest request;
  v1::PreviewSpecResponse previewed;
  *request.mutable_bundle() = Bundle("test", 17);
  ASSERT_TRUE(admin_->PreviewSpec(&preview_context, request, &previewed).ok());

  ASSERT_TRUE(asked.Beat().ok());
  ASSERT_EQ(asked.response.preview().number(), previewed.number());
  EXPECT_EQ(asked.response.preview().desired().spec().limits().stale_after().seconds(), 17);
  EXPECT_EQ(asked.response.preview().desired().generation(), 0u);
  asked.request.mutable_preview()->set_number(previewed.number());
  asked.request.mutable_preview()->add_changes()->set_resource("package rstudio-connect");
  ASSERT_TRUE(asked.Beat().ok());
  EXPECT_FALSE(asked.response.has_preview());

  grpc::ClientContext get_context;
  v1::GetPreviewsRequest get;
  v1::GetPreviewsResponse previews;
  get.set_number(previewed.number());
  ASSERT_TRUE(admin_->GetPreviews(&get_context, get, &previews).ok());
  ASSERT_EQ(previews.nodes_size(), 2);
  EXPECT_EQ(previews.nodes(0).preview().changes(0).resource(), "package rstudio-connect");
  EXPECT_FALSE(previews.outlook().text().empty());
  EXPECT_FALSE(previews.nodes(1).has_preview());
  EXPECT_FALSE(previews.nodes(1).unreachable());
  EXPECT_EQ(Get(0).generation(), 1u);
}

}  // namespace
}  // namespace connect_ha
