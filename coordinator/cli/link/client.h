// What the commands that ask the coordinator share.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/command/command_line.h"
#include "coordinator/cli/environment.h"
#include "coordinator/cli/link/admin_link.h"

namespace connect_ha {

// `options`, and --identity.
std::vector<Option> ClientOptions(std::vector<Option> options);
// `options`, with --output table|json and --json, which is short for it.
std::vector<Option> WithJson(std::vector<Option> options);
bool IsJsonAsked(const Arguments& arguments);
// --why, of what the audit log is told.
Option WhyOption();
// --refresh, --watch, and --output with these formats ("json|table").
std::vector<Option> ShowOptions(const std::string& formats, std::vector<Option> options = {});

absl::StatusOr<std::unique_ptr<AdminLink>> OpenCoordinator(const Environment& environment,
                                                           const Arguments& arguments);

// Prints the error; the exit code: kUnknown when no coordinator answers, else kUsage.
int Fail(Terminal& terminal, const absl::Status& status);

// NotFound, with the nearest name and what to type, unless the snapshot has every node.
absl::Status CheckNodes(const v1::Snapshot& snapshot, const std::vector<std::string>& names);

// Every node's state and times, without facts.
absl::StatusOr<v1::Snapshot> GetStates(AdminLink& admin);
// The plan. A coordinator that was just started has decided nothing, which is waited for, 10 s at
// the most. Unavailable: it still has not; that is not to say that no change is under way.
absl::StatusOr<v1::GetPlanResponse> DecidedPlan(const Environment& environment, AdminLink& admin);

// With --refresh every live node gathers now; waits for them, 30 s at the most, and says on
// standard error how far it is and who did not answer. False: somebody did not.
absl::StatusOr<bool> RefreshIfAsked(const Environment& environment, const Arguments& arguments,
                                    AdminLink& admin, Terminal& terminal);

// Writes what a command shows and returns its exit code; `key` is set to what counts as a change.
using Rendering = std::function<int(const Arguments& arguments, AdminLink& admin,
                                    Terminal& terminal, std::string& key)>;

// The `run` of a command that shows something: once, after a refresh if asked; with --watch again
// and again: redrawn on a terminal, elsewhere written whenever the key changes. A coordinator that
// goes away is shown and awaited. `environment` must outlive it.
std::function<int(const Arguments&, Terminal&)> Showing(const Environment& environment,
                                                        Rendering render);

}  // namespace connect_ha
