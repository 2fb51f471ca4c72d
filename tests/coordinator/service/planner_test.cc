// One decision after the other: what is stored before it is told, and what keeps it from being in
// force.
#include "coordinator/cluster/planner.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/coordinator/service/planner_fixture.h"

namespace connect_ha {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;
using std::chrono::seconds;

const Time kNoon{seconds(1'700'000'000)};

v1::Said Saying(const std::string& text) {
  v1::Said said;
  said.set_text(text);
  said.set_fix("type this");
  return said;
}

class PlannerTest : public PlannerFixture {
 protected:
  PlannerTest() {
    v1::Desired desired;
    desired.set_generation(3);
    desired.mutable_spec()->set_enforcement(v1::ENFORCE);
    roster_->SetSpec(desired);
    Enrol("a");
  }
  void Decide(v1::NodeState state, int after_s = 0) {
    plan_.wanted["a"] = state;
    planner_->Decide(kNoon + seconds(after_s));
  }
  std::vector<std::string> Broken() {
    const v1::GetPlanResponse shown = planner_->CurrentPlan();
    return {shown.broken().begin(), shown.broken().end()};
  }
};

TEST_F(PlannerTest, ADecisionIsTheInputOfTheNextOne) {
  Call("a", kNoon);
  Decide(v1::PREPARING);
  EXPECT_EQ(plan_.input.lineage(), store_->lineage());
  EXPECT_EQ(plan_.input.epoch(), store_->epoch());
  EXPECT_EQ(plan_.input.generation(), 3u);
  EXPECT_FALSE(plan_.input.memory().has_made_at());
  ASSERT_EQ(plan_.input.nodes_size(), 1);
  EXPECT_TRUE(plan_.input.nodes(0).heard());
  EXPECT_TRUE(plan_.input.nodes(0).fresh());
  EXPECT_EQ(plan_.input.nodes(0).connect(), v1::CONNECT_RESTS);
  EXPECT_EQ(plan_.input.nodes(0).member(), 1u);
  Decide(v1::READY, 1);
  EXPECT_EQ(FromProto(plan_.input.memory().made_at()), kNoon);
  ASSERT_EQ(plan_.input.memory().nodes_size(), 1);
  EXPECT_EQ(plan_.input.memory().nodes(0).state(), v1::PREPARING);
  EXPECT_EQ(Given("a").state(), v1::READY);
  EXPECT_EQ(FromProto(planner_->CurrentPlan().decided_at()), kNoon + seconds(1));
}

TEST_F(PlannerTest, WhatCannotBeStoredIsToldToNobody) {
  Call("a", kNoon);  // its report is stored
  Decide(v1::PREPARING);
  {
    const BusyStore busy(dir_);
    Decide(v1::SERVING, 1);
    EXPECT_EQ(Call("a", kNoon + seconds(1)).assigned_state(), v1::PREPARING);
    EXPECT_EQ(Given("a").state(), v1::PREPARING);
    ASSERT_EQ(Broken().size(), 1u);
    EXPECT_TRUE(absl::StartsWith(Broken()[0], "it cannot be stored: ")) << Broken()[0];
  }
  Decide(v1::SERVING, 2);
  EXPECT_EQ(Call("a", kNoon + seconds(2)).assigned_state(), v1::SERVING);
  EXPECT_TRUE(Broken().empty());
}

TEST_F(PlannerTest, WhatIsAsItWasWritesNothing) {
  Decide(v1::PREPARING);
  const BusyStore busy(dir_);
  Decide(v1::PREPARING, 1);
  EXPECT_TRUE(Broken().empty());
  EXPECT_EQ(plan_.decisions, 2);
}

TEST_F(PlannerTest, AnInvariantThatWouldBreakKeepsTheDecisionBeforeAndIsToldOnce) {
  Decide(v1::PREPARING);
  plan_.broken = {"two versions would run"};
  Decide(v1::SERVING, 1);
  Decide(v1::SERVING, 2);
  EXPECT_EQ(Call("a", kNoon + seconds(2)).assigned_state(), v1::PREPARING);
  EXPECT_EQ(Broken(), plan_.broken);
  EXPECT_EQ(CountEvents(v1::Event::PLAN_REFUSED), 1u);
  EXPECT_TRUE(absl::StrContains(StoredEvents().back().text(), "two versions would run"));
  plan_.broken.clear();
  Decide(v1::SERVING, 3);
  EXPECT_EQ(Call("a", kNoon + seconds(3)).assigned_state(), v1::SERVING);
  EXPECT_TRUE(Broken().empty());
}

TEST_F(PlannerTest, AfterARestartNobodyIsToldAnythingBeforeTheFirstDecision) {
  Decide(v1::DRAINING);
  const v1::Order order = Given("a").order();
  const auto told = Call("a", kNoon + seconds(1), order);
  EXPECT_EQ(told.assigned_state(), v1::DRAINING);
  Restart(kNoon + seconds(10));
  EXPECT_EQ(Given("a").state(), v1::DRAINING);  // is shown
  EXPECT_EQ(roster_->Briefs(kNoon).front().assigned_state(), v1::DRAINING);
  const auto kept = Call("a", kNoon + seconds(11), order);
  EXPECT_EQ(kept.assigned_state(), v1::NODE_STATE_UNSPECIFIED);
  EXPECT_EQ(kept.order().serial(), order.serial());
  EXPECT_EQ(kept.order().epoch(), order.epoch());
  v1::Desired desired;
  desired.set_generation(3);
  roster_->SetSpec(desired);
  Decide(v1::DRAINING, 12);
  EXPECT_EQ(plan_.input.nodes(0).obeys().serial(), order.serial());
  const auto again = Call("a", kNoon + seconds(12), order);
  EXPECT_EQ(again.assigned_state(), v1::DRAINING);
  EXPECT_EQ(again.order().epoch(), order.epoch());
  EXPECT_EQ(again.order().serial(), order.serial());
}

// What the copy does not know of is not told again in other words.
TEST_F(PlannerTest, AStoreThatIsAnOlderCopyTellsNobodyAnything) {
  Decide(v1::DRAINING);
  planner_.reset();
  End();
  const std::string copy = dir_ + "/copy.db";
  fs::copy_file(dir_ + "/store.db", copy);
  Restart(kNoon);
  v1::Desired desired;
  desired.set_generation(3);
  roster_->SetSpec(desired);
  Decide(v1::SERVING, 1);
  const v1::Order later = Given("a").order();
  planner_.reset();
  End();
  for (const char* suffix : {"-wal", "-shm"}) fs::remove(dir_ + "/store.db" + suffix);
  fs::copy_file(copy, dir_ + "/store.db", fs::copy_options::overwrite_existing);
  Restart(kNoon + seconds(5));
  roster_->SetSpec(desired);
  EXPECT_EQ(Given("a").state(), v1::DRAINING);
  EXPECT_EQ(Call("a", kNoon + seconds(6), later).assigned_state(), v1::NODE_STATE_UNSPECIFIED);
  Decide(v1::DRAINING, 6);
  EXPECT_EQ(plan_.input.nodes(0).obeys().epoch(), later.epoch());
  EXPECT_LT(plan_.input.memory().nodes(0).order().epoch(), later.epoch());
}

TEST_F(PlannerTest, AfterARestartAGateIsLeftAsItIsUntilTheOthersWereHeard) {
  Enrol("b");
  plan_.wanted["b"] = v1::SERVING;
  Call("a", kNoon);
  Call("b", kNoon);
  Decide(v1::SERVING);
  const v1::Order order = Given("a").order();
  EXPECT_TRUE(Call("a", kNoon + seconds(1), order).no_other_serves());
  Restart(kNoon + seconds(10));
  v1::Desired desired;
  desired.set_generation(3);
  roster_->SetSpec(desired);
  Call("a", kNoon + seconds(11), order);
  Decide(v1::SERVING, 11);
  const auto told = Call("a", kNoon + seconds(11), order);
  EXPECT_EQ(told.assigned_state(), v1::SERVING);
  EXPECT_TRUE(told.others_not_known());
  Call("b", kNoon + seconds(12));
  Decide(v1::SERVING, 12);
  const auto known = Call("a", kNoon + seconds(12), order);
  EXPECT_TRUE(known.no_other_serves());
  EXPECT_FALSE(known.others_not_known());
}

TEST_F(PlannerTest, OnceAnotherCoordinatorHasTheStoreNothingNewIsTold) {
  Call("a", kNoon);  // its report is stored
  Decide(v1::PREPARING);
  unlink((dir_ + "/store.db.lock").c_str());
  const auto other = SqliteStore::Open(dir_ + "/store.db");
  ASSERT_TRUE(other.ok()) << other.status();
  Decide(v1::SERVING, 1);
  EXPECT_EQ(Call("a", kNoon + seconds(1)).assigned_state(), v1::PREPARING);
  EXPECT_EQ(Broken().size(), 1u);
  EXPECT_EQ((*other)->GetPlan()->memory.nodes(0).state(), v1::PREPARING);
}

TEST_F(PlannerTest, ANodeThatEnrolsBetweenDecisionsIsObservedUntilTheNext) {
  Decide(v1::PREPARING);
  int woken = 0;
  roster_->OnChange([&woken] { ++woken; });
  Enrol("b");
  EXPECT_GE(woken, 1);
  plan_.wanted["b"] = v1::PREPARING;
  const auto before = Call("b", kNoon);
  EXPECT_EQ(before.assigned_state(), v1::OBSERVED);
  EXPECT_FALSE(before.has_order());
  nudged_.clear();
  Decide(v1::PREPARING, 1);
  EXPECT_EQ(Call("b", kNoon + seconds(1)).assigned_state(), v1::PREPARING);
  EXPECT_EQ(nudged_, std::vector<std::string>{"b"});  // the other one's order is as it was
}

TEST_F(PlannerTest, WhatWasDecidedOfANameThatIsGoneMeanwhileIsDecidedAnew) {
  Decide(v1::PREPARING);
  plan_.meanwhile = [this] { Remove("a", kNoon); };
  Decide(v1::SERVING, 1);
  EXPECT_EQ(plan_.decisions, 3);
  EXPECT_EQ(plan_.input.nodes_size(), 0);
  EXPECT_EQ(plan_.input.memory().nodes_size(), 0);
  EXPECT_EQ(store_->GetPlan()->memory.nodes_size(), 0);
  EXPECT_TRUE(Broken().empty());
}

// A copy of the disk, or what has the name now: it was not decided on.
TEST_F(PlannerTest, WhatOneMachineWasGivenIsNotToldToAnother) {
  Call("a", kNoon);
  Decide(v1::SERVING);
  EXPECT_EQ(Call("a", kNoon + seconds(1)).assigned_state(), v1::SERVING);
  const auto told = Call("a", kNoon + seconds(2), {}, "another machine");
  EXPECT_EQ(told.assigned_state(), v1::OBSERVED);
  EXPECT_FALSE(told.has_order());
  Decide(v1::SERVING, 2);
  EXPECT_FALSE(plan_.input.nodes(0).fresh());
  EXPECT_TRUE(absl::StartsWith(plan_.input.nodes(0).not_fresh(), "another machine spoke"));
  Call("a", kNoon + seconds(40), {}, "another machine");
  Decide(v1::SERVING, 40);
  EXPECT_TRUE(plan_.input.nodes(0).fresh());
}

// Its agent was installed anew, or enrolled again: it begins as observed.
TEST_F(PlannerTest, WhatWasGivenToANodeThatObeyedIsNotToldToOneThatDoesNot) {
  Call("a", kNoon);
  Decide(v1::SERVING);
  const v1::Order order = Given("a").order();
  EXPECT_EQ(Call("a", kNoon + seconds(1), order).assigned_state(), v1::SERVING);
  Decide(v1::SERVING, 1);
  EXPECT_EQ(Call("a", kNoon + seconds(2)).assigned_state(), v1::OBSERVED);
  Decide(v1::SERVING, 2);  // on what it is now
  EXPECT_EQ(Call("a", kNoon + seconds(3)).assigned_state(), v1::SERVING);
}

TEST_F(PlannerTest, WhatIsSaidIsToldWhenItBegins) {
  plan_.said = {Saying("look here")};
  Decide(v1::PREPARING);
  Decide(v1::PREPARING, 1);
  EXPECT_EQ(CountEvents(v1::Event::PLAN_SAID), 1u);
  EXPECT_EQ(StoredEvents().back().text(), "look here; fix: type this");
  plan_.said.clear();
  Decide(v1::PREPARING, 2);
  plan_.said = {Saying("look here")};
  Decide(v1::PREPARING, 3);
  EXPECT_EQ(CountEvents(v1::Event::PLAN_SAID), 1u);  // a report was judged anew in between
  Decide(v1::PREPARING, 20);
  Decide(v1::PREPARING, 40);
  EXPECT_EQ(CountEvents(v1::Event::PLAN_SAID), 1u);
  plan_.said.clear();
  Decide(v1::PREPARING, 50);
  plan_.said = {Saying("look here")};
  Decide(v1::PREPARING, 80);
  EXPECT_EQ(CountEvents(v1::Event::PLAN_SAID), 2u);
}

TEST_F(PlannerTest, WhatIsSaidOfTheSameThingWithOtherEvidenceIsToldOnce) {
  for (int i = 0; i < 20; ++i) {
    plan_.said = {Saying(absl::StrCat("for ", i, " s"))};
    plan_.said.back().set_about("the clock");
    Decide(v1::PREPARING, i);
  }
  EXPECT_EQ(CountEvents(v1::Event::PLAN_SAID), 1u);
}

TEST_F(PlannerTest, WhatIsSaidFillsNoHistory) {
  for (int i = 0; i < 500; ++i) {
    plan_.said = {Saying(absl::StrCat("number ", i))};
    Decide(v1::PREPARING, i / 10);
  }
  EXPECT_EQ(CountEvents(v1::Event::PLAN_SAID), kSaidPerMinute);
}

TEST_F(PlannerTest, UnderObserveItIsAskedTwiceAndTheSecondIsOnlyShown) {
  v1::Desired desired;
  desired.set_generation(4);
  desired.mutable_spec()->set_enforcement(v1::OBSERVE);
  roster_->SetSpec(desired);
  Decide(v1::OBSERVED);
  EXPECT_EQ(plan_.decisions, 2);
  EXPECT_EQ(plan_.input.spec().enforcement(), v1::ENFORCE);
  EXPECT_TRUE(planner_->CurrentPlan().has_would());
  desired.set_generation(5);
  desired.mutable_spec()->set_enforcement(v1::ENFORCE);
  roster_->SetSpec(desired);
  Decide(v1::OBSERVED, 1);
  EXPECT_FALSE(planner_->CurrentPlan().has_would());
}

TEST_F(PlannerTest, WhoHasBeenAMemberForLongestIsTheFirst) {
  const auto enrol = [this](const std::string& name, int hour) {
    v1::NodeRecord record;
    record.set_name(name);
    *record.mutable_enrolled_at() = ToProto(kNoon + hours(hour));
    ASSERT_TRUE(store_->AddNode(record).ok());
    roster_->Enrolled(record);
  };
  Remove("a", kNoon);
  enrol("b", 3);
  enrol("c", 1);
  enrol("d", 3);
  planner_->Decide(kNoon);
  ASSERT_EQ(plan_.input.nodes_size(), 3);
  EXPECT_EQ(plan_.input.nodes(0).member(), 2u);
  EXPECT_EQ(plan_.input.nodes(1).member(), 1u);
  EXPECT_EQ(plan_.input.nodes(2).member(), 3u);
}

TEST_F(PlannerTest, WhatTheNodeSaysOfItsServiceReachesThePlan) {
  v1::HeartbeatRequest request;
  request.set_node("a");
  request.set_machine_id("machine");
  request.set_boot_id("boot");
  request.set_facts_digest("digest");
  v1::ConnectFacts& connect = *request.mutable_facts()->mutable_connect();
  connect.mutable_package()->set_version("2024.08.0~ubuntu22");
  connect.mutable_unit()->set_active_state("active");
  connect.set_running_version("2024.08.0");
  v1::InstanceNotice& notice = *request.mutable_facts()->mutable_instance()->add_notices();
  notice.set_kind(v1::InstanceNotice::REBALANCE);
  request.set_can_serve(true);
  request.mutable_service()->set_gate_open(true);
  request.mutable_service()->set_jobs_known(true);
  request.mutable_service()->set_jobs(4);
  request.mutable_service()->set_start_failed("no licence");
  request.mutable_convergence()->set_state(v1::Convergence::DIFFERS);
  for (int i = 0; i < 5; ++i) request.mutable_convergence()->add_changes()->set_resource("r");
  Hear(request, kNoon);
  Decide(v1::OBSERVED);
  const v1::PlanNode seen = plan_.input.nodes(0);
  EXPECT_TRUE(seen.can_serve());
  EXPECT_EQ(seen.gate(), v1::GATE_OPEN);
  EXPECT_EQ(seen.jobs(), 4u);
  EXPECT_EQ(seen.start_failed(), "no licence");
  EXPECT_EQ(seen.installed_version(), "2024.08.0");
  EXPECT_EQ(seen.running_version(), "2024.08.0");
  EXPECT_EQ(seen.connect(), v1::CONNECT_RUNS);
  ASSERT_EQ(seen.notices_size(), 1);
  EXPECT_EQ(seen.notices(0).kind(), v1::InstanceNotice::REBALANCE);
  EXPECT_EQ(seen.convergence().changes_size(), 3);
  Decide(v1::OBSERVED, 100);
  // As they were last.
  EXPECT_FALSE(plan_.input.nodes(0).fresh());
  EXPECT_EQ(plan_.input.nodes(0).installed_version(), "2024.08.0");
  EXPECT_EQ(plan_.input.nodes(0).running_version(), "2024.08.0");
}

// Where the plan sees no storage, nothing asks whether the right one is mounted.
TEST_F(PlannerTest, ThePlanSeesWhetherAFileSystemIsToBeMounted) {
  Decide(v1::OBSERVED);
  EXPECT_FALSE(plan_.input.spec().has_storage());
  v1::Desired desired;
  desired.set_generation(4);
  desired.mutable_spec()->mutable_storage()->set_mount_point("/mnt/connect");
  roster_->SetSpec(desired);
  Decide(v1::OBSERVED);
  EXPECT_FALSE(plan_.input.spec().has_storage());
  desired.set_generation(5);
  desired.mutable_spec()->mutable_storage()->mutable_efs()->set_file_system("fs-1");
  roster_->SetSpec(desired);
  Decide(v1::OBSERVED);
  EXPECT_TRUE(plan_.input.spec().has_storage());
}

// Whatever is written in cluster.yaml, one version has one spelling.
TEST_F(PlannerTest, AVersionIsSpelledAsTheSpecificationSpellsIt) {
  v1::Desired desired;
  desired.set_generation(4);
  desired.mutable_spec()->mutable_connect()->set_version("2024.8.0");
  roster_->SetSpec(desired);
  v1::HeartbeatRequest request;
  request.set_node("a");
  request.set_machine_id("machine");
  request.set_facts_digest("digest");
  request.mutable_facts()->mutable_connect()->mutable_package()->set_version("2024.08.0-1");
  Hear(request, kNoon);
  Decide(v1::OBSERVED);
  EXPECT_EQ(plan_.input.spec().connect().version(), "2024.8.0");
  EXPECT_EQ(plan_.input.nodes(0).installed_version(), "2024.8.0");
}

TEST_F(PlannerTest, ThousandsOfNodesAreDecidedAtOnceAndLookedUpOneByOne) {
  constexpr int kNodes = 3000;
  for (int i = 0; i < kNodes; ++i) {
    v1::NodeRecord record;
    record.set_name(absl::StrCat("node-", i));
    roster_->Enrolled(record);  // the store is asked for what it does not have
    plan_.wanted[record.name()] = v1::PREPARING;
  }
  Decide(v1::PREPARING);
  EXPECT_EQ(plan_.input.nodes_size(), kNodes + 1);
  EXPECT_EQ(nudged_.size(), static_cast<size_t>(kNodes) + 1);
  v1::HeartbeatRequest bare;
  bare.set_node("node-2999");
  EXPECT_EQ(Hear(bare, kNoon).assigned_state(), v1::PREPARING);
  EXPECT_EQ(store_->GetPlan()->memory.nodes_size(), kNodes + 1);
  const BusyStore busy(dir_);
  nudged_.clear();
  Decide(v1::PREPARING, 1);
  EXPECT_TRUE(Broken().empty());  // nothing is written
  EXPECT_TRUE(nudged_.empty());
}

// With the plan itself.
class RealPlanTest : public RosterFixture {
 protected:
  RealPlanTest() : planner_(std::make_unique<Planner>(*roster_, *evaluator_, *store_)) {
    EXPECT_TRUE(planner_->Load(kNoon).ok());
    v1::Desired desired;
    desired.set_generation(3);
    *desired.mutable_applied_at() = ToProto(kNoon);
    desired.mutable_spec()->set_enforcement(v1::ENFORCE);
    roster_->SetSpec(desired);
    Enrol("a");
  }
  ~RealPlanTest() override { planner_.reset(); }

  std::unique_ptr<Planner> planner_;
};

TEST_F(RealPlanTest, ABareNodeIsPreparedAndThenReady) {
  v1::HeartbeatRequest request;
  request.set_node("a");
  request.set_machine_id("machine");
  request.set_boot_id("boot");
  request.set_facts_digest("digest");
  request.mutable_facts()->mutable_connect();  // no Connect there
  request.set_reported_state(v1::OBSERVED);
  Hear(request, kNoon);
  planner_->Decide(kNoon);
  const auto prepared = Hear(request, kNoon + seconds(1));
  EXPECT_EQ(prepared.assigned_state(), v1::PREPARING);
  EXPECT_EQ(prepared.desired().generation(), 3u);
  EXPECT_EQ(prepared.order().lineage(), store_->lineage());
  EXPECT_TRUE(prepared.no_other_serves());
  request.set_reported_state(v1::PREPARING);
  request.set_reported_generation(3);
  *request.mutable_reported_applied_at() = ToProto(kNoon);
  request.set_reported_lineage(store_->lineage());
  *request.mutable_order() = prepared.order();
  request.mutable_convergence()->set_generation(3);
  request.mutable_convergence()->set_state(v1::Convergence::CONVERGED);
  Hear(request, kNoon + seconds(2));
  planner_->Decide(kNoon + seconds(2));
  const auto ready = Hear(request, kNoon + seconds(3));
  EXPECT_EQ(ready.assigned_state(), v1::READY);
  EXPECT_FALSE(ready.has_desired());
  EXPECT_GT(ready.order().serial(), prepared.order().serial());
  EXPECT_EQ(CountEvents(v1::Event::NODE_STATE_CHANGED), 1u);
  EXPECT_EQ(CountEvents(v1::Event::PLAN_REFUSED), 0u);
}

}  // namespace
}  // namespace connect_ha
