#include "coordinator/cluster/roster_text.h"

#include <chrono>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/time.h"

namespace connect_ha {
namespace {

std::string Span(int64_t us) { return FormatSpan(std::chrono::microseconds(us)); }

}  // namespace

std::string ConvergenceText(const v1::Convergence& convergence) {
  std::string text =
      absl::StrCat("generation ", convergence.generation(), ": ",
                   absl::AsciiStrToLower(v1::Convergence::State_Name(convergence.state())));
  if (convergence.troubles_size() > 0) {
    const v1::Trouble& trouble = convergence.troubles(0);
    absl::StrAppend(&text, ": ", trouble.resource(), ": ", trouble.error());
  } else if (convergence.state() == v1::Convergence::DIFFERS) {
    for (const v1::Change& change : convergence.changes()) {
      absl::StrAppend(&text, &change == &convergence.changes(0) ? ": " : ", ", change.resource());
    }
  }
  return text;
}

std::string ChangeText(const v1::ChangeMade& made) {
  const v1::Change& change = made.change();
  std::string text =
      absl::StrCat(change.resource(), ": ", change.from(), " -> ", change.to(), " (generation ",
                   made.generation(), ", in ", Span(made.duration_us()));
  if (made.download_us() > 0)
    absl::StrAppend(&text, ", of it ", Span(made.download_us()), " download");
  if (made.verify_us() > 0) {
    absl::StrAppend(&text, made.download_us() > 0 ? ", " : ", of it ", Span(made.verify_us()),
                    " verification");
  }
  return text + ")";
}

}  // namespace connect_ha
