// How often systemd has lately started Connect again by itself. Its own number (NRestarts) goes by
// no time: it grows for months, until somebody starts the unit. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "common/time.h"
#include "connect_ha/v1/facts.pb.h"

namespace connect_ha {

// From one look at the unit to the next.
struct KeptRestarts {
  struct Seen {
    Time at;
    uint32_t restarts;
  };
  uint32_t number = 0;       // systemd's
  std::vector<Seen> lately;  // by how much it has grown within kLoopWindow, the oldest first
  // There were restarts before the first look, and the latest of them may have been at this time:
  // how many were within kLoopWindow is not known until that is over. Unset: there is none such.
  std::optional<Time> unseen_until;
};

// `before`: what this gave at the look before; nullopt: this is the first one. `was_refused`: the
// preflight did not let the latest start through, so that nothing of Connect ran: what systemd has
// tried since the look before counts for nothing.
KeptRestarts NoteRestarts(const std::optional<KeptRestarts>& before, const v1::Unit& unit,
                          bool was_refused, Time now);

// Within kLoopWindow; nullopt: not known.
std::optional<uint32_t> RestartsLately(const KeptRestarts& noted);

}  // namespace connect_ha
