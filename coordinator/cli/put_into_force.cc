#include "coordinator/cli/put_into_force.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/command/text_table.h"
#include "coordinator/cli/follow.h"
#include "coordinator/cli/link/client.h"
#include "coordinator/cli/text/duration.h"
#include "coordinator/cli/text/preview_text.h"

namespace connect_ha {
namespace {

// A node looks at every file that it would change before it answers.
constexpr std::chrono::seconds kPreviewLimit{60};
constexpr std::chrono::milliseconds kPreviewPoll{200};
constexpr std::chrono::seconds kFollowLimit{3600};

bool IsSame(const v1::SpecBundle& a, const v1::SpecBundle& b) {
  return a.source() == b.source() && a.has_connect_config() == b.has_connect_config() &&
         a.connect_config() == b.connect_config() && a.has_license() == b.has_license() &&
         a.license() == b.license();
}

template <typename Request>
Request RequestFor(const Proposal& proposal) {
  Request request;
  if (proposal.generation > 0) {
    request.set_generation(proposal.generation);
  } else {
    *request.mutable_bundle() = proposal.bundle;
  }
  return request;
}

absl::StatusOr<v1::GetPreviewsResponse> WaitForPreviews(const Environment& environment,
                                                        AdminLink& admin, uint64_t number,
                                                        Terminal& terminal) {
  v1::GetPreviewsRequest request;
  request.set_number(number);
  const Time limit = environment.now() + kPreviewLimit;
  int64_t shown = -1;
  for (;;) {
    auto previews = admin.GetPreviews(request);
    if (!previews.ok()) return previews.status();
    const auto& nodes = previews->nodes();
    const auto answered = std::count_if(nodes.begin(), nodes.end(),
                                        [](const auto& node) { return node.has_preview(); });
    const auto awaited = std::count_if(nodes.begin(), nodes.end(), [](const auto& node) {
      return node.has_preview() || !node.unreachable();
    });
    if (answered != shown && awaited > 0) {
      terminal.error << "preview: " << answered << " of "
                     << Count(static_cast<size_t>(awaited), "node") << " answered\n";
    }
    shown = answered;
    if (answered == awaited || environment.now() >= limit || !environment.wait(kPreviewPoll)) {
      return previews;
    }
  }
}

// What the nodes said; shown.
absl::StatusOr<v1::GetPreviewsResponse> ShowPreview(const Environment& environment,
                                                    AdminLink& admin, const Proposal& proposal,
                                                    Terminal& terminal) {
  const auto previewed = admin.PreviewSpec(RequestFor<v1::PreviewSpecRequest>(proposal));
  if (!previewed.ok()) return previewed.status();
  auto previews = WaitForPreviews(environment, admin, previewed->number(), terminal);
  if (!previews.ok()) return previews.status();
  if (previews->nodes().empty()) {
    terminal.out << "no node has joined yet; next: connect-ha token create\n";
  }
  PrintPreviews(terminal, *previews);
  if (proposal.bundle.spec().enforcement() != v1::ENFORCE) {
    terminal.out << Wrap(
        "The specification only observes: nothing of this is changed, it is shown as what differs "
        "(enforcement: enforce changes it).",
        terminal.width);
  }
  return previews;
}

std::string Question(const Proposal& proposal, const PreviewCounts& counts) {
  const bool enforced = proposal.bundle.spec().enforcement() == v1::ENFORCE;
  std::string question = proposal.generation > 0
                             ? absl::StrCat("Take up generation ", proposal.generation, " again")
                             : std::string("Apply it");
  if (enforced) absl::StrAppend(&question, " and change ", Count(counts.changing, "node"));
  if (counts.unknown > 0) {
    absl::StrAppend(&question, enforced ? ", and " : " (", Count(counts.unknown, "node"),
                    " of which it is not known", enforced ? "" : ")");
  }
  return question + "?";
}

int Refused(Terminal& terminal, const absl::Status& status, const Proposal& proposal) {
  if (!absl::IsAborted(status)) return Fail(terminal, status);
  PrintError(terminal,
             absl::AbortedError(absl::StrCat(
                 std::string(status.message()),
                 "; fix: look at it (connect-ha spec history), then: ", proposal.command)));
  return kFails;
}

absl::StatusOr<std::chrono::seconds> Limit(const Arguments& arguments) {
  if (!arguments.Has("--timeout")) return kFollowLimit;
  return ParseDuration(arguments.Get("--timeout"));
}

// After `generation`, which becomes the new one's. kHolds: it is in force.
int AgreeAndApply(const Environment& environment, const Arguments& arguments, Terminal& terminal,
                  AdminLink& admin, const Proposal& proposal, uint64_t& generation) {
  const auto previews = ShowPreview(environment, admin, proposal, terminal);
  if (!previews.ok()) return Fail(terminal, previews.status());
  if (!arguments.Has("--yes")) {
    const auto confirmed = Confirmed(
        environment, terminal, Question(proposal, CountPreviews(*previews)), proposal.command);
    if (!confirmed.ok()) return Fail(terminal, confirmed.status());
    if (!*confirmed) {
      terminal.error << "nothing is changed\n";
      return kFails;
    }
  }
  auto request = RequestFor<v1::ApplySpecRequest>(proposal);
  request.set_newest_generation(generation);
  const auto applied = admin.ApplySpec(request);
  if (!applied.ok()) return Refused(terminal, applied.status(), proposal);
  generation = applied->generation();
  terminal.out << "generation " << generation << " is in force\n";
  return kHolds;
}

// It is in force, and no node keeps another that the coordinator does not know.
absl::StatusOr<bool> HoldsAlready(AdminLink& admin, const v1::SpecBundle& newest,
                                  const v1::SpecBundle& proposed) {
  if (!IsSame(newest, proposed)) return false;
  const auto snapshot = GetStates(admin);
  if (!snapshot.ok()) return snapshot.status();
  return std::none_of(snapshot->nodes().begin(), snapshot->nodes().end(),
                      [](const v1::NodeSnapshot& node) { return node.ahead(); });
}

}  // namespace

std::vector<Option> PutIntoForceOptions() {
  return ClientOptions({{"--yes", nullptr, "Do not ask"},
                        {"--wait", nullptr, "Follow the nodes until they are as it says"},
                        {"--timeout", "DURATION", "Follow them so long (default 1h)"}});
}

absl::StatusOr<bool> Confirmed(const Environment& environment, Terminal& terminal,
                               const std::string& question, const std::string& command) {
  if (!environment.in_is_terminal) {
    return absl::InvalidArgumentError(
        absl::StrCat("there is no terminal to ask on; fix: ", command, " --yes"));
  }
  terminal.error << question << " [y/N] " << std::flush;
  std::string answer;
  std::getline(environment.in, answer);
  answer = absl::AsciiStrToLower(answer);
  return answer == "y" || answer == "yes";
}

int PutIntoForce(const Environment& environment, const Arguments& arguments, Terminal& terminal,
                 const Proposal& proposal) {
  const auto limit = Limit(arguments);
  if (!limit.ok()) return Fail(terminal, limit.status());
  const auto admin = OpenCoordinator(environment, arguments);
  if (!admin.ok()) return Fail(terminal, admin.status());
  const auto newest = (*admin)->GetSpec({});
  if (!newest.ok() && !absl::IsNotFound(newest.status())) return Fail(terminal, newest.status());
  uint64_t generation = newest.ok() ? newest->generation() : 0;
  absl::StatusOr<bool> holds = false;
  if (newest.ok()) holds = HoldsAlready(**admin, newest->bundle(), proposal.bundle);
  if (!holds.ok()) return Fail(terminal, holds.status());
  if (*holds) {
    terminal.out << "generation " << generation << " says this already\n";
  } else {
    const int code = AgreeAndApply(environment, arguments, terminal, **admin, proposal, generation);
    if (code != kHolds) return code;
  }
  if (!arguments.Has("--wait")) return kHolds;
  return FollowConvergence(environment, arguments, terminal, generation, *limit);
}

}  // namespace connect_ha
