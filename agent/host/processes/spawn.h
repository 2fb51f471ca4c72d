// Starts a program in a session of its own, with nothing open but what is given to it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/host/fd.h"

namespace connect_ha {

struct SpawnAccount {
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::vector<uint32_t> groups;
};

struct SpawnRequest {
  std::vector<std::string>
      arguments;  // [0]: a path, or a name that is looked for in the usual PATH
  std::vector<std::string> environment;
  std::string directory = "/";
  std::optional<SpawnAccount> account;  // switched to before the program starts
  int input = -1;                       // -1: /dev/null
  int output = -1;                      // standard output and error; -1: those of this process
};

struct Child {
  pid_t pid = -1;
  Fd exited;  // a pidfd: readable once the program has ended
};

inline constexpr char kCommandPath[] =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// Returns when the program runs. NotFound: there is no such program; DeadlineExceeded: it could
// not be started in time (its file system does not answer).
absl::StatusOr<Child> Spawn(const SpawnRequest& request, std::chrono::milliseconds deadline);

// Kills the group and takes the exit status; waits for it no longer than a second. A process that
// will not die is left to a later call, so that no zombie stays and no thread waits.
// -1: it has not ended; else as CommandResult.exit_code.
int KillAndReap(Child child);

// Takes the exit statuses of children of this process that Spawn did not start and that have ended:
// what Strays made them.
void ReapStrangers();

}  // namespace connect_ha
