#include "coordinator/cli/apply/proposal.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/command/text_table.h"
#include "common/spec/spec_bundle.h"
#include "common/text/shell_word.h"
#include "coordinator/cli/text/preview_text.h"

namespace connect_ha {
namespace {

constexpr char kDefaultSpec[] = "/etc/connect-ha/cluster.yaml";
// A node looks at every file that it would change before it answers.
constexpr std::chrono::seconds kPreviewLimit{60};
constexpr std::chrono::milliseconds kPreviewPoll{200};

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

}  // namespace

bool ReadProposal(const std::string& command, const Arguments& arguments, Terminal& terminal,
                  Proposal& proposal) {
  const std::string path = arguments.positional.empty() ? kDefaultSpec : arguments.positional[0];
  proposal.command = absl::StrCat("connect-ha ", command, " ", ShellWord(path));
  const std::vector<ConfigProblem> problems = LoadSpecBundle(path, proposal.bundle);
  terminal.error << FormatProblems(problems);
  if (!HasErrors(problems)) return true;
  PrintError(terminal, absl::InvalidArgumentError(absl::StrCat(
                           path, " is invalid; fix: correct it, then: ", proposal.command)));
  return false;
}

absl::StatusOr<v1::GetPreviewsResponse> AskNodes(const Environment& environment, AdminLink& admin,
                                                 const Proposal& proposal, Terminal& terminal) {
  const auto asked = admin.PreviewSpec(RequestFor<v1::PreviewSpecRequest>(proposal));
  if (!asked.ok()) return asked.status();
  return WaitForPreviews(environment, admin, asked->number(), terminal);
}

void ShowPreviews(const Proposal& proposal, const v1::GetPreviewsResponse& previews,
                  Terminal& terminal) {
  if (previews.nodes().empty()) {
    terminal.out << "no node has joined yet; next: connect-ha token create\n";
  }
  PrintPreviews(terminal, previews);
  if (proposal.bundle.spec().enforcement() == v1::ENFORCE) {
    return PrintOutlook(terminal, previews.outlook());
  }
  terminal.out << Wrap(
      "This specification only observes: nothing of this is changed, connect-ha only shows what "
      "differs. To have it changed, set enforcement: enforce.",
      terminal.width);
}

}  // namespace connect_ha
