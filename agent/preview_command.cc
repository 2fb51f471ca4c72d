#include "agent/preview_command.h"

#include "absl/strings/str_cat.h"
#include "agent/assignment/held.h"
#include "common/command/json.h"
#include "common/command/text_table.h"

namespace connect_ha {
namespace {

int ExitCodeOf(const v1::Preview& preview) {
  if (preview.troubles_size() > 0) return kUnknown;
  return preview.changes_size() > 0 ? kFails : kHolds;
}

void PrintTrouble(const v1::Trouble& trouble, Terminal& terminal) {
  std::string text = absl::StrCat(trouble.resource(), ": ", trouble.error());
  if (!trouble.fix().empty()) absl::StrAppend(&text, "; fix: ", trouble.fix());
  PrintError(terminal, absl::UnknownError(text));
}

}  // namespace

int PrintPreview(const v1::Preview& preview, uint64_t generation, Terminal& terminal) {
  if (preview.changes_size() > 0) {
    std::vector<TableRow> rows;
    for (const v1::Change& change : preview.changes()) {
      rows.push_back({{Printable(change.resource()), Style::kStrong},
                      {Printable(change.from())},
                      {Printable(change.to())},
                      {Printable(change.interrupts())}});
    }
    PrintTable(terminal, {"RESOURCE", "FROM", "TO", "INTERRUPTS"}, rows);
  } else if (preview.troubles_size() == 0) {
    terminal.out << "nothing to change: this node is as generation " << generation << " says\n";
  }
  for (const v1::Trouble& trouble : preview.troubles()) PrintTrouble(trouble, terminal);
  return ExitCodeOf(preview);
}

int PrintNodePreview(WritableHost& host, const ConvergeOptions& options, const std::string& noun,
                     bool json, Terminal& terminal) {
  const absl::StatusOr<v1::Assignment> assignment = ReadHeld(host, options.state_dir);
  if (!assignment.ok() || !assignment->has_desired()) {
    PrintError(terminal, assignment.ok()
                             ? absl::NotFoundError("this node holds no specification yet; fix: "
                                                   "connect-ha apply cluster.yaml")
                             : assignment.status());
    return kUnknown;
  }
  ProbeCache cache;
  ChangeJournal journal(host, options.state_dir + "/changes");
  Converge converge(options, host, cache, journal);
  const v1::Preview preview = converge.MakePreview(assignment->desired(), noun);
  if (!json) return PrintPreview(preview, assignment->desired().generation(), terminal);
  terminal.out << ToJson(preview);
  return ExitCodeOf(preview);
}

}  // namespace connect_ha
