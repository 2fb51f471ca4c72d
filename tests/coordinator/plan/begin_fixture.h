// A change for which all nodes are to stop, and who has approved it.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "common/time.h"
#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/next/approval.h"
#include "tests/coordinator/plan/change_cluster.h"

namespace connect_ha {

struct Approval {
  std::string by;
  std::string why;
  std::optional<Time> wake;
};

inline Approval ApprovalOf(const PlanCluster& cluster) {
  Situation situation = LookAt(cluster.input);
  Approval approval;
  approval.by = ApprovedBy(situation, KindOfNext(situation), approval.why);
  approval.wake = situation.moments.wake();
  return approval;
}

class Together : public ::testing::Test {
 protected:
  Together() : cluster(2) {
    Propose(cluster);
    WouldChange(cluster, 0, "mount /mnt/connect", v1::Change::TOGETHER);
  }

  void Begin() {
    v1::Rollout& rollout = *cluster.input.mutable_memory()->mutable_rollout();
    rollout.set_generation(kNext);
    rollout.set_kind(v1::Rollout::TOGETHER);
    *rollout.mutable_began_at() = cluster.input.now();
  }

  PlanCluster cluster;
};

}  // namespace connect_ha
