#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/command/json.h"
#include "common/command/text_table.h"
#include "coordinator/cli/commands.h"
#include "coordinator/cli/link/client.h"
#include "coordinator/cli/rollout/rollout_text.h"
#include "coordinator/cli/text/number.h"

namespace connect_ha {
namespace {

constexpr char kDescription[] =
    R"(Shows the changes of the cluster, newest first, the one under way among them: from which generation to which, who applied it and who approved it, when, how it ended; where Connect was stopped on all nodes, from when and for how long; and of each node how long it was out of service for it, and how many requests its gate refused meanwhile, but for those after its agent's last call before that was started again: nobody knows of them.

"all stopped at" is the time up to which the database has all that was written before: what a recovery to a point in time is made to. How a change can end: connect-ha rollout phases.)";

constexpr uint32_t kByDefault = 20;
constexpr int kIndent = 2;

std::string At(const google::protobuf::Timestamp& time) { return FormatUtc(FromProto(time)); }

std::string Between(const google::protobuf::Timestamp& from,
                    const google::protobuf::Timestamp& to) {
  return FormatSpan(FromProto(to) - FromProto(from));
}

Cell EndCell(const v1::Rollout& rollout) {
  switch (rollout.end()) {
    case v1::Rollout::END_UNSPECIFIED:
      return {"under way", Style::kDoubtful};
    case v1::Rollout::DONE:
      return {"done", Style::kGood};
    case v1::Rollout::WENT_BACK:
      return {"went back", Style::kDoubtful};
    default:
      return {absl::AsciiStrToLower(v1::Rollout::End_Name(rollout.end())), Style::kBad};
  }
}

void PrintHead(Terminal& terminal, const v1::Rollout& rollout, Time now) {
  const std::string label = absl::StrCat("generation ", rollout.generation());
  const Time end = rollout.has_ended_at() ? FromProto(rollout.ended_at()) : now;
  PrintPhrases(terminal, {label, Style::kStrong},
               {{RolloutKindName(rollout.kind())},
                EndCell(rollout),
                {At(rollout.began_at())},
                {absl::StrCat(rollout.has_ended_at() ? "took " : "for ",
                              FormatSpan(end - FromProto(rollout.began_at())))}},
               Columns(label) + 3);
}

// "from generation 7, applied by admin/alice, approved by admin/bob"
std::string Who(const v1::Rollout& rollout) {
  std::string text = absl::StrCat("from generation ", rollout.from());
  if (!rollout.applied_by().empty()) absl::StrAppend(&text, ", applied by ", rollout.applied_by());
  if (!rollout.approved_by().empty()) {
    absl::StrAppend(&text, ", approved by ", rollout.approved_by());
  }
  return text;
}

// Of a change for which Connect was stopped on all nodes; from then on nothing older is in the
// database: the time to go back to with a recovery to a point in time.
std::string Downtime(const v1::Rollout& rollout) {
  if (rollout.kind() != v1::Rollout::TOGETHER) return "";
  if (!rollout.has_in_force_at()) return "not all nodes were stopped";
  std::string text = absl::StrCat("all stopped at ", At(rollout.in_force_at()));
  if (!rollout.first().empty()) absl::StrAppend(&text, ", ", rollout.first(), " first");
  if (rollout.has_verified_at()) {
    absl::StrAppend(&text, ", right after ", Between(rollout.in_force_at(), rollout.verified_at()));
  }
  absl::StrAppend(
      &text,
      rollout.has_opened_at()
          ? ", serving again after " + Between(rollout.in_force_at(), rollout.opened_at())
          : std::string(rollout.has_ended_at() ? ", not serving again" : ", not serving yet"));
  return text;
}

std::string OutText(const v1::RolloutNode& node, Time end) {
  auto out = std::chrono::microseconds(node.out_us());
  if (node.has_out_since()) out += std::max(end - FromProto(node.out_since()), out.zero());
  const std::string gone = node.skipped() ? "declared gone" : "";
  if (out.count() > 0)
    return absl::StrCat("out for ", FormatSpan(out), gone.empty() ? "" : ", ", gone);
  if (!gone.empty()) return gone;
  // It may have been changed all the same, while it served.
  return node.to_change() ? "never out of service" : "no restart needed";
}

void PrintNodes(Terminal& terminal, const v1::Rollout& rollout, Time now) {
  const Time end = rollout.has_ended_at() ? FromProto(rollout.ended_at()) : now;
  std::vector<TableRow> rows;
  for (const v1::RolloutNode& node : rollout.nodes()) {
    const std::string refused =
        node.refused() == 0 ? "" : Count(node.refused(), "request") + " refused by its gate";
    rows.push_back({{""}, {node.node()}, {OutText(node, end)}, {refused}});
  }
  PrintTable(terminal, {}, rows);
}

void PrintOne(Terminal& terminal, const v1::Rollout& rollout, Time now) {
  PrintHead(terminal, rollout, now);
  for (const std::string& line : {Who(rollout), Downtime(rollout), rollout.remarks()}) {
    if (!line.empty()) terminal.out << Wrap(Printable(line), terminal.width, kIndent);
  }
  PrintNodes(terminal, rollout, now);
}

void Print(Terminal& terminal, const v1::ListRolloutsResponse& rollouts, Time now) {
  if (rollouts.rollouts().empty()) {
    terminal.out << "no change of this cluster was begun yet; next: connect-ha rollout status\n";
    return;
  }
  bool first = true;
  for (const v1::Rollout& rollout : rollouts.rollouts()) {
    if (!first) terminal.out << "\n";
    first = false;
    PrintOne(terminal, rollout, now);
  }
}

int Run(const Environment& environment, const Arguments& arguments, Terminal& terminal) {
  const auto limit = LimitOf(arguments, kByDefault, "connect-ha history");
  if (!limit.ok()) return Fail(terminal, limit.status());
  const auto admin = OpenCoordinator(environment, arguments);
  if (!admin.ok()) return Fail(terminal, admin.status());
  v1::ListRolloutsRequest request;
  request.set_limit(*limit);
  const auto rollouts = (*admin)->ListRollouts(request);
  if (!rollouts.ok()) return Fail(terminal, rollouts.status());
  if (IsJsonAsked(arguments)) {
    terminal.out << ToJson(*rollouts);
  } else {
    Print(terminal, *rollouts, environment.now());
  }
  return kHolds;
}

}  // namespace

Command HistoryCommand(const Environment& environment) {
  Command command = {"history", "", "Show how the cluster was changed", kDescription};
  command.options = ClientOptions(
      WithJson({{"--limit", "NUMBER", "At most this many, the newest (default 20)"}}));
  command.examples = {"connect-ha history", "connect-ha history --limit 1 --json"};
  command.run = [&environment](const Arguments& arguments, Terminal& terminal) {
    return Run(environment, arguments, terminal);
  };
  return command;
}

}  // namespace connect_ha
