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

// Of a Convergence or a Preview.
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
  if (said.has_step()) {
    const v1::Step& from = said.step();
    v1::Step& step = *bounded.mutable_step();
    step.set_resource(Name(from.resource()));
    step.set_phase(from.phase());
    step.set_done_bytes(from.done_bytes());
    step.set_total_bytes(from.total_bytes());
    if (from.has_started_at()) *step.mutable_started_at() = from.started_at();
  }
  TakeLists(said, bounded);
  return bounded;
}

v1::Preview Bounded(const v1::Preview& said) {
  v1::Preview bounded;
  bounded.set_number(said.number());
  TakeLists(said, bounded);
  while (bounded.changes_size() > 0 && bounded.ByteSizeLong() > kMostPreviewBytes) {
    bounded.mutable_changes()->DeleteSubrange(bounded.changes_size() - 1, 1);
  }
  return bounded;
}

}  // namespace connect_ha
