// What the roster tells a node to be, and what it keeps of what the node says it made of it.
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/coordinator/service/planner_fixture.h"

namespace connect_ha {
namespace {

using std::chrono::seconds;

const Time kNoon{seconds(1'700'000'000)};

v1::Desired Desired(uint64_t generation, v1::Enforcement enforcement = v1::ENFORCE) {
  v1::Desired desired;
  desired.set_generation(generation);
  desired.mutable_spec()->set_enforcement(enforcement);
  desired.set_license("licence");
  return desired;
}

v1::HeartbeatRequest Beat(v1::NodeState reported, uint64_t generation,
                          const std::string& machine = "machine") {
  v1::HeartbeatRequest request;
  request.set_node("a");
  request.set_machine_id(machine);
  request.set_boot_id("boot");
  request.set_facts_digest("digest");
  request.mutable_facts()->mutable_connect();  // no Connect there
  request.set_reported_state(reported);
  request.set_reported_generation(generation);
  return request;
}

v1::HeartbeatRequest Beat(v1::NodeState reported, uint64_t generation,
                          v1::Convergence::State state) {
  v1::HeartbeatRequest request = Beat(reported, generation);
  request.mutable_convergence()->set_state(state);
  request.mutable_convergence()->set_generation(generation);
  return request;
}

class RosterAssignTest : public PlannerFixture {
 protected:
  RosterAssignTest() { Enrol("a"); }
  void Start() { Restart(kNoon); }
  void Assign(v1::NodeState state, int after_s = 0) {
    plan_.wanted["a"] = state;
    planner_->Decide(kNoon + seconds(after_s));
  }
  v1::HeartbeatResponse Hear(const v1::HeartbeatRequest& request, int after_s = 0) {
    return RosterFixture::Hear(request, kNoon + seconds(after_s));
  }
  std::vector<std::string> Events() {
    std::vector<std::string> texts;
    for (const v1::Event& event : StoredEvents()) {
      texts.push_back(absl::StrCat(v1::Event::Kind_Name(event.kind()), " ", event.text()));
    }
    return texts;
  }
};

v1::HeartbeatRequest Running(const std::string& active_state) {
  v1::HeartbeatRequest request = Beat(v1::SERVING, 3);
  request.set_facts_digest(active_state);
  request.mutable_facts()->mutable_connect()->mutable_unit()->set_active_state(active_state);
  return request;
}

// It would go on with its gate open, and nobody would know of its version.
TEST_F(RosterAssignTest, ANodeOnWhichConnectRunsIsNotRemovedAsItIs) {
  const auto may = [this](int after_s) {
    return roster_->CheckRemoval("a", kNoon + seconds(after_s));
  };
  roster_->SetSpec(Desired(3));
  Assign(v1::SERVING);
  EXPECT_TRUE(may(0).ok());  // nothing is known of it
  Hear(Running("active"), 1);
  EXPECT_EQ(may(1).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(may(1).message(), "\nfix: first connect-ha node stop a --reason "))
      << may(1);
  EXPECT_TRUE(may(60).ok());  // not heard any more
  Hear(Running("inactive"), 61);
  EXPECT_TRUE(may(61).ok());
  Hear(Running("deactivating"), 62);
  EXPECT_FALSE(may(62).ok());
  plan_.release = true;
  Assign(v1::OBSERVED, 63);
  EXPECT_TRUE(may(63).ok()) << "a person let go of it";
  plan_.release = false;
  Assign(v1::SERVING, 64);
  roster_->SetSpec(Desired(4, v1::OBSERVE));
  EXPECT_TRUE(may(64).ok()) << "nothing of it was ever ours";
  EXPECT_TRUE(roster_->CheckRemoval("nobody", kNoon).ok());  // said by the store
}

// All are to stop for the generation that waits, and a member that is lost is waited for.
TEST_F(RosterAssignTest, ALostNodeThatWasToServeIsNotRemovedAsItIsWhileAGenerationIsToCome) {
  const auto may = [this](int after_s) {
    return roster_->CheckRemoval("a", kNoon + seconds(after_s));
  };
  roster_->SetSpec(Desired(3));
  roster_->SetInForce(Desired(3));
  Assign(v1::SERVING);
  Hear(Running("active"), 1);
  EXPECT_TRUE(may(60).ok()) << "it is lost, and nothing waits for it";
  roster_->SetSpec(Desired(4));
  EXPECT_TRUE(absl::StrContains(may(60).message(), "connect-ha node remove --force a")) << may(60);
  Assign(v1::STOPPED, 61);
  EXPECT_TRUE(may(62).ok()) << may(62);
}

TEST_F(RosterAssignTest, WithoutASpecificationANodeIsObserved) {
  const auto told = Hear(Beat(v1::OBSERVED, 0));
  EXPECT_EQ(told.assigned_state(), v1::OBSERVED);
  EXPECT_EQ(told.assigned_generation(), 0u);
  EXPECT_FALSE(told.has_desired());
}

TEST_F(RosterAssignTest, ANodeIsToldTheSpecificationUntilItHoldsIt) {
  roster_->SetSpec(Desired(3));
  EXPECT_FALSE(Hear(Beat(v1::OBSERVED, 0)).has_desired());  // nothing was decided on it yet
  Assign(v1::PREPARING);
  const auto first = Hear(Beat(v1::OBSERVED, 0));
  const auto later = Hear(Beat(v1::PREPARING, 3, v1::Convergence::CHANGING), 1);
  EXPECT_EQ(first.assigned_state(), v1::PREPARING);
  EXPECT_EQ(first.assigned_generation(), 3u);
  EXPECT_EQ(first.desired().license(), "licence");
  EXPECT_EQ(later.assigned_generation(), 3u);
  EXPECT_FALSE(later.has_desired());
  EXPECT_EQ(later.next_heartbeat_ms(), 1000u);
}

TEST_F(RosterAssignTest, ANodeThatHoldsANewerSpecificationKeepsItAndItIsToldOnce) {
  roster_->SetSpec(Desired(3, v1::OBSERVE));
  Assign(v1::OBSERVED);
  for (int beat = 0; beat < 2; ++beat) {
    EXPECT_FALSE(Hear(Beat(v1::READY, 5, v1::Convergence::CONVERGED), beat).has_desired());
  }
  EXPECT_EQ(roster_->NewestGenerationHeld(1003), 5u);
  EXPECT_EQ(roster_->NewestGenerationHeld(4), 0u);
  EXPECT_TRUE(roster_->TakeSnapshot(kNoon + seconds(1)).nodes(0).ahead());
  Assign(v1::OBSERVED, 1);
  EXPECT_TRUE(plan_.input.nodes(0).ahead());
  EXPECT_TRUE(absl::StrContains(plan_.input.nodes(0).standing(), "it holds generation 5"));
  roster_->SetSpec(Desired(6));
  Assign(v1::PREPARING, 2);
  EXPECT_EQ(Hear(Beat(v1::READY, 5), 2).desired().generation(), 6u);
  EXPECT_FALSE(roster_->TakeSnapshot(kNoon + seconds(2)).nodes(0).ahead());
  int told = 0;
  for (const std::string& event : Events()) told += absl::StartsWith(event, "NODE_AHEAD ") ? 1 : 0;
  EXPECT_EQ(told, 2);  // that it is, and that it is no longer
}

TEST_F(RosterAssignTest, EachChangeOfStateIsOneEvent) {
  roster_->SetSpec(Desired(3));
  Assign(v1::PREPARING);
  Hear(Beat(v1::OBSERVED, 0));
  Hear(Beat(v1::PREPARING, 3, v1::Convergence::LOOKING), 1);
  Hear(Beat(v1::PREPARING, 3, v1::Convergence::CHANGING), 2);
  v1::HeartbeatRequest waiting = Beat(v1::PREPARING, 3, v1::Convergence::WAITING);
  v1::Trouble& trouble = *waiting.mutable_convergence()->add_troubles();
  trouble.set_resource("package r-4.3.3");
  trouble.set_error("no answer");
  for (int retry = 0; retry < 3; ++retry) {
    Hear(waiting, 3 + 2 * retry);
    Hear(Beat(v1::PREPARING, 3, v1::Convergence::CHANGING), 4 + 2 * retry);
  }
  Hear(Beat(v1::PREPARING, 3, v1::Convergence::CONVERGED), 10);
  Assign(v1::READY, 10);
  Assign(v1::READY, 11);
  EXPECT_EQ(Hear(Beat(v1::READY, 3, v1::Convergence::CONVERGED), 11).assigned_state(), v1::READY);
  EXPECT_EQ(Events(), (std::vector<std::string>{
                          "CONVERGENCE_CHANGED generation 3: changing",
                          "CONVERGENCE_CHANGED generation 3: waiting: package r-4.3.3: no answer",
                          "CONVERGENCE_CHANGED generation 3: converged",
                          "NODE_STATE_CHANGED to be ready, was to be preparing: wanted"}));
}

TEST_F(RosterAssignTest, ChangesMadeAreStoredOnceAndAcknowledged) {
  v1::HeartbeatRequest request = Beat(v1::PREPARING, 3);
  for (const uint64_t number : {4, 5}) {
    v1::ChangeMade& made = *request.add_changes_made();
    made.set_number(number);
    made.set_generation(3);
    made.set_duration_us(72'000'000);
    made.set_download_us(number == 4 ? 20'000'000 : 0);
    made.set_verify_us(1'000'000);
    made.mutable_change()->set_resource(absl::StrCat("package ", number));
    made.mutable_change()->set_from("absent");
    made.mutable_change()->set_to("1.0");
  }
  roster_->SetSpec(Desired(3));
  EXPECT_EQ(Hear(request).changes_taken(), 5u);
  EXPECT_EQ(Hear(request, 1).changes_taken(), 5u);
  Start();
  roster_->SetSpec(Desired(3));
  EXPECT_EQ(Hear(request, 2).changes_taken(), 5u);
  EXPECT_EQ(Events(),
            (std::vector<std::string>{
                "RESOURCE_CHANGED package 4: absent -> 1.0 (generation 3, in 1m 12s, of it 20s "
                "download, 1s verification)",
                "RESOURCE_CHANGED package 5: absent -> 1.0 (generation 3, in 1m 12s, of it 1s "
                "verification)"}));
}

TEST_F(RosterAssignTest, OrdersGrowWithEveryAssignmentAndOverRestarts) {
  roster_->SetSpec(Desired(3));
  Assign(v1::PREPARING);
  const v1::Order first = Hear(Beat(v1::OBSERVED, 0)).order();
  Assign(v1::PREPARING, 1);
  const v1::Order same = Hear(Beat(v1::PREPARING, 3, v1::Convergence::CHANGING), 1).order();
  Assign(v1::READY, 2);
  const v1::Order ready = Hear(Beat(v1::PREPARING, 3, v1::Convergence::CONVERGED), 2).order();
  Start();
  roster_->SetSpec(Desired(3));
  Assign(v1::READY, 3);
  const v1::Order kept = Hear(Beat(v1::READY, 3, v1::Convergence::CONVERGED), 3).order();
  roster_->SetSpec(Desired(4));
  Assign(v1::PREPARING, 4);
  const v1::Order later = Hear(Beat(v1::PREPARING, 4), 4).order();

  EXPECT_EQ(first.lineage(), store_->lineage());
  EXPECT_EQ(first.epoch(), same.epoch());
  EXPECT_GT(first.serial(), 0u);
  EXPECT_EQ(first.serial(), same.serial());
  EXPECT_LT(same.serial(), ready.serial());
  EXPECT_EQ(kept.epoch(), ready.epoch());
  EXPECT_EQ(kept.serial(), ready.serial());
  EXPECT_EQ(kept.lineage(), later.lineage());
  EXPECT_LT(kept.epoch(), later.epoch());
}

TEST_F(RosterAssignTest, WhatIsInForceIsOfTheStoresLineage) {
  roster_->SetSpec(Desired(3));
  Assign(v1::PREPARING);
  EXPECT_EQ(Hear(Beat(v1::OBSERVED, 0)).desired().lineage(), store_->lineage());
}

// One node's 2^64-1 neither moves what apply numbers nor stays unsaid.
TEST_F(RosterAssignTest, AGenerationThatNobodyGaveIsToldAndCountsForNothing) {
  roster_->SetSpec(Desired(3));
  const auto told = Hear(Beat(v1::READY, ~uint64_t{0}));
  Hear(Beat(v1::READY, ~uint64_t{0}), 1);
  EXPECT_EQ(roster_->NewestGenerationHeld(1003), 0u);
  EXPECT_FALSE(told.has_desired());
  ASSERT_EQ(CountEvents(v1::Event::NODE_ORDERS_ODD), 1u);
  EXPECT_EQ(CountEvents(v1::Event::NODE_AHEAD), 0u);
  const v1::Event event = StoredEvents().front();
  EXPECT_EQ(event.node(), "a");
  EXPECT_TRUE(absl::StrContains(event.text(), "generation 18446744073709551615, the newest is 3"));
  const v1::NodeSnapshot shown = Node("a", kNoon + seconds(1));
  EXPECT_TRUE(shown.odd());
  EXPECT_FALSE(shown.ahead());  // so apply of what is in force is none
  Assign(v1::OBSERVED, 1);
  EXPECT_TRUE(plan_.input.nodes(0).odd());
  EXPECT_EQ(plan_.input.nodes(0).standing(), event.text());
  Hear(Beat(v1::READY, 1003), 2);
  EXPECT_TRUE(Node("a", kNoon + seconds(2)).ahead());
  EXPECT_EQ(roster_->NewestGenerationHeld(1003), 1003u);  // a store that is an older copy now
  EXPECT_EQ(roster_->NewestGenerationHeld(1002), 0u);
}

TEST_F(RosterAssignTest, AnotherStoresNumbersMeanNothing) {
  roster_->SetSpec(Desired(3));
  v1::HeartbeatRequest foreign = Beat(v1::READY, 3, v1::Convergence::CONVERGED);
  foreign.set_reported_lineage("of another store");
  foreign.mutable_reported_applied_at()->set_seconds(1'700'000'000);
  const auto told = Hear(foreign);
  EXPECT_EQ(told.assigned_state(), v1::READY);
  EXPECT_FALSE(told.has_desired());
  EXPECT_EQ(roster_->NewestGenerationHeld(1003), 0u);
  EXPECT_TRUE(Node("a", kNoon).ahead());
  v1::Desired applied = Desired(4);
  applied.mutable_applied_at()->set_seconds(1'700'000'001);
  roster_->SetSpec(applied);
  Assign(v1::PREPARING, 1);
  EXPECT_FALSE(plan_.input.nodes(0).own_lineage());
  EXPECT_EQ(Hear(foreign, 1).desired().generation(), 4u);
}

TEST_F(RosterAssignTest, AnotherStoresSameNumberIsTold) {
  v1::Desired applied = Desired(3);
  applied.mutable_applied_at()->set_seconds(1'700'000'001);
  roster_->SetSpec(applied);
  Assign(v1::PREPARING);
  v1::HeartbeatRequest foreign = Beat(v1::READY, 3, v1::Convergence::CONVERGED);
  foreign.set_reported_lineage("of another store");
  foreign.mutable_reported_applied_at()->set_seconds(1'700'000'000);
  EXPECT_EQ(Hear(foreign).desired().generation(), 3u);
  foreign.set_reported_lineage(store_->lineage());
  EXPECT_FALSE(Hear(foreign, 1).has_desired());
}

TEST_F(RosterAssignTest, ANodeThatHoldsTheOrderOfALaterEpochIsAheadUntilSomethingIsApplied) {
  v1::Desired desired = Desired(3);
  desired.mutable_applied_at()->set_seconds(1'700'000'000);
  roster_->SetSpec(desired);
  v1::HeartbeatRequest later = Beat(v1::READY, 3, v1::Convergence::CONVERGED);
  later.mutable_reported_applied_at()->set_seconds(1'700'000'005);
  later.mutable_order()->set_lineage(store_->lineage());
  later.mutable_order()->set_epoch(store_->epoch() + 3);
  later.mutable_order()->set_serial(7);
  const auto kept = Hear(later);
  EXPECT_EQ(kept.assigned_state(), v1::NODE_STATE_UNSPECIFIED);
  EXPECT_FALSE(kept.has_desired());
  EXPECT_EQ(kept.order().epoch(), store_->epoch() + 3);
  Assign(v1::READY);
  EXPECT_TRUE(plan_.input.nodes(0).ahead());
  EXPECT_EQ(plan_.input.nodes(0).obeys().serial(), 7u);
  desired.set_generation(4);
  desired.mutable_applied_at()->set_seconds(1'700'000'010);
  roster_->SetSpec(desired);
  Assign(v1::READY, 1);
  EXPECT_FALSE(plan_.input.nodes(0).ahead());
  EXPECT_EQ(Hear(later, 1).desired().generation(), 4u);
  EXPECT_EQ(CountEvents(v1::Event::NODE_AHEAD), 2u);
}

TEST_F(RosterAssignTest, FactsThatDoNotCountAreNotFreshForThePlan) {
  roster_->SetSpec(Desired(3));
  Hear(Beat(v1::OBSERVED, 3, v1::Convergence::CONVERGED));
  v1::HeartbeatRequest others = Beat(v1::OBSERVED, 3, v1::Convergence::CONVERGED);
  others.clear_facts();
  others.set_facts_digest("of facts that it keeps to itself");
  Hear(others, 5);
  Assign(v1::OBSERVED, 5);
  EXPECT_TRUE(plan_.input.nodes(0).fresh());
  Hear(others, 20);
  Assign(v1::OBSERVED, 20);
  const v1::PlanNode& seen = plan_.input.nodes(0);
  EXPECT_FALSE(seen.fresh());
  EXPECT_EQ(seen.connect(), v1::CONNECT_UNKNOWN);
  EXPECT_EQ(seen.not_fresh(), Node("a", kNoon + seconds(20)).facts().unobserved(0).reason());
  EXPECT_EQ(seen.connect_unknown(), seen.not_fresh());
  EXPECT_FALSE(seen.brief().has_facts());
  EXPECT_FALSE(roster_->Briefs(kNoon + seconds(20)).front().has_facts());
}

TEST_F(RosterAssignTest, ANodeThatIsNotHeardHasNoFactsThatCount) {
  roster_->SetSpec(Desired(3));
  Hear(Beat(v1::OBSERVED, 3, v1::Convergence::CONVERGED));
  Assign(v1::OBSERVED, 60);
  EXPECT_EQ(plan_.input.nodes(0).not_fresh(), "it was not heard for 1m");
  EXPECT_TRUE(Node("a", kNoon + seconds(60)).facts().has_connect());  // shown, with their age
  EXPECT_FALSE(roster_->Briefs(kNoon + seconds(60)).front().has_facts());
}

TEST_F(RosterAssignTest, AfterARestartANodeIsAskedOnceWhereItStands) {
  roster_->SetSpec(Desired(3));
  Hear(Beat(v1::READY, 3, v1::Convergence::CONVERGED));
  Start();
  roster_->SetSpec(Desired(3));
  v1::HeartbeatRequest bare = Beat(v1::READY, 3);
  bare.clear_facts();
  const auto asked = Hear(bare, 1);
  const auto not_again = Hear(bare, 2);
  const auto later = Hear(bare, 70);
  EXPECT_TRUE(asked.send_facts());
  EXPECT_EQ(asked.assigned_state(), v1::READY);
  EXPECT_FALSE(not_again.send_facts());
  EXPECT_TRUE(later.send_facts());
}

TEST_F(RosterAssignTest, ASnapshotSaysWhereANodeStandsAndWhatItIsToBe) {
  roster_->SetSpec(Desired(3));
  v1::HeartbeatRequest running = Beat(v1::OBSERVED, 3, v1::Convergence::DIFFERS);
  running.mutable_facts()->mutable_connect()->mutable_unit()->set_active_state("active");
  Hear(running);
  EXPECT_EQ(roster_->TakeSnapshot(kNoon).nodes(0).assigned_state(), v1::OBSERVED);
  Assign(v1::SERVING);
  const v1::Snapshot snapshot = roster_->TakeSnapshot(kNoon, /*with_facts=*/false);
  EXPECT_EQ(snapshot.generation(), 3u);
  EXPECT_EQ(snapshot.nodes(0).reported_generation(), 3u);
  EXPECT_EQ(snapshot.nodes(0).convergence().state(), v1::Convergence::DIFFERS);
  EXPECT_EQ(snapshot.nodes(0).assigned_state(), v1::SERVING);
  EXPECT_EQ(snapshot.nodes(0).assigned_reason(), "wanted");
  EXPECT_EQ(FromProto(snapshot.nodes(0).assigned_since()), kNoon);
  EXPECT_EQ(roster_->Briefs(kNoon).front().assigned_state(), v1::SERVING);
  EXPECT_EQ(plan_.input.nodes(0).connect(), v1::CONNECT_RUNS);
}

TEST_F(RosterAssignTest, OfTwoMachinesUnderOneNameNeitherIsToldAnythingNew) {
  roster_->SetSpec(Desired(3));
  v1::HeartbeatRequest clone = Beat(v1::OBSERVED, 0, "another machine");
  clone.set_boot_id("another boot");
  Hear(Beat(v1::PREPARING, 3, v1::Convergence::CHANGING));
  Hear(clone, 1);
  const auto original = Hear(Beat(v1::PREPARING, 3, v1::Convergence::CHANGING), 2);
  clone.add_changes_made()->set_number(1);
  const auto told = Hear(clone, 3);
  EXPECT_EQ(original.assigned_state(), v1::PREPARING);
  EXPECT_EQ(told.assigned_state(), v1::OBSERVED);
  EXPECT_EQ(told.assigned_generation(), 0u);
  EXPECT_FALSE(told.has_desired());
  EXPECT_EQ(told.changes_taken(), 0u);
}

}  // namespace
}  // namespace connect_ha
