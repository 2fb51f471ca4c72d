#include "coordinator/backup/timed_command.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace connect_ha {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() { Close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

absl::Status Failed(const std::string& doing, int error) {
  return absl::UnavailableError(absl::StrCat(doing, ": ", std::generic_category().message(error)));
}

// posix_spawn's ways are C's: each of its structures is to be given back.
class SpawnSettings {
 public:
  explicit SpawnSettings(int output) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, output, STDERR_FILENO);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes_, &none);
    sigset_t usual;
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes_, &usual);
    posix_spawnattr_setflags(&attributes_,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

absl::StatusOr<pid_t> Start(const TimedCommand& command, int output) {
  const SpawnSettings settings(output);
  std::string path = command.path;
  std::array<char*, 2> arguments = {path.data(), nullptr};
  std::vector<std::string> environment = command.environment;
  std::vector<char*> variables;
  for (std::string& variable : environment) variables.push_back(variable.data());
  variables.push_back(nullptr);
  pid_t pid = -1;
  const int error = posix_spawn(&pid, path.c_str(), settings.actions(), settings.attributes(),
                                arguments.data(), variables.data());
  if (error != 0) return Failed(absl::StrCat("cannot start ", command.path), error);
  return pid;
}

// What there is to read, so much of it at a time that the deadline is seen. False: the end.
bool Drain(int fd, size_t keep, std::string& output) {
  std::array<char, 16 * 1024> buffer;
  const ssize_t count = read(fd, buffer.data(), buffer.size());
  if (count < 0) return errno == EAGAIN || errno == EINTR;
  output.append(buffer.data(), static_cast<size_t>(count));
  if (output.size() > keep) output.erase(0, output.size() - keep);
  return count > 0;
}

// False: the deadline came first.
bool ReadUntilExit(int exited, int fd, const TimedCommand& command, std::string& output) {
  const Clock::time_point deadline = Clock::now() + command.deadline;
  bool is_open = true;
  while (true) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now());
    if (left <= milliseconds(0)) return false;
    std::array<pollfd, 2> items = {{{exited, POLLIN, 0}, {is_open ? fd : -1, POLLIN, 0}}};
    constexpr int64_t kLongestPoll = 60'000;
    const int wait = static_cast<int>(std::min<int64_t>(left.count() + 1, kLongestPoll));
    if (poll(items.data(), items.size(), wait) < 0 && errno != EINTR) return false;
    if (items[1].revents != 0) is_open = Drain(fd, command.keep_bytes, output);
    if (items[0].revents == 0) continue;
    // What it wrote last; what others that it left behind go on writing is not waited for.
    constexpr int kMostPieces = 64;
    for (int i = 0; is_open && i < kMostPieces; ++i) {
      is_open = Drain(fd, command.keep_bytes, output);
    }
    return true;
  }
}

int Reap(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

absl::StatusOr<CommandEnd> RunTimed(const TimedCommand& command) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return Failed("cannot make a pipe", errno);
  const Descriptor ours(ends[0]);
  Descriptor theirs(ends[1]);
  fcntl(ours.get(), F_SETFL, O_NONBLOCK);
  const absl::StatusOr<pid_t> pid = Start(command, theirs.get());
  if (!pid.ok()) return pid.status();
  theirs.Close();
  CommandEnd end;
  const Descriptor exited(static_cast<int>(syscall(SYS_pidfd_open, *pid, 0)));
  if (exited.get() < 0) {
    const absl::Status failed = Failed("cannot watch a process", errno);
    kill(-*pid, SIGKILL);
    Reap(*pid);
    return failed;
  }
  end.timed_out = !ReadUntilExit(exited.get(), ours.get(), command, end.output);
  // Before it is reaped: its number is nobody else's until then.
  kill(-*pid, SIGKILL);
  end.exit_code = Reap(*pid);
  return end;
}

}  // namespace connect_ha
