#include "agent/host/processes/command.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/host/accounts.h"
#include "agent/host/errors.h"
#include "agent/host/processes/empty_home.h"
#include "agent/host/processes/spawn.h"
#include "agent/host/processes/strays.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

// Without an account: the agent's own.
absl::StatusOr<std::string> FindAccount(const std::string& name,
                                        std::optional<SpawnAccount>& account) {
  if (name.empty()) return "/root";
  absl::StatusOr<AccountEntry> entry = LookUpAccount(name);
  if (!entry.ok()) return entry.status();
  if (entry->user.uid != geteuid()) {
    account = SpawnAccount{entry->user.uid, entry->user.gid, std::move(entry->user.groups)};
  }
  return std::move(entry->home);
}

// What a program prints, up to a limit.
class Output {
 public:
  Output(size_t limit, bool keep_end) : limit_(limit), keep_end_(keep_end) {}

  // Takes some of what there is to read: a program that prints without a pause must not keep its
  // reader from looking at the time. False at the end of the output.
  bool Drain(int fd);
  std::string Take();

 private:
  void Append(const char* data, size_t size);

  const size_t limit_;
  const bool keep_end_;
  std::string text_;
};

void Output::Append(const char* data, size_t size) {
  if (keep_end_) {
    text_.append(data, size);
    if (text_.size() > 2 * limit_ + size) text_.erase(0, text_.size() - limit_);
    return;
  }
  const size_t room = limit_ - std::min(limit_, text_.size());
  text_.append(data, std::min(room, size));
}

bool Output::Drain(int fd) {
  constexpr int kMostPieces = 64;
  std::array<char, 16 * 1024> buffer;
  for (int i = 0; i < kMostPieces; ++i) {
    const ssize_t count = read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno == EAGAIN;
    if (count == 0) return false;
    Append(buffer.data(), static_cast<size_t>(count));
  }
  return true;
}

std::string Output::Take() {
  if (text_.size() > limit_) text_.erase(0, text_.size() - limit_);
  return std::move(text_);
}

// Reads until the program has ended; false when the deadline came first.
bool ReadUntilExit(const Child& child, int fd, SteadyClock::time_point deadline, Output& output) {
  bool open = true;
  while (true) {
    const auto left =
        std::chrono::duration_cast<milliseconds>(deadline - SteadyClock::now()).count();
    if (left <= 0) return false;
    std::array<pollfd, 2> items = {{{child.exited.get(), POLLIN, 0}, {open ? fd : -1, POLLIN, 0}}};
    if (poll(items.data(), items.size(), static_cast<int>(left)) < 0 && errno != EINTR) {
      return false;
    }
    if (items[1].revents != 0) open = output.Drain(fd);
    if (items[0].revents == 0) continue;
    if (open) output.Drain(fd);
    return true;
  }
}

absl::StatusOr<CommandResult> RunAsked(const CommandOptions& options, SpawnRequest& request) {
  const auto deadline = SteadyClock::now() + options.deadline;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return ErrnoStatus(errno, "cannot make a pipe");
  const Fd ours(ends[0]);
  Fd theirs(ends[1]);
  fcntl(ours.get(), F_SETFL, O_NONBLOCK);
  request.output = theirs.get();
  absl::StatusOr<Child> child = Spawn(request, options.deadline);
  theirs.Reset();
  if (!child.ok()) return child.status();
  CommandResult result;
  Output output(options.output_limit_bytes, options.keep_end);
  result.timed_out = !ReadUntilExit(*child, ours.get(), deadline, output);
  result.exit_code = KillAndReap(std::move(*child));
  result.output = output.Take();
  return result;
}

}  // namespace

absl::StatusOr<CommandResult> RunCommand(const std::vector<std::string>& arguments,
                                         const CommandOptions& options) {
  SpawnRequest request;
  request.arguments = arguments;
  request.directory = options.directory;
  absl::StatusOr<std::string> home = FindAccount(options.account, request.account);
  if (!home.ok()) return home.status();
  // In this order: what removes the home is a child of that account too, and the next run of it
  // must not take it for a stray.
  std::optional<Strays> strays;
  if (request.account) strays.emplace(request.account->uid);
  EmptyHome empty_home(request.account);
  request.environment = {absl::StrCat("PATH=", kCommandPath)};
  if (options.empty_home) {
    if (absl::Status made = empty_home.Make(); !made.ok()) return made;
    *home = empty_home.path();
    request.environment.push_back("TMPDIR=" + *home);
  }
  request.environment.push_back("HOME=" + *home);
  request.environment.push_back("LANG=C.UTF-8");
  request.environment.insert(request.environment.end(), options.environment.begin(),
                             options.environment.end());
  absl::StatusOr<CommandResult> result = RunAsked(options, request);
  // Nothing puts anything into the home any more when it is removed.
  if (strays) strays->End();
  return result;
}

}  // namespace connect_ha
