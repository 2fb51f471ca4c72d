// What is told of a checklist that is another one than before.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/time.h"
#include "connect_ha/v1/checklist.pb.h"
#include "connect_ha/v1/event.pb.h"
#include "coordinator/cluster/findings_memory.h"
#include "coordinator/cluster/node/event_pace.h"

namespace connect_ha {

// One FINDING_CHANGED for each rule whose outcome is another than in `before`; of a rule that
// failed and fails, one for each node that began or ceased to, or one with their number where they
// are many. A rule that `before` does not have is not a change.
std::vector<v1::Event> FindChanges(const FindingsMemory& before, const v1::Checklist& checklist,
                                   Time now);

// Leaves out what is more than the share of a node, or of the cluster, in a minute, and counts it.
class ChangePaces {
 public:
  std::vector<v1::Event> Pick(std::vector<v1::Event> changes, Time now);

 private:
  std::map<std::string, EventPace> paces_;  // by node; "" is the cluster
};

}  // namespace connect_ha
