// For tests that change the machine they run on.
#pragma once

namespace connect_ha {

// Ends this process, and says what to type, unless it was started by tests/agent/host/in_container.
void RequireContainer(const char* program);

}  // namespace connect_ha
