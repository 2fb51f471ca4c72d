// What keeps a node from service, whatever it is that it would enter it by. What is not known keeps
// it out, too. Each function says why, and "" where nothing does.
#pragma once

#include <string>

#include "coordinator/plan/look/situation.h"

namespace connect_ha {

// Its Connect rests, and is to be started; runs as nobody told it; ran on while it was out of
// service; was started, and its gate is to open.
enum class How { kStart, kAdopt, kReturn, kOpen };

// People, EC2, its mount, its own rules, or what nobody knows of which node it is wrong. `alone`:
// all others rest for it, so that what it shows only beside others counts for nothing.
std::string WhyKeptOut(Situation& situation, const Member& member, How how, bool alone);

}  // namespace connect_ha
