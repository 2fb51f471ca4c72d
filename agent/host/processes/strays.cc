#include "agent/host/processes/strays.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/host/fd.h"
#include "agent/host/files/files.h"
#include "agent/host/processes/spawn.h"

namespace connect_ha {
namespace {

// A program that forks faster than it is killed is left to TasksMax= and to the end of the agent.
constexpr int kMostRounds = 100;
constexpr int kGoneWithinMs = 100;
// PID_MAX_LIMIT, and what else is in /proc: none hides among many.
constexpr size_t kMostProcesses = 5'000'000;

std::mutex& TheOnlyOne() {
  static std::mutex mutex;
  return mutex;
}

// The first number of a line of /proc/PID/status, such as "Uid:\t999\t999\t999\t999".
bool NumberOf(absl::string_view status, absl::string_view name, uint32_t& number) {
  for (absl::string_view line : absl::StrSplit(status, '\n')) {
    if (line.substr(0, name.size()) != name) continue;
    line = absl::StripAsciiWhitespace(line.substr(name.size()));
    return absl::SimpleAtoi(line.substr(0, line.find('\t')), &number);
  }
  return false;
}

// Not by the owner of /proc/PID, which is root where a process made itself undumpable.
bool IsChildOf(pid_t parent, uint32_t uid, const std::string& process) {
  const absl::StatusOr<std::string> status =
      ReadFileHere(absl::StrCat("/proc/", process, "/status"));
  uint32_t its_parent = 0;
  uint32_t its_uid = 0;
  return status.ok() && NumberOf(*status, "PPid:", its_parent) &&
         NumberOf(*status, "Uid:", its_uid) && its_parent == static_cast<uint32_t>(parent) &&
         its_uid == uid;
}

std::vector<pid_t> ChildrenOfAccount(uint32_t uid) {
  std::vector<pid_t> children;
  const absl::StatusOr<std::vector<std::string>> names = ListDirectoryHere("/proc", kMostProcesses);
  if (!names.ok()) return children;
  for (const std::string& name : *names) {
    pid_t pid = 0;
    if (absl::SimpleAtoi(name, &pid) && IsChildOf(getpid(), uid, name)) children.push_back(pid);
  }
  return children;
}

void KillChild(pid_t pid) {
  const Fd ended(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  kill(pid, SIGKILL);
  pollfd item{ended.get(), POLLIN, 0};
  poll(&item, ended.ok() ? 1 : 0, kGoneWithinMs);
  waitpid(pid, nullptr, WNOHANG);
}

}  // namespace

Strays::Strays(uint32_t uid) : only_one_(TheOnlyOne()), uid_(uid) {
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  ReapStrangers();
}

void Strays::End() {
  for (int round = 0; round < kMostRounds; ++round) {
    const std::vector<pid_t> children = ChildrenOfAccount(uid_);
    if (children.empty()) break;
    std::for_each(children.begin(), children.end(), KillChild);
  }
}

Strays::~Strays() {
  End();
  prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
  ReapStrangers();
}

}  // namespace connect_ha
