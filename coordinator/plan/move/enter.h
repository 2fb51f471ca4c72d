// Who may enter service. Whatever is not known keeps a node from it; each function says why
// not, and "" where nothing does.
#pragma once

#include <string>

#include "coordinator/plan/look/situation.h"

namespace connect_ha {

// A node whose Connect rests: it was prepared, and is to be started.
std::string WhyNotStart(Situation& situation, const Member& member);
// Of such a node, against which nothing else is known than that its version may migrate the
// database, and nobody approved of that. "": there is no such thing.
std::string VersionToApprove(Situation& situation, const Member& member);
// A node whose Connect runs as nobody told it: nothing would be stopped or started again.
std::string WhyNotAdopt(Situation& situation, const Member& member);
// A node that was out of service, and whose Connect ran on.
std::string WhyNotReturn(Situation& situation, const Member& member);

}  // namespace connect_ha
