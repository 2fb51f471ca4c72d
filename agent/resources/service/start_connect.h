// One start of Connect, and how often it was tried.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "agent/resources/resource.h"
#include "connect_ha/v1/facts.pb.h"

namespace connect_ha {

// An order to serve is worth so many starts.
inline constexpr uint32_t kMostStarts = 3;

// Starts the unit, by its preflight: one that does not run it itself (guard.cc) is asked before.
// `unit`: as it is now, not up. Each call is a try of context.service.order, written down before it
// is made, with the version that is started where none newer was; one that the preflight refuses is
// none, however often. Aborted: it was refused, and why, or it did not start, and the last lines of
// its journal are in progress.Log. FailedPrecondition: it has not, too often, which context.notes
// says from then on; nothing is tried any more for this order.
absl::Status StartConnect(const ResourceContext& context, const v1::Unit& unit, Progress& progress);

// It ended, and systemd is about to start it again.
bool WaitsForRestart(const v1::Unit& unit);

// A start that went well and did not last: until Connect has stayed up, each time that systemd
// starts it again is a try of the same order, and after the last one that it is worth
// context.notes says why. systemd is left to go on. `unit`: as it is now; `seen`: its restarts at
// the look before, nullopt where none was, set to those of now. `told`: to serve later than what
// is noted: it is counted anew.
absl::Status NoteTries(const ResourceContext& context, const v1::Unit& unit, v1::NodeState told,
                       std::optional<uint32_t>& seen);

// Of a unit that is starting, or waits for its restart: that, and why its preflight did not let it
// start the last time. FailedPrecondition: as StartConnect's, for this order.
absl::Status WhyItWaits(const ResourceContext& context, const v1::Unit& unit);

// What ServiceReport.start_failed is under these orders.
std::string StartFailure(const v1::ServiceMemory& memory, const v1::Assignment& orders);

}  // namespace connect_ha
