// What the commands share by which a person says something of a node, a rule or a change.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "common/command/command_line.h"
#include "connect_ha/v1/admin_service.pb.h"
#include "coordinator/cli/link/admin_link.h"

namespace connect_ha {

// "connect-ha node stop --now node-2": as it was typed, but for its reason. Without --take-back it
// would be the opposite, and without --node it would be of every node.
std::string CommandAsTyped(const std::string& name, const Arguments& arguments);

// --reason, which each needs.
Option ReasonOption();
// InvalidArgument, with `command` as the fix: none was given.
absl::Status CheckReason(const Arguments& arguments, const std::string& command);

// Says it, and prints that it was said, what takes it back, and what follows. The exit code.
int GiveWord(const v1::Word& word, AdminLink& admin, Terminal& terminal);
void PrintTakenBack(Terminal& terminal, const v1::TakeBackResponse& response);

// Prints what becomes of the node, and why nothing of that is in force: where a decision is not,
// what was said is kept, and nothing follows from it. `lets_back`: it was to come back, and what
// people said that keeps it out is told. The exit code: kFails, too, where nothing follows yet of
// a word of `kind`.
int TellWhatFollows(v1::Word::Kind kind, bool lets_back, AdminLink& admin, Terminal& terminal,
                    const v1::NodeAssignment& assignment);

}  // namespace connect_ha
