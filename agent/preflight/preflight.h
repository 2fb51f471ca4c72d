// May Connect start on this node? Asked before each start, of what this node has alone: the
// assignment on disk, the mount table, the file system through a process that may hang, the
// cluster's mark on it, the database. Neither the agent nor the coordinator need run.
//
// What is found keeps Connect from starting only where the specification that the node holds
// enforces; else it is said, and Connect starts.
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "agent/host/writable_host.h"
#include "connect_ha/v1/agent_config.pb.h"

namespace connect_ha {

struct PreflightOptions {
  v1::AgentConfig agent_config;  // with its defaults set
  absl::Status config_status;    // why agent.yaml cannot be gone by: then agent_config has defaults
  std::string state_dir;         // /var/lib/connect-ha-agent
  std::string runtime_dir;       // /run/connect-ha-agent
  // How long a database that cannot be reached is tried again: one that fails over, or a name whose
  // first server is away, is often there by then. And systemd, which gives a unit up that fails
  // five times in ten seconds, goes on starting this one where its unit says Restart=.
  std::chrono::milliseconds database_patience{8'000};
  std::chrono::milliseconds database_pause{2'000};  // between two tries
};

// One thing that was looked at.
struct PreflightStep {
  std::string what;
  // Why Connect may not start; its text may end with "\nfix: " and what to type.
  absl::Status status;
  std::string seen;  // where that is OK
};

struct PreflightFinding {
  // In order, up to and including the first that fails.
  std::vector<PreflightStep> steps;
  // What fails keeps Connect from starting.
  bool enforced = false;

  bool passed() const { return steps.empty() || steps.back().status.ok(); }
};

// Where a look is, for whoever waits for it in vain. Thread-safe.
class Whereabouts {
 public:
  struct Place {
    std::string at = "reading what this node holds";
    // Until it is known, what hangs is no reason to start.
    bool enforced = true;
  };
  void Enter(const std::string& at);
  void SetEnforced(bool enforced);
  Place Get() const;

 private:
  mutable std::mutex mutex_;
  Place place_;
};

// Changes nothing. Each step ends in its time, but for what host.h says; all of them may take
// longer than a start should wait: see preflight_command.h.
PreflightFinding LookBeforeStart(WritableHost& host, const PreflightOptions& options,
                                 Whereabouts& whereabouts);

}  // namespace connect_ha
