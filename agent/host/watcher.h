// Waits for what the kernel and systemd can tell: files, mounts, units, a wake-up call, a signal
// to stop. Sleeps in one epoll; polls for nothing but for what the kernel had no room to watch.
#pragma once

#include <sys/inotify.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "agent/host/fd.h"
#include "agent/host/systemd/systemd_events.h"

namespace connect_ha {

struct WatchedPath {
  std::string directory;  // it need not exist yet
  std::string name;       // of a file in it; "*.lic"; "" for every entry
  uint32_t triggers = 0;  // what its change means
};

struct WatcherOptions {
  std::vector<WatchedPath> paths;
  uint32_t mount_triggers = 0;  // what a changed mount table means
  std::vector<std::string> units;
  uint32_t unit_triggers = 0;
  std::string bus_address;  // "": the system bus
  bool with_bus = true;
  // Of one process, one watcher hears the signals to stop.
  bool with_signals = true;
  // Directories for which it returns true are not watched: watching may hang.
  std::function<bool(const std::string&)> is_on_network;
  // Where the kernel had no room for a watch, it is asked again so often.
  std::chrono::milliseconds retry{30'000};
  int (*add_watch)(int inotify, const char* path, uint32_t mask) = inotify_add_watch;  // for tests
};

struct Wakeup {
  uint32_t triggers = 0;
  bool stop = false;  // SIGTERM or SIGINT; BlockStopSignals must have been called
};

class Watcher {
 public:
  explicit Watcher(WatcherOptions options);
  ~Watcher();

  absl::Status Open();

  // Returns at the first event, joined by those that follow within a few milliseconds, or empty
  // when `timeout` has passed or what came is of no interest. For one thread.
  Wakeup Wait(std::chrono::milliseconds timeout);

  // Makes Wait return. From any thread.
  void Wake();

 private:
  struct Watch {
    std::string name;  // what the entry must be called; "" for any
    uint32_t triggers = 0;
    bool structural = false;  // waits for a directory to appear
  };

  // Where it fails, the watches that there were stay, and it is tried again after a while.
  absl::Status Rebuild();
  // When what asks for one may have it: ten at once, then one every ten seconds.
  std::chrono::steady_clock::time_point NextRebuildAsked() const;
  // False when the kernel took none, mostly for want of room.
  bool Add(const WatchedPath& path);
  // One pass over what is ready; false when nothing was.
  bool Collect(int timeout_ms, Wakeup& wakeup);
  void ReadInotify(Wakeup& wakeup);
  void ReadBus(Wakeup& wakeup);
  void OpenBus();
  void Register(int fd, uint32_t events);
  uint32_t AllTriggers() const;

  const WatcherOptions options_;
  Fd epoll_;
  Fd inotify_;
  Fd mounts_;
  Fd wake_;
  Fd signals_;
  std::map<int, std::vector<Watch>> watches_;
  std::unique_ptr<SystemdEvents> bus_;
  int bus_fd_ = -1;
  std::chrono::steady_clock::time_point next_bus_try_{};
  bool rebuild_ = false;
  bool incomplete_ = false;  // the latest Rebuild left something unwatched
  std::chrono::steady_clock::time_point next_rebuild_{};
  std::chrono::steady_clock::time_point spent_until_{};
};

// Blocks SIGTERM and SIGINT in this thread and those it starts later, so that only Wait sees them.
void BlockStopSignals();

}  // namespace connect_ha
