// What this node remembers of what it did to Connect's unit, over restarts of the agent
// (STATE_DIR/service).
#pragma once

#include <functional>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "agent/host/writable_host.h"
#include "connect_ha/v1/convergence.pb.h"

namespace connect_ha {

// May be used from any thread.
class ServiceNotes {
 public:
  ServiceNotes(WritableHost& host, std::string path);

  // Read from the disk at the first call. What cannot be read counts as nothing.
  v1::ServiceMemory Get() const;
  // Holds in memory at once; an error: it is not on disk. Nothing is written that is there.
  absl::Status Change(const std::function<void(v1::ServiceMemory&)>& change);

 private:
  WritableHost& host_;
  const std::string path_;
  std::mutex write_mutex_;  // one change at a time; nobody who asks waits for the disk

  mutable std::mutex mutex_;  // for what follows
  mutable bool loaded_ = false;
  mutable v1::ServiceMemory memory_;
  bool on_disk_ = true;
};

}  // namespace connect_ha
