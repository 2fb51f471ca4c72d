// The agent's commands: one row each.
#pragma once

#include "common/command/command_line.h"

namespace connect_ha {

Program ConnectHaAgent();

}  // namespace connect_ha
