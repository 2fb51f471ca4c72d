#include "coordinator/plan/next/pinned.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/version.h"

namespace connect_ha {
namespace {

using RuntimeList = google::protobuf::RepeatedPtrField<v1::RuntimeSpec>;

struct Language {
  const char* key;   // as of PinnedRuntime
  const char* name;  // for a person
  const RuntimeList& before;
  const RuntimeList& after;
};

bool HasVersion(const RuntimeList& list, const std::string& version) {
  return std::any_of(list.begin(), list.end(), [&version](const v1::RuntimeSpec& runtime) {
    return SameVersion(runtime.version(), version);
  });
}

uint64_t PinnedTo(const v1::PlanInput& input, const Language& language,
                  const std::string& version) {
  uint64_t items = 0;
  for (const v1::PinnedRuntime& pinned : input.pinned()) {
    if (pinned.runtime() == language.key && SameVersion(pinned.version(), version)) {
      items += pinned.items();
    }
  }
  return items;
}

}  // namespace

void LookAtPinned(const v1::PlanInput& input, NextKind& next) {
  const v1::RuntimesSpec& before = input.spec().runtimes();
  const v1::RuntimesSpec& after = input.next().spec().runtimes();
  std::vector<std::string> pinned;
  std::vector<std::string> not_known;
  for (const Language& language : {Language{"r", "R", before.r(), after.r()},
                                   Language{"python", "Python", before.python(), after.python()},
                                   Language{"quarto", "Quarto", before.quarto(), after.quarto()}}) {
    if (language.after.empty()) continue;
    for (const v1::RuntimeSpec& runtime : language.before) {
      if (HasVersion(language.after, runtime.version())) continue;
      const std::string name = absl::StrCat(language.name, " ", runtime.version());
      const uint64_t items = PinnedTo(input, language, runtime.version());
      const char* unit = items == 1 ? " item" : " items";
      if (items > 0) pinned.push_back(absl::StrCat(name, ": ", items, unit));
      if (items == 0 && input.has_pinned_unknown()) not_known.push_back(name);
    }
  }
  if (!pinned.empty()) {
    next.refused =
        absl::StrCat("it no longer names what content is pinned to: ", absl::StrJoin(pinned, ", "));
    next.fix =
        "name it in cluster.yaml again (runtimes), or have that content run as another version "
        "first; then: connect-ha apply";
  }
  if (!not_known.empty()) {
    next.because.push_back(
        absl::StrCat("it no longer names ", absl::StrJoin(not_known, ", "),
                     "; whether content is pinned to that is not known: ", input.pinned_unknown()));
  }
}

}  // namespace connect_ha
