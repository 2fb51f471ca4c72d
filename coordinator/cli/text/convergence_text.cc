#include "coordinator/cli/text/convergence_text.h"

#include <algorithm>
#include <cstdio>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "coordinator/cli/text/node_text.h"

namespace connect_ha {
namespace {

using C = v1::Convergence;

constexpr int kBarColumns = 10;

std::string Since(const v1::Snapshot& snapshot, const google::protobuf::Timestamp& then) {
  return FormatSpan(FromProto(snapshot.taken_at()) - FromProto(then));
}

// "[####------] 45 % of 27.1 MB"; "12.0 MB" where the size is not known; "" before the first byte.
std::string Bar(const v1::Step& step) {
  if (step.phase() != v1::Step::DOWNLOADING || step.done_bytes() == 0) return "";
  if (step.total_bytes() == 0) return FormatBytes(step.done_bytes());
  const double part = std::min(
      1.0, static_cast<double>(step.done_bytes()) / static_cast<double>(step.total_bytes()));
  const int filled = static_cast<int>(part * kBarColumns);
  return absl::StrCat("[", std::string(static_cast<size_t>(filled), '#'),
                      std::string(static_cast<size_t>(kBarColumns - filled), '-'), "] ",
                      static_cast<int>(part * 100), " % of ", FormatBytes(step.total_bytes()));
}

std::string PhaseName(const v1::Step& step) {
  return step.phase() == v1::Step::PHASE_UNSPECIFIED
             ? "at"
             : absl::AsciiStrToLower(v1::Step::Phase_Name(step.phase()));
}

// What is due besides the step's own.
std::string MoreToDo(const C& convergence) {
  if (convergence.changes_size() < 2) return "";
  return absl::StrCat("; ", convergence.changes_size() - 1, " more pending");
}

std::string Changing(const v1::Snapshot& snapshot, const C& convergence, bool moving) {
  if (!convergence.has_step()) return absl::StrCat("changing", MoreToDo(convergence));
  const v1::Step& step = convergence.step();
  std::string text = absl::StrCat(PhaseName(step), " ", step.resource());
  if (moving) {
    const std::string bar = Bar(step);
    if (!bar.empty()) absl::StrAppend(&text, " ", bar);
    if (step.has_started_at()) absl::StrAppend(&text, ", ", Since(snapshot, step.started_at()));
  }
  return text + MoreToDo(convergence);
}

std::string FirstTrouble(const C& convergence) {
  if (convergence.troubles_size() == 0) return "";
  const v1::Trouble& trouble = convergence.troubles(0);
  return absl::StrCat(trouble.resource(), ": ", trouble.error());
}

std::string Waiting(const v1::Snapshot& snapshot, const C& convergence, bool moving) {
  std::string text = "waits";
  if (moving && convergence.troubles_size() > 0 && convergence.troubles(0).has_retry_at()) {
    const auto left =
        FromProto(convergence.troubles(0).retry_at()) - FromProto(snapshot.taken_at());
    absl::StrAppend(&text, ", again in ", FormatSpan(left));
  }
  return absl::StrCat(text, ": ", FirstTrouble(convergence));
}

std::string Differs(const v1::NodeSnapshot& node) {
  std::string text =
      Count(static_cast<size_t>(node.convergence().changes_size()), "change") + " pending";
  const std::string& why = node.waits_for().empty() ? node.assigned_reason() : node.waits_for();
  return why.empty() ? text : absl::StrCat(text, ", not made: ", why);
}

// `moving`: with what only passes.
Cell Text(const v1::Snapshot& snapshot, const v1::NodeSnapshot& node, bool moving) {
  if (!IsLive(snapshot, node)) return {"not heard", Style::kDoubtful};
  if (node.odd()) {
    return {absl::StrCat("says that it goes by what nobody gave it: look at who has access to it, "
                         "then connect-ha node remove ",
                         node.name()),
            Style::kBad};
  }
  if (node.ahead()) {
    return {absl::StrCat("keeps generation ", node.reported_generation(),
                         ", which this coordinator does not know: connect-ha apply"),
            Style::kBad};
  }
  if (Refuses(snapshot, node)) {  // why is printed below
    return {absl::StrCat("REFUSES generation ", snapshot.generation()), Style::kBad};
  }
  if (node.reported_generation() != snapshot.generation()) {
    return {absl::StrCat("has not received generation ", snapshot.generation(), " yet"),
            Style::kDoubtful};
  }
  const C& convergence = node.convergence();
  switch (node.has_convergence() ? convergence.state() : C::STATE_UNSPECIFIED) {
    case C::CONVERGED:
      return {absl::StrCat("as generation ", convergence.generation(), " says"), Style::kGood};
    case C::DIFFERS:
      return {Differs(node), Style::kDoubtful};
    case C::CHANGING:
      return {Changing(snapshot, convergence, moving)};
    case C::WAITING:
      return {Waiting(snapshot, convergence, moving), Style::kDoubtful};
    case C::STUCK:  // why is printed below
      return {absl::StrCat("STUCK at ", convergence.troubles_size() > 0
                                            ? convergence.troubles(0).resource()
                                            : "an unknown place"),
              Style::kBad};
    case C::LOOKING:
      return {"looks at what is there"};
    default:
      return {"has not said yet", Style::kDoubtful};
  }
}

}  // namespace

std::string FormatBytes(uint64_t bytes) {
  constexpr double kStep = 1000;
  constexpr const char* kUnits[] = {"kB", "MB", "GB", "TB"};
  double value = static_cast<double>(bytes) / kStep;
  size_t unit = 0;
  while (value >= kStep && unit + 1 < std::size(kUnits)) {
    value /= kStep;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %s", value, kUnits[unit]);
  return text;
}

bool IsConverged(const v1::Snapshot& snapshot, const v1::NodeSnapshot& node) {
  return !node.odd() && !node.ahead() && node.reported_generation() == snapshot.generation() &&
         node.convergence().generation() == snapshot.generation() &&
         node.convergence().state() == C::CONVERGED;
}

bool Refuses(const v1::Snapshot& snapshot, const v1::NodeSnapshot& node) {
  const C& convergence = node.convergence();
  return snapshot.generation() > 0 && node.reported_generation() != snapshot.generation() &&
         convergence.generation() == snapshot.generation() && convergence.state() == C::STUCK &&
         convergence.troubles_size() > 0 && convergence.troubles(0).resource() == "specification";
}

Cell ConvergenceCell(const v1::Snapshot& snapshot, const v1::NodeSnapshot& node) {
  return Text(snapshot, node, /*moving=*/true);
}

std::string ConvergenceKey(const v1::Snapshot& snapshot, const v1::NodeSnapshot& node) {
  return Text(snapshot, node, /*moving=*/false).text;
}

void PrintTroubles(Terminal& terminal, const v1::NodeSnapshot& node) {
  constexpr int kIndent = 2;
  for (const v1::Trouble& trouble : node.convergence().troubles()) {
    terminal.out << Wrap(
        Printable(absl::StrCat(node.name(), ": ", trouble.resource(), ": ", trouble.error())),
        terminal.width);
    if (!trouble.fix().empty()) {
      terminal.out << Wrap("fix: " + Printable(trouble.fix()), terminal.width, kIndent);
    }
    for (const absl::string_view line : absl::StrSplit(trouble.log(), '\n', absl::SkipEmpty())) {
      terminal.out << Wrap("| " + Printable({line.data(), line.size()}), terminal.width, kIndent);
    }
  }
}

void PrintConvergence(Terminal& terminal, const v1::Snapshot& snapshot) {
  const auto& nodes = snapshot.nodes();
  const bool spoken_of = std::any_of(nodes.begin(), nodes.end(), [](const auto& node) {
    return node.reported_generation() > 0 || node.has_convergence();
  });
  if (!spoken_of) return;
  const auto right = std::count_if(nodes.begin(), nodes.end(),
                                   [&](const auto& node) { return IsConverged(snapshot, node); });
  terminal.out << "\nspecification: generation " << snapshot.generation()
               << (snapshot.spec().enforcement() == v1::ENFORCE ? ", enforced; " : ", observed; ")
               << right << " of " << Count(static_cast<size_t>(nodes.size()), "node")
               << " as it says\n";
  std::vector<TableRow> rows;
  for (const v1::NodeSnapshot& node : nodes) {
    rows.push_back({{node.name()}, ConvergenceCell(snapshot, node)});
  }
  PrintTable(terminal, {}, rows);
  for (const v1::NodeSnapshot& node : nodes) PrintTroubles(terminal, node);
}

}  // namespace connect_ha
