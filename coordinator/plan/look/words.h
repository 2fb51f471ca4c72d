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
  std::map<std::string, NodeWords> of;   // by node
  std::vector<const v1::Word*> waivers;  // of all nodes
  std::vector<const v1::Word*> idle;     // that permit, and count for nothing
  std::vector<uint64_t> ended;           // numbers, ascending
  std::optional<Time> clock;             // as PlanMemory.clock is to be
};

// What permits (WAIVE, UNFENCE) holds only with an end, and ends where the clock ran back: it would
// last longer. A fencing rule is waived, and a node unfenced, by an admin alone. Borrows the input.
Words WordsInForce(const v1::PlanInput& input, Moments& moments);

// Whoever has it stopped or drained said that nobody else needs to serve.
bool MayBeDowntime(const NodeWords& words);

bool IsWaived(const std::vector<const v1::Word*>& waivers, const std::string& rule,
              const std::string& node);

// "drained by admin/alice: kernel update"
std::string SaidBy(const v1::Word& word);

}  // namespace connect_ha
