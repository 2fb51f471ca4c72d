#include "coordinator/cluster/node/brief.h"

#include <google/protobuf/arena.h>

#include <cstdint>

namespace connect_ha {

void FillSaid(const std::string& name, const KnownNode& known, v1::NodeBrief* brief) {
  brief->set_name(name);
  if (known.last_seen) *brief->mutable_last_seen() = ToProto(*known.last_seen);
  brief->set_lost(known.lost);
  brief->set_reported_state(known.said.state);
  brief->set_agent_version(known.agent_version);
  brief->set_allow(known.said.allow);
  brief->set_reported_generation(known.said.generation);
  brief->set_claimants(static_cast<uint32_t>(known.claimants.CountCurrent()));
}

v1::FactsBrief BriefOf(const HeldFacts& held, const v1::Desired& desired) {
  if (held.brief_generation == desired.generation()) return held.brief;
  google::protobuf::Arena arena;
  const v1::Facts* facts = ParseFacts(*held.bytes, arena);
  return facts == nullptr ? held.brief : MakeBrief(*facts, desired.spec());
}

}  // namespace connect_ha
