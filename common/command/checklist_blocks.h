// The causes of a checklist, the most urgent first.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "common/time.h"
#include "connect_ha/v1/checklist.pb.h"

namespace connect_ha {

// Findings that say the same, which one reason may make many.
struct Block {
  std::vector<const v1::Finding*> findings;  // in the checklist's order
  v1::Finding shown;                         // stands for all of them
  size_t followers = 0;                      // how many findings follow from them

  v1::RuleClass WorstClass() const;
};

// Equal for findings that are shown as one.
std::string KeyOf(const v1::Finding& finding, Time now);
// What fails or is unknown by itself. Borrows the checklist's findings.
std::vector<Block> MakeBlocks(const v1::Checklist& checklist, Time now);

}  // namespace connect_ha
