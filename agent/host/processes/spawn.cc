#include "agent/host/processes/spawn.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/host/errors.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;

constexpr int kReapMs = 1'000;

// What the child needs, made before fork: after it only async-signal-safe calls are allowed.
struct Prepared {
  std::vector<std::string> programs;
  std::vector<char*> argv;
  std::vector<char*> envp;
  const SpawnRequest& request;
  Fd input;
  Fd output;
  Fd report;
};

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& text : strings) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> Candidates(const std::string& program) {
  if (program.find('/') != std::string::npos) return {program};
  std::vector<std::string> candidates;
  for (const auto directory : absl::StrSplit(kCommandPath, ':')) {
    candidates.push_back(absl::StrCat(directory, "/", program));
  }
  return candidates;
}

// A duplicate above the numbers that the child assigns, so that none overwrites another.
Fd High(int fd) { return Fd(fcntl(fd, F_DUPFD_CLOEXEC, 10)); }

void CloseFrom(int first) {
#ifdef SYS_close_range
  if (syscall(SYS_close_range, first, ~0u, 0) == 0) return;
#endif
  for (int fd = first; fd < 65536; ++fd) close(fd);
}

bool SwitchAccount(const SpawnAccount& account) {
  static_assert(sizeof(gid_t) == sizeof(uint32_t));
  return setgroups(account.groups.size(), account.groups.data()) == 0 && setgid(account.gid) == 0 &&
         setuid(account.uid) == 0;
}

// In the child. Writes errno to the report pipe when the program cannot be started.
[[noreturn]] void Execute(const Prepared& prepared) {
  // Its own group, and no terminal: into that of a root's shell an account could type.
  setsid();
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);
  const bool own_output = prepared.output.ok();
  if (dup2(prepared.report.get(), 3) < 0 || fcntl(3, F_SETFD, FD_CLOEXEC) < 0) _exit(127);
  int error = ENOENT;
  if (dup2(prepared.input.get(), 0) < 0 || (own_output && dup2(prepared.output.get(), 1) < 0) ||
      (own_output && dup2(prepared.output.get(), 2) < 0)) {
    error = errno;
  }
  CloseFrom(4);
  const SpawnRequest& request = prepared.request;
  if ((request.account.has_value() && !SwitchAccount(*request.account)) ||
      chdir(request.directory.c_str()) != 0) {
    error = errno;
  } else {
    for (const std::string& program : prepared.programs) {
      execve(program.c_str(), prepared.argv.data(), prepared.envp.data());
      if (errno != ENOENT) error = errno;
    }
  }
  const bool told = write(3, &error, sizeof error) == sizeof error;
  _exit(told ? 127 : 126);
}

// 0: the program runs; else why not.
int ReadReport(int fd, milliseconds deadline) {
  pollfd item{fd, POLLIN, 0};
  int ready = 0;
  do {
    ready = poll(&item, 1, static_cast<int>(deadline.count()));
  } while (ready < 0 && errno == EINTR);
  if (ready == 0) return ETIMEDOUT;
  int error = 0;
  return read(fd, &error, sizeof error) == sizeof error ? error : 0;
}

// Those that were started here and whose exit status nobody has taken.
class Children {
 public:
  // As fork(2).
  pid_t Fork() {
    const std::lock_guard<std::mutex> lock(mutex_);
    const pid_t pid = fork();
    if (pid > 0) started_.insert(pid);
    return pid;
  }
  // As waitpid(2) with WNOHANG. One that has not ended is left to ReapLeft.
  pid_t Reap(pid_t pid, int* status) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const pid_t reaped = waitpid(pid, status, WNOHANG);
    if (reaped == 0) {
      left_.insert(pid);
    } else {
      started_.erase(pid);
    }
    return reaped;
  }
  // Of what was killed and had not gone yet.
  void ReapLeft() {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (auto it = left_.begin(); it != left_.end();) {
      if (waitpid(*it, nullptr, WNOHANG) == 0) {
        ++it;
      } else {
        started_.erase(*it);
        it = left_.erase(it);
      }
    }
  }
  // One of ours that has ended and is not reaped yet may stand before others: these wait for the
  // next time.
  void ReapStrangers() {
    const std::lock_guard<std::mutex> lock(mutex_);
    while (true) {
      siginfo_t ended{};
      if (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) != 0) return;
      if (ended.si_pid == 0 || started_.count(ended.si_pid) > 0) return;
      waitpid(ended.si_pid, nullptr, WNOHANG);
    }
  }

 private:
  std::mutex mutex_;
  std::set<pid_t> started_;
  std::set<pid_t> left_;
};

Children& TheChildren() {
  static Children children;
  return children;
}

}  // namespace

absl::StatusOr<Child> Spawn(const SpawnRequest& request, milliseconds deadline) {
  if (request.arguments.empty()) return absl::InvalidArgumentError("no program given");
  const std::string what = "cannot run " + request.arguments[0];
  TheChildren().ReapLeft();
  int report[2];
  if (pipe2(report, O_CLOEXEC) != 0) return ErrnoStatus(errno, what);
  const Fd report_read(report[0]);
  Fd report_write(report[1]);
  Fd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
  Prepared prepared{Candidates(request.arguments[0]),
                    Pointers(request.arguments),
                    Pointers(request.environment),
                    request,
                    High(request.input < 0 ? null.get() : request.input),
                    request.output < 0 ? Fd() : High(request.output),
                    High(report_write.get())};
  report_write.Reset();
  if (!prepared.input.ok() || !prepared.report.ok()) return ErrnoStatus(errno, what);
  Child child;
  child.pid = TheChildren().Fork();
  if (child.pid < 0) return ErrnoStatus(errno, what);
  if (child.pid == 0) Execute(prepared);
  prepared.report.Reset();
  child.exited.Reset(static_cast<int>(syscall(SYS_pidfd_open, child.pid, 0)));
  int error = child.exited.ok() ? 0 : errno;
  if (error == 0) error = ReadReport(report_read.get(), deadline);
  if (error == 0) return child;
  KillAndReap(std::move(child));
  if (error == ETIMEDOUT) return absl::DeadlineExceededError(what + ": it did not start in time");
  return ErrnoStatus(error, what);
}

int KillAndReap(Child child) {
  kill(child.pid, SIGKILL);
  kill(-child.pid, SIGKILL);
  pollfd item{child.exited.get(), POLLIN, 0};
  poll(&item, child.exited.ok() ? 1 : 0, kReapMs);
  int status = 0;
  if (TheChildren().Reap(child.pid, &status) != child.pid) return -1;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void ReapStrangers() { TheChildren().ReapStrangers(); }

}  // namespace connect_ha
