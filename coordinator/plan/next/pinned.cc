#include "coordinator/plan/next/pinned.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/version.h"
#include "coordinator/plan/change/change.h"
#include "coordinator/plan/look/generation.h"

namespace connect_ha {
namespace {

using RuntimeList = google::protobuf::RepeatedPtrField<v1::RuntimeSpec>;

struct Language {
  const char* key;   // as of PinnedRuntime
  const char* name;  // for a person
  const RuntimeList& before;
  const RuntimeList& after;
};

// What the newest generation does not name any more.
struct Unnamed {
  std::vector<std::string> pinned;  // "R 4.1.3: 312 items"
  std::vector<std::string> not_known;
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

Unnamed LookAtLists(const v1::PlanInput& input) {
  const v1::RuntimesSpec& before = input.spec().runtimes();
  const v1::RuntimesSpec& after = input.next().spec().runtimes();
  Unnamed unnamed;
  for (const Language& language : {Language{"r", "R", before.r(), after.r()},
                                   Language{"python", "Python", before.python(), after.python()},
                                   Language{"quarto", "Quarto", before.quarto(), after.quarto()}}) {
    if (language.after.empty()) continue;
    for (const v1::RuntimeSpec& runtime : language.before) {
      if (HasVersion(language.after, runtime.version())) continue;
      const std::string name = absl::StrCat(language.name, " ", runtime.version());
      const uint64_t items = PinnedTo(input, language, runtime.version());
      const char* unit = items == 1 ? " item" : " items";
      if (items > 0) unnamed.pinned.push_back(absl::StrCat(name, ": ", items, unit));
      if (items == 0 && input.has_pinned_unknown()) unnamed.not_known.push_back(name);
    }
  }
  return unnamed;
}

// Every node but those that are not waited for has a word in it. Where all are being stopped for
// it, they and the coordinator have had it: that another coordinator has to ask anew says nothing.
bool IsAsked(const Situation& situation) {
  const v1::Rollout& rollout = situation.input.memory().rollout();
  const bool begun =
      IsStopping(rollout) && rollout.generation() == situation.input.next().generation();
  return !begun && std::none_of(situation.members.begin(), situation.members.end(), IsAwaited);
}

void Refuse(const std::string& why, const std::string& fix, NextKind& next) {
  next.refused = why;
  next.fix = fix;
}

// A node knows what there is on its disks beside what the lists name.
void RefuseByNodes(const Situation& situation, NextKind& next) {
  for (const Member& member : situation.members) {
    if (!SpeaksOfNext(situation.input, *member.node)) continue;
    for (const v1::Trouble& trouble : member.node->staged().troubles()) {
      if (trouble.resource() != kVersionsResource) continue;
      Refuse(absl::StrCat(member.name(), ": ", trouble.error()), trouble.fix(), next);
      return;
    }
  }
}

}  // namespace

void LookAtPinned(const Situation& situation, NextKind& next) {
  const v1::PlanInput& input = situation.input;
  const bool prunes = input.next().spec().runtimes().prune();
  if (prunes) RefuseByNodes(situation, next);
  const Unnamed unnamed = LookAtLists(input);
  if (!unnamed.pinned.empty()) {
    Refuse(absl::StrCat("it no longer names what content is pinned to: ",
                        absl::StrJoin(unnamed.pinned, ", ")),
           "name it in cluster.yaml again (runtimes), or have that content run as another version "
           "first; then: connect-ha apply",
           next);
  }
  if (unnamed.not_known.empty()) return;
  const std::string why =
      absl::StrCat("it no longer names ", absl::StrJoin(unnamed.not_known, ", "),
                   "; whether content is pinned to that is not known: ", input.pinned_unknown());
  if (!prunes || !IsAsked(situation)) {
    next.because.push_back(why);
  } else if (next.refused.empty()) {
    Refuse(absl::StrCat(why, ", and runtimes.prune has it removed"),
           "runtimes.prune: false in cluster.yaml until that is known; then: connect-ha apply",
           next);
  }
}

}  // namespace connect_ha
