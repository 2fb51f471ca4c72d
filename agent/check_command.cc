#include "agent/check_command.h"

#include "absl/strings/str_cat.h"
#include "agent/gate/one_node.h"
#include "common/checklist/rule.h"
#include "common/command/checklist_text.h"
#include "common/command/json.h"

namespace connect_ha {
namespace {

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
  const v1::Checklist checklist =
      EvaluateNode(OneNode(check.node, v1::OBSERVED, check.held, facts, check.now), check.full);
  if (check.json) {
    terminal.out << ToJson(checklist);
  } else {
    (check.all ? PrintWholeChecklist : PrintChecklist)(terminal, checklist, View(check));
  }
  return ChecklistExitCode(checklist, checklist, check.strict);
}

}  // namespace connect_ha
