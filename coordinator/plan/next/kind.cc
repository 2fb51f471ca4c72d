#include "coordinator/plan/next/kind.h"

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
#include "coordinator/plan/next/pinned.h"

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

// Two versions never run against one database, whatever the nodes say that they would change. Of
// one that was not heard since the coordinator's start it is known what it was to have.
void AddVersion(const v1::PlanInput& input, const v1::PlanNode& node, Reasons& reasons) {
  const v1::ConnectSpec& connect = input.next().spec().connect();
  if (!connect.has_version()) return;
  const std::string& known = VersionOf(node);
  const std::string& has = known.empty() ? input.spec().connect().version() : known;
  if (!has.empty() && CompareVersions(connect.version(), has) == 0) return;
  const std::string what =
      has.empty() ? "Connect, of a version that is not known" : absl::StrCat("Connect ", has);
  reasons.Add(v1::Change::TOGETHER, absl::StrCat(what, ", to be ", connect.version()),
              node.brief().name());
}

v1::Rollout::Kind KindFor(Needs needs) {
  if (needs >= v1::Change::TOGETHER) return v1::Rollout::TOGETHER;
  return needs == v1::Change::RESTART ? v1::Rollout::ROLLING : v1::Rollout::IN_PLACE;
}

void LookAtVersion(const Situation& situation, NextKind& next) {
  const v1::ConnectSpec& connect = situation.input.next().spec().connect();
  if (!connect.has_version()) return;
  const v1::DatabaseMemory database = DatabaseNow(situation);
  next.migrates = IsNewToDatabase(situation, database, connect.version());
  if (next.migrates) {
    next.kind = v1::Rollout::TOGETHER;
    next.because.push_back(absl::StrCat("Connect ", connect.version(), " ",
                                        WhyNewToDatabase(database, connect.version()),
                                        ": it may migrate it, and nothing older runs after that"));
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
    if (!MayRunConnect(situation, member)) continue;
    if (SpeaksOfNext(input, *member.node)) {
      AddChanges(*member.node, reasons);
    } else if (!member.node->brief().lost()) {
      next.unknown.push_back(member.name());
    }
    AddVersion(input, *member.node, reasons);
  }
  next.kind = KindFor(reasons.greatest());
  next.because = reasons.Texts();
  LookAtPinned(situation, next);
  LookAtVersion(situation, next);
  return next;
}

}  // namespace connect_ha
