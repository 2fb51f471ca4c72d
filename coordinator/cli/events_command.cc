#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/command/checklist_result.h"
#include "common/command/json.h"
#include "coordinator/cli/commands.h"
#include "coordinator/cli/link/client.h"
#include "coordinator/cli/text/number.h"

namespace connect_ha {
namespace {

constexpr char kDescription[] =
    R"(Prints the cluster's history, oldest first: results of the checklist that changed, nodes that joined, went away and came back, specifications, changes of the cluster with each phase and what held them up, what was changed on nodes, what each was told to be and by whose word, what the plan said loudly, tokens, and callers that were refused. What people did is in connect-ha audit, too, which nothing that a node sends can push out. With --follow it keeps printing until Ctrl-C, also across a restart of the coordinator. The json format is one object, or with --follow one object a line.)";

constexpr std::chrono::seconds kFollowInterval{1};
constexpr uint32_t kFollowLimit = 10000;  // events in one interval, beyond what a cluster makes

std::string What(const v1::Event& event) {
  std::string what;
  if (event.kind() == v1::Event::FINDING_CHANGED) {
    const auto name = [](v1::Outcome outcome) {
      return outcome == v1::OUTCOME_UNSPECIFIED ? std::string("new") : OutcomeCell(outcome).text;
    };
    what = absl::StrCat(event.rule(), ": ", name(event.from()), " -> ", name(event.to()));
  } else {
    what = absl::StrReplaceAll(absl::AsciiStrToLower(v1::Event::Kind_Name(event.kind())),
                               {{"_", " "}});
  }
  if (!event.text().empty()) absl::StrAppend(&what, ": ", event.text());
  if (!event.actor().empty()) absl::StrAppend(&what, " (", event.actor(), ")");
  return what;
}

Style StyleOf(const v1::Event& event) {
  switch (event.kind()) {
    case v1::Event::FINDING_CHANGED:
      return OutcomeCell(event.to()).style;
    case v1::Event::NODE_LOST:
    case v1::Event::NODE_CONFLICT:
    case v1::Event::NODE_ORDERS_ODD:
    case v1::Event::PREFLIGHT_OVERRIDDEN:
    case v1::Event::PLAN_REFUSED:
    case v1::Event::PLAN_SAID:
    case v1::Event::REFUSED:
      return Style::kBad;
    default:
      return Style::kPlain;
  }
}

void PrintEvents(Terminal& terminal, const v1::ListEventsResponse& events, bool json) {
  constexpr int kTimeWidth = 20;
  constexpr int kNodeWidth = 12;
  constexpr int kGaps = 4;
  const std::vector<int> widths = {kTimeWidth, kNodeWidth,
                                   std::max(terminal.width - kTimeWidth - kNodeWidth - kGaps, 20)};
  for (const v1::Event& event : events.events()) {
    if (json) {
      terminal.out << ToJsonLine(event);
    } else {
      PrintRow(terminal,
               {{FormatUtc(FromProto(event.at()))},
                {event.node().empty() ? "-" : event.node()},
                {What(event), StyleOf(event)}},
               widths);
    }
  }
  terminal.out << std::flush;
}

absl::StatusOr<v1::ListEventsRequest> Request(const Arguments& arguments) {
  v1::ListEventsRequest request;
  request.set_node(arguments.Get("--node"));
  request.set_rule(arguments.Get("--rule"));
  const auto limit = LimitOf(arguments, 0, "connect-ha events");
  if (!limit.ok()) return limit.status();
  request.set_limit(*limit);
  return request;
}

// Ends only when told to.
int Follow(const Environment& environment, const Arguments& arguments, Terminal& terminal,
           v1::ListEventsRequest request) {
  const bool json = arguments.Get("--output") == "json";
  bool answered = true;
  while (environment.wait(kFollowInterval)) {
    const auto admin = OpenCoordinator(environment, arguments);
    const auto events = admin.ok() ? (*admin)->ListEvents(request)
                                   : absl::StatusOr<v1::ListEventsResponse>(admin.status());
    if (!events.ok()) {
      if (answered) PrintError(terminal, events.status());
      answered = false;
      continue;
    }
    if (!answered) terminal.error << "the coordinator answers again\n";
    answered = true;
    PrintEvents(terminal, *events, json);
    for (const v1::Event& event : events->events()) request.set_after_id(event.id());
  }
  return answered ? kHolds : kUnknown;
}

int Run(const Environment& environment, const Arguments& arguments, Terminal& terminal) {
  auto request = Request(arguments);
  if (!request.ok()) return Fail(terminal, request.status());
  const auto admin = OpenCoordinator(environment, arguments);
  if (!admin.ok()) return Fail(terminal, admin.status());
  if (arguments.Has("--node")) {
    const auto states = GetStates(**admin);
    if (!states.ok()) return Fail(terminal, states.status());
    if (const absl::Status known = CheckNodes(*states, {request->node()}); !known.ok()) {
      return Fail(terminal, known);
    }
  }
  const auto events = (*admin)->ListEvents(*request);
  if (!events.ok()) return Fail(terminal, events.status());
  const bool follow = arguments.Has("--follow");
  const bool json = arguments.Get("--output") == "json";
  if (json && !follow) {
    terminal.out << ToJson(*events);
  } else {
    PrintEvents(terminal, *events, json);
  }
  if (!follow) {
    if (!json && events->events().empty()) terminal.out << "no such event is recorded\n";
    return kHolds;
  }
  for (const v1::Event& event : events->events()) request->set_after_id(event.id());
  request->set_limit(kFollowLimit);
  return Follow(environment, arguments, terminal, *request);
}

}  // namespace

Command EventsCommand(const Environment& environment) {
  Command command = {"events", "", "Show the cluster's history", kDescription};
  command.options =
      ClientOptions({{"--follow", nullptr, "Keep printing, until Ctrl-C"},
                     {"--limit", "NUMBER", "At most this many, the newest (default 100)"},
                     {"--node", "NODE", "Only this node's"},
                     {"--rule", "RULE", "Only this item's", RuleIds()},
                     {"--output", "FORMAT", "How to print it", "table|json"}});
  command.examples = {"connect-ha events --limit 20", "connect-ha events --follow --node node-2"};
  command.run = [&environment](const Arguments& arguments, Terminal& terminal) {
    return Run(environment, arguments, terminal);
  };
  return command;
}

}  // namespace connect_ha
