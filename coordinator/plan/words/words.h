// What people said, as far as it still holds.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/look/moments.h"

namespace connect_ha {

// The latest of each kind; null: none.
struct NodeWords {
  const v1::Word* cordon = nullptr;
  const v1::Word* drain = nullptr;
  const v1::Word* stop = nullptr;
  const v1::Word* fence = nullptr;
  const v1::Word* unfence = nullptr;
  const v1::Word* start = nullptr;
  const v1::Word* release = nullptr;
  const v1::Word* gone = nullptr;
};

struct Words {
  std::map<std::string, NodeWords> of;  // by node
  // On the whole cluster, by number: APPROVE, PAUSE, ABORT, RESTORED.
  std::vector<const v1::Word*> of_cluster;
  std::vector<const v1::Word*> waivers;  // of all nodes
  std::vector<const v1::Word*> idle;     // that permit, and count for nothing
  std::vector<uint64_t> ended;           // numbers, ascending
  std::optional<Time> clock;             // as PlanMemory.clock is to be
};

// What permits (WAIVE, UNFENCE) holds only with an end, and ends where the clock ran back: it would
// last longer. A fencing rule is waived, a node unfenced, and a database said to be put back by an
// admin alone. APPROVE and ABORT end with their generation, and an APPROVE with a later ABORT of
// it. Once it is done both end, but for an ABORT that keeps somebody from being changed yet.
// Borrows the input.
Words WordsInForce(const v1::PlanInput& input, Moments& moments);

// On the whole cluster, the latest of this kind; of APPROVE and ABORT, of this generation. Null:
// none.
const v1::Word* ClusterWord(const Words& words, v1::Word::Kind kind, uint64_t generation = 0);
// An approval with which fewer than minimum_serving may be left, or none: an admin's.
inline bool AllowsDowntime(const v1::Word& approval) {
  return approval.downtime() && approval.role() == v1::ADMIN;
}
// Whoever has it stopped or drained said that nobody else needs to serve.
bool MayBeDowntime(const NodeWords& words);

// "drained by admin/alice: kernel update"
std::string SaidBy(const v1::Word& word);

}  // namespace connect_ha
