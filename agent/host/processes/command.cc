#include "agent/host/processes/command.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "agent/host/accounts.h"
#include "agent/host/errors.h"
#include "agent/host/processes/spawn.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

absl::StatusOr<SpawnRequest> MakeRequest(const std::vector<std::string>& arguments,
                                         const CommandOptions& options) {
  SpawnRequest request;
  request.arguments = arguments;
  request.directory = options.directory;
  std::string home = "/root";
  if (!options.account.empty()) {
    const absl::StatusOr<AccountEntry> account = LookUpAccount(options.account);
    if (!account.ok()) return account.status();
    home = account->home;
    if (account->user.uid != geteuid()) {
      request.account = SpawnAccount{account->user.uid, account->user.gid, account->user.groups};
    }
  }
  request.environment = {absl::StrCat("PATH=", kCommandPath), "HOME=" + home, "LANG=C.UTF-8"};
  request.environment.insert(request.environment.end(), options.environment.begin(),
                             options.environment.end());
  return request;
}

// Takes what there is to read, keeps it up to the limit. False at the end of the output.
bool Drain(int fd, size_t limit, std::string& output) {
  std::array<char, 16 * 1024> buffer;
  while (true) {
    const ssize_t count = read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno == EAGAIN;
    if (count == 0) return false;
    const size_t room = limit - std::min(limit, output.size());
    output.append(buffer.data(), std::min(room, static_cast<size_t>(count)));
  }
}

// Reads until the program has ended; false when the deadline came first.
bool ReadUntilExit(const Child& child, int output, const CommandOptions& options,
                   SteadyClock::time_point deadline, std::string& text) {
  bool open = true;
  while (true) {
    const auto left =
        std::chrono::duration_cast<milliseconds>(deadline - SteadyClock::now()).count();
    if (left <= 0) return false;
    std::array<pollfd, 2> items = {
        {{child.exited.get(), POLLIN, 0}, {open ? output : -1, POLLIN, 0}}};
    if (poll(items.data(), items.size(), static_cast<int>(left)) < 0 && errno != EINTR) {
      return false;
    }
    if (items[1].revents != 0) open = Drain(output, options.output_limit_bytes, text);
    if (items[0].revents == 0) continue;
    if (open) Drain(output, options.output_limit_bytes, text);
    return true;
  }
}

}  // namespace

absl::StatusOr<CommandResult> RunCommand(const std::vector<std::string>& arguments,
                                         const CommandOptions& options) {
  const auto deadline = SteadyClock::now() + options.deadline;
  absl::StatusOr<SpawnRequest> request = MakeRequest(arguments, options);
  if (!request.ok()) return request.status();
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return ErrnoStatus(errno, "cannot make a pipe");
  const Fd output(ends[0]);
  Fd theirs(ends[1]);
  fcntl(output.get(), F_SETFL, O_NONBLOCK);
  request->output = theirs.get();
  absl::StatusOr<Child> child = Spawn(*request, options.deadline);
  theirs.Reset();
  if (!child.ok()) return child.status();
  CommandResult result;
  result.timed_out = !ReadUntilExit(*child, output.get(), options, deadline, result.output);
  result.exit_code = KillAndReap(std::move(*child));
  return result;
}

}  // namespace connect_ha
