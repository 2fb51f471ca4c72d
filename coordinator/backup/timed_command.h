// Runs a program to its end, or to a deadline.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace connect_ha {

struct TimedCommand {
  std::string path;                      // the only argument, too
  std::vector<std::string> environment;  // NAME=value
  std::chrono::milliseconds deadline{};
  size_t keep_bytes = 4096;  // of what it writes to either output, the last
};

struct CommandEnd {
  bool timed_out = false;
  int exit_code = 0;   // as a shell has it: 128 and the signal that ended it
  std::string output;  // any bytes
};

// In a session of its own, with nothing to read and this process's working directory. With its end,
// and at the deadline, what is left of its group is killed. An error: it could not be started.
absl::StatusOr<CommandEnd> RunTimed(const TimedCommand& command);

}  // namespace connect_ha
