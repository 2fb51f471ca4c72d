#include "agent/resources/converge/course.h"

#include "agent/assignment/standing.h"

namespace connect_ha {

Course CourseOf(const v1::Assignment& orders, v1::NodeState from, v1::Allow allow) {
  Course course;
  const bool is_closed = orders.state() == v1::SERVING && orders.closed();
  if (!MayChange(orders)) {
    course.release = orders.release();
    // One that has lost what it held is told its order before it is given a specification anew.
    if (is_closed && !orders.has_desired()) course.gate = GateWanted::kClosed;
    return course;
  }
  if (from == v1::NODE_STATE_UNSPECIFIED) from = v1::OBSERVED;
  const Transition* const transition = FindTransition(from, orders.state());
  if (transition == nullptr) return course;
  course.unit = transition->unit;
  course.resources = transition->resources;
  course.gate = is_closed ? GateWanted::kClosed : transition->gate;
  const bool is_told = orders.state() == v1::STOPPED || orders.state() == v1::FENCED;
  course.may_stop = allow != v1::ALLOW_INSTALL && allow != v1::ALLOW_OBSERVE &&
                    course.unit == UnitWanted::kHeld && (is_told || from != v1::OBSERVED);
  const bool is_left = course.unit == UnitWanted::kHeld && !course.may_stop;
  if (is_left) course.gate = GateWanted::kAsConnect;
  return course;
}

}  // namespace connect_ha
