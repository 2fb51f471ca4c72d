#include "common/checklist/proving.h"

#include "common/checklist/view/proof_matrix.h"

namespace connect_ha {

v1::Fix AskForStorageProof() {
  return ByHand("",
                "write prove: {storage: true} into cluster.yaml, and put it into force with "
                "connect-ha apply: each node then works on small files of its own in "
                ".connect-ha below the shared directories");
}

v1::Fix AskForDatabaseProof() {
  return ByHand("",
                "write prove: {database: true} into cluster.yaml, and put it into force with "
                "connect-ha apply: each node then holds one idle connection to the database");
}

v1::Fix AllowProof(const std::string& node) {
  return ByHand(node,
                "write allow: install into /etc/connect-ha/agent.yaml, which lets a specification "
                "that is enforced change this node, too; then: systemctl restart connect-ha-agent");
}

bool ProvesNoStorage(const v1::Snapshot& cluster, const v1::NodeSnapshot& node, Verdict& verdict) {
  if (!cluster.spec().prove().storage()) {
    verdict.Unknown(node.name(), "cluster.yaml does not ask for it (prove.storage)",
                    {AskForStorageProof()});
    return true;
  }
  if (node.allow() == v1::ALLOW_OBSERVE) {
    verdict.Unknown(node.name(), kMayNotProve, {AllowProof(node.name())});
    return true;
  }
  return false;
}

}  // namespace connect_ha
