// What of a change of the cluster is gathered for the plan.
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/coordinator/service/rollout_fixture.h"

namespace connect_ha {
namespace {

using std::chrono::seconds;
using GatherTest = RolloutFixture;

TEST_F(GatherTest, ThePlanSeesWhatIsInForceAndWhatComesNext) {
  Decide(1);
  EXPECT_EQ(plan_.input.generation(), 3u);
  EXPECT_EQ(plan_.input.spec().connect().version(), "2024.08.0");
  EXPECT_EQ(plan_.input.next().generation(), 4u);
  EXPECT_EQ(FromProto(plan_.input.next().applied_at()), kNoon);
  EXPECT_EQ(plan_.input.next().applied_by(), "admin/alice");
  EXPECT_EQ(plan_.input.next().spec().connect().version(), "2024.09.0");
  EXPECT_EQ(plan_.input.memory().generation(), 3u);
  plan_.in_force = 4;
  Decide(2);
  Decide(3);
  EXPECT_EQ(plan_.input.generation(), 4u);
  EXPECT_FALSE(plan_.input.has_next());
}

TEST_F(GatherTest, ThePlanSeesWhichRuntimesAndWhichBackup) {
  v1::ClusterSpec spec = Enforced();
  v1::RuntimeSpec& r = *spec.mutable_runtimes()->add_r();
  r.set_version("4.3.3");
  r.mutable_package()->set_url("https://example.com/r.deb");
  spec.mutable_runtimes()->set_prune(true);
  spec.mutable_database()->set_ca_file("/etc/ca");
  spec.mutable_database()->mutable_backup_before_migration()->set_command("dump");
  Apply(5, spec);
  Decide(1);
  const v1::ClusterSpec& seen = plan_.input.next().spec();
  ASSERT_EQ(seen.runtimes().r_size(), 1);
  EXPECT_EQ(seen.runtimes().r(0).version(), "4.3.3");
  EXPECT_FALSE(seen.runtimes().r(0).has_package());
  EXPECT_TRUE(seen.runtimes().prune());
  EXPECT_EQ(seen.database().backup_before_migration().command(), "dump");
  EXPECT_TRUE(seen.database().ca_file().empty());
  EXPECT_FALSE(plan_.input.spec().has_runtimes());
}

TEST_F(GatherTest, ThePlanSeesWhatANodeHasGotReadyForTheNextOneAlone) {
  v1::HeartbeatRequest request = Serving(3);
  v1::Ahead& said = *request.mutable_ahead();
  said.set_generation(4);
  *said.mutable_applied_at() = ToProto(kNoon);
  said.set_lineage(store_->lineage());
  said.set_ready(true);
  said.set_needs(v1::Change::RESTART);
  for (int i = 0; i < 5; ++i) said.add_changes()->set_resource("r");
  Hear(request, kNoon);
  Decide(1);
  EXPECT_TRUE(plan_.input.nodes(0).staged().ready());
  EXPECT_EQ(plan_.input.nodes(0).staged().needs(), v1::Change::RESTART);
  EXPECT_EQ(plan_.input.nodes(0).staged().changes_size(), 3);
  Apply(5, Enforced());
  Decide(2);
  EXPECT_FALSE(plan_.input.nodes(0).has_staged());
}

TEST_F(GatherTest, ThePlanSeesWhatTheDatabaseAndTheServiceSay) {
  v1::HeartbeatRequest request = Serving(3);
  v1::DatabaseFacts& database = *request.mutable_facts()->mutable_database();
  database.set_migration("1,2,3");
  v1::PinnedRuntime& pinned = *database.add_pinned();
  pinned.set_runtime("r");
  pinned.set_version("4.1.3");
  pinned.set_items(312);
  v1::ServiceReport& service = *request.mutable_service();
  service.set_refused(7);
  service.mutable_newest_start()->set_version("2024.8.0");
  service.mutable_newest_start()->mutable_order()->set_serial(9);
  Hear(request, kNoon);
  Decide(1);
  const v1::PlanNode seen = plan_.input.nodes(0);
  EXPECT_EQ(seen.migration(), "1,2,3");
  EXPECT_EQ(seen.refused(), 7u);
  EXPECT_EQ(seen.newest_start().version(), "2024.08.0");  // as the specification spells it
  EXPECT_EQ(seen.newest_start().order().serial(), 9u);
  ASSERT_EQ(plan_.input.pinned_size(), 1);
  EXPECT_EQ(plan_.input.pinned(0).items(), 312u);
  EXPECT_FALSE(plan_.input.has_pinned_unknown());
  Decide(100);  // it is not heard any more
  EXPECT_FALSE(plan_.input.nodes(0).has_migration());
  EXPECT_EQ(plan_.input.pinned_size(), 0);
  EXPECT_EQ(plan_.input.pinned_unknown(), "no node's facts count now");
}

TEST_F(GatherTest, ThePlanSeesWhatAGateHadRefusedBeforeItSeesTheNewCount) {
  v1::HeartbeatRequest request = Serving(3);
  const auto refused = [&](uint64_t said, int after_s) {
    request.mutable_service()->set_refused(said);
    Hear(request, kNoon + seconds(after_s));
  };
  refused(7, 0);
  Decide(1);
  refused(25, 2);
  refused(3, 3);
  Decide(4);
  EXPECT_EQ(plan_.input.nodes(0).refused(), 25u);
  Decide(5);
  EXPECT_EQ(plan_.input.nodes(0).refused(), 3u);
}

// Only ever compared with itself: two that begin alike are two.
TEST_F(GatherTest, ALongMigrationIsNotCut) {
  const auto migration = [this](const std::string& said, int after_s) {
    v1::HeartbeatRequest request = Serving(3);
    request.set_facts_digest(absl::StrCat("digest ", after_s));
    request.mutable_facts()->mutable_database()->set_migration(said);
    Hear(request, kNoon + seconds(after_s));
    Decide(after_s);
    return plan_.input.nodes(0).migration();
  };
  const std::string long_one(5000, 'x');
  const std::string first = migration(long_one + "1", 1);
  EXPECT_LE(first.size(), 1024u);
  EXPECT_NE(migration(long_one + "2", 2), first);
  EXPECT_EQ(migration(long_one + "1", 3), first);
}

TEST_F(GatherTest, WhatContentIsPinnedToIsAskedOfWhoKnows) {
  Enrol("b");
  v1::HeartbeatRequest knows = Serving(3);
  knows.mutable_facts()->mutable_database()->add_pinned()->set_items(5);
  Hear(knows, kNoon);
  v1::HeartbeatRequest other = Serving(3);
  other.set_node("b");
  other.mutable_facts()->mutable_database()->set_pinned_unknown("no such table");
  Hear(other, kNoon + seconds(1));
  Decide(2);
  ASSERT_EQ(plan_.input.pinned_size(), 1);
  EXPECT_FALSE(plan_.input.has_pinned_unknown());
  knows.set_facts_digest("another");
  knows.mutable_facts()->mutable_database()->set_pinned_unknown("of quarto: no such table");
  Hear(knows, kNoon + seconds(3));
  Decide(4);
  EXPECT_EQ(plan_.input.pinned_size(), 1);  // of others it is known
  EXPECT_EQ(plan_.input.pinned_unknown(), "of quarto: no such table");
}

TEST_F(GatherTest, ThePlanSeesTheWindowOfTheNewest) {
  Decide(1);
  EXPECT_FALSE(plan_.input.has_window());
  v1::ClusterSpec spec = Enforced();
  spec.mutable_rollout()->set_maintenance_window("Tue 22:00-23:00 UTC");
  Apply(5, spec);
  Decide(2);
  EXPECT_EQ(plan_.input.window().text(), "Tue 22:00-23:00 UTC");
  EXPECT_LE(FromProto(plan_.input.window().opens()), kNoon);
  EXPECT_GT(FromProto(plan_.input.window().closes()), kNoon);
  // A store of a machine that knew more zones.
  spec.mutable_rollout()->set_maintenance_window("Tue 22:00-23:00 Nowhere/Else");
  Apply(6, spec);
  Decide(3);
  EXPECT_EQ(plan_.input.window().text(), "Tue 22:00-23:00 Nowhere/Else");
  EXPECT_FALSE(plan_.input.window().has_opens());
}

TEST_F(GatherTest, UnderObserveWhatWouldBeIsOfTheNextOneToo) {
  v1::ClusterSpec spec = Enforced();
  spec.set_enforcement(v1::OBSERVE);
  Apply(5, spec);
  plan_.in_force = 5;
  Decide(1);
  spec.mutable_connect()->set_version("2024.11.0");
  Apply(6, spec);
  Decide(2);
  EXPECT_TRUE(planner_->CurrentPlan().has_would());
  EXPECT_EQ(plan_.input.spec().enforcement(), v1::ENFORCE);  // the second time
  EXPECT_EQ(plan_.input.next().spec().enforcement(), v1::ENFORCE);
}

TEST_F(GatherTest, ADraftIsLookedAtAsTheNextOneWithWhatNodesSayOfIt) {
  v1::Desired draft;
  *draft.mutable_spec() = Enforced("2025.01.0");
  draft.mutable_spec()->mutable_rollout()->set_maintenance_window("22:00-23:00 UTC");
  plan_.outlook.set_text("this stops Connect on all nodes");
  Restart(kNoon);
  EXPECT_FALSE(planner_->OutlookOf(draft, {}, kNoon).has_value());
  Enrol("b");
  Decide(1);
  std::map<std::string, v1::Preview> previews;
  previews["a"].set_needs(v1::Change::TOGETHER);
  for (int i = 0; i < 5; ++i) previews["a"].add_changes()->set_resource("r");
  const auto outlook = planner_->OutlookOf(draft, previews, kNoon + seconds(9));
  ASSERT_TRUE(outlook.has_value());
  EXPECT_EQ(outlook->text(), "this stops Connect on all nodes");
  const v1::PlanInput& thought_of = plan_.thought_of;
  EXPECT_EQ(FromProto(thought_of.now()), kNoon + seconds(9));
  EXPECT_EQ(thought_of.generation(), 3u);
  EXPECT_EQ(thought_of.next().generation(), 0u);
  EXPECT_EQ(thought_of.next().spec().connect().version(), "2025.01.0");
  EXPECT_EQ(thought_of.window().text(), "22:00-23:00 UTC");
  ASSERT_EQ(thought_of.nodes_size(), 2);
  EXPECT_EQ(thought_of.nodes(0).staged().needs(), v1::Change::TOGETHER);
  EXPECT_EQ(thought_of.nodes(0).staged().changes_size(), 5);
  EXPECT_TRUE(thought_of.nodes(0).staged().ready());
  EXPECT_FALSE(thought_of.nodes(1).has_staged());
}

}  // namespace
}  // namespace connect_ha
