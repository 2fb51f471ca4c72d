// One thing of a node that the specification says something about: an account, a package, a file.
//
// Look, change, look again. Only Converge (converge.h) calls Apply; a dry run calls Differs alone.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/assignment/transitions.h"
#include "agent/host/writable_host.h"
#include "agent/probes/probe_cache.h"
#include "connect_ha/v1/agent_config.pb.h"
#include "connect_ha/v1/convergence.pb.h"
#include "connect_ha/v1/facts.pb.h"

namespace connect_ha {

class IntegrityLedger;
class ServiceNotes;

// What is to become of Connect's unit, and what may be done to a Connect that runs.
struct ServiceOrder {
  UnitWanted unit = UnitWanted::kHeld;
  // A Connect that runs is stopped, to be held.
  bool may_stop = false;
  // Nothing else is done for which it would have to be stopped.
  bool leaves_connect = false;
  // It was started as the specification says: putting back what was changed since interrupts
  // nothing.
  bool is_current = false;
  // That asks for it to run; a later one has it tried anew.
  v1::Order order = {};
};

// What every resource is given. All of it outlives the resource.
struct ResourceContext {
  WritableHost& host;
  ProbeCache& cache;           // the probes' own, or one of its kind
  IntegrityLedger& integrity;  // integrity.h
  const v1::Desired& desired;
  const v1::AgentConfig& agent_config;  // with its defaults set
  std::string node;                     // fills ${node.name}
  std::string state_dir;                // /var/lib/connect-ha-agent
  std::string cache_dir;                // /var/cache/connect-ha-agent
  std::string credentials_dir;          // $CREDENTIALS_DIRECTORY; "" for none
  std::string digest_key;               // the cluster's, for keyed digests
  ServiceNotes* notes = nullptr;        // service_notes.h; null: nothing is remembered
  ServiceOrder service = {};
  // Of another specification, which the node gets ready for, or holds meanwhile: what it names is
  // not removed. Null: there is none.
  const v1::ClusterSpec* beside = nullptr;
  // What was gathered last. Null: nothing is known of it.
  std::function<v1::Facts()> facts = {};
  // As which Connect may start at the earliest; unset: nothing is said of that.
  v1::GenerationMark not_before = {};
};

// What Apply tells while it works.
class Progress {
 public:
  virtual ~Progress() = default;
  virtual void Enter(v1::Step::Phase phase) = 0;
  virtual void Bytes(uint64_t done, uint64_t total) = 0;  // total 0: not known
  // The last lines of an installer that failed.
  virtual void Log(const std::string& lines) = 0;
  // The agent stops, or another specification came: come back soon with Cancelled. A service that
  // was started is left to run; it is found again.
  virtual bool Stopped() = 0;
  // Waits; false as soon as Stopped.
  virtual bool Wait(std::chrono::milliseconds span) = 0;
};

// What Bring left here, and what Apply is going to take.
struct Brought {
  std::vector<std::string> files;  // that Apply reads
  std::string path;                // where it takes up `bytes`
  uint64_t bytes = 0;
};

class Resource {
 public:
  virtual ~Resource() = default;

  // "package rstudio-connect": the same in previews, events, errors and the journal.
  virtual std::string Name() const = 0;
  // What has to be as it should be before this is changed, by the beginnings of its names:
  // "package" for all packages. What the specification does not ask for is not waited for. Never in
  // a circle. Nothing is changed before Connect's unit is seen to be stopped.
  virtual std::vector<std::string> After() { return {"unit"}; }
  // A change that failed, and may pass by itself, is tried again after this, then after twice as
  // long each time, but no longer than that.
  virtual std::chrono::milliseconds FirstRetry() { return std::chrono::seconds(5); }
  virtual std::chrono::milliseconds LongestRetry() { return std::chrono::minutes(5); }
  // What it does only takes away: it is done though nothing can be written down.
  virtual bool Restricts() { return false; }
  // Nothing: as it should be. Changes nothing on the node.
  virtual absl::StatusOr<std::optional<v1::Change>> Differs() = 0;
  // Brings here what Apply is going to need, and checks it, so that Apply fetches nothing of that.
  // Changes nothing else. May be killed at any instruction and called again; errors as of Apply.
  virtual absl::StatusOr<Brought> Bring(Progress& /*progress*/) { return Brought(); }
  // Makes it so. May be killed at any instruction and called again. An error's code says whether
  // trying again can help (writable_host.h); its text may end with "\nfix: " and what to type.
  virtual absl::Status Apply(Progress& progress) = 0;
};

// Everything that `context.desired` says something about, in the order in which it is to be made
// so (table.cc). InvalidArgument: the specification needs something that this node cannot do.
absl::StatusOr<std::vector<std::unique_ptr<Resource>>> MakeResources(
    const ResourceContext& context);

}  // namespace connect_ha
