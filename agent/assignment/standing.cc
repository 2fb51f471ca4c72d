#include "agent/assignment/standing.h"

#include <google/protobuf/util/time_util.h>

#include <utility>

namespace connect_ha {
namespace {

bool AppliedLater(const v1::Desired& a, const v1::Desired& b) {
  return a.has_applied_at() && (!b.has_applied_at() || a.applied_at() > b.applied_at());
}

Standing OfAnother(const v1::Assignment& held, const v1::HeartbeatResponse& answer) {
  if (held.desired().generation() == 0) return Standing::kAll;
  const bool applied_since = answer.has_desired() &&
                             answer.desired().lineage() == answer.order().lineage() &&
                             AppliedLater(answer.desired(), held.desired());
  return applied_since ? Standing::kAll : Standing::kNothing;
}

}  // namespace

const std::string& LineageOf(const v1::Assignment& held) {
  return held.order().lineage().empty() ? held.desired().lineage() : held.order().lineage();
}

bool Permits(v1::NodeState state) {
  return state == v1::PREPARING || state == v1::READY || state == v1::SERVING;
}

bool MayChange(const v1::Assignment& assignment) {
  return !assignment.removed() && assignment.state() != v1::OBSERVED &&
         assignment.state() != v1::NODE_STATE_UNSPECIFIED &&
         assignment.desired().spec().enforcement() == v1::ENFORCE;
}

bool IsPermission(const v1::Assignment& assignment) {
  return Permits(assignment.state()) && MayChange(assignment);
}

void Pause(v1::Assignment& assignment) {
  assignment.set_state(v1::OBSERVED);
  assignment.clear_since();
}

bool IsAllowed(v1::NodeState state, v1::Allow allow) {
  switch (state) {
    case v1::OBSERVED:
      return true;
    case v1::PREPARING:
    case v1::READY:
      return allow != v1::ALLOW_OBSERVE;
    case v1::SERVING:
    case v1::DRAINING:
    case v1::STOPPED:
    case v1::FENCED:
      return allow == v1::ALLOW_SERVE;
    default:
      return false;
  }
}

bool IsBelow(const v1::Order& a, const v1::Order& b) {
  return std::make_pair(a.epoch(), a.serial()) < std::make_pair(b.epoch(), b.serial());
}

bool CopyPrevails(const v1::Assignment& copy, const v1::Assignment& file) {
  return copy.removed() || copy.order().lineage() != file.order().lineage() ||
         !IsBelow(copy.order(), file.order());
}

Standing StandingOf(const v1::Assignment& held, const v1::HeartbeatResponse& answer) {
  const bool older = answer.assigned_generation() < held.desired().generation();
  const std::string& lineage = answer.order().lineage();
  if (lineage.empty() || LineageOf(held).empty()) {
    return older ? Standing::kNothing : Standing::kAll;
  }
  if (lineage != LineageOf(held)) return OfAnother(held, answer);
  if (IsBelow(answer.order(), held.order())) return Standing::kNothing;
  return older ? Standing::kRestriction : Standing::kAll;
}

bool IsNewer(const v1::Desired& offered, const v1::Assignment& held) {
  if (offered.generation() == 0) return false;
  const v1::Desired& present = held.desired();
  const std::string& lineage = LineageOf(held);
  const bool other = !offered.lineage().empty() && !lineage.empty() && offered.lineage() != lineage;
  if (present.generation() == 0 || other) return true;
  if (offered.generation() != present.generation()) {
    return offered.generation() > present.generation();
  }
  // Of release 0.1, and now with its lineage.
  if (present.lineage().empty() && !offered.lineage().empty()) {
    return !AppliedLater(present, offered);
  }
  return AppliedLater(offered, present);
}

v1::Desired IdentityOf(const v1::Desired& desired) {
  v1::Desired identity;
  identity.set_generation(desired.generation());
  identity.set_lineage(desired.lineage());
  if (desired.has_applied_at()) *identity.mutable_applied_at() = desired.applied_at();
  return identity;
}

bool IsOneSpecification(const v1::Desired& a, const v1::Desired& b) {
  return a.generation() == b.generation() && a.lineage() == b.lineage() &&
         a.applied_at() == b.applied_at();
}

v1::GenerationMark NotBeforeOf(const v1::Assignment& orders) {
  v1::GenerationMark not_before;
  const v1::Desired& desired = orders.desired();
  // Nothing that keeps this node itself from starting.
  if (orders.not_before() == 0 || orders.not_before() > desired.generation()) return not_before;
  if (orders.not_before() == desired.generation()) return MarkOf(desired);
  not_before.set_generation(orders.not_before());
  not_before.set_lineage(desired.lineage());
  return not_before;
}

bool IsBefore(const v1::GenerationMark& mark, const v1::GenerationMark& not_before) {
  if (mark.generation() == 0 || not_before.generation() == 0) return not_before.generation() != 0;
  if (mark.lineage() == not_before.lineage()) return mark.generation() < not_before.generation();
  return mark.has_applied_at() && not_before.has_applied_at() &&
         mark.applied_at() < not_before.applied_at();
}

v1::GenerationMark MarkOf(const v1::Desired& desired) {
  v1::GenerationMark mark;
  mark.set_generation(desired.generation());
  if (desired.has_applied_at()) *mark.mutable_applied_at() = desired.applied_at();
  mark.set_lineage(desired.lineage());
  return mark;
}

}  // namespace connect_ha
