// Who sees whom, as `connect-ha proof` shows it.
#pragma once

#include <string>

#include "common/command/command_line.h"
#include "connect_ha/v1/checklist.pb.h"
#include "connect_ha/v1/proof.pb.h"

namespace connect_ha {

// Of a snapshot with facts. Nodes whose facts do not count are in it with the reason.
v1::Proofs ProofsOf(const v1::Snapshot& cluster, bool storage, bool database);

void PrintProofs(Terminal& terminal, const v1::Proofs& proofs);

// kFails: a node does not see another one that it would see by now. kUnknown: something is not
// known.
int ProofsExitCode(const v1::Proofs& proofs);

// Without what moves with time: for telling a change.
std::string ProofsKey(v1::Proofs proofs);

}  // namespace connect_ha
