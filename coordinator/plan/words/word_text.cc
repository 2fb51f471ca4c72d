// What a person said, in words.
#include "absl/strings/str_cat.h"
#include "coordinator/plan/words/words.h"

namespace connect_ha {
namespace {

const char* VerbOf(v1::Word::Kind kind) {
  switch (kind) {
    case v1::Word::CORDON:
      return "cordoned";
    case v1::Word::DRAIN:
      return "drained";
    case v1::Word::STOP:
      return "stopped";
    case v1::Word::FENCE:
      return "fenced";
    case v1::Word::UNFENCE:
      return "unfenced";
    case v1::Word::START:
      return "started";
    case v1::Word::WAIVE:
      return "waived";
    case v1::Word::RELEASE:
      return "released";
    case v1::Word::GONE:
      return "declared gone";
    case v1::Word::APPROVE:
      return "approved";
    case v1::Word::PAUSE:
      return "paused";
    case v1::Word::ABORT:
      return "aborted";
    case v1::Word::RESTORED:
      return "the database declared put back";
    default:
      return "said";
  }
}

}  // namespace

std::string SaidBy(const v1::Word& word) {
  return absl::StrCat(VerbOf(word.kind()), " by ", word.by(), ": ", word.reason());
}

}  // namespace connect_ha
