// A roster of many nodes, with the store behind it and the evaluator, in this process: no sockets,
// and whatever time one says it is.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/time.h"
#include "connect_ha/v1/node_service.pb.h"
#include "coordinator/cluster/evaluator.h"
#include "coordinator/cluster/roster.h"
#include "coordinator/store/store.h"
#include "tests/fakes/temporary_directory.h"

namespace connect_ha {

// node-0, node-1, ...
std::vector<std::string> BenchNames(int count);

class BenchRoster {
 public:
  // With the nodes of BenchNames(count), which all reported at `now`, and hold the specification of
  // the healthy cluster in tests/clusters. One that was not heard for three minutes is lost.
  BenchRoster(int count, Time now);

  // Lets a node in that the store does not know; it has no facts before it is changed.
  void Enrol(const std::string& node, Time now);
  // Reports other facts of each, several at a time; they are on disk on return. Of another version
  // of Connect: rules fail.
  enum class Version { kAsSpecified, kAnother };
  void Change(const std::vector<std::string>& nodes, int number, Time now,
              Version version = Version::kAsSpecified);
  // Heartbeats with facts unchanged, one after the other.
  void Beat(const std::vector<std::string>& nodes, Time now);
  // Takes a node out, as one that was removed at `removed_at`.
  void Remove(const std::string& node, Time removed_at);

  Evaluator& evaluator() { return evaluator_; }
  Roster& roster() { return roster_; }
  Store& store() { return *store_; }
  double StoreMiB() const;

 private:
  v1::HeartbeatResponse Send(const v1::HeartbeatRequest& request, Time now);
  v1::HeartbeatRequest Report(const std::string& node) const;

  const TemporaryDirectory directory_;
  const std::unique_ptr<Store> store_;
  Roster roster_;
  Evaluator evaluator_;
  v1::HeartbeatRequest quiet_;  // what every heartbeat says, with no facts
  struct Held {
    int number = 0;
    Version version = Version::kAsSpecified;
  };
  std::map<std::string, Held> held_;  // of facts, by each node
};

}  // namespace connect_ha
