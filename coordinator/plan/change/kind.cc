#include "coordinator/plan/change/kind.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/version.h"
#include "coordinator/plan/change/database.h"
#include "coordinator/plan/look/generation.h"
#include "coordinator/plan/look/serving.h"

namespace connect_ha {
namespace {

using Needs = v1::Change::Needs;

// What nodes ask for, and which of them do: the costliest first.
class Reasons {
 public:
  void Add(Needs needs, const std::string& text, const std::string& node) {
    greatest_ = std::max(greatest_, needs);
    if (needs >= v1::Change::RESTART) nodes_[{-static_cast<int>(needs), text}].insert(node);
  }

  Needs greatest() const { return greatest_; }

  std::vector<std::string> Texts() const {
    std::vector<std::string> texts;
    for (const auto& one : nodes_) {
      const bool all = one.first.first <= -static_cast<int>(v1::Change::TOGETHER);
      texts.push_back(absl::StrCat(
          absl::StrJoin(one.second, ", "), ": ", one.first.second,
          all ? ": Connect must be stopped on all nodes" : ": Connect must be restarted"));
    }
    return texts;
  }

 private:
  Needs greatest_ = v1::Change::NOTHING;
  std::map<std::pair<int, std::string>, std::set<std::string>> nodes_;
};

void AddChanges(const v1::PlanNode& node, Reasons& reasons) {
  const v1::Ahead& staged = node.staged();
  const std::string& name = node.brief().name();
  bool named = false;
  const Needs greatest = GreatestNeeds(staged.needs(), staged.changes());
  for (const v1::Change& change : staged.changes()) {
    const Needs needs = NeedsOfChange(change);
    named |= needs == greatest;
    reasons.Add(needs, change.resource(), name);
  }
  // The plan is given the first few changes only.
  if (!named) reasons.Add(greatest, "what it has to change", name);
}

// Two versions never run against one database, whatever the nodes say that they would change.
void AddVersion(const v1::ConnectSpec& connect, const v1::PlanNode& node, Reasons& reasons) {
  const std::string& has = VersionOf(node);
  if (!connect.has_version() || has.empty() || CompareVersions(connect.version(), has) == 0) return;
  reasons.Add(v1::Change::TOGETHER, absl::StrCat("Connect ", has, ", to be ", connect.version()),
              node.brief().name());
}

v1::Rollout::Kind KindFor(Needs needs) {
  if (needs >= v1::Change::TOGETHER) return v1::Rollout::TOGETHER;
  return needs == v1::Change::RESTART ? v1::Rollout::ROLLING : v1::Rollout::IN_PLACE;
}

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

// What the one in force names and the newest does not, where it gives such a list at all.
void LookAtRemoved(const v1::PlanInput& input, NextKind& next) {
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

void LookAtVersion(const Situation& situation, NextKind& next) {
  const v1::ConnectSpec& connect = situation.input.next().spec().connect();
  if (!connect.has_version()) return;
  const v1::DatabaseMemory database = DatabaseNow(situation);
  next.migrates = IsNewToDatabase(database, connect.version());
  if (next.migrates) {
    next.kind = v1::Rollout::TOGETHER;
    next.because.push_back(absl::StrCat("Connect ", connect.version(), " is newer than ",
                                        database.newest_version(),
                                        ", the newest that this database has known: it may migrate "
                                        "it, and nothing older runs after that"));
  }
  std::string fix;
  const std::string why = WhyNotVersion(situation, database, connect.version(), fix);
  if (why.empty()) return;
  next.refused = why;
  next.fix = fix;
}

}  // namespace

NextKind KindOfNext(const Situation& situation) {
  const v1::PlanInput& input = situation.input;
  NextKind next;
  if (!input.has_next()) return next;
  next.kind = v1::Rollout::IN_PLACE;
  // It changes nothing, and starts nothing.
  if (input.next().spec().enforcement() != v1::ENFORCE) return next;
  Reasons reasons;
  for (const Member& member : situation.members) {
    if (!MayRunConnect(member)) continue;
    if (SpeaksOfNext(input, *member.node)) {
      AddChanges(*member.node, reasons);
    } else if (!member.node->brief().lost()) {
      next.unknown.push_back(member.name());
    }
    AddVersion(input.next().spec().connect(), *member.node, reasons);
  }
  next.kind = KindFor(reasons.greatest());
  next.because = reasons.Texts();
  LookAtRemoved(input, next);
  LookAtVersion(situation, next);
  return next;
}

v1::Change::Needs NeedsOf(const Situation& situation, const Member& member) {
  const v1::PlanNode& node = *member.node;
  if (!HoldsGeneration(situation.input, node) || !SpeaksOfGeneration(situation.input, node)) {
    return v1::Change::NEEDS_UNSPECIFIED;
  }
  return GreatestNeeds(node.convergence().needs(), node.convergence().changes());
}

bool IsDrift(const Situation& situation, const Member& member) {
  const uint64_t generation = situation.input.generation();
  return generation > 0 && member.memory.reached() >= generation &&
         NeedsOf(situation, member) >= v1::Change::RESTART;
}

}  // namespace connect_ha
