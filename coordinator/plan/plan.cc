#include "coordinator/plan/plan.h"

#include <google/protobuf/util/time_util.h>

#include "common/checklist/view/facts_view.h"

namespace connect_ha {
namespace {

// By a person, later than what the node holds; in one store by number, as the node takes it: the
// clock may be behind. The first generation of a store is what cluster.yaml said when the store was
// made: nobody applied it.
bool WasAppliedSince(const v1::Desired& desired, const Reported& node) {
  if (desired.generation() <= 1 || !desired.has_applied_at()) return false;
  if (node.own_lineage && desired.generation() != node.generation) {
    return desired.generation() > node.generation;
  }
  return !node.applied_at || desired.applied_at() > *node.applied_at;
}

// Nothing of what the node goes by is unknown here.
bool HoldsTheSame(const v1::Desired& desired, const Reported& node) {
  return node.own_lineage && node.generation == desired.generation() && node.applied_at &&
         desired.has_applied_at() && *node.applied_at == desired.applied_at();
}

std::string WhyAhead(const Reported& node) {
  const std::string apply = "; connect-ha apply puts one above it into force";
  const std::string generation = std::to_string(node.generation);
  if (!node.own_lineage) {
    return "it holds generation " + generation +
           " of another coordinator's store (was this one made anew?)" + apply;
  }
  return "it holds generation " + generation +
         " of a specification that this coordinator does not know (is its store an older copy?)" +
         apply;
}

bool IsOddGeneration(const v1::Desired& desired, const Reported& node) {
  return node.own_lineage && node.generation > desired.generation() &&
         node.generation - desired.generation() > kGenerationsAbove;
}

std::string WhyOdd(const v1::Desired& desired, const Reported& node) {
  const std::string what = node.odd.empty()
                               ? "generation " + std::to_string(node.generation) +
                                     ", the newest is " + std::to_string(desired.generation())
                               : node.odd;
  return "it says that it goes by " + what +
         ": nobody gave it that, and it counts for nothing. Look at who has access to the node; "
         "connect-ha node remove and a new token take it in anew";
}

}  // namespace

UnitSeen LookAtUnit(const v1::Facts& facts) {
  UnitSeen unit;
  if (auto why = WhyUnobserved(facts, "connect.unit")) unit.unknown = *std::move(why);
  unit.exists = facts.connect().has_unit();
  unit.state = facts.connect().unit().active_state();
  return unit;
}

bool IsOdd(const v1::Desired& desired, const Reported& node) {
  return !node.odd.empty() || IsOddGeneration(desired, node);
}

bool IsAhead(const v1::Desired& desired, const Reported& node) {
  if (IsOdd(desired, node)) return false;
  if (node.order_ahead) return !HoldsTheSame(desired, node) && !WasAppliedSince(desired, node);
  if (node.generation == 0) return false;
  if (!node.own_lineage) return !WasAppliedSince(desired, node);
  if (node.generation != desired.generation()) return node.generation > desired.generation();
  return node.applied_at && desired.has_applied_at() && *node.applied_at != desired.applied_at();
}

std::string WhyLeftAlone(const v1::Desired& desired, const Reported& node) {
  if (IsOdd(desired, node)) return WhyOdd(desired, node);
  return IsAhead(desired, node) ? WhyAhead(node) : "";
}

}  // namespace connect_ha
