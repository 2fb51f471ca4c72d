// What systemd's journal has of a unit.
#pragma once

#include <string>

#include "agent/host/host.h"

namespace connect_ha {

// The last so many lines since the last boot, as they were printed; "" where there is no journal.
// May hold secrets.
std::string ReadJournal(Host& host, const std::string& unit, int lines);
// The same without what systemd itself says of the unit.
std::string ReadPrinted(Host& host, const std::string& unit, int lines);

}  // namespace connect_ha
