// One decision after the other: what is stored before it is told, and what keeps it from being in
// force.
#include "coordinator/cluster/planner.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "coordinator/cluster/planning/gate_terms_of.h"
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

// Two nodes that serve, by order 1.1 and 1.2.
struct Two {
  Two() {
    for (int i = 0; i < 2; ++i) {
      v1::PlanNode& node = *input.add_nodes();
      node.mutable_brief()->set_name(i == 0 ? "a" : "b");
      node.mutable_brief()->set_claimants(1);
      node.mutable_brief()->set_reported_state(v1::SERVING);
      node.mutable_brief()->mutable_facts()->set_answers(true);
      node.set_heard(true);
      node.set_fresh(true);
      node.set_connect(v1::CONNECT_RUNS);
      node.set_gate(v1::GATE_OPEN);
      node.mutable_obeys()->set_epoch(1);
      node.mutable_obeys()->set_serial(static_cast<uint64_t>(i) + 1);
      v1::NodeMemory& memory = *input.mutable_memory()->add_nodes();
      memory.set_node(node.brief().name());
      memory.set_state(v1::SERVING);
      *memory.mutable_order() = node.obeys();
      *decision.mutable_remember()->add_nodes() = memory;
      v1::NodeAssignment& assigned = *decision.add_assignments();
      assigned.set_node(memory.node());
      assigned.set_state(v1::SERVING);
      *assigned.mutable_order() = memory.order();
    }
  }
  v1::PlanInput input;
  v1::Decision decision;
};

// Unset: it is left as it was told.
using Bools = std::vector<std::optional<bool>>;

Bools Alone(const Two& two) {
  Bools alone;
  for (const GateTerms& terms : GateTermsOf(two.input, two.decision)) {
    alone.push_back(terms.no_other_serves);
  }
  return alone;
}

TEST(GateTermsTest, ThatNoOtherServesIsSaidToWhoIsTheLast) {
  Two two;
  EXPECT_EQ(Alone(two), (Bools{false, false}));
  two.decision.mutable_assignments(1)->set_state(v1::DRAINING);
  EXPECT_EQ(Alone(two), (Bools{true, false}));
  two.decision.mutable_assignments(1)->set_state(v1::SERVING);
  two.input.mutable_nodes(0)->set_fresh(false);  // what is not known does not serve
  EXPECT_EQ(Alone(two), (Bools{false, true}));
  two.input.mutable_nodes(1)->set_gate(v1::GATE_CLOSED);
  EXPECT_EQ(Alone(two), (Bools{true, true}));
}

constexpr char kCloses[] = "clocks-are-synchronised";

void Judge(Two& two, int i, const std::string& rule, v1::Outcome outcome,
           v1::Basis basis = v1::SELF) {
  v1::PlanNode& node = *two.input.mutable_nodes(i);
  node.clear_rules();
  v1::NodeRule& line = *node.add_rules();
  line.set_rule(rule);
  line.set_outcome(outcome);
  line.set_basis(basis);
  line.set_rule_class(v1::DATA);
}

// Each closes its own gate where it is told that the other one serves.
void CloseByThemselves(Two& two) {
  const Bools alone = Alone(two);
  for (int i = 0; i < 2; ++i) {
    const bool closed = two.input.nodes(i).gate() == v1::GATE_CLOSED;
    const bool is_alone = alone[static_cast<size_t>(i)].value_or(!closed);
    two.input.mutable_nodes(i)->set_gate(is_alone ? v1::GATE_OPEN : v1::GATE_CLOSED);
  }
}

TEST(GateTermsTest, OneFaultOnBothClosesNeither) {
  Two two;
  for (const int i : {0, 1}) {
    Judge(two, i, kCloses, v1::FAIL);
    two.input.mutable_nodes(i)->set_gate(v1::GATE_CLOSED);  // each saw it by itself
  }
  for (int round = 0; round < 5; ++round) {
    CloseByThemselves(two);
    EXPECT_EQ(two.input.nodes(0).gate(), v1::GATE_OPEN) << round;
    EXPECT_EQ(two.input.nodes(1).gate(), v1::GATE_OPEN) << round;
  }
  // What is not judged yet opens and closes nothing.
  Judge(two, 1, kCloses, v1::UNKNOWN);
  EXPECT_EQ(Alone(two), (Bools{std::nullopt, true}));
  Judge(two, 0, kCloses, v1::UNKNOWN);
  EXPECT_EQ(Alone(two), (Bools{std::nullopt, std::nullopt}));
  Judge(two, 1, kCloses, v1::PASS);
  EXPECT_EQ(Alone(two), (Bools{false, std::nullopt}));
}

TEST(GateTermsTest, OnlyWhatWouldCloseItsOwnGateIsNoSupport) {
  const auto of_other = [](const std::string& rule, v1::Outcome outcome, v1::Basis basis) {
    Two two;
    Judge(two, 1, rule, outcome, basis);
    return Alone(two)[0];
  };
  EXPECT_EQ(of_other(kCloses, v1::FAIL, v1::SELF), true);
  EXPECT_EQ(of_other("data-dir-is-shared", v1::FAIL, v1::PROOF), true);
  EXPECT_EQ(of_other("runtimes-match-r", v1::FAIL, v1::SELF), false);
  EXPECT_EQ(of_other("connect-version-matches", v1::FAIL, v1::SELF), false);
  EXPECT_EQ(of_other(kCloses, v1::NOT_APPLICABLE, v1::SELF), false);
  EXPECT_EQ(of_other(kCloses, v1::FOLLOWS, v1::SELF), std::nullopt);
  EXPECT_EQ(of_other(kCloses, v1::FAIL, v1::PEERS), std::nullopt);
  Two two;
  two.input.set_generation(3);
  Judge(two, 1, "accounts-match", v1::FAIL, v1::SPEC);
  EXPECT_EQ(Alone(two)[0], std::nullopt);  // perhaps a change that is still to be made
  two.decision.mutable_remember()->mutable_nodes(1)->set_reached(3);
  EXPECT_EQ(Alone(two)[0], true);
  two.input.mutable_nodes(1)->mutable_rules(0)->set_undecided(true);
  EXPECT_EQ(Alone(two)[0], std::nullopt);
}

TEST(GateTermsTest, AfterARestartWhoIsNotHeardYetChangesNothing) {
  Two two;
  v1::PlanNode& other = *two.input.mutable_nodes(1);
  *other.mutable_brief()->mutable_last_seen() = ToProto(kNoon);
  other.set_heard(false);
  other.set_fresh(false);
  EXPECT_EQ(Alone(two), (Bools{std::nullopt, false}));
  other.mutable_brief()->set_lost(true);
  EXPECT_EQ(Alone(two), (Bools{true, false}));
}

TEST(GateTermsTest, WhatIsWaivedThereIsSaidAsLongAsItIs) {
  Two two;
  *two.input.mutable_now() = ToProto(kNoon);
  const auto add = [&two](v1::Word::Kind kind, const std::string& node, const std::string& rule) {
    v1::Word& word = *two.input.add_words();
    word.set_number(static_cast<uint64_t>(two.input.words_size()));
    word.set_kind(kind);
    word.set_node(node);
    word.set_rule(rule);
    word.set_role(v1::ADMIN);
    *word.mutable_at() = ToProto(kNoon);
    *word.mutable_until() = ToProto(kNoon + hours(1));
  };
  add(v1::Word::WAIVE, "", "storage-works");
  add(v1::Word::WAIVE, "b", "accounts-match");
  const auto terms = [&two](size_t node) {
    return GateTermsOf(two.input, two.decision)[node].waived;
  };
  const std::optional<Time> end = kNoon + hours(1);
  using Waived = decltype(GateTerms::waived);
  EXPECT_EQ(terms(0), (Waived{{"storage-works", end}}));
  EXPECT_EQ(terms(1), (Waived{{"accounts-match", end}, {"storage-works", end}}));
  Judge(two, 1, "accounts-match", v1::FAIL);  // nobody minds it there
  EXPECT_EQ(Alone(two)[0], false);
  two.input.mutable_nodes(1)->clear_rules();
  add(v1::Word::UNFENCE, "a", "");
  EXPECT_EQ(terms(0).count("encryption-key-matches"), 1u);
  EXPECT_EQ(terms(0).count("accounts-match"), 0u);
  (*two.input.mutable_spec()->mutable_rules())["accounts-match"].set_action(v1::FENCE);
  EXPECT_EQ(terms(0).count("accounts-match"), 1u);
  *two.input.mutable_words(0)->mutable_until() = ToProto(kNoon + hours(2));
  add(v1::Word::WAIVE, "a", "storage-works");
  EXPECT_EQ(terms(0)["storage-works"], kNoon + hours(2));  // of several ends the last
  *two.input.mutable_now() = ToProto(kNoon + hours(2));
  EXPECT_TRUE(terms(0).empty());
}

// The last gates would close together, before anybody said that they are the last.
TEST(GateTermsTest, AWaiverEndsByItselfOnlyWhereAnotherServesWithoutIt) {
  Two two;
  *two.input.mutable_now() = ToProto(kNoon);
  v1::Word& word = *two.input.add_words();
  word.set_number(1);
  word.set_kind(v1::Word::WAIVE);
  word.set_rule("accounts-match");
  word.set_role(v1::ADMIN);
  *word.mutable_at() = ToProto(kNoon);
  *word.mutable_until() = ToProto(kNoon + hours(1));
  const auto ends = [&two](size_t node) {
    return GateTermsOf(two.input, two.decision)[node].waived.at("accounts-match").has_value();
  };
  Judge(two, 0, "accounts-match", v1::FAIL);
  EXPECT_TRUE(ends(0));
  EXPECT_FALSE(ends(1));
  Judge(two, 1, "accounts-match", v1::FAIL);
  EXPECT_FALSE(ends(0));
  EXPECT_FALSE(ends(1));
}

}  // namespace
}  // namespace connect_ha
