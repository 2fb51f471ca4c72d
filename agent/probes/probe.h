// A probe reads one noun of the node and writes it into its part of Facts. It never judges and
// never changes anything.
//
// What it cannot read it leaves unset and lists with MarkUnobserved; what is not there it leaves
// unset. A probe that returns an error has observed nothing: its part is then cleared and its
// `path` is marked unobserved with the error's message.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "agent/host/host.h"
#include "agent/probes/connect/connect_config.h"
#include "connect_ha/v1/agent_config.pb.h"
#include "connect_ha/v1/facts.pb.h"

namespace connect_ha {

// What probes keep from run to run (agent/probes/probe_cache.h): one per process, made once with
// `ProbeCache cache;`, outlives every run. Safe to use from several threads.
struct ProbeCache;

// What a probe may look at beside the host.
struct ProbeInput {
  Host& host;
  const v1::AgentConfig& agent_config;
  // The effective configuration of the latest gathering; null before the first one, and while
  // it cannot be read. Holds secrets.
  std::shared_ptr<const ConnectConfig> config;
  // Why `config` is null; OK when there is simply no configuration file.
  absl::Status config_status;
  // Keys the digests of secrets; 32 bytes.
  const std::string& digest_key;
  Time now;
  ProbeCache& cache;
  // Accounts that the specification names which this node holds; empty while it holds none.
  std::vector<std::string> accounts = {};
  // What content is pinned to is read from Connect's database: the specification that this node
  // holds names runtimes, be it that it only observes.
  bool reads_pinned = false;
  std::string state_dir = "/var/lib/connect-ha-agent";  // the agent's own
};

// What makes a probe run again before its pace says so.
enum Trigger : uint32_t {
  kOnNothing = 0,
  kOnConfiguration = 1u << 0,  // Connect's configuration file or its unit's environment
  kOnPackages = 1u << 1,       // dpkg's database
  kOnUnits = 1u << 2,          // systemd: Connect's unit or the manager's unit files
  kOnMounts = 1u << 3,         // the mount table
  kOnAccounts = 1u << 4,       // /etc/passwd, /etc/group
  kOnRuntimes = 1u << 5,       // /opt/R, /opt/python, /opt/quarto
  kOnLicense = 1u << 6,        // /var/lib/rstudio-connect/*.lic
  kOnHost = 1u << 7,           // /etc/os-release, /etc/hostname
  kOnProof = 1u << 8,          // a round of agent/proof found something else than before
  kOnGate = 1u << 9,           // whether Connect answers is to be known now
};

// How often a probe runs when nothing triggers it.
enum class Pace {
  kPass,    // every full pass; cheap, local, forks nothing
  kPoll,    // AgentConfig.poll_interval: asks the network or the clock
  kVerify,  // AgentConfig.verify_interval: smoke runs and integrity; may run commands
};

struct Probe {
  const char* name;  // as in ProbeRun.probe
  const char* path;  // what an error of the whole probe makes unobserved: "database"
  Pace pace;
  uint32_t triggers;  // of Trigger
  std::chrono::milliseconds deadline;
  // Reads into `facts`, which is empty. No two probes write the same part: a kVerify probe writes
  // nothing but keeps its result in `input.cache`, and the kPass probe of the same noun, which
  // stands later in the table, reports it with its checked_at (or why there is none yet). Run
  // once in the table's order, the probes give a complete report. A kVerify probe returns
  // DeadlineExceeded where a command or a check did not end in its time: it runs again at the pace
  // of kPoll, and less often the longer that lasts.
  absl::Status (*read)(const ProbeInput& input, v1::Facts& facts);
  // True: what was read is on its way to something else, and nothing will tell. It is read again
  // after 1 s, 2 s, 4 s and so on until its pace is quicker; from 1 s anew when it is triggered.
  bool (*unsettled)(const v1::Facts& facts) = nullptr;
};

// "could not be observed": the field at `path` stays unset, for this reason.
void MarkUnobserved(v1::Facts& facts, const std::string& path, const std::string& reason);
// The same, only until the kVerify probe that reads it has run.
void MarkPending(v1::Facts& facts, const std::string& path, const std::string& reason);

}  // namespace connect_ha
