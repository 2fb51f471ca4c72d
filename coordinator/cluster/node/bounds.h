// How much of what a node says is kept, however much it says.
#pragma once

#include <cstddef>

#include "connect_ha/v1/convergence.pb.h"

namespace connect_ha {

// Of the changes that are due, or of a preview; and of what is in their way.
inline constexpr int kMostChangesKept = 200;
inline constexpr int kMostTroublesKept = 20;
inline constexpr size_t kMostSignersKept = 16;
inline constexpr size_t kMostNoticesKept = 16;
// Of the changes that are due, as many as the plan looks at; and of what keeps a node from getting
// ready for the next generation.
inline constexpr int kMostChangesPlanned = 3;
inline constexpr int kMostTroublesPlanned = 3;
// Of the journal's lines that a node sends where Connect did not start.
inline constexpr size_t kMostLogBytes = 4 * 1024;
// Of the beacons that a node sees; and of those that it is told to remove, in one answer.
inline constexpr size_t kMostBeaconsKept = 512;
inline constexpr size_t kMostForgotten = 16;
// Of a preview, serialised.
inline constexpr size_t kMostPreviewBytes = 64 * 1024;
// Facts of one node, serialised.
inline constexpr size_t kMostFactsBytes = 4 * 1024 * 1024;
// And their values (wire_values.h). A node with a few hundred mounts, runtimes and keys has some
// thousands.
inline constexpr size_t kMostFactsValues = 100'000;
// And what is in one list of them: what one node has is looked for on every other one. An agent
// says no more than 100 runtimes.
inline constexpr int kMostInAList = 2'000;
inline constexpr int kMostRuntimes = 200;
// Of the runtimes that content is pinned to.
inline constexpr int kMostPinnedKept = 300;

v1::Convergence Bounded(const v1::Convergence& said);
v1::Ahead Bounded(const v1::Ahead& said);
v1::Preview Bounded(const v1::Preview& said);

}  // namespace connect_ha
