// What EC2 said last about this instance, over restarts of the agent (STATE_DIR/notices): it stands
// for as long as the metadata service does not answer. Of one boot.
#pragma once

#include <string>

#include "agent/host/writable_host.h"
#include "agent/probes/probe_cache.h"
#include "connect_ha/v1/facts.pb.h"

namespace connect_ha {

// Of one thread.
class NoticeNotes {
 public:
  // Before anything is gathered: what was written down goes into the cache. What cannot be read,
  // or is of another boot, counts as nothing.
  NoticeNotes(WritableHost& host, const std::string& state_dir, const std::string& boot_id,
              ProbeCache& cache);

  // After what was gathered. Writes only where it is something else.
  void Keep();

 private:
  WritableHost& host_;
  const std::string path_;
  const std::string boot_id_;
  ProbeCache& cache_;
  v1::InstanceFacts kept_;
  bool failed_ = false;  // the latest write
};

}  // namespace connect_ha
