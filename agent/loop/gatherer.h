// Runs the probes on a few threads and puts together what they read.
//
// A probe runs when its pace says so, when something that it names is triggered, or when asked;
// never twice at once; sooner while what it reads is not settled or was cut short. Connect's
// configuration is loaded before the probes of a pass.
//
// Each pace has threads of its own, so that what takes minutes delays nothing but its like, and so
// has what the gate goes by. A probe waits for one of them for as long as that takes, and what it
// read last stands meanwhile; its deadline counts from its start. Past that it counts as hung: its
// part becomes unobserved, with the reason, until it comes back, and it holds its thread. One that
// waits longer than its deadline for threads that are all held so is unobserved too.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "agent/probes/probe.h"
#include "agent/probes/probe_cache.h"

namespace connect_ha {

// The threads that a probe waits for: those of its pace, but for what the gate goes by (kOnGate).
enum class Pool { kGate, kPass, kPoll, kVerify };

using SteadyTime = std::chrono::steady_clock::time_point;

struct LoadedConfig {
  std::shared_ptr<const ConnectConfig> config;  // see ProbeInput
  absl::Status status;
  std::vector<std::string> accounts;  // see ProbeInput
  bool reads_pinned = false;          // see ProbeInput
};

struct GathererOptions {
  std::vector<Probe> probes;
  // Called from a worker's thread.
  std::function<LoadedConfig()> load_config;
  v1::AgentConfig agent_config;  // with its defaults set
  std::string digest_key;
  std::string state_dir = "/var/lib/connect-ha-agent";  // see ProbeInput
  // Pace of the kPass probes: what no event tells is seen this late.
  std::chrono::milliseconds pass_interval{30'000};
  // false: kVerify probes run only when everything is asked for.
  bool verify = true;
  // Called from a worker's thread when a probe came back.
  std::function<void()> on_done;
};

class Gatherer {
 public:
  Gatherer(GathererOptions options, Host& host, ProbeCache& cache);
  // Waits for the probes that are running.
  ~Gatherer();

  // Starts what is due and what `triggers` (of Trigger) ask for. Returns at once. For kOnGate, and
  // before everything was asked for once: as StartForGate.
  void Start(uint32_t triggers, SteadyTime now);
  // Starts what the gate goes by, alone, unless it is under way.
  void StartForGate(SteadyTime now);
  // Starts everything; the number is for Done().
  uint64_t StartAll(SteadyTime now);
  // The same for all but the kVerify probes, which take minutes and go by their own pace.
  uint64_t StartPass(SteadyTime now);
  // Waits until no quick probe is waiting or running, but no longer than `patience`; those that
  // Changed found to hang are not waited for. False when the patience ended first.
  bool WaitForQuick(std::chrono::milliseconds patience);
  // The same for every probe.
  bool WaitForAll(std::chrono::milliseconds patience);
  // Every probe that was started under this number has run since, or hangs.
  bool Done(uint64_t round, SteadyTime now);

  // Finds out which probes hang. True when Collect would say something else than at the last call.
  bool Changed(SteadyTime now);
  v1::Facts Collect(SteadyTime now);
  // When Start or Changed has something to do next.
  SteadyTime NextDue() const;
  // Nothing is running or waiting to run.
  bool Idle() const;

 private:
  enum class State { kIdle, kQueued, kRunning };
  struct Slot {
    const Probe* probe = nullptr;
    State state = State::kIdle;
    bool again = false;  // asked for while it ran
    bool hung = false;
    bool ran = false;  // at least once
    bool failed = false;
    bool without_config = false;  // it was not read in time
    uint64_t wanted_round = 0;
    uint64_t running_round = 0;
    uint64_t done_round = 0;
    SteadyTime since{};                 // queued or started, as `state` says
    Time queued_at{};                   // of the latest wait for a thread
    SteadyTime due{};                   // by its pace, or sooner while it is unsettled
    std::chrono::milliseconds soon{0};  // the latest wait while it is unsettled
    Time started_at{};
    std::chrono::microseconds duration{0};
    v1::Facts facts;
  };

  // All of these need mutex_.
  void Request(Slot& slot, uint64_t round, SteadyTime now);
  void RequestForGate(SteadyTime now);
  void WantConfig();
  void ReadAgainSoon(Slot& slot, bool cut_short, SteadyTime now);
  uint64_t StartRound(bool verify, SteadyTime now);
  void RequestFollowers(const Slot& verified, SteadyTime now);
  Slot* TakeNext(Pool pool);
  bool ConfigIsReady(SteadyTime now) const;
  // Past its deadline: as one that runs, or as one whose threads are all held by such.
  bool IsLate(const Slot& slot, SteadyTime now) const;
  bool AllThreadsAreHeld(Pool pool, SteadyTime now) const;
  std::chrono::milliseconds Interval(Pace pace) const;
  bool Busy(bool quick_only) const;
  bool OwnsPart(const Slot& slot) const;

  // For one of the pool's threads.
  void Work(Pool pool);
  void LoadConfig(std::unique_lock<std::mutex>& lock);
  void RunProbe(std::unique_lock<std::mutex>& lock, Slot& slot);
  bool Wait(std::chrono::milliseconds patience, bool quick_only);
  void ReportSlot(const Slot& slot, SteadyTime now, v1::Facts& facts) const;

  const GathererOptions options_;
  Host& host_;
  ProbeCache& cache_;

  mutable std::mutex mutex_;
  std::condition_variable work_;  // something may be taken
  std::condition_variable done_;  // something came back
  std::vector<Slot> slots_;
  std::deque<Slot*> queue_;
  uint64_t round_ = 0;
  bool changed_ = true;
  bool waited_for_ = false;
  bool waited_for_quick_ = false;
  bool stop_ = false;

  LoadedConfig config_;
  bool config_wanted_ = false;
  bool config_loading_ = false;
  SteadyTime config_since_{};  // wanted or being read

  std::vector<std::thread> workers_;
};

}  // namespace connect_ha
