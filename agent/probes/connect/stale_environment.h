// Variables with which Connect's process runs otherwise than its unit would give them now.
#pragma once

#include <string>
#include <vector>

#include "agent/host/host.h"

namespace connect_ha {

// Names alone, sorted. Of the variables that Connect reads: CONNECT_* and those of its libraries.
std::vector<std::string> StaleVariables(const std::vector<UnitVariable>& of_unit,
                                        const std::vector<std::string>& of_process);

}  // namespace connect_ha
