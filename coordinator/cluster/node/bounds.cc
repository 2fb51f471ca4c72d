#include "coordinator/cluster/node/bounds.h"

#include <algorithm>
#include <string>

#include "common/text/short_text.h"

namespace connect_ha {
namespace {

constexpr size_t kLogBytes = 4096;

std::string Name(const std::string& said) { return ShortText(said, kNameBytes); }

v1::Change Bounded(const v1::Change& said) {
  v1::Change change;
  change.set_resource(Name(said.resource()));
  change.set_from(Name(said.from()));
  change.set_to(Name(said.to()));
  change.set_interrupts(Name(said.interrupts()));
  change.set_needs(said.needs());
  change.set_filled_in_anew(said.filled_in_anew());
  return change;
}

v1::Trouble Bounded(const v1::Trouble& said) {
  v1::Trouble trouble;
  trouble.set_resource(Name(said.resource()));
  trouble.set_error(ShortLines(said.error(), kTextBytes));
  trouble.set_fix(ShortLines(said.fix(), kTextBytes));
  trouble.set_log(ShortLines(said.log(), kLogBytes));
  if (said.has_retry_at()) *trouble.mutable_retry_at() = said.retry_at();
  return trouble;
}

v1::Step Bounded(const v1::Step& said) {
  v1::Step step;
  step.set_resource(Name(said.resource()));
  step.set_phase(said.phase());
  step.set_done_bytes(said.done_bytes());
  step.set_total_bytes(said.total_bytes());
  if (said.has_started_at()) *step.mutable_started_at() = said.started_at();
  return step;
}

// Of a Convergence, a Preview or what is got ready.
template <typename Said>
void TakeLists(const Said& said, Said& bounded) {
  const int changes = std::min(said.changes_size(), kMostChangesKept);
  for (int i = 0; i < changes; ++i) *bounded.add_changes() = Bounded(said.changes(i));
  const int troubles = std::min(said.troubles_size(), kMostTroublesKept);
  for (int i = 0; i < troubles; ++i) *bounded.add_troubles() = Bounded(said.troubles(i));
}

}  // namespace

v1::Convergence Bounded(const v1::Convergence& said) {
  v1::Convergence bounded;
  bounded.set_generation(said.generation());
  bounded.set_state(said.state());
  bounded.set_needs(said.needs());
  if (said.has_step()) *bounded.mutable_step() = Bounded(said.step());
  TakeLists(said, bounded);
  return bounded;
}

v1::Ahead Bounded(const v1::Ahead& said) {
  v1::Ahead bounded;
  bounded.set_generation(said.generation());
  if (said.has_applied_at()) *bounded.mutable_applied_at() = said.applied_at();
  bounded.set_lineage(Name(said.lineage()));
  bounded.set_ready(said.ready());
  bounded.set_needs(said.needs());
  if (said.has_step()) *bounded.mutable_step() = Bounded(said.step());
  TakeLists(said, bounded);
  return bounded;
}

v1::Preview Bounded(const v1::Preview& said) {
  v1::Preview bounded;
  bounded.set_number(said.number());
  bounded.set_needs(said.needs());
  TakeLists(said, bounded);
  while (bounded.changes_size() > 0 && bounded.ByteSizeLong() > kMostPreviewBytes) {
    bounded.mutable_changes()->DeleteSubrange(bounded.changes_size() - 1, 1);
  }
  return bounded;
}

}  // namespace connect_ha
