// One heartbeat, without a roster, a store or a lock.
#include <cstdint>
#include <string>
#include <vector>

#include "coordinator/cluster/node/bounds.h"
#include "coordinator/cluster/node/node_events.h"
#include "tests/coordinator/service/step_fixture.h"

namespace connect_ha {
namespace {

using std::chrono::seconds;

TEST_F(StepTest, SaysWhatBeaconsAreToHaveAndWhichAreToGo) {
  StepInputs inputs = {desired_, desired_};
  inputs.stale_after = seconds(30);
  inputs.challenge = "c1";
  inputs.forget = {"gone-1", "gone-2"};
  inputs.now = kNoon;
  const StepResult result = Step(node_, Beat(), inputs);
  EXPECT_EQ(result.answer.proof_challenge(), "c1");
  ASSERT_EQ(result.answer.forget_beacons_size(), 2);
  EXPECT_EQ(result.answer.forget_beacons(1), "gone-2");
}

TEST_F(StepTest, TheSameInTheSameOut) {
  Take(WithFacts(Beat()), 0);
  v1::HeartbeatRequest request = WithFacts(Beat("d2"));
  request.mutable_convergence()->set_state(v1::Convergence::DIFFERS);
  for (int number = 1; number <= 5; ++number) request.add_changes_made()->set_number(number);
  const StepResult first = Look(request, 5);
  const StepResult again = Look(request, 5);
  EXPECT_EQ(first.answer.SerializeAsString(), again.answer.SerializeAsString());
  EXPECT_EQ(first.events.size(), again.events.size());
  EXPECT_EQ(first.changes.size(), 5u);
  EXPECT_EQ(again.changes.size(), 5u);
  EXPECT_EQ(node_.facts->digest, "d1");  // what it was given is as it was
}

TEST_F(StepTest, SaysWhatIsToBeStoredAndWhatIsNot) {
  const StepResult fresh = Take(WithFacts(Beat()), 0);
  const StepResult refreshed = Take(WithFacts(Beat()), 1);
  const StepResult bare = Take(Beat(), 2);
  const StepResult other = Take(WithFacts(Beat("d2")), 3);
  EXPECT_TRUE(fresh.store_report);
  EXPECT_FALSE(refreshed.store_report);
  EXPECT_EQ(refreshed.after.facts->received_at, kNoon + seconds(1));
  EXPECT_FALSE(bare.store_report);
  EXPECT_FALSE(bare.changed);
  EXPECT_FALSE(bare.answer.send_facts());
  EXPECT_TRUE(other.store_report);
  EXPECT_TRUE(other.changed);
  EXPECT_TRUE(other.answer.takes_facts_bytes());
}

TEST_F(StepTest, FactsOfReleaseOneAreTakenAsBytes) {
  v1::HeartbeatRequest request = Beat();
  request.mutable_facts()->mutable_host()->set_hostname("old");
  const StepResult taken = Take(request, 0);
  ASSERT_NE(taken.after.facts, nullptr);
  EXPECT_EQ(*taken.after.facts->bytes, request.facts().SerializeAsString());
}

TEST_F(StepTest, WhatCannotBeStoredIsNotTakenTheRestIs) {
  Take(WithFacts(Beat()), 0);
  v1::HeartbeatRequest request = WithFacts(Beat("d2"));
  request.add_changes_made()->set_number(1);
  const StepResult result = Look(request, 5, /*store_works=*/false);
  EXPECT_EQ(result.after.facts->digest, "d1");
  EXPECT_TRUE(result.changes.empty());
  EXPECT_EQ(result.answer.changes_taken(), 0u);
  EXPECT_TRUE(result.answer.send_facts());
  EXPECT_EQ(result.after.last_seen, kNoon + seconds(5));
  EXPECT_FALSE(result.store_report);
}

TEST_F(StepTest, NumbersThatNoStoreTakesEndTheChanges) {
  v1::HeartbeatRequest request = Beat();
  for (const uint64_t number : {uint64_t{5}, uint64_t{4}, uint64_t{6}, ~uint64_t{0}, uint64_t{7}}) {
    request.add_changes_made()->set_number(number);
  }
  const StepResult result = Take(request, 0);
  ASSERT_EQ(result.changes.size(), 2u);
  EXPECT_EQ(result.changes[0].number, 5u);
  EXPECT_EQ(result.changes[1].number, 6u);
  EXPECT_EQ(result.answer.changes_taken(), 6u);
}

TEST_F(StepTest, StringsOfAnyLengthAreShort) {
  const std::string mebibyte(1024 * 1024, 'x');
  v1::HeartbeatRequest request = WithFacts(Beat(mebibyte));
  request.set_machine_id(mebibyte);
  request.set_boot_id(mebibyte);
  request.set_agent_version(mebibyte);
  for (int i = 0; i < 1000; ++i) request.add_trusted_signers("key" + std::to_string(i));
  v1::Convergence& convergence = *request.mutable_convergence();
  convergence.set_state(v1::Convergence::DIFFERS);
  for (int i = 0; i < 5000; ++i) convergence.add_changes()->set_resource("package");
  convergence.mutable_changes(0)->set_resource(mebibyte);
  convergence.add_troubles()->set_error(mebibyte);
  convergence.mutable_troubles(0)->set_log("one\ntwo");
  request.add_changes_made()->set_number(1);
  request.mutable_changes_made(0)->mutable_change()->set_resource(mebibyte);
  Take(request, 0);
  const StepResult result = Take(request, 1);
  const KnownNode& node = result.after;
  EXPECT_LE(node.agent_version.size(), 256u);
  EXPECT_LE(node.claimants.Current().front().machine_id().size(), 256u);
  EXPECT_LE(node.facts->digest.size(), 256u);
  EXPECT_FALSE(result.store_report);  // shortened, it is still the same
  EXPECT_FALSE(result.answer.send_facts());
  EXPECT_EQ(node.trusted_signers->size(), kMostSignersKept);
  ASSERT_EQ(node.said.convergence->changes_size(), kMostChangesKept);
  EXPECT_LE(node.said.convergence->ByteSizeLong(), 16u * 1024);
  EXPECT_EQ(node.said.convergence->troubles(0).log(), "one\ntwo");
  EXPECT_LE(node.told_text.size(), 1024u);
  EXPECT_LE(ChangeText(request.changes_made(0)).size(), 1024u);
}

v1::HeartbeatRequest Obeying(uint64_t epoch, uint64_t serial) {
  v1::HeartbeatRequest request = Beat();
  request.mutable_order()->set_lineage(kLineage);
  request.mutable_order()->set_epoch(epoch);
  request.mutable_order()->set_serial(serial);
  return request;
}

TEST_F(StepTest, ANodeIsToldThatTheDatabaseWasPutBack) {
  Assign(v1::STOPPED, 7);
  EXPECT_FALSE(Take(Beat(), 0).answer.has_database_restored());
  v1::NodeAssignment assigned = *assigned_;
  assigned.mutable_database_restored()->set_serial(5);
  assigned_ = std::make_shared<const v1::NodeAssignment>(assigned);
  EXPECT_EQ(Take(Beat(), 1).answer.database_restored().serial(), 5u);
}

TEST_F(StepTest, ANodeIsToldAsWhichGenerationConnectMayStart) {
  Assign(v1::PREPARING, 7);
  EXPECT_EQ(Take(Beat(), 0).answer.not_before(), 0u);
  v1::NodeAssignment assigned = *assigned_;
  assigned.set_not_before(7);
  assigned_ = std::make_shared<const v1::NodeAssignment>(assigned);
  EXPECT_EQ(Take(Beat(), 1).answer.not_before(), 7u);
}

TEST_F(StepTest, ANodeIsToldWhatThePlanGaveIt) {
  Assign(v1::SERVING, 7);
  const StepResult told = Take(Beat(), 0);
  EXPECT_EQ(told.answer.assigned_state(), v1::SERVING);
  EXPECT_EQ(told.answer.assigned_generation(), 3u);
  EXPECT_EQ(told.answer.assigned_reason(), "as it is to be");
  EXPECT_EQ(told.answer.assigned_since().seconds(), 1'722'513'600);
  EXPECT_EQ(told.answer.order().lineage(), kLineage);
  EXPECT_EQ(told.answer.order().epoch(), 2u);
  EXPECT_EQ(told.answer.order().serial(), 7u);
  EXPECT_EQ(told.answer.desired().generation(), 3u);
  // The specification that is in force by now is not the one that the order is of.
  desired_.set_generation(4);
  EXPECT_FALSE(Take(Beat(), 1).answer.has_desired());
}

// The coordinator has just started, or another machine had the name when it was decided.
TEST_F(StepTest, WithoutAnOrderANodeStaysWhatItIs) {
  for (const bool decided : {false, true}) {
    if (decided) {
      v1::NodeAssignment without_order;
      without_order.set_state(v1::SERVING);
      assigned_ = std::make_shared<const v1::NodeAssignment>(without_order);
    }
    v1::HeartbeatRequest draining = Obeying(1, 5);
    draining.set_reported_state(v1::SERVING);  // on its way
    draining.set_reported_generation(2);
    const StepResult kept = Take(draining, 0);
    EXPECT_EQ(kept.answer.assigned_state(), v1::NODE_STATE_UNSPECIFIED);
    EXPECT_EQ(kept.answer.order().epoch(), 1u);
    EXPECT_EQ(kept.answer.order().serial(), 5u);
    EXPECT_EQ(kept.answer.assigned_generation(), 2u);
    EXPECT_FALSE(kept.answer.has_desired());
    draining.mutable_order()->set_lineage("another");
    EXPECT_EQ(Take(draining, 1).answer.assigned_state(), v1::NODE_STATE_UNSPECIFIED);
    EXPECT_EQ(Take(Beat(), 2).answer.assigned_state(), v1::OBSERVED);
    v1::HeartbeatRequest old_agent = Beat();
    old_agent.set_reported_state(v1::READY);
    EXPECT_EQ(Take(old_agent, 3).answer.assigned_state(), v1::READY);
    old_agent.set_reported_state(v1::SERVING);
    EXPECT_EQ(Take(old_agent, 4).answer.assigned_state(), v1::OBSERVED);
  }
}

TEST_F(StepTest, OfTwoMachinesTheOneThatObeysGoesOnAndTheOtherIsObserved) {
  Assign(v1::SERVING, 7);
  v1::HeartbeatRequest clone = Beat();
  clone.set_machine_id("clone");
  Take(Obeying(2, 7), 0);
  Take(clone, 1);
  const StepResult original = Take(Obeying(2, 7), 2);
  ASSERT_TRUE(node_.in_conflict);
  EXPECT_EQ(original.answer.assigned_state(), v1::SERVING);
  EXPECT_FALSE(original.answer.has_desired());
  EXPECT_EQ(Take(clone, 3).answer.assigned_state(), v1::OBSERVED);
  EXPECT_EQ(Take(Obeying(2, 6), 4).answer.assigned_state(), v1::NODE_STATE_UNSPECIFIED);
}

TEST_F(StepTest, ASuccessorIsNotSettledWhileTheOneBeforeMayLive) {
  Take(Beat(), 0);
  EXPECT_TRUE(IsSettled(node_));
  v1::HeartbeatRequest other = Beat();
  other.set_boot_id("after a reboot");
  Take(other, 10);
  EXPECT_FALSE(IsSettled(node_));
  Take(other, 41);
  EXPECT_TRUE(IsSettled(node_));
}

TEST_F(StepTest, SaysWhatThePlanSees) {
  Take(WithFacts(Beat()), 0);
  EXPECT_FALSE(Take(Beat(), 1).plan_changed);
  v1::HeartbeatRequest request = Obeying(2, 1);
  serial_ = 1;
  EXPECT_TRUE(Take(request, 2).plan_changed);
  EXPECT_FALSE(Take(request, 3).plan_changed);
  request.set_reported_state(v1::SERVING);
  EXPECT_TRUE(Take(request, 4).plan_changed);
  request.set_can_serve(true);
  request.mutable_service()->set_gate_open(true);
  EXPECT_TRUE(Take(request, 5).plan_changed);
  request.mutable_service()->set_gate_open(false);
  const StepResult closed = Take(request, 6);
  EXPECT_TRUE(closed.plan_changed);
  EXPECT_FALSE(closed.changed);  // no rule sees the gate
  EXPECT_FALSE(Take(request, 7).plan_changed);
}

TEST_F(StepTest, WhatTheGateSaysIsShort) {
  v1::HeartbeatRequest request = Beat();
  request.mutable_service()->set_gate_reason(std::string(1024 * 1024, 'x'));
  request.mutable_service()->set_start_failed(std::string(1024 * 1024, 'x'));
  request.mutable_order()->set_lineage(std::string(1024 * 1024, 'x'));
  request.mutable_order()->set_epoch(1);
  Take(request, 0);
  EXPECT_LE(node_.service->ByteSizeLong(), 8u * 1024);
  EXPECT_LE(node_.taken->ByteSizeLong(), 1024u);
}

TEST_F(StepTest, AnOrderThatNobodyGaveIsOdd) {
  struct Case {
    const char* lineage;
    uint64_t epoch, serial;
    bool odd;
  };
  const Case cases[] = {
      {kLineage, 1, 99, false},           // of an earlier epoch
      {kLineage, 2, 1, false},            // ours
      {kLineage, 2, 100, true},           // of this epoch, and never given
      {kLineage, 9, 1, false},            // the store is an older copy
      {kLineage, ~uint64_t{0}, 1, true},  // not yet
      {"another", ~uint64_t{0}, 1, false},
  };
  for (const Case& one : cases) {
    node_ = KnownNode();
    serial_ = 5;  // was given last
    v1::HeartbeatRequest request = Beat();
    request.mutable_order()->set_lineage(one.lineage);
    request.mutable_order()->set_epoch(one.epoch);
    request.mutable_order()->set_serial(one.serial);
    const StepResult result = Take(request, 0);
    EXPECT_EQ(result.after.odd, one.odd) << one.epoch << "." << one.serial;
    EXPECT_EQ(!result.events.empty() && result.events[0].kind() == v1::Event::NODE_ORDERS_ODD,
              one.odd);
  }
}

// It would be newer than all that is applied from now on.
TEST_F(StepTest, WhatIsAppliedInTheFutureIsOdd) {
  desired_.mutable_applied_at()->set_seconds(1'700'000'000);
  v1::HeartbeatRequest request = Beat();
  request.set_reported_generation(3);
  request.mutable_reported_applied_at()->set_seconds(1'700'000'000 + 3600);  // clocks differ
  EXPECT_FALSE(Take(request, 0).after.odd);
  request.mutable_reported_applied_at()->set_seconds(INT64_MAX);
  request.set_reported_lineage("another");
  const StepResult result = Take(request, 1);
  EXPECT_TRUE(result.after.odd);
  EXPECT_FALSE(result.after.ahead);
  EXPECT_FALSE(result.answer.has_desired());
  // The coordinator's own clock was there when it was applied.
  desired_.mutable_applied_at()->set_seconds(1'900'000'000);
  request.clear_reported_lineage();
  *request.mutable_reported_applied_at() = desired_.applied_at();
  EXPECT_FALSE(Take(request, 2).after.odd);
}

// The store was put back as release 0.1 had left it, and upgraded once more: what is in force is
// the same to the second, but the node takes no orders of the second upgrade's lineage.
TEST_F(StepTest, WhatIsHeldSinceReleaseOneBelongsToTheOrdersBesideIt) {
  Assign(v1::READY, 1);
  desired_.mutable_applied_at()->set_seconds(1'700'000'000);
  v1::HeartbeatRequest request = Beat();
  request.set_reported_generation(3);
  *request.mutable_reported_applied_at() = desired_.applied_at();
  EXPECT_FALSE(Take(request, 0).after.ahead);  // of an agent of release 0.1
  request.mutable_order()->set_lineage(kLineage);
  request.mutable_order()->set_epoch(1);
  EXPECT_FALSE(Take(request, 1).after.ahead);
  request.mutable_order()->set_lineage("of the first upgrade");
  const StepResult told = Take(request, 2);
  EXPECT_TRUE(told.after.ahead);
  EXPECT_FALSE(told.answer.has_desired());
  desired_.set_generation(4);
  desired_.mutable_applied_at()->set_seconds(1'700'000'001);
  v1::NodeAssignment newer = *assigned_;
  newer.set_generation(4);
  assigned_ = std::make_shared<const v1::NodeAssignment>(newer);
  EXPECT_EQ(Take(request, 3).answer.desired().generation(), 4u);
}

TEST_F(StepTest, AStartThatWasLetThroughIsToldOnce) {
  const auto told = [this](int64_t at, const std::string& digest, int after_s) {
    v1::HeartbeatRequest request = Beat(digest);
    v1::Facts facts;
    facts.mutable_connect();
    v1::PreflightResult& last = *facts.mutable_guard()->mutable_last();
    last.mutable_at()->set_seconds(at);
    last.set_may_start(true);
    last.set_reason("nothing is mounted");
    last.mutable_override()->set_by("alice");
    last.mutable_override()->set_reason("restored");
    request.set_facts_bytes(facts.SerializeAsString());
    std::vector<std::string> texts;
    const StepResult result = Take(request, after_s);
    for (const v1::Event& event : result.events) {
      if (event.kind() == v1::Event::PREFLIGHT_OVERRIDDEN) texts.push_back(event.text());
    }
    return texts;
  };
  Take(WithFacts(Beat()), 0);
  EXPECT_EQ(told(1'700'000'000, "d2", 5),
            std::vector<std::string>{
                "at 2023-11-14T22:13:20Z Connect was started by the override of alice (restored); "
                "it would not have started: nothing is mounted"});
  EXPECT_TRUE(told(1'700'000'000, "d3", 10).empty());
  EXPECT_EQ(told(1'700'000'100, "d4", 15).size(), 1u);
}

// It was let through while the agent was away, and refused since.
TEST_F(StepTest, AnOverrideThatTheNodeKeptIsToldOnceWhateverCameAfterIt) {
  const auto told = [this](const v1::Facts& facts, const std::string& digest, int after_s) {
    v1::HeartbeatRequest request = Beat(digest);
    request.set_facts_bytes(facts.SerializeAsString());
    std::vector<std::string> texts;
    for (const v1::Event& event : Take(request, after_s).events) {
      if (event.kind() == v1::Event::PREFLIGHT_OVERRIDDEN) texts.push_back(event.text());
    }
    return texts;
  };
  Take(WithFacts(Beat()), 0);
  v1::Facts facts;
  facts.mutable_connect();
  v1::PreflightResult& kept = *facts.mutable_guard()->mutable_overridden();
  kept.mutable_at()->set_seconds(1'700'000'000);
  kept.set_may_start(true);
  kept.mutable_override()->set_by("alice");
  kept.mutable_override()->set_reason("restored");
  facts.mutable_guard()->mutable_last()->set_reason("nothing is mounted");
  EXPECT_EQ(told(facts, "d2", 5),
            std::vector<std::string>{
                "at 2023-11-14T22:13:20Z Connect was started by the override of alice (restored)"});
  *facts.mutable_guard()->mutable_last() = kept;
  facts.mutable_guard()->mutable_last()->mutable_at()->set_seconds(1'700'000'009);
  EXPECT_TRUE(told(facts, "d3", 10).empty());
  facts.mutable_guard()->clear_last();
  EXPECT_TRUE(told(facts, "d4", 15).empty());
  // That one could not be kept.
  *facts.mutable_guard()->mutable_last() = kept;
  facts.mutable_guard()->mutable_last()->mutable_override()->set_reason("once more");
  EXPECT_EQ(told(facts, "d5", 20).size(), 1u);
}

TEST_F(StepTest, ALossIsToldUntilItWasAndOnlyThenTheReturn) {
  Take(Beat(), 0);
  std::vector<v1::Event> events;
  EXPECT_TRUE(Age(node_, "a", seconds(30), kNoon, kNoon + seconds(31), events));
  EXPECT_FALSE(Age(node_, "a", seconds(30), kNoon, kNoon + seconds(32), events));
  ASSERT_EQ(events.size(), 1u);
  node_.loss_told = false;  // it could not be stored
  Age(node_, "a", seconds(30), kNoon, kNoon + seconds(40), events);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[1].text(), "not heard for 40s");
  KnownNode untold = node_;
  untold.loss_told = false;
  EXPECT_EQ(Take(Beat(), 50).events.front().kind(), v1::Event::NODE_BACK);
  node_ = untold;
  EXPECT_TRUE(Take(Beat(), 50).events.empty());
}

// Of which no loss need have been told: 45 s may be less than what is stale.
TEST_F(StepTest, ANodeThatWasAwayIsBackSinceThen) {
  Take(Beat(), 0);
  EXPECT_FALSE(Take(Beat(), 44).after.back_at);
  EXPECT_EQ(Take(Beat(), 89).after.back_at, kNoon + seconds(89));
  EXPECT_EQ(Take(Beat(), 94).after.back_at, kNoon + seconds(89));
}

TEST_F(StepTest, AnEventIsDatedNoLaterThanNow) {
  v1::HeartbeatRequest request = Beat();
  request.add_changes_made()->set_number(1);
  request.mutable_changes_made(0)->mutable_at()->set_seconds(INT64_MAX);
  EXPECT_EQ(FromProto(Take(request, 0).changes[0].event.at()), kNoon);
}

TEST(TakeFactsTest, WhatIsNoFactsIsRefused) {
  v1::HeartbeatRequest request = Beat();
  EXPECT_EQ(*TakeFacts(request, {}, 1, kNoon), nullptr);
  request.set_facts_bytes("no message");
  EXPECT_EQ(TakeFacts(request, {}, 1, kNoon).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(TakeFactsTest, ManyEmptyPartsAreRefusedBeforeTheyTakeRoom) {
  v1::Facts facts;
  const auto add_parts = [&facts](int count) {
    for (int i = 0; i < count; ++i) facts.mutable_connect()->mutable_unit()->add_drop_ins();
  };
  v1::HeartbeatRequest request = Beat();
  add_parts(90'000);
  request.set_facts_bytes(facts.SerializeAsString());
  EXPECT_TRUE(TakeFacts(request, {}, 1, kNoon).ok());
  add_parts(20'000);
  request.set_facts_bytes(facts.SerializeAsString());
  EXPECT_EQ(TakeFacts(request, {}, 1, kNoon).status().code(), absl::StatusCode::kInvalidArgument);
}

// Few enough to be taken in, and too many to be looked for on every other node.
TEST(TakeFactsTest, AListThatNoNodeHasIsRefused) {
  v1::HeartbeatRequest request = Beat();
  v1::Facts facts;
  for (int i = 0; i < kMostInAList; ++i) facts.add_runs();
  request.set_facts_bytes(facts.SerializeAsString());
  EXPECT_TRUE(TakeFacts(request, {}, 1, kNoon).ok());
  facts.add_runs();
  request.set_facts_bytes(facts.SerializeAsString());
  EXPECT_EQ(TakeFacts(request, {}, 1, kNoon).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(StepTest, AnOddOrderRaisesNoneOfOurs) {
  desired_.mutable_applied_at()->set_seconds(1'700'000'000);
  for (const uint64_t epoch : {uint64_t{2}, ~uint64_t{0}}) {
    node_ = KnownNode();
    Assign(v1::READY, 5);
    v1::HeartbeatRequest request = Obeying(epoch, ~uint64_t{0} - 1);
    request.set_reported_generation(3);
    *request.mutable_reported_applied_at() = desired_.applied_at();
    const StepResult result = Take(request, 0);
    EXPECT_TRUE(result.after.odd);
    EXPECT_FALSE(result.after.ahead);  // it holds what is in force
    EXPECT_EQ(result.answer.order().epoch(), 2u);
    EXPECT_EQ(result.answer.order().serial(), 5u);
  }
}

}  // namespace
}  // namespace connect_ha
