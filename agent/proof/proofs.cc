#include "agent/proof/proofs.h"

#include <memory>
#include <utility>

#include "agent/proof/beacons.h"
#include "agent/proof/mark_rounds.h"
#include "agent/proof/presence.h"
#include "agent/proof/storage_rounds.h"

namespace connect_ha {

std::vector<Proof> MakeProofs(const ProofContext& context, const std::string& state_dir,
                              std::function<std::shared_ptr<const v1::Assignment>()> orders) {
  std::vector<Proof> proofs;
  proofs.push_back({std::make_unique<StorageRounds>(context), &ProofOrder::storage});
  proofs.push_back({MakeBeacons(context), &ProofOrder::storage});
  proofs.push_back(
      {std::make_unique<MarkRounds>(context, state_dir, std::move(orders)), &ProofOrder::mark});
  proofs.push_back({MakePresence(context), &ProofOrder::database});
  return proofs;
}

std::function<void(const v1::HeartbeatResponse* answer)> OrderProofs(const Held& held,
                                                                     Prover& prover,
                                                                     v1::Allow allow,
                                                                     ProofOrder order) {
  return [&held, &prover, allow,
          order = std::move(order)](const v1::HeartbeatResponse* answer) mutable {
    if (answer != nullptr) {
      order.challenge = answer->proof_challenge();
      order.forget.assign(answer->forget_beacons().begin(), answer->forget_beacons().end());
    }
    SetProofs(*held.Orders(), allow, order);
    prover.SetOrder(order);
  };
}

}  // namespace connect_ha
