#include "agent/host/watcher.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "agent/host/errors.h"

namespace connect_ha {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// A package manager renames dozens of files in a row: one pass for all of them.
constexpr int kSettleMs = 5;
constexpr int kMostSettlings = 5;
constexpr std::chrono::seconds kBusRetry{5};
// Any account may mount and unmount FUSE as fast as it likes, and with every new set of watches
// everything is read again.
constexpr std::chrono::seconds kRebuildEvery{10};
constexpr int kRebuildsAtOnce = 10;
constexpr uint32_t kMask = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE |
                           IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

bool IsDirectory(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

sigset_t StopSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

void BlockStopSignals() {
  const sigset_t set = StopSignals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

Watcher::Watcher(WatcherOptions options) : options_(std::move(options)) {}

Watcher::~Watcher() = default;

uint32_t Watcher::AllTriggers() const {
  uint32_t all = options_.mount_triggers;
  for (const WatchedPath& path : options_.paths) all |= path.triggers;
  return all;
}

void Watcher::Register(int fd, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
}

absl::Status Watcher::Open() {
  epoll_.Reset(epoll_create1(EPOLL_CLOEXEC));
  wake_.Reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  const sigset_t set = StopSignals();
  if (options_.with_signals) signals_.Reset(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  mounts_.Reset(open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC));
  const bool hears = signals_.ok() || !options_.with_signals;
  if (!epoll_.ok() || !wake_.ok() || !hears || !mounts_.ok()) {
    return ErrnoStatus(errno, "cannot watch this machine");
  }
  Register(wake_.get(), EPOLLIN);
  if (signals_.ok()) Register(signals_.get(), EPOLLIN);
  Register(mounts_.get(), EPOLLPRI);
  OpenBus();
  return Rebuild();
}

void Watcher::OpenBus() {
  if (!options_.with_bus) return;
  if (bus_ == nullptr) {
    bus_ = std::make_unique<SystemdEvents>(options_.units, options_.bus_address);
  }
  next_bus_try_ = steady_clock::now() + kBusRetry;
  if (!bus_->Open().ok()) return;
  bus_fd_ = bus_->fd();
  Register(bus_fd_, bus_->Events());
}

steady_clock::time_point Watcher::NextRebuildAsked() const {
  return spent_until_ - kRebuildsAtOnce * kRebuildEvery;
}

// All watches anew: a directory came, went, or is covered by another mount.
absl::Status Watcher::Rebuild() {
  rebuild_ = false;
  spent_until_ = std::max(spent_until_, steady_clock::now()) + kRebuildEvery;
  next_rebuild_ = steady_clock::now() + options_.retry;
  const bool was_incomplete = std::exchange(incomplete_, true);
  Fd fresh(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!fresh.ok()) {
    return absl::ResourceExhaustedError(
        std::string(ErrnoStatus(errno, "cannot watch files").message()) +
        "; fix: sysctl fs.inotify.max_user_instances=1024");
  }
  inotify_ = std::move(fresh);
  watches_.clear();
  Register(inotify_.get(), EPOLLIN);
  incomplete_ = false;
  for (const WatchedPath& path : options_.paths) incomplete_ = !Add(path) || incomplete_;
  if (incomplete_ && !was_incomplete) {
    spdlog::warn("event=files-not-watched fix=\"sysctl fs.inotify.max_user_watches=65536\"");
  }
  return absl::OkStatus();
}

// Watches the directory or, until it exists, the nearest one above it that does.
bool Watcher::Add(const WatchedPath& path) {
  std::string directory = path.directory;
  Watch watch{path.name, path.triggers, false};
  while (true) {
    if (options_.is_on_network && options_.is_on_network(directory)) return true;
    if (IsDirectory(directory) || directory == "/") break;
    const size_t slash = directory.rfind('/');
    watch.name = directory.substr(slash + 1);
    watch.structural = true;
    directory.resize(std::max<size_t>(slash, 1));
  }
  const int id = options_.add_watch(inotify_.get(), directory.c_str(), kMask);
  if (id >= 0) watches_[id].push_back(std::move(watch));
  return id >= 0;
}

void Watcher::ReadInotify(Wakeup& wakeup) {
  alignas(inotify_event) std::array<char, 16 * 1024> buffer;
  while (true) {
    const ssize_t count = read(inotify_.get(), buffer.data(), buffer.size());
    if (count <= 0) return;
    for (ssize_t at = 0; at < count;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      if ((event->mask & (IN_Q_OVERFLOW | IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED)) != 0) {
        rebuild_ = true;
        continue;
      }
      const std::string name = event->len > 0 ? event->name : "";
      for (const Watch& watch : watches_[event->wd]) {
        if (!watch.name.empty() && fnmatch(watch.name.c_str(), name.c_str(), 0) != 0) continue;
        wakeup.triggers |= watch.triggers;
        if (watch.structural) rebuild_ = true;
      }
    }
  }
}

void Watcher::ReadBus(Wakeup& wakeup) {
  if (bus_ == nullptr || !bus_->open()) return;
  if (bus_->Process()) wakeup.triggers |= options_.unit_triggers;
  if (!bus_->open()) {
    bus_fd_ = -1;  // the closing of it took it out of the epoll set
    next_bus_try_ = steady_clock::now() + kBusRetry;
    return;
  }
  epoll_event event{};
  event.events = bus_->Events();
  event.data.fd = bus_fd_;
  epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, bus_fd_, &event);
}

bool Watcher::Collect(int timeout_ms, Wakeup& wakeup) {
  std::array<epoll_event, 8> events{};
  const int count =
      epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), timeout_ms);
  for (int i = 0; i < count; ++i) {
    const int fd = events[static_cast<size_t>(i)].data.fd;
    if (fd == inotify_.get()) {
      ReadInotify(wakeup);
    } else if (fd == mounts_.get()) {
      wakeup.triggers |= options_.mount_triggers;
      rebuild_ = true;
    } else if (fd == wake_.get()) {
      uint64_t number = 0;
      if (read(wake_.get(), &number, sizeof number) < 0) continue;
    } else if (fd == signals_.get()) {
      signalfd_siginfo taken;
      wakeup.stop = read(signals_.get(), &taken, sizeof taken) > 0;
    } else if (fd == bus_fd_) {
      ReadBus(wakeup);
    }
  }
  return count > 0;
}

Wakeup Watcher::Wait(milliseconds timeout) {
  const auto now = steady_clock::now();
  auto until = now + timeout;
  Wakeup wakeup;
  if (options_.with_bus && (bus_ == nullptr || !bus_->open())) {
    if (now >= next_bus_try_) {
      OpenBus();
      // What happened in between was not heard.
      if (bus_->open()) wakeup.triggers |= options_.unit_triggers;
    }
    if (!bus_->open()) until = std::min(until, next_bus_try_);
  }
  if (bus_ != nullptr && bus_->open()) until = std::min(until, bus_->Deadline());
  if (incomplete_) until = std::min(until, next_rebuild_);
  if (rebuild_) until = std::min(until, NextRebuildAsked());
  const auto left = duration_cast<milliseconds>(until - now).count() + 1;
  const bool idle = wakeup.triggers == 0;
  const int wait_ms =
      idle && timeout.count() > 0 ? static_cast<int>(std::max<int64_t>(left, 0)) : 0;
  Collect(wait_ms, wakeup);
  // Also what it read ahead while it waited for a reply, of which the descriptor says nothing.
  ReadBus(wakeup);
  for (int i = 0; i < kMostSettlings && wakeup.triggers != 0; ++i) {
    if (!Collect(kSettleMs, wakeup)) break;
  }
  const bool asked = rebuild_ && steady_clock::now() >= NextRebuildAsked();
  if (!asked && (!incomplete_ || steady_clock::now() < next_rebuild_)) return wakeup;
  const bool built = Rebuild().ok();
  // A change between the last event and the new watches would be lost: all triggers at once. What
  // was tried again and is still not whole tells nothing new.
  if (built && (asked || !incomplete_)) wakeup.triggers |= AllTriggers();
  return wakeup;
}

void Watcher::Wake() {
  const uint64_t one = 1;
  if (write(wake_.get(), &one, sizeof one) < 0) return;  // full: it is awake already
}

}  // namespace connect_ha
