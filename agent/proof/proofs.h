// What this node proves, and what makes the prover's order.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/assignment/held.h"
#include "agent/proof/prover.h"
#include "connect_ha/v1/node_service.pb.h"

namespace connect_ha {

// Every kind of round, one row each. `state_dir` and `orders`: as of MarkRounds.
std::vector<Proof> MakeProofs(const ProofContext& context, const std::string& state_dir,
                              std::function<std::shared_ptr<const v1::Assignment>()> orders);

// For LoopOptions.called: gives the prover what is held and what the coordinator answered last.
// `order` says who this node is. Borrows `held` and `prover`.
std::function<void(const v1::HeartbeatResponse* answer)> OrderProofs(const Held& held,
                                                                     Prover& prover,
                                                                     v1::Allow allow,
                                                                     ProofOrder order);

}  // namespace connect_ha
