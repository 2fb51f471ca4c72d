#include "agent/gate/one_node.h"

namespace connect_ha {

v1::Snapshot OneNode(const std::string& name, v1::NodeState state, const v1::Desired& held,
                     const v1::Facts& facts, Time now) {
  v1::Snapshot cluster;
  *cluster.mutable_taken_at() = ToProto(now);
  cluster.set_coordinator_version(CONNECT_HA_VERSION);
  *cluster.mutable_spec() = held.spec();
  cluster.set_generation(held.generation());
  v1::NodeSnapshot& node = *cluster.add_nodes();
  node.set_name(name);
  node.set_assigned_state(state);
  node.set_reported_state(state);
  node.set_agent_version(CONNECT_HA_VERSION);
  *node.mutable_last_seen() = ToProto(now);
  *node.mutable_facts_received_at() = ToProto(now);
  *node.mutable_facts() = facts;
  return cluster;
}

}  // namespace connect_ha
