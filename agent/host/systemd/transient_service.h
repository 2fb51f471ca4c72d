// Which transient services can be started.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "agent/host/writable_host.h"

namespace connect_ha {

// Of a service's command, which is not empty: whether the next one follows although it failed, and
// the program's path.
bool MayFail(const std::vector<std::string>& command);
std::string ProgramOf(const std::vector<std::string>& command);

// InvalidArgument: no service's name, no command, a program without its whole path, or a text that
// systemd would not keep as it is: systemd writes the service to a file of its own and reads it
// back at every daemon-reload, which packages do all the time, and $, ", \, `, ; and control
// characters do not survive that (tried on 252).
absl::Status CheckTransientService(const TransientService& service);

}  // namespace connect_ha
