// Where nodes stand on their way to the specification, in words and bars.
#pragma once

#include <string>
#include <vector>

#include "common/command/command_line.h"
#include "common/command/text_table.h"
#include "common/time.h"
#include "connect_ha/v1/checklist.pb.h"

namespace connect_ha {

// What one node does or needs: "as generation 3 says", "downloading package r-4.3.3 [####------] 45
// % of 27.1 MB, 8s; 4 more to do", "STUCK at package r-4.3.3". Goes by the snapshot's time.
Cell ConvergenceCell(const v1::Snapshot& snapshot, const v1::NodeSnapshot& node);

// The same without what only passes (bytes, times): what counts as a change.
std::string ConvergenceKey(const v1::Snapshot& snapshot, const v1::NodeSnapshot& node);

// Whether this node is as the generation in force says.
bool IsConverged(const v1::Snapshot& snapshot, const v1::NodeSnapshot& node);

// Whether this node does not take the generation in force; its trouble says why.
bool Refuses(const v1::Snapshot& snapshot, const v1::NodeSnapshot& node);

// "specification: generation 3, enforced; 1 of 2 nodes are as it says", a line for each node, and
// the troubles. Nothing while no specification was applied or no node speaks of one.
void PrintConvergence(Terminal& terminal, const v1::Snapshot& snapshot);

// What is wrong on a node, what to do, and the last lines of the log: for each of its troubles.
void PrintTroubles(Terminal& terminal, const v1::NodeSnapshot& node);

// "27.1 MB"
std::string FormatBytes(uint64_t bytes);

}  // namespace connect_ha
