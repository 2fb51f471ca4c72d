// Who enters service, who is fenced, and what a Connect that is started finds.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tests/plan_simulation/world.h"

namespace connect_ha::simulation {
namespace {

// As coordinator/plan/move/starts.cc: after that the others wait no more.
constexpr std::chrono::minutes kFirstStart{10};

// As coordinator/plan/look/hysteresis.cc has it for service-is-healthy.
constexpr std::chrono::seconds kForAMoment{30};

bool Holds(v1::Outcome outcome) { return outcome == v1::PASS || outcome == v1::NOT_APPLICABLE; }

}  // namespace

void World::CheckEnters(size_t slot, const Knowledge& known) {
  const std::string& name = NameOf(slot);
  const NodeView& view = known.views[slot];
  const Report& report = view.report;
  // Somebody stopped it meanwhile: it was told to serve on, or again.
  if (report.connect_runs) return;
  if (!view.fresh || view.cloned) {
    return Break("unknown-moves-nobody", absl::StrCat(name, " enters service unknown"));
  }
  if (known.spec->enforcement() != v1::ENFORCE || report.generation != known.generation ||
      !report.converged) {
    return Break("enters-as-the-specification-says", absl::StrCat(name, " is not as it says"));
  }
  for (const v1::Word::Kind kind :
       {v1::Word::CORDON, v1::Word::DRAIN, v1::Word::STOP, v1::Word::FENCE, v1::Word::RELEASE}) {
    if (FindWord(known, kind, name) == nullptr) continue;
    return Break("a-word-is-kept",
                 absl::StrCat(name, " enters service against ", v1::Word::Kind_Name(kind)));
  }
  const Notice notice = NoticeDue(known, slot);
  if (notice != Notice::kNone && notice != Notice::kRebalance) {
    Break("a-word-is-kept", absl::StrCat(name, " enters service, and EC2 takes it out"));
  }
  for (size_t i = 0; i < hosts_.size(); ++i) {
    const NodeView& other = known.views[i];
    const bool awaited = other.member && other.has_report && !other.heard && !other.lost;
    if (!awaited || FindWord(known, v1::Word::GONE, NameOf(i)) != nullptr) continue;
    Break("all-are-heard-first",
          absl::StrCat(name, " enters service before ", NameOf(i), " was heard"));
  }
  CheckEntersByRules(slot, known);
}

void World::CheckEntersByRules(size_t slot, const Knowledge& known) {
  const std::string& name = NameOf(slot);
  // What it shows only beside others counts for nothing while all of them rest for it.
  const bool alone = AllRest(known) && known.first == name;
  for (size_t i = 0; i < hosts_.size() && !alone; ++i) {
    if (!known.views[i].member || !known.views[i].fresh) continue;
    const bool other_unfenced = FindWord(known, v1::Word::UNFENCE, NameOf(i)) != nullptr;
    for (size_t rule = 0; rule < kRules; ++rule) {
      const Line& line = known.lines[i][rule];
      const bool acts = ActionOf(known, rule) >= v1::CLOSE && rule != kSameVersion;
      const bool lowered = IsWaived(known, rule, NameOf(i)) || other_unfenced;
      if (line.outcome != v1::FAIL || !line.undecided || !acts || lowered) continue;
      Break(
          "nothing-enters-undecided",
          absl::StrCat(name, " enters service, and nobody knows who is wrong by ", RuleName(rule)));
    }
  }
  const bool unfenced = FindWord(known, v1::Word::UNFENCE, name) != nullptr;
  for (size_t rule = 0; rule < kRules; ++rule) {
    const v1::RuleAction action = ActionOf(known, rule);
    const Line& line = known.lines[slot][rule];
    const bool lowered = IsWaived(known, rule, name) || (unfenced && action == v1::FENCE);
    const bool beside_others = line.basis == v1::PEERS || line.basis == v1::PROOF;
    if (action < v1::HOLD || lowered || rule == kService || rule == kLicense) continue;
    if (alone && beside_others) continue;
    if (!Holds(line.outcome)) {
      Break("nothing-enters-with-a-fault",
            absl::StrCat(name, " enters service, and ", RuleName(rule), " is ",
                         v1::Outcome_Name(line.outcome)));
    }
  }
}

// A first start makes the key and the database's tables: while no Connect answers, one is started,
// and the others wait until it is known how that ends.
void World::CheckStartsFirst(size_t slot, const Given& given) {
  const Knowledge& known = knowledge_[given.decided];
  const auto answers = [](const NodeView& view) {
    return view.member && view.fresh && view.report.answers;
  };
  if (clock_jumped_ || std::any_of(known.views.begin(), known.views.end(), answers)) return;
  for (size_t i = 0; i < hosts_.size(); ++i) {
    const NodeView& view = known.views[i];
    const Given* told = ToldBy(i, given.decided);
    if (i == slot || !view.member || !view.fresh || view.cloned || told == nullptr) continue;
    const bool at_once = told->decided == given.decided && view.report.state != v1::SERVING;
    const bool has_taken = view.report.epoch == told->epoch && view.report.serial == told->serial;
    // That its gate opens is no other start.
    const Given* began = told;
    while (began != &given_[i].front() && (began - 1)->state == v1::SERVING) --began;
    const bool is_new =
        began->decided != 0 && known.at - knowledge_[began->decided].at < kFirstStart;
    const bool starts = told->state == v1::SERVING && is_new && !view.report.start_failed;
    if (!starts || !(at_once || has_taken)) continue;
    return Break("the-first-starts-alone",
                 absl::StrCat(NameOf(slot), " is to start while ", NameOf(i), " does"));
  }
}

// It is known that this node is the wrong one.
bool World::MayFence(size_t slot, size_t rule, const Knowledge& known, bool surely) const {
  const Line& line = known.lines[slot][rule];
  if (ActionByTable(rule) != v1::FENCE || line.outcome != v1::FAIL || line.undecided) return false;
  if (IsWaived(known, rule, NameOf(slot))) return false;
  size_t judged = 0;  // of those that serve
  size_t right = 0;
  for (size_t i = 0; i < hosts_.size(); ++i) {
    const v1::Outcome outcome = known.lines[i][rule].outcome;
    if (!ServedAsKnown(known, i) || (outcome != v1::PASS && outcome != v1::FAIL)) continue;
    ++judged;
    if (outcome == v1::PASS) ++right;
  }
  if (line.basis == v1::PEERS) {
    if (judged < 3 || right < 2 || (surely && 2 * right <= judged)) return false;
  }
  if (line.basis == v1::SPEC && been_[slot] < known.generation) return false;
  if (rule != kSameVersion) return true;
  const Version own = known.views[slot].report.running;
  if (own == 0) return false;
  return std::any_of(known.views.begin(), known.views.end(), [own](const NodeView& view) {
    return view.member && view.fresh && view.report.running != 0 && view.report.running != own;
  });
}

void World::CheckFenced(size_t slot, const Knowledge& known) {
  const std::string& name = NameOf(slot);
  if (FindWord(known, v1::Word::FENCE, name) != nullptr) return Count(Sometimes::kFencedByWord);
  const bool unfenced = FindWord(known, v1::Word::UNFENCE, name) != nullptr;
  for (size_t rule = 0; rule < kRules && !unfenced; ++rule) {
    if (!MayFence(slot, rule, known, false)) continue;
    if (rule == kShared) Count(Sometimes::kFencedByProof);
    return Count(Sometimes::kFencedByRule);
  }
  Break("fences-only-what-is-known",
        absl::StrCat(name, " is fenced, and it was not known to be the wrong one"));
}

// It ran that version when the node was told to start, or might have come back with it at any time:
// it was only observed, and was lost or rested for a moment.
bool World::MightRunAsKnown(size_t slot, Version version, size_t knowledge) const {
  const Knowledge& known = knowledge_[knowledge];
  const NodeView& view = known.views[slot];
  const Report& report = view.report;
  const bool gone = !view.fresh && FindWord(known, v1::Word::GONE, NameOf(slot)) != nullptr;
  if (!view.member || !view.has_report || gone) return false;
  if (report.running != 0) return report.running == version;
  if (report.installed != version || report.state != v1::OBSERVED) return false;
  if (!view.fresh) return true;
  for (size_t i = knowledge; i > 0 && known.at - knowledge_[i].at < kForAMoment; --i) {
    const Line& line = knowledge_[i].lines[slot][kService];
    if (knowledge_[i].stored && line.outcome == v1::PASS) return true;
  }
  return false;
}

// Somebody had a hand in it that two versions run. But the coordinator had this one started, and
// knew of both.
bool World::WasToStartBeside(size_t slot, size_t other) const {
  const Host& host = hosts_[slot];
  const Given* given = Find(slot, host.held.order().epoch(), host.held.order().serial());
  const bool is_told = host.held.state() == v1::SERVING && given != nullptr && given->decided != 0;
  if (!is_told || clock_jumped_ || was_restored_) return false;
  const Report& report = knowledge_[given->decided].views[slot].report;
  return !report.connect_runs && report.installed == host.process &&
         MightRunAsKnown(other, hosts_[other].process, given->decided);
}

// By the agent, or by systemd at a boot: nobody's hand.
void World::CheckStarted(size_t slot, bool was_running) {
  const Host& host = hosts_[slot];
  const v1::NodeState state = host.held.state();
  CheckMigrated(slot);
  if (!host.exists || was_running || !host.running || state == v1::OBSERVED) return;
  // Where nobody but a person starts Connect, what that person has enabled is started.
  if (state == v1::READY && host.allow != v1::ALLOW_SERVE) return;
  if (state != v1::SERVING && state != v1::DRAINING) {
    Break("starts-only-when-told",
          absl::StrCat("Connect starts on ", host.name, ", which is ", v1::NodeState_Name(state)));
  }
  const bool enforced = host.held.desired().spec().enforcement() == v1::ENFORCE;
  if (enforced && host.mount != Mount::kVerified) {
    Break("starts-only-on-the-proved-mount",
          absl::StrCat("Connect starts on ", host.name, ", whose data directory is not shared"));
  }
  // Where the store and the machine are lost, nobody knows any more what has migrated it.
  const bool is_known =
      !(was_restored_ && machine_lost_) && !database_->by_hand && !host.by_hand && !host.mistaken;
  if (host.process < database_->schema && is_known) {
    Break("nothing-older-starts",
          absl::StrCat("Connect ", VersionText(host.process), " starts on ", host.name, ", and ",
                       VersionText(database_->schema), " has migrated the database"));
  }
  CheckStartsBesideAMigration(slot);
  for (size_t i = 0; i < hosts_.size(); ++i) {
    const Host& other = hosts_[i];
    const bool runs = i != slot && other.exists && other.power && other.running;
    if (!runs || other.process == host.process || other.mistaken || host.mistaken) continue;
    if ((other.by_hand || host.by_hand) && !WasToStartBeside(slot, i)) continue;
    Break("one-version-runs",
          absl::StrCat("Connect ", VersionText(host.process), " starts on ", host.name, ", and ",
                       VersionText(other.process), " runs on ", other.name));
  }
}

}  // namespace connect_ha::simulation
