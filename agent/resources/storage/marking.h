// Marking the shared file system as the cluster's (cluster_mark.h): the first node does it, once. A
// node that has seen the mark remembers (STATE_DIR/mark), and never marks the same place again:
// what bears none there is another file system. Beside it every node keeps as which generation
// Connect may start there at the earliest.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/host/writable_host.h"
#include "agent/probes/connect/connect_config.h"
#include "agent/probes/probe_cache.h"
#include "connect_ha/v1/facts.pb.h"
#include "connect_ha/v1/spec.pb.h"

namespace connect_ha {

// Where, and as whose. All of it outlives the calls.
struct Marking {
  WritableHost& host;
  ProbeCache& cache;               // where the probe finds what was seen
  const v1::StorageSpec& storage;  // names a mount point
  const std::string& cluster;
  const std::string& node;
  const std::string& state_dir;
  const ConnectConfig* config = nullptr;  // null: there is none yet
  v1::GenerationMark not_before = {};     // to be there, too; unset: none
};

struct MarkStand {
  v1::ClusterMark own;
  std::string data_dir;  // Server.DataDir; "": it is not on the specification's mount yet
  std::string fault;     // "absent"; "": all is there, and known here
};

// FailedPrecondition: it is another cluster's, or was there and is gone. DataLoss: it is garbled.
absl::StatusOr<MarkStand> LookAtMark(const Marking& marking);

// Writes it where there is none, and remembers that it is there.
absl::Status KeepMark(const Marking& marking);

// Whether this node has seen a mark anywhere, as its orders said. Only whoever purges the agent, or
// says that a file system is to be marked anew, takes that away.
absl::StatusOr<bool> KnowsAMark(Host& host, const std::string& state_dir);

// Whether this node has seen `own` at this place before. Of another file system that the
// specification names by now: no.
absl::StatusOr<bool> IsMarkKnown(Host& host, const std::string& state_dir,
                                 const v1::StorageSpec& storage, const v1::ClusterMark& own,
                                 const std::string& data_dir);

// That it was seen there and is gone, which nobody but a person mends, and how.
absl::Status MarkIsGone(const std::string& state_dir, const std::string& data_dir,
                        const std::string& cluster);

}  // namespace connect_ha
