// Which order holds: of one lineage never a smaller one, of another only what was applied since.
#include "agent/assignment/standing.h"

#include <gtest/gtest.h>

namespace connect_ha {
namespace {

struct Order {
  const char* lineage = "";
  uint64_t epoch = 0;
  uint64_t serial = 0;
  uint64_t generation = 0;
  int64_t applied_at = 0;
};

v1::Order ToProto(const Order& order) {
  v1::Order proto;
  proto.set_lineage(order.lineage);
  proto.set_epoch(order.epoch);
  proto.set_serial(order.serial);
  return proto;
}

v1::Desired DesiredOf(const Order& order) {
  v1::Desired desired;
  desired.set_generation(order.generation);
  desired.set_lineage(order.lineage);
  desired.mutable_applied_at()->set_seconds(order.applied_at);
  return desired;
}

v1::Assignment Held(const Order& order) {
  v1::Assignment held;
  *held.mutable_order() = ToProto(order);
  if (order.generation > 0) *held.mutable_desired() = DesiredOf(order);
  return held;
}

v1::HeartbeatResponse Answer(const Order& order, bool with_desired = true) {
  v1::HeartbeatResponse answer;
  answer.set_assigned_generation(order.generation);
  *answer.mutable_order() = ToProto(order);
  if (with_desired) *answer.mutable_desired() = DesiredOf(order);
  return answer;
}

TEST(Standing, OfOneLineageNeverASmallerOrder) {
  const v1::Assignment held = Held({"L", 4, 9, 7, 100});
  EXPECT_EQ(StandingOf(held, Answer({"L", 4, 9, 7, 100})), Standing::kAll);
  EXPECT_EQ(StandingOf(held, Answer({"L", 4, 10, 8, 200})), Standing::kAll);
  EXPECT_EQ(StandingOf(held, Answer({"L", 5, 1, 7, 100})), Standing::kAll);
  EXPECT_EQ(StandingOf(held, Answer({"L", 4, 8, 8, 200})), Standing::kNothing);
  EXPECT_EQ(StandingOf(held, Answer({"L", 3, 99, 8, 200})), Standing::kNothing);
}

TEST(Standing, AnOlderSpecificationMayOnlyRestrict) {
  EXPECT_EQ(StandingOf(Held({"L", 4, 9, 7, 100}), Answer({"L", 5, 1, 6, 90})),
            Standing::kRestriction);
}

TEST(Standing, OfAnotherLineageOnlyWhatWasAppliedSince) {
  const v1::Assignment held = Held({"L", 4, 9, 7, 100});
  EXPECT_EQ(StandingOf(held, Answer({"M", 1, 1, 1, 101})), Standing::kAll);
  EXPECT_EQ(StandingOf(held, Answer({"M", 1, 1, 9, 100})), Standing::kNothing);
  EXPECT_EQ(StandingOf(held, Answer({"M", 9, 9, 9, 101}, false)), Standing::kNothing);
  v1::HeartbeatResponse torn = Answer({"M", 1, 1, 8, 101});
  torn.mutable_desired()->set_lineage("L");
  EXPECT_EQ(StandingOf(held, torn), Standing::kNothing);
}

TEST(Standing, WhoHoldsNothingTakesAnyLineage) {
  EXPECT_EQ(StandingOf(Held({"L", 4, 9, 0, 0}), Answer({"M", 1, 1, 1, 1})), Standing::kAll);
  EXPECT_EQ(StandingOf(v1::Assignment(), Answer({"M", 1, 1, 1, 1})), Standing::kAll);
}

TEST(Standing, WithoutALineageGenerationsCount) {
  EXPECT_EQ(StandingOf(Held({"", 0, 0, 7, 100}), Answer({"L", 1, 1, 7, 100})), Standing::kAll);
  EXPECT_EQ(StandingOf(Held({"", 0, 0, 7, 100}), Answer({"L", 1, 1, 6, 200})), Standing::kNothing);
  EXPECT_EQ(StandingOf(Held({"L", 4, 9, 7, 100}), Answer({"", 0, 0, 8, 200})), Standing::kAll);
  EXPECT_EQ(StandingOf(Held({"L", 4, 9, 7, 100}), Answer({"", 0, 0, 6, 200})), Standing::kNothing);
}

TEST(IsNewer, ByGenerationThenByTheTimeItWasApplied) {
  const v1::Assignment held = Held({"L", 0, 0, 7, 100});
  EXPECT_TRUE(IsNewer(DesiredOf({"L", 0, 0, 8, 50}), held));
  EXPECT_FALSE(IsNewer(DesiredOf({"L", 0, 0, 6, 200}), held));
  EXPECT_FALSE(IsNewer(DesiredOf({"L", 0, 0, 7, 100}), held));
  EXPECT_TRUE(IsNewer(DesiredOf({"L", 0, 0, 7, 101}), held));
  EXPECT_TRUE(IsNewer(DesiredOf({"M", 0, 0, 1, 101}), held));
  EXPECT_TRUE(IsNewer(DesiredOf({"L", 0, 0, 1, 1}), v1::Assignment()));
  EXPECT_FALSE(IsNewer(v1::Desired(), v1::Assignment()));
}

TEST(IsNewer, TheSameWithItsLineageTakesThePlaceOfRelease01s) {
  const v1::Assignment held = Held({"", 0, 0, 7, 100});
  EXPECT_TRUE(IsNewer(DesiredOf({"L", 0, 0, 7, 100}), held));
  EXPECT_FALSE(IsNewer(DesiredOf({"L", 0, 0, 7, 99}), held));
  EXPECT_FALSE(IsNewer(DesiredOf({"", 0, 0, 7, 100}), held));
}

TEST(IsNewer, WhatIsHeldSinceRelease01IsOfTheLineageOfItsOrders) {
  v1::Assignment held = Held({"", 0, 0, 7, 100});
  held.mutable_order()->set_lineage("L");
  EXPECT_TRUE(IsNewer(DesiredOf({"M", 0, 0, 2, 101}), held));
  EXPECT_FALSE(IsNewer(DesiredOf({"L", 0, 0, 2, 101}), held));
}

TEST(IsOneSpecification, ANumberAloneDoesNotSay) {
  const v1::Desired held = DesiredOf({"L", 0, 0, 7, 100});
  EXPECT_TRUE(IsOneSpecification(DesiredOf({"L", 0, 0, 7, 100}), held));
  EXPECT_FALSE(IsOneSpecification(DesiredOf({"L", 0, 0, 8, 100}), held));
  EXPECT_FALSE(IsOneSpecification(DesiredOf({"M", 0, 0, 7, 100}), held));
  EXPECT_FALSE(IsOneSpecification(DesiredOf({"L", 0, 0, 7, 101}), held));
  EXPECT_FALSE(IsOneSpecification(v1::Desired(), held));
}

TEST(IsBefore, GoesByNumbersOfOneLineageAndByTimesOfTwo) {
  const auto mark = [](uint64_t generation, const std::string& lineage, int64_t applied_at) {
    v1::GenerationMark made;
    made.set_generation(generation);
    made.set_lineage(lineage);
    if (applied_at != 0) made.mutable_applied_at()->set_seconds(applied_at);
    return made;
  };
  EXPECT_TRUE(IsBefore(mark(7, "L", 0), mark(8, "L", 0)));
  EXPECT_FALSE(IsBefore(mark(8, "L", 100), mark(8, "L", 200)));
  EXPECT_FALSE(IsBefore(mark(9, "L", 0), mark(8, "L", 0)));
  EXPECT_TRUE(IsBefore(mark(9, "L", 100), mark(1, "M", 200)));
  EXPECT_FALSE(IsBefore(mark(1, "L", 200), mark(9, "M", 100)));
  EXPECT_FALSE(IsBefore(mark(1, "L", 0), mark(9, "M", 100)));
  EXPECT_TRUE(IsBefore(v1::GenerationMark(), mark(1, "L", 0)));
  EXPECT_FALSE(IsBefore(mark(1, "L", 0), v1::GenerationMark()));
}

TEST(MayChange, EverythingButToBeObservedByASpecificationThatEnforces) {
  v1::Assignment assignment;
  assignment.mutable_desired()->mutable_spec()->set_enforcement(v1::ENFORCE);
  for (int number = 0; number < v1::NodeState_ARRAYSIZE; ++number) {
    const auto state = static_cast<v1::NodeState>(number);
    assignment.set_state(state);
    const bool looks = state == v1::NODE_STATE_UNSPECIFIED || state == v1::OBSERVED;
    EXPECT_EQ(MayChange(assignment), !looks) << number;
    const bool permits = state == v1::PREPARING || state == v1::READY || state == v1::SERVING;
    EXPECT_EQ(Permits(state), permits) << number;
    EXPECT_EQ(IsPermission(assignment), permits) << number;
  }
  assignment.set_state(v1::PREPARING);
  assignment.set_removed(true);
  EXPECT_FALSE(MayChange(assignment));
  assignment.set_removed(false);
  assignment.mutable_desired()->mutable_spec()->set_enforcement(v1::OBSERVE);
  EXPECT_FALSE(MayChange(assignment));
  EXPECT_FALSE(IsPermission(assignment));
}

TEST(IsAllowed, WhatANodesOwnSettingsLetItBeTold) {
  for (const v1::NodeState state : {v1::PREPARING, v1::READY}) {
    EXPECT_FALSE(IsAllowed(state, v1::ALLOW_OBSERVE));
    EXPECT_TRUE(IsAllowed(state, v1::ALLOW_INSTALL));
    EXPECT_TRUE(IsAllowed(state, v1::ALLOW_SERVE));
  }
  for (const v1::NodeState state : {v1::SERVING, v1::DRAINING, v1::STOPPED, v1::FENCED}) {
    EXPECT_FALSE(IsAllowed(state, v1::ALLOW_OBSERVE));
    EXPECT_FALSE(IsAllowed(state, v1::ALLOW_INSTALL));
    EXPECT_TRUE(IsAllowed(state, v1::ALLOW_SERVE));
  }
  EXPECT_TRUE(IsAllowed(v1::OBSERVED, v1::ALLOW_OBSERVE));
  EXPECT_FALSE(IsAllowed(v1::NODE_STATE_UNSPECIFIED, v1::ALLOW_SERVE));
}

}  // namespace
}  // namespace connect_ha
