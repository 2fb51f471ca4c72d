#include "coordinator/plan/move/serve.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "coordinator/plan/look/generation.h"
#include "coordinator/plan/look/serving.h"
#include "coordinator/plan/move/rest.h"

namespace connect_ha {
namespace {

// As its agent names it (Change.resource).
constexpr char kConnectsPackage[] = "package rstudio-connect";

// What its agent meets with on the way: a start that the preflight refuses, say.
std::string WithTrouble(const Situation& situation, const Member& member, const char* what) {
  const v1::Convergence& convergence = member.node->convergence();
  if (!SpeaksOfGeneration(situation.input, *member.node) || convergence.troubles_size() == 0) {
    return what;
  }
  const v1::Trouble& trouble = convergence.troubles(0);
  return absl::StrCat(what, ": ", trouble.resource(), ": ", trouble.error());
}

bool IsToBeInstalled(const v1::Convergence& convergence) {
  const auto& changes = convergence.changes();
  return std::any_of(changes.begin(), changes.end(), [](const v1::Change& change) {
    return change.resource() == kConnectsPackage;
  });
}

}  // namespace

Move FromServing(Situation& situation, const Member& member) {
  const v1::PlanNode& node = *member.node;
  const bool speaks = SpeaksOfGeneration(situation.input, node);
  // The agent of a node that is to serve makes whatever else differs where Connect rests, and
  // starts it only then. Nobody is interrupted, and without it Connect may never start.
  const bool rests = node.connect() == v1::CONNECT_RESTS;
  const v1::NodeState reported = node.brief().reported_state();
  const bool never_started = reported == v1::PREPARING || reported == v1::READY;
  if (speaks && rests && IsToBeInstalled(node.convergence()) &&
      (never_started || StartFailed(member) || IsDown(situation, member))) {
    return Prepare(situation, member);
  }
  const v1::Change* differs = speaks ? FirstThatInterrupts(node.convergence()) : nullptr;
  std::string waits;
  if (differs != nullptr) {
    waits = absl::StrCat(differs->resource(), ": a change for which Connect has to be restarted");
  } else if (StartFailed(member)) {
    waits =
        absl::StrCat("connect-ha node start ", member.name(), " --reason ..., once it may go well");
  } else if (!HasReached(member, v1::SERVING)) {
    waits = WithTrouble(situation, member, "its agent to get there");
  } else if (!node.brief().facts().answers()) {
    waits = WithTrouble(situation, member, "Connect to answer");
  } else if (GateIsClosed(situation.input, node)) {
    waits = absl::StrCat("its gate to open", node.gate_reason().empty() ? "" : ": ",
                         node.gate_reason());
  }
  return {v1::SERVING, "", waits, {}};
}

}  // namespace connect_ha
