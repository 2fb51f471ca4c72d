// What is told of a checklist that is another one than before.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "common/time.h"
#include "connect_ha/v1/checklist.pb.h"
#include "connect_ha/v1/event.pb.h"
#include "coordinator/cluster/findings_memory.h"
#include "coordinator/cluster/node/event_pace.h"

namespace connect_ha {

// One FINDING_CHANGED for each rule whose outcome is another than in `before`, with the number of
// nodes that turned with it; of a rule that failed and fails, one for each node that began or
// ceased to, or one with their number where they are many. A rule that `before` does not have is
// not a change.
std::vector<v1::Event> FindChanges(const FindingsMemory& before, const v1::Checklist& checklist,
                                   Time now);

// Of all nodes together, so many in a minute are told one by one.
inline constexpr uint32_t kNodesFindingsPerMinute = 60;

// Leaves out what is more than the share of a node, or of the cluster, in a minute, and counts it.
// Where the nodes together have more, the rest is told once the minute is over: in one event for
// each rule and turn, with a count.
class ChangePaces {
 public:
  std::vector<v1::Event> Pick(std::vector<v1::Event> changes, Time now);

 private:
  using Turn = std::tuple<std::string, v1::Outcome, v1::Outcome>;  // rule, from, to

  void TellSums(Time now, std::vector<v1::Event>& picked);
  void TellOfNode(v1::Event change, Time now, std::vector<v1::Event>& picked);

  std::map<std::string, EventPace> paces_;  // by node; "" is the cluster
  EventPace nodes_{kNodesFindingsPerMinute};
  std::map<Turn, v1::Event> sums_;  // of the first of them, with the count
};

}  // namespace connect_ha
