#include "agent/probes/connect/restarts.h"

#include <algorithm>

#include "common/checklist/crash_loop.h"

namespace connect_ha {

KeptRestarts NoteRestarts(const std::optional<KeptRestarts>& before, const v1::Unit& unit,
                          bool was_refused, Time now) {
  KeptRestarts noted;
  noted.number = unit.restarts();
  uint32_t more = 0;
  if (!before) {
    if (unit.restarts() > 0) {
      noted.unseen_until = unit.has_started_at() ? FromProto(unit.started_at()) : now;
    }
  } else if (unit.restarts() < before->number) {
    more = unit.restarts();  // somebody started it: it counts from there
  } else {
    more = unit.restarts() - before->number;
    noted.lately = before->lately;
    noted.unseen_until = before->unseen_until;
  }
  if (more > 0 && !was_refused) noted.lately.push_back({now, more});

  // What a clock that was set back has in the future would stay there for as long.
  for (KeptRestarts::Seen& seen : noted.lately) seen.at = std::min(seen.at, now);
  if (noted.unseen_until) noted.unseen_until = std::min(*noted.unseen_until, now);
  const auto is_over = [now](Time at) { return now - at >= kLoopWindow; };
  noted.lately.erase(
      std::remove_if(noted.lately.begin(), noted.lately.end(),
                     [&is_over](const KeptRestarts::Seen& seen) { return is_over(seen.at); }),
      noted.lately.end());
  if (noted.unseen_until && is_over(*noted.unseen_until)) noted.unseen_until.reset();
  return noted;
}

std::optional<uint32_t> RestartsLately(const KeptRestarts& noted) {
  if (noted.unseen_until) return std::nullopt;
  uint32_t restarts = 0;
  for (const KeptRestarts::Seen& seen : noted.lately) restarts += seen.restarts;
  return restarts;
}

}  // namespace connect_ha
