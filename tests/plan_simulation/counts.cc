#include "tests/plan_simulation/counts.h"

#include "absl/strings/str_cat.h"
#include "coordinator/plan/change/phases.h"

namespace connect_ha::simulation {
namespace {

using Status = v1::RolloutStatus;

constexpr size_t kPlain = static_cast<size_t>(Sometimes::kCount);

const char* TextOf(InPhase what) {
  static constexpr std::array<const char*, static_cast<size_t>(InPhase::kCount)> kTexts = {
      "a change is",         "a change is halted",         "a change is paused",
      "a change is aborted", "an older store is put back", "a coordinator dies",
      "a node dies",         "a node is cut off",
  };
  return kTexts[static_cast<size_t>(what)];
}

// Of a change that has ended, or does nothing, nothing else is told apart.
bool CanHappen(InPhase what, Status::Phase phase) {
  if (phase == Status::PHASE_UNSPECIFIED) return false;
  if (what == InPhase::kReached) return true;
  if (what == InPhase::kHalted) {
    return phase == Status::STAGING || phase == Status::BACKING_UP || phase == Status::FIRST ||
           phase == Status::REST || phase == Status::ROLLING;
  }
  return phase >= Status::STAGING && phase <= Status::ROLLING;
}

}  // namespace

const char* NameOf(Sometimes what) {
  static constexpr std::array<const char*, kPlain> kTexts = {
      "a node enters service",
      "a running node is adopted",
      "a rule fences",
      "a person fences",
      "a node comes back after a fence",
      "a node is drained",
      "a drain ends",
      "a rule takes a node out of service",
      "EC2's notice drains",
      "a person stops a node",
      "the last one stays, though a rule fails",
      "no more fences within the hour",
      "nobody knows which node is wrong",
      "a waiver is used",
      "an admin unfences",
      "Connect does not start",
      "a node is released",
      "a node is declared gone",
      "a machine is replaced",
      "an older store is seen for what it is",
      "a coordinator is overtaken",
      "a coordinator dies between two writes",
      "an older order is refused",
      "two machines speak under one name",
      "nothing moves before all are heard",
      "two versions are kept apart",
      "all serve at the end",
      "the end has a reason",
      "a change that stops all goes back",
      "a change is done",
      "a change ends by an abort",
      "a newer generation takes a change's place",
      "Connect migrates the database",
      "a migration fails",
      "the database is put back",
      "a backup goes well",
      "a backup fails",
      "a window alone lets a change begin",
      "a lost node is skipped",
      "Connect reloads its configuration",
      "a runtime that content is pinned to is kept",
      "Connect is restarted for what differs",
      "no more restarts within the hour",
      "a change that a person ended has come to rest",
      "a change that went wrong has come to rest",
      "a node that was declared gone and runs is moved",
      "a node is stopped before its maintenance",
      "a node is stopped before EC2 takes its machine",
      "EC2 takes the machine of a node that serves",
      "a rule fences what is mounted over",
      "a node tells what it saw before",
  };
  return kTexts[static_cast<size_t>(what)];
}

size_t IndexOf(InPhase what, Status::Phase phase) {
  return kPlain + static_cast<size_t>(what) * kPhases + static_cast<size_t>(phase);
}

std::string NameOfCount(size_t index) {
  if (index < kPlain) return NameOf(static_cast<Sometimes>(index));
  const auto what = static_cast<InPhase>((index - kPlain) / kPhases);
  const auto phase = static_cast<Status::Phase>((index - kPlain) % kPhases);
  const PhaseRow* row = FindPhase(phase);
  if (row == nullptr || !CanHappen(what, phase)) return "";
  return absl::StrCat(TextOf(what), " in ", row->name);
}

}  // namespace connect_ha::simulation
