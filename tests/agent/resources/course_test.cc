#include "agent/resources/converge/course.h"

#include <gtest/gtest.h>

namespace connect_ha {
namespace {

v1::Assignment Orders(v1::NodeState state) {
  v1::Assignment orders;
  orders.set_state(state);
  orders.mutable_desired()->mutable_spec()->set_enforcement(v1::ENFORCE);
  return orders;
}

TEST(Course, AConnectThatWasOnlyObservedIsStoppedByNoPreparation) {
  for (const v1::NodeState state : {v1::PREPARING, v1::READY}) {
    const Course observed = CourseOf(Orders(state), v1::OBSERVED, v1::ALLOW_SERVE);
    EXPECT_EQ(observed.unit, UnitWanted::kHeld);
    EXPECT_FALSE(observed.may_stop);
    EXPECT_EQ(observed.gate, GateWanted::kAsConnect);
    const Course drained = CourseOf(Orders(state), v1::DRAINING, v1::ALLOW_SERVE);
    EXPECT_TRUE(drained.may_stop);
    EXPECT_EQ(drained.gate, GateWanted::kClosed);
  }
  for (const v1::NodeState state : {v1::STOPPED, v1::FENCED}) {
    EXPECT_TRUE(CourseOf(Orders(state), v1::OBSERVED, v1::ALLOW_SERVE).may_stop);
  }
}

TEST(Course, WhereNothingMayBeStoppedNothingIs) {
  for (const v1::NodeState from : {v1::OBSERVED, v1::PREPARING, v1::READY}) {
    EXPECT_FALSE(CourseOf(Orders(v1::READY), from, v1::ALLOW_INSTALL).may_stop);
  }
}

TEST(Course, NothingActsOnANodeThatIsOnlyObserved) {
  EXPECT_FALSE(CourseOf(Orders(v1::OBSERVED), v1::SERVING, v1::ALLOW_SERVE).acts());
  v1::Assignment observes = Orders(v1::FENCED);
  observes.mutable_desired()->mutable_spec()->set_enforcement(v1::OBSERVE);
  EXPECT_FALSE(CourseOf(observes, v1::SERVING, v1::ALLOW_SERVE).acts());
  v1::Assignment released = Orders(v1::OBSERVED);
  released.set_release(true);
  EXPECT_TRUE(CourseOf(released, v1::READY, v1::ALLOW_SERVE).acts());
}

// It is told its order first, and in the next answer what is in force.
TEST(Course, AClosedGateStaysSoThoughNoSpecificationIsHeld) {
  v1::Assignment orders = Orders(v1::SERVING);
  orders.set_closed(true);
  orders.clear_desired();
  EXPECT_EQ(CourseOf(orders, v1::OBSERVED, v1::ALLOW_SERVE).gate, GateWanted::kClosed);
  EXPECT_FALSE(CourseOf(orders, v1::OBSERVED, v1::ALLOW_SERVE).acts());
  orders.set_closed(false);
  EXPECT_EQ(CourseOf(orders, v1::OBSERVED, v1::ALLOW_SERVE).gate, GateWanted::kAsConnect);
}

}  // namespace
}  // namespace connect_ha
