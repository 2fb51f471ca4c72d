#include "tests/programs/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace connect_ha {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience{10};

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<char*> Pointers(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> EnvironmentWith(const std::vector<std::string>& changes) {
  std::vector<std::string> all = changes;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string present(*entry);
    const std::string name = present.substr(0, present.find('=') + 1);
    bool changed = false;
    for (const std::string& change : changes) changed = changed || change.rfind(name, 0) == 0;
    if (!changed) all.push_back(present);
  }
  return all;
}

}  // namespace

Process::Process(const std::vector<std::string>& arguments,
                 const std::vector<std::string>& environment) {
  std::vector<std::string> words = arguments;
  std::vector<std::string> variables = EnvironmentWith(environment);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  constexpr int kFlags = O_WRONLY | O_CREAT | O_APPEND;
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, (directory_ / "out").c_str(), kFlags,
                                   0600);
  posix_spawn_file_actions_addopen(&files, STDERR_FILENO, (directory_ / "error").c_str(), kFlags,
                                   0600);
  const int failed = posix_spawn(&pid_, words[0].c_str(), &files, nullptr, Pointers(words).data(),
                                 Pointers(variables).data());
  posix_spawn_file_actions_destroy(&files);
  if (failed != 0) throw std::runtime_error("cannot run " + words[0]);
}

Process::~Process() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void Process::Signal(int signal) const { kill(pid_, signal); }

int Process::Wait() {
  int status = 0;
  if (pid_ < 0) return code_;
  if (!Eventually([&] { return waitpid(pid_, &status, WNOHANG) == pid_; })) return -1;
  pid_ = -1;
  code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return code_;
}

std::string Process::out() const { return ReadAll(directory_ / "out"); }

std::string Process::error() const { return ReadAll(directory_ / "error"); }

bool Process::AwaitError(const std::string& text) const {
  return Eventually([&] { return error().find(text) != std::string::npos; });
}

bool Eventually(const std::function<bool()>& condition) {
  const auto until = SteadyClock::now() + kPatience;
  while (!condition()) {
    if (SteadyClock::now() > until) return false;
    std::this_thread::sleep_for(milliseconds(5));
  }
  return true;
}

NotifySocket::NotifySocket() {
  fd_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (directory_ / "notify").copy(address.sun_path, sizeof address.sun_path - 1);
  if (bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("cannot listen on " + (directory_ / "notify"));
  }
}

NotifySocket::~NotifySocket() { close(fd_); }

std::vector<std::string> NotifySocket::Environment(int watchdog_ms) const {
  return {"NOTIFY_SOCKET=" + (directory_ / "notify"),
          "WATCHDOG_USEC=" + std::to_string(watchdog_ms * 1000)};
}

bool NotifySocket::Await(const std::string& line) {
  const auto until = SteadyClock::now() + kPatience;
  while (SteadyClock::now() < until) {
    pollfd entry{fd_, POLLIN, 0};
    if (poll(&entry, 1, 50) <= 0) continue;
    char message[4096];
    const ssize_t size = recv(fd_, message, sizeof message, 0);
    std::istringstream lines(std::string(message, size < 0 ? 0 : static_cast<size_t>(size)));
    for (std::string said; std::getline(lines, said);) {
      if (said == line) return true;
    }
  }
  return false;
}

}  // namespace connect_ha
