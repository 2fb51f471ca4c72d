#include "coordinator/plan/states.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace connect_ha {
namespace {

using v1::DRAINING;
using v1::FENCED;
using v1::OBSERVED;
using v1::PREPARING;
using v1::READY;
using v1::SERVING;
using v1::STOPPED;

constexpr char kNoSpec[] =
    "the specification only observes, the node was released or allows no more";
constexpr char kHand[] = "somebody started Connect there";

}  // namespace

const std::vector<StateRow>& States() {
  static const auto& rows = *new std::vector<StateRow>{
      {OBSERVED, "observed", "nothing is changed", "as it is", "200 while Connect answers",
       "the coordinator: it runs what the specification says (adoption), or Connect rests there; a "
       "person"},
      {PREPARING, "preparing", "is brought to the specification", "stopped, masked", "503",
       "the coordinator: everything is as the specification says"},
      {READY, "ready", "all that can be checked before a start passes", "stopped, masked", "503",
       "the coordinator: every rule that would hold it passes, and nobody keeps it from service"},
      {SERVING, "serving", "takes traffic", "unmasked, enabled, active",
       "200 while Connect answers and no rule that closes fails there; 503 after a start, until it "
       "was looked at",
       "a person; EC2; the coordinator, while others serve: a rule that acts fails there, Connect "
       "does not start, or its turn in a change has come"},
      {DRAINING, "draining", "takes no new sessions", "as it is", "503",
       "the coordinator: the drain's time is over, or what was wrong has been right for a while; a "
       "person"},
      {STOPPED, "stopped", "is held", "stopped, masked", "503",
       "a person; the coordinator, where it waits for other nodes in a change"},
      {FENCED, "fenced", "Connect would harm data", "stopped, masked", "503",
       "the coordinator: what was wrong has been right for a while; an admin"},
  };
  return rows;
}

const StateRow* FindState(v1::NodeState state) {
  for (const StateRow& row : States()) {
    if (row.state == state) return &row;
  }
  return nullptr;
}

const std::vector<Way>& Ways() {
  static const auto& ways = *new std::vector<Way>{
      {OBSERVED, PREPARING, "Connect rests, and the specification is enforced"},
      {OBSERVED, READY, "the same, and it is as the specification says"},
      {OBSERVED, SERVING, "adoption: it runs what the specification says"},
      {OBSERVED, DRAINING, "drain, stop; its turn in a change has come"},
      {OBSERVED, STOPPED, "stop, and Connect rests; stop --now; all nodes stop for a change"},
      {OBSERVED, FENCED, "fence"},
      {PREPARING, OBSERVED, kNoSpec},
      {PREPARING, READY, "everything is as the specification says"},
      {PREPARING, STOPPED, "stop; all nodes stop for a change"},
      {PREPARING, FENCED, "fence"},
      {READY, OBSERVED, kHand},
      {READY, PREPARING, "something differs from the specification"},
      {READY, SERVING, "every rule that would hold it passes"},
      {READY, STOPPED, "stop; all nodes stop for a change"},
      {READY, FENCED, "fence"},
      {SERVING, OBSERVED, kNoSpec},
      {SERVING, PREPARING,
       "Connect rests and does not start, or its gate was not opened yet, and something differs; "
       "it "
       "allows no more than to install; it was declared gone, and is back"},
      {SERVING, READY, "drain --now; it was declared gone, and is back"},
      {SERVING, DRAINING,
       "drain, stop; EC2's notice; a rule that closes or holds; its turn in a change has come"},
      {SERVING, STOPPED,
       "stop --now; Connect does not start; it is older than what may have migrated the database"},
      {SERVING, FENCED, "fence; a rule that fences"},
      {DRAINING, OBSERVED, kNoSpec},
      {DRAINING, PREPARING, "drained, and something differs from the specification"},
      {DRAINING, READY, "drained"},
      {DRAINING, SERVING, "uncordon, start; what was wrong is right again; too few others serve"},
      {DRAINING, STOPPED,
       "drained, to be stopped; all nodes stop for a change; Connect does not stay up"},
      {DRAINING, FENCED, "fence; a rule that fences"},
      {STOPPED, OBSERVED, kNoSpec},
      {STOPPED, PREPARING, "start; its turn in a change has come"},
      {STOPPED, READY, "the same, and it is as the specification says"},
      {STOPPED, FENCED, "fence"},
      {FENCED, OBSERVED, kNoSpec},
      {FENCED, PREPARING, "what was wrong is right again; unfence"},
      {FENCED, READY, "the same, and it is as the specification says"},
      {FENCED, STOPPED, "unfence, where it is to be stopped; all nodes stop for a change"},
  };
  return ways;
}

bool IsWay(v1::NodeState from, v1::NodeState to) {
  if (from == to) return FindState(from) != nullptr;
  return std::any_of(Ways().begin(), Ways().end(),
                     [&](const Way& way) { return way.from == from && way.to == to; });
}

std::string StatesMarkdown() {
  std::string text =
      "| state | meaning | Connect's unit | gate | who may end it, and when |\n"
      "|---|---|---|---|---|\n";
  for (const StateRow& row : States()) {
    absl::StrAppend(&text, "| ", row.name, " | ", row.meaning, " | ", row.unit, " | ", row.gate,
                    " | ", row.leaves, " |\n");
  }
  return text;
}

std::string StatesDot() {
  std::string text = "digraph states {\n";
  for (const Way& way : Ways()) {
    absl::StrAppend(&text, "  ", FindState(way.from)->name, " -> ", FindState(way.to)->name,
                    " [label=\"", way.when, "\"];\n");
  }
  return text + "}\n";
}

}  // namespace connect_ha
