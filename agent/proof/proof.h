// What this node does so that others can see it: rounds of work on the shared mounts, beacons in
// the shared directories, a lock in the database. Each is asked for by the specification (prove),
// and each is something that a probe, which only reads, must not do: their probes report what is
// kept of the latest round (agent/probes/probe_cache.h).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/host/writable_host.h"
#include "agent/probes/connect/connect_config.h"
#include "agent/probes/probe_cache.h"
#include "connect_ha/v1/agent_config.pb.h"

namespace connect_ha {

// Given anew whenever the assignment, the coordinator's answer or the configuration changes.
struct ProofOrder {
  bool storage = false;   // ClusterSpec.prove of the specification that the node holds, where
  bool database = false;  // agent.yaml's allow is more than observe
  bool mark = false;      // the cluster's mark is to be kept (mark_rounds.h)
  std::string cluster;
  std::string node;
  std::string machine_id;
  std::string boot_id;
  std::string challenge;            // HeartbeatResponse.proof_challenge; "": none came yet
  std::vector<std::string> forget;  // HeartbeatResponse.forget_beacons
  // Null: there is none, or it cannot be read; then nothing is done.
  std::shared_ptr<const ConnectConfig> config;
};

struct ProofContext {
  WritableHost& host;
  ProbeCache& cache;  // where results are kept for the probes
  const v1::AgentConfig& agent_config;
};

// One kind of round. Run and Stop are called by one thread of its own (prover.h), so that what
// hangs holds up nothing else; each call ends within its kind's deadline.
class ProofRounds {
 public:
  virtual ~ProofRounds() = default;
  // From the end of a round to the beginning of the next; asked after each.
  virtual std::chrono::milliseconds Pace() const = 0;
  // One round; keeps its result in the cache. True: what the probe will report is other than
  // before.
  virtual bool Run(const ProofOrder& order) = 0;
  // The order does not ask for it any more, or the agent ends: takes back what is held.
  virtual void Stop() = 0;
};

}  // namespace connect_ha
