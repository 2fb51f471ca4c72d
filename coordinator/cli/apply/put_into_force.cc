#include "coordinator/cli/apply/put_into_force.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/command/text_table.h"
#include "coordinator/cli/apply/follow.h"
#include "coordinator/cli/apply/sign.h"
#include "coordinator/cli/link/client.h"
#include "coordinator/cli/rollout/rollout_text.h"
#include "coordinator/cli/text/duration.h"
#include "coordinator/cli/text/preview_text.h"

namespace connect_ha {
namespace {

constexpr std::chrono::seconds kFollowLimit{3600};

bool IsSame(const v1::SpecBundle& a, const v1::SpecBundle& b) {
  return a.source() == b.source() && a.has_connect_config() == b.has_connect_config() &&
         a.connect_config() == b.connect_config() && a.has_license() == b.has_license() &&
         a.license() == b.license() && a.signed_spec().public_key() == b.signed_spec().public_key();
}

// What a coordinator says that it did, where it can be. A signed specification is worth nothing
// under another number.
absl::Status CheckApplied(const Proposal& proposal, uint64_t before, uint64_t applied) {
  const std::string look = "; fix: connect-ha spec history";
  if (applied <= before) {
    return absl::InternalError(absl::StrCat("the coordinator answered with generation ", applied,
                                            ", which is not above ", before,
                                            ": nothing new is in force", look));
  }
  if (!proposal.bundle.has_signed_spec()) return absl::OkStatus();
  const absl::StatusOr<v1::SpecToSign> is_signed = OpenSignedSpec(proposal.bundle.signed_spec());
  if (is_signed.ok() && is_signed->generation() == applied) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("the coordinator gave it generation ", applied,
                                          ", which is not what was signed: nodes that trust "
                                          "signers refuse it",
                                          look));
}

// What is enforced is a change of the cluster, where the coordinator says so: it need not begin at
// once.
const v1::Outlook& OutlookOf(const Proposal& proposal, const v1::GetPreviewsResponse& previews) {
  const bool enforced = proposal.bundle.spec().enforcement() == v1::ENFORCE;
  return enforced ? previews.outlook() : v1::Outlook::default_instance();
}

// What the maintenance window lets begin waits for nobody's word.
std::string When(const v1::Outlook& outlook) {
  if (outlook.needs().empty() || WaitsOnTheWay(outlook)) return "";
  const bool is_awaited = absl::StartsWith(outlook.needs(), "the maintenance window");
  return is_awaited ? " in the maintenance window" : " once it is approved";
}

std::string Question(const Proposal& proposal, const v1::GetPreviewsResponse& previews) {
  const PreviewCounts counts = CountPreviews(previews);
  const bool enforced = proposal.bundle.spec().enforcement() == v1::ENFORCE;
  std::string question = proposal.generation > 0
                             ? absl::StrCat("Go back to generation ", proposal.generation)
                             : std::string("Apply it");
  if (enforced) absl::StrAppend(&question, " and change ", Count(counts.changing, "node"));
  absl::StrAppend(&question, When(OutlookOf(proposal, previews)));
  if (counts.unknown > 0) {
    absl::StrAppend(&question, " (", Count(counts.unknown, "node"), " did not answer)");
  }
  return question + "?";
}

// It is not in force yet: nodes get ready for it, or it waits.
bool IsToCome(AdminLink& admin, uint64_t generation) {
  const auto plan = admin.GetPlan({});
  if (!plan.ok()) return false;  // of an older release, where what is applied is in force
  const uint64_t in_force = plan->decision().remember().generation();
  return in_force != 0 && in_force < generation;
}

std::string ToComeText(const v1::Outlook& outlook, uint64_t generation) {
  const std::string applied = absl::StrCat("generation ", generation, " is applied; ");
  if (outlook.needs().empty()) return applied + "how far it is: connect-ha rollout status";
  const std::string before = applied + BeforeWhat(outlook);
  if (!absl::StartsWith(outlook.needs(), "connect-ha approve")) return before + NeedsText(outlook);
  const bool now = absl::EndsWith(outlook.needs(), " --now");
  return absl::StrCat(before, ApproveCommand(generation), now ? " --now" : "",
                      WaitsOnTheWay(outlook) ? " --allow-downtime" : "");
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

// After `generation`, which becomes the new one's. kHolds: it is applied.
int AgreeAndApply(const Environment& environment, const Arguments& arguments, Terminal& terminal,
                  AdminLink& admin, const Proposal& proposal, uint64_t& generation) {
  const auto previews = AskNodes(environment, admin, proposal, terminal);
  if (!previews.ok()) return Fail(terminal, previews.status());
  ShowPreviews(proposal, *previews, terminal);
  const v1::Outlook& outlook = OutlookOf(proposal, *previews);
  if (!outlook.refused().empty()) {
    terminal.error << "nothing was changed\n";
    return kUsage;
  }
  if (!arguments.Has("--yes")) {
    const auto confirmed =
        Confirmed(environment, terminal, Question(proposal, *previews), proposal.command);
    if (!confirmed.ok()) return Fail(terminal, confirmed.status());
    if (!*confirmed) {
      terminal.error << "nothing was changed\n";
      return kFails;
    }
  }
  auto request = RequestFor<v1::ApplySpecRequest>(proposal);
  request.set_newest_generation(generation);
  request.set_why(arguments.Get("--why"));
  const auto applied = admin.ApplySpec(request);
  if (!applied.ok()) return Refused(terminal, applied.status(), proposal);
  const absl::Status in_force = CheckApplied(proposal, generation, applied->generation());
  if (!in_force.ok()) return Fail(terminal, in_force);
  generation = applied->generation();
  if (IsToCome(admin, generation)) {
    terminal.out << Wrap(Printable(ToComeText(outlook, generation)), terminal.width);
  } else {
    terminal.out << "generation " << generation << " is in force\n";
  }
  return kHolds;
}

bool IsFilledInAnew(const v1::NodeSnapshot& node) {
  const auto& changes = node.convergence().changes();
  return std::any_of(changes.begin(), changes.end(),
                     [](const v1::Change& change) { return change.filled_in_anew(); });
}

// What differs there takes a stop of all nodes (a secret that they have in common, say), and is of
// no change that is under way: it is made as part of one.
bool TakesAChange(const v1::Snapshot& snapshot, const v1::GetPlanResponse& plan) {
  if (IsChange(plan.decision().rollout())) return false;
  return std::any_of(
      snapshot.nodes().begin(), snapshot.nodes().end(), [&snapshot](const v1::NodeSnapshot& node) {
        return IsFilledInAnew(node) || (node.convergence().generation() == snapshot.generation() &&
                                        node.convergence().needs() == v1::Change::TOGETHER);
      });
}

// It is in force or on its way, no node keeps another that the coordinator does not know, and the
// plan waits for no newer one: where a store is an older copy, or a change was given up, or nodes
// differ in what all have to stop for, that something is applied has the nodes moved again.
absl::StatusOr<bool> HoldsAlready(AdminLink& admin, const v1::SpecBundle& newest,
                                  const v1::SpecBundle& proposed) {
  if (!IsSame(newest, proposed)) return false;
  const auto snapshot = GetStates(admin);
  if (!snapshot.ok()) return snapshot.status();
  const auto plan = admin.GetPlan({});  // fails where the coordinator is older than it
  if (plan.ok() && plan->decision().remember().has_restored_at()) return false;
  if (plan.ok() && NewestOf(plan->decision().rollout()).phase() == v1::RolloutStatus::ABORTED) {
    return false;
  }
  if (plan.ok() && TakesAChange(*snapshot, *plan)) return false;
  return std::none_of(snapshot->nodes().begin(), snapshot->nodes().end(),
                      [](const v1::NodeSnapshot& node) { return node.ahead(); });
}

}  // namespace

std::vector<Option> PutIntoForceOptions() {
  return ClientOptions(
      {{"--sign", "FILE", "Sign it with this key (connect-ha key create)"},
       {"--yes", nullptr, "Do not ask"},
       {"--wait", nullptr,
        "Wait until the nodes are as it says and serve, and show how far they are"},
       {"--timeout", "DURATION", "Wait no longer than this (default 1h)"},
       WhyOption()});
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
                 Proposal proposal) {
  const auto limit = Limit(arguments);
  if (!limit.ok()) return Fail(terminal, limit.status());
  absl::StatusOr<SigningKey> key = SigningKey();
  if (arguments.Has("--sign")) {
    key = ReadSigningKey(arguments.Get("--sign"));
    absl::StrAppend(&proposal.command, " --sign ", arguments.Get("--sign"));
  }
  if (!key.ok()) return Fail(terminal, key.status());
  const auto admin = OpenCoordinator(environment, arguments);
  if (!admin.ok()) return Fail(terminal, admin.status());
  const auto newest = (*admin)->GetSpec({});
  if (!newest.ok() && !absl::IsNotFound(newest.status())) return Fail(terminal, newest.status());
  uint64_t generation = newest.ok() ? newest->generation() : 0;
  if (arguments.Has("--sign")) {
    const absl::Status is_signed = SignProposal(*key, **admin, generation, proposal);
    if (!is_signed.ok()) return Fail(terminal, is_signed);
  }
  absl::StatusOr<bool> holds = false;
  if (newest.ok()) holds = HoldsAlready(**admin, newest->bundle(), proposal.bundle);
  if (!holds.ok()) return Fail(terminal, holds.status());
  if (*holds) {
    terminal.out << "nothing to apply: generation " << generation << " already says this\n";
  } else {
    const int code = AgreeAndApply(environment, arguments, terminal, **admin, proposal, generation);
    if (code != kHolds) return code;
  }
  if (!arguments.Has("--wait")) return kHolds;
  return FollowConvergence(environment, arguments, terminal, generation, *limit);
}

}  // namespace connect_ha
