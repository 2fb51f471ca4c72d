// A Connect that was started is looked at before its gate opens.
#pragma once

#include <chrono>
#include <string>

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/change/change.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

// A start, or what a node is prepared by, takes less, or a person should look.
inline constexpr std::chrono::minutes kTakesLong{10};

// Why it is not known to be right: it does not answer, is not of the specification's version, or a
// rule that would keep it from service does not pass. "": it is.
std::string WhyNotVerified(Situation& situation, const Member& member);
// It has been PREPARING, READY, or closed and not known to be right for longer than kTakesLong; of
// who goes first alone, since its Connect is healthy.
bool TakesTooLong(Situation& situation, const Member& member);
// What that one lacks.
std::string WhyItLasts(Situation& situation, const Member& member);

// Of who goes first: its Connect was told to start, and is not known to have answered or ended
// since. It may be migrating the database, however long that takes; nobody but a person stops it,
// and nothing else is begun meanwhile.
bool MayBeMigrating(const Member& first);
// "to stop it all the same: ..."; of one that is lost, what says that nothing runs there any more.
std::string HowToStopIt(const Member& first);

// Of a member that is SERVING and closed, or is about to be: whether it stays closed, and why ("":
// its gate opens). Where all were stopped, gates open when minimum_serving of them are right, or
// all that are expected.
std::string WhyClosed(Situation& situation, const Change& change, const Member& member);

// Where all were stopped: so many are right that their gates may open.
bool MayOpen(Situation& situation, const Change& change);

}  // namespace connect_ha
