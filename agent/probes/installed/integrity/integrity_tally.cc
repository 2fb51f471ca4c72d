#include "agent/probes/installed/integrity/integrity_tally.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace connect_ha {
namespace {

constexpr int kMostExamples = 20;

}  // namespace

void IntegrityTally::Add(const std::string& fault, const std::string& path) {
  integrity_.set_files_checked(integrity_.files_checked() + 1);
  if (fault.empty()) return;
  if (fault == "explained") {
    integrity_.set_files_explained(integrity_.files_explained() + 1);
    return;
  }
  if (fault == "missing") {
    integrity_.set_files_missing(integrity_.files_missing() + 1);
  } else {
    integrity_.set_files_changed(integrity_.files_changed() + 1);
  }
  integrity_.add_examples(absl::StrCat(fault, " ", path));
}

v1::Integrity IntegrityTally::Finish(Time checked_at) {
  auto& examples = *integrity_.mutable_examples();
  std::sort(examples.begin(), examples.end());
  while (examples.size() > kMostExamples) examples.RemoveLast();
  *integrity_.mutable_checked_at() = ToProto(checked_at);
  return integrity_;
}

}  // namespace connect_ha
