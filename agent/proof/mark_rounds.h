// The cluster's mark on a node where nothing may be changed otherwise: on one where Connect ran
// before the specification was enforced, or that only proves. Where it is enforced and may be
// changed, the mark is a resource, too (agent/resources/storage/mark.cc).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "agent/proof/proof.h"
#include "connect_ha/v1/convergence.pb.h"

namespace connect_ha {

// Whether the mark is to be written by a node that goes by these orders, where its agent.yaml lets
// it: the specification enforces, or has storage proved; and says where.
bool WantsMark(const v1::Assignment& orders);

class MarkRounds : public ProofRounds {
 public:
  // `orders`: what the node goes by now; never null.
  MarkRounds(const ProofContext& context, std::string state_dir,
             std::function<std::shared_ptr<const v1::Assignment>()> orders);

  std::chrono::milliseconds Pace() const override;
  // Until the mark is there and known, and then to see that it stays.
  bool Run(const ProofOrder& order) override;
  void Stop() override;

 private:
  const ProofContext context_;
  const std::string state_dir_;
  const std::function<std::shared_ptr<const v1::Assignment>()> orders_;
  std::string told_;  // why it is not kept, as the log has it
};

}  // namespace connect_ha
