#include "coordinator/cli/link/client.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/command/text_table.h"
#include "common/nearest.h"
#include "coordinator/cli/link/identity.h"

namespace connect_ha {
namespace {

constexpr std::chrono::seconds kRefreshLimit{30};
constexpr std::chrono::milliseconds kRefreshPoll{50};
constexpr std::chrono::seconds kWatchInterval{2};
constexpr std::chrono::seconds kDecisionLimit{10};
constexpr std::chrono::milliseconds kDecisionPoll{200};

void Complain(Terminal& terminal, const char* what,
              const google::protobuf::RepeatedPtrField<std::string>& nodes) {
  if (nodes.empty()) return;
  const std::string names = Printable(absl::StrJoin(nodes, ", "));
  terminal.error << Wrap(absl::StrCat("warning: ", what, ": ", names), terminal.width);
}

// No node is there that could look again; the answer of WaitForNodes.
bool NobodyGathers(const v1::RefreshStatusResponse& status, Terminal& terminal) {
  if (status.unreachable().empty()) {
    terminal.error << "nothing to gather, no node has joined yet; next: connect-ha token create\n";
    return true;
  }
  Complain(terminal, "no node is live, older facts are shown", status.unreachable());
  terminal.error << "fix:   on each: systemctl status connect-ha-agent\n";
  return false;
}

absl::StatusOr<bool> WaitForNodes(const Environment& environment, AdminLink& admin, uint64_t number,
                                  Terminal& terminal) {
  v1::RefreshStatusRequest request;
  request.set_number(number);
  const Time limit = environment.now() + kRefreshLimit;
  int shown = -1;
  for (;;) {
    const auto status = admin.RefreshStatus(request);
    if (!status.ok()) return status.status();
    if (status->done_size() + status->pending_size() == 0) return NobodyGathers(*status, terminal);
    if (status->done_size() != shown) {
      shown = status->done_size();
      terminal.error << "gathering: " << shown << " of "
                     << Count(static_cast<size_t>(shown) +
                                  static_cast<size_t>(status->pending_size()),
                              "node")
                     << " answered\n";
    }
    if (status->pending_size() == 0 || environment.now() >= limit ||
        !environment.wait(kRefreshPoll)) {
      Complain(terminal, "no answer within 30 s, older facts are shown", status->pending());
      Complain(terminal, "not heard, older facts are shown", status->unreachable());
      return status->pending_size() + status->unreachable_size() == 0;
    }
  }
}

int Watch(const Environment& environment, const Arguments& arguments, Terminal& terminal,
          const Rendering& render) {
  std::string shown_key;
  bool first = true;
  for (;;) {
    std::ostringstream text;
    Terminal screen{text, text, terminal.color, terminal.width, terminal.interactive};
    std::string key;
    int code = kUnknown;
    if (auto admin = OpenCoordinator(environment, arguments); admin.ok()) {
      code = render(arguments, **admin, screen, key);
    } else {
      code = Fail(screen, admin.status());
    }
    if (first && code == kUsage) {  // what is mistyped stays so
      terminal.error << text.str();
      return code;
    }
    if (key.empty()) key = text.str();  // an error
    constexpr char kClear[] = "\x1b[H\x1b[2J";
    if (terminal.interactive) {
      terminal.out << kClear << text.str() << "\nevery 2 s, Ctrl-C to stop\n" << std::flush;
    } else if (first || key != shown_key) {
      terminal.out << (first ? "" : "\n") << text.str() << std::flush;
    }
    first = false;
    shown_key = key;
    if (!environment.wait(kWatchInterval)) return code;
  }
}

int Show(const Environment& environment, const Arguments& arguments, Terminal& terminal,
         const Rendering& render) {
  const auto admin = OpenCoordinator(environment, arguments);
  if (!admin.ok()) return Fail(terminal, admin.status());
  const auto fresh = RefreshIfAsked(environment, arguments, **admin, terminal);
  if (!fresh.ok()) return Fail(terminal, fresh.status());
  if (arguments.Has("--watch")) return Watch(environment, arguments, terminal, render);
  std::string key;
  const int code = render(arguments, **admin, terminal, key);
  return code == kHolds && !*fresh ? kUnknown : code;
}

// Of a coordinator whose authority is another than that in the identity, the status says what a
// node that enrols is to do.
absl::Status ForAnAdmin(const absl::Status& status) {
  const std::string message(status.message());
  const size_t fix = message.find("; fix: take the command from connect-ha token create");
  if (fix == std::string::npos) return status;
  return absl::Status(
      status.code(),
      absl::StrCat(message.substr(0, fix), "; fix: copy the whole directory ", kCoordinatorsOwn,
                   " of that coordinator and name the copy with --identity, and if that is the "
                   "one you have: something else answers at this address"));
}

}  // namespace

std::vector<Option> ClientOptions(std::vector<Option> options) {
  options.push_back({"--identity", "DIR", "Where the admin's certificate and key are"});
  return options;
}

std::vector<Option> WithJson(std::vector<Option> options) {
  options.push_back({"--output", "FORMAT", "How to print it", "table|json"});
  options.push_back({"--json", nullptr, "As --output json"});
  return options;
}

bool IsJsonAsked(const Arguments& arguments) {
  return arguments.Has("--json") || arguments.Get("--output") == "json";
}

Option WhyOption() { return {"--why", "TEXT", "The reason, kept in the audit log"}; }

std::vector<Option> ShowOptions(const std::string& formats, std::vector<Option> options) {
  options.push_back({"--refresh", nullptr, "Have every node look again first"});
  options.push_back({"--watch", nullptr, "Keep it up to date, until Ctrl-C"});
  options.push_back({"--output", "FORMAT", "How to print it", formats});
  return ClientOptions(std::move(options));
}

absl::StatusOr<std::unique_ptr<AdminLink>> OpenCoordinator(const Environment& environment,
                                                           const Arguments& arguments) {
  const auto dir = FindIdentity(arguments.Get("--identity"), environment.variable);
  if (!dir.ok()) return dir.status();
  return environment.open(*dir);
}

int Fail(Terminal& terminal, const absl::Status& status) {
  PrintError(terminal, ForAnAdmin(status));
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
      return kUsage;
    default:
      return kUnknown;
  }
}

absl::Status CheckNodes(const v1::Snapshot& snapshot, const std::vector<std::string>& names) {
  std::vector<std::string> known;
  for (const v1::NodeSnapshot& node : snapshot.nodes()) known.push_back(node.name());
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const std::string nearest = Nearest(name, known);
    return absl::NotFoundError(
        absl::StrCat("no node \"", name, "\"", nearest.empty() ? "" : "; did you mean \"", nearest,
                     nearest.empty() ? "" : "\"?", "; fix: to see them all: connect-ha nodes"));
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::Snapshot> GetStates(AdminLink& admin) {
  v1::GetSnapshotRequest request;
  request.set_without_facts(true);
  return admin.GetSnapshot(request);
}

absl::StatusOr<v1::GetPlanResponse> DecidedPlan(const Environment& environment, AdminLink& admin) {
  const Time limit = environment.now() + kDecisionLimit;
  for (;;) {
    auto plan = admin.GetPlan({});
    if (!plan.ok() || plan->has_decided_at()) return plan;
    if (environment.now() < limit && environment.wait(kDecisionPoll)) continue;
    return absl::UnavailableError(
        "the coordinator has just started, and has decided nothing yet; fix: the same again in a "
        "moment; connect-ha plan");
  }
}

absl::StatusOr<bool> RefreshIfAsked(const Environment& environment, const Arguments& arguments,
                                    AdminLink& admin, Terminal& terminal) {
  if (!arguments.Has("--refresh")) return true;
  const auto refresh = admin.Refresh({});
  if (!refresh.ok()) return refresh.status();
  return WaitForNodes(environment, admin, refresh->number(), terminal);
}

std::function<int(const Arguments&, Terminal&)> Showing(const Environment& environment,
                                                        Rendering render) {
  return
      [&environment, render = std::move(render)](const Arguments& arguments, Terminal& terminal) {
        return Show(environment, arguments, terminal, render);
      };
}

}  // namespace connect_ha
