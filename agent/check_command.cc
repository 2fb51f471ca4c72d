#include "agent/check_command.h"

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

ChecklistView View(const NodeCheck& check) {
  ChecklistView view;
  view.now = check.now;
  view.about = {absl::StrCat("node ", check.node)};
  if (check.held.generation() > 0) {
    view.about.push_back(absl::StrCat("by generation ", check.held.generation()));
  }
  const std::string full = check.full ? " --full" : "";
  view.in_full = absl::StrCat("connect-ha-agent check", full, " --output json");
  view.all = absl::StrCat("connect-ha-agent check", full, " --all");
  return view;
}

}  // namespace

int PrintNodeCheck(const v1::Facts& facts, const NodeCheck& check, Terminal& terminal) {
  const v1::Checklist checklist = EvaluateNode(OneNode(facts, check), check.full);
  if (check.json) {
    terminal.out << ToJson(checklist);
  } else {
    (check.all ? PrintWholeChecklist : PrintChecklist)(terminal, checklist, View(check));
  }
  return ChecklistExitCode(checklist, checklist, check.strict);
}

}  // namespace connect_ha
