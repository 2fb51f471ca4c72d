#include "agent/check_command.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/checklist/rule.h"
#include "common/command/checklist_text.h"
#include "common/command/json.h"

namespace connect_ha {
namespace {

v1::Snapshot OneNode(const v1::Facts& facts, const NodeCheck& check) {
  v1::Snapshot cluster;
  *cluster.mutable_taken_at() = ToProto(check.now);
  cluster.set_coordinator_version(CONNECT_HA_VERSION);
  *cluster.mutable_spec() = check.held.spec();
  cluster.set_generation(check.held.generation());
  v1::NodeSnapshot& node = *cluster.add_nodes();
  node.set_name(check.node);
  node.set_assigned_state(v1::OBSERVED);
  node.set_reported_state(v1::OBSERVED);
  node.set_agent_version(CONNECT_HA_VERSION);
  *node.mutable_last_seen() = ToProto(check.now);
  *node.mutable_facts_received_at() = ToProto(check.now);
  *node.mutable_facts() = facts;
  return cluster;
}

std::string ByWhat(const NodeCheck& check) {
  if (check.held.generation() == 0) return "";
  return absl::StrCat(", by generation ", check.held.generation(), " of the specification");
}

// What to type when there is more to see than was looked at.
std::string NextStep(const v1::Checklist& checklist) {
  const bool more =
      std::any_of(checklist.findings().begin(), checklist.findings().end(),
                  [](const v1::Finding& finding) { return finding.fixes_size() > 0 && finding.fixes(0).commands_size() > 0 && finding.fixes(0).commands(0) == kCheckInFull; });
  return more
             ? "not everything was looked at, the rest takes longer: " + std::string(kCheckInFull) +
                   "\n"
             : "";
}

}  // namespace

int PrintNodeCheck(const v1::Facts& facts, const NodeCheck& check, Terminal& terminal) {
  v1::Checklist checklist = EvaluateNode(OneNode(facts, check), check.full);
  if (check.json) {
    terminal.out << ToJson(checklist);
  } else {
    PrintChecklist(terminal, checklist, check.now, "connect-ha-agent check --output json");
    terminal.out << "\n"
                 << CountOutcomes(checklist) << ByWhat(check) << "\n"
                 << NextStep(checklist);
  }
  return ChecklistExitCode(checklist, check.strict);
}

}  // namespace connect_ha
