// Whether what the specification names is mounted where Connect's data is to be, answers, and is
// this cluster's. For the preflight: each step assumes that those before it passed.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "agent/host/writable_host.h"
#include "agent/probes/connect/connect_config.h"
#include "connect_ha/v1/convergence.pb.h"
#include "connect_ha/v1/facts.pb.h"
#include "connect_ha/v1/spec.pb.h"

namespace connect_ha {

// What was seen, in words; an error says why Connect may not start, and what to type.
class StorageLook {
 public:
  // `storage` names a mount point.
  StorageLook(WritableHost& host, const v1::StorageSpec& storage, const ConnectConfig& config)
      : host_(host), storage_(storage), config_(config) {}

  // By the mount table alone.
  absl::StatusOr<std::string> Mounted();
  // Only of what answers it is said that it is read-only: what hangs is not to be mounted again.
  absl::StatusOr<std::string> Answers();
  // The directories that nodes share are on file systems of the network, Server.DataDir on the one
  // that is mounted; and it is there.
  absl::StatusOr<std::string> Directories();
  // The file system is marked as that of the cluster whose authority is in STATE_DIR/ca.crt. One
  // that bears no mark is let pass where Connect ran before there were marks (`may_be_unmarked`),
  // this node has never seen one there, and there is something in the data directory. And the
  // others have not gone on, all together, to a generation after `held`.
  absl::StatusOr<std::string> Mark(const std::string& state_dir, const v1::Desired& held,
                                   bool may_be_unmarked);
  // "": it is not known that the others have gone on, all together, to a generation after `held`.
  std::string WhyLeftBehind(const v1::Desired& held);
  // There is something in the data directory where the database has Connect's tables. Else it is
  // not the file system that belongs to them, whatever its mark says: the agent of a new node marks
  // what bears none.
  absl::Status FitsDatabase(uint32_t connect_tables);

 private:
  // But for what is the agents' own, or comes with the file system.
  absl::StatusOr<bool> IsDataDirEmpty();
  absl::StatusOr<std::string> Unmarked(const std::string& state_dir, const v1::ClusterMark& own,
                                       bool may_be_unmarked);

  WritableHost& host_;
  const v1::StorageSpec& storage_;
  const ConnectConfig& config_;
  bool is_read_only_ = false;  // set by Mounted
  std::string data_dir_;       // set by Directories
};

}  // namespace connect_ha
