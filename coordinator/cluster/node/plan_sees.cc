#include "coordinator/cluster/node/plan_sees.h"

#include <optional>

namespace connect_ha {
namespace {

bool IsSame(const std::optional<v1::Order>& a, const std::optional<v1::Order>& b) {
  if (!a || !b) return a.has_value() == b.has_value();
  return a->epoch() == b->epoch() && a->serial() == b->serial() && a->lineage() == b->lineage();
}

// But for what grows with every question of a load balancer.
bool IsSame(const v1::ServiceReport* a, const v1::ServiceReport* b) {
  if (a == nullptr || b == nullptr) return a == b;
  v1::ServiceReport like_b = *a;
  like_b.set_refused(b->refused());
  return like_b.SerializeAsString() == b->SerializeAsString();
}

// But for how far it is.
bool IsSame(const v1::Ahead* a, const v1::Ahead* b) {
  if (a == nullptr || b == nullptr) return a == b;
  v1::Ahead without_step[] = {*a, *b};
  for (v1::Ahead& one : without_step) one.clear_step();
  return without_step[0].SerializeAsString() == without_step[1].SerializeAsString();
}

bool IsSame(const v1::Convergence* a, const v1::Convergence* b) {
  if (a == nullptr || b == nullptr) return a == b;
  return a->state() == b->state() && a->generation() == b->generation() &&
         a->needs() == b->needs() && a->changes_size() == b->changes_size();
}

}  // namespace

bool PlanSeesTheSame(const KnownNode& a, const KnownNode& b) {
  return a.said.state == b.said.state && a.said.generation == b.said.generation &&
         a.said.own_lineage == b.said.own_lineage && a.said.order_ahead == b.said.order_ahead &&
         a.said.odd == b.said.odd && a.said.allow == b.said.allow && a.odd == b.odd &&
         a.ahead == b.ahead && a.can_serve == b.can_serve && IsSame(a.taken, b.taken) &&
         IsSame(a.service.get(), b.service.get()) && a.refused_before == b.refused_before &&
         IsSame(a.staged.get(), b.staged.get()) &&
         IsSame(a.said.convergence.get(), b.said.convergence.get());
}

}  // namespace connect_ha
