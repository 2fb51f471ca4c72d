#pragma once

#include <string>

#include "agent/host/host.h"
#include "common/command/command_line.h"

namespace connect_ha {

// What to type where the agent's settings at this path will not do.
std::string SettingsFix(const std::string& path);

// Prints what is wrong with the agent's settings, with the signers that the node trusts and with
// the Connect configuration file that the settings name: FILE:LINE:COLUMN: MESSAGE, one a line.
// Returns the exit code.
int CheckConfigFiles(Host& host, const std::string& settings, bool settings_required,
                     Terminal& terminal);

}  // namespace connect_ha
