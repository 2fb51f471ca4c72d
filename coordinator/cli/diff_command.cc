#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/checklist/diff.h"
#include "common/command/json.h"
#include "coordinator/cli/commands.h"
#include "coordinator/cli/link/client.h"
#include "coordinator/cli/text/node_text.h"

namespace connect_ha {
namespace {

constexpr char kDescription[] =
    R"(Shows how two nodes differ in what should be the same on both: first what an item of the checklist forbids, in the checklist's order, then the rest. What always differs (names, addresses, times) is left out. Secrets are compared by keyed digests.

Exit status: 1 when an item of the checklist forbids a difference, else 3 when a value could not be read or a node is not heard, else 0.)";

using Differences = std::vector<Difference>;

TableRow Row(const Difference& difference) {
  const auto cell = [](const std::string& value, bool unknown) -> Cell {
    if (value.empty()) return {"(absent)", Style::kFaint};
    return {value, unknown ? Style::kDoubtful : Style::kPlain};
  };
  return {{difference.message.path()},
          cell(difference.message.a(), !difference.a_known),
          cell(difference.message.b(), !difference.b_known)};
}

void PrintDifferences(Terminal& terminal, const Differences& differences, const std::string& a,
                      const std::string& b) {
  std::vector<TableRow> breaking;
  std::vector<TableRow> rest;
  for (const Difference& difference : differences) {
    TableRow row = Row(difference);
    if (difference.message.rule().empty()) {
      rest.push_back(row);
    } else {
      row.push_back({difference.message.rule(), Style::kBad});
      breaking.push_back(row);
    }
  }
  if (!breaking.empty()) PrintTable(terminal, {"WHAT", a, b, "AGAINST"}, breaking);
  if (!breaking.empty() && !rest.empty()) terminal.out << "\n";
  if (!rest.empty()) PrintTable(terminal, {"WHAT", a, b}, rest);
  if (!differences.empty()) terminal.out << "\n";
  terminal.out << Count(differences.size(), "difference") << ", " << breaking.size()
               << " against the checklist";
  if (!breaking.empty()) terminal.out << "; what to do: connect-ha checklist";
  terminal.out << "\n";
}

std::string DifferencesJson(const Differences& differences) {
  std::string json = "[";
  for (const Difference& difference : differences) {
    std::string line = ToJsonLine(difference.message);
    line.pop_back();
    absl::StrAppend(&json, json.size() > 1 ? ",\n " : "\n ", line);
  }
  return json + "\n]\n";
}

bool SomethingUnknown(const Differences& differences) {
  return std::any_of(differences.begin(), differences.end(),
                     [](const Difference& d) { return !d.a_known || !d.b_known; });
}

absl::StatusOr<v1::NodeSnapshot> GetNode(AdminLink& admin, const std::string& name) {
  v1::GetSnapshotRequest request;
  request.set_node(name);
  const auto snapshot = admin.GetSnapshot(request);
  if (!snapshot.ok()) return snapshot.status();
  if (snapshot->nodes_size() == 1 && snapshot->nodes(0).has_facts()) return snapshot->nodes(0);
  return absl::UnavailableError(
      absl::StrCat("\"", name,
                   "\" has joined but not reported yet; fix: on the node: systemctl status "
                   "connect-ha-agent"));
}

int Render(const Arguments& arguments, AdminLink& admin, Terminal& terminal, std::string& key) {
  const std::string& first = arguments.positional[0];
  const std::string& second = arguments.positional[1];
  const auto states = GetStates(admin);
  if (!states.ok()) return Fail(terminal, states.status());
  if (const absl::Status known = CheckNodes(*states, {first, second}); !known.ok()) {
    return Fail(terminal, known);
  }
  const auto a = GetNode(admin, first);
  if (!a.ok()) return Fail(terminal, a.status());
  const auto b = GetNode(admin, second);
  if (!b.ok()) return Fail(terminal, b.status());
  const Differences differences = Diff(*a, *b);
  key = DifferencesJson(differences);
  if (arguments.Get("--output") == "json") {
    terminal.out << key;
  } else {
    PrintDifferences(terminal, differences, a->name(), b->name());
  }
  bool live = true;
  for (const v1::NodeSnapshot* node : {&*a, &*b}) {
    if (IsLive(*states, *node)) continue;
    live = false;
    terminal.error << "warning: " << node->name() << " was last heard "
                   << SeenCell(*states, *node).text << "\n";
  }
  // Those that break a rule come first.
  if (!differences.empty() && !differences[0].message.rule().empty()) return kFails;
  return live && !SomethingUnknown(differences) ? kHolds : kUnknown;
}

}  // namespace

Command DiffCommand(const Environment& environment) {
  Command command = {"diff", "NODE NODE", "Show how two nodes differ in what must match",
                     kDescription};
  command.options = ShowOptions("table|json");
  command.examples = {"connect-ha diff node-1 node-2", "connect-ha diff node-1 node-2 --refresh"};
  command.run = Showing(environment, Render);
  return command;
}

}  // namespace connect_ha
