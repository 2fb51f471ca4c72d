// Where everything has come to rest: as the specification says, or with a reason that is said.
#include <algorithm>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/plan_simulation/world.h"

namespace connect_ha::simulation {
namespace {

bool HasFault(const Host& host) {
  return host.mount != Mount::kVerified || host.database != 0 || host.key != 0 || host.clock_off ||
         host.covered || host.config_broken || host.cannot_fetch || host.cannot_install ||
         host.cannot_tell != 0 || host.notice != Notice::kNone || host.crashes;
}

bool HasEnded(const v1::RolloutStatus& status) {
  return status.phase() == v1::RolloutStatus::PHASE_UNSPECIFIED ||
         status.phase() == v1::RolloutStatus::DONE;
}

// Its phase says that already.
bool IsSaid(const v1::RolloutStatus& status) {
  return status.phase() == v1::RolloutStatus::ABORTED ||
         status.phase() == v1::RolloutStatus::REFUSED;
}

bool SaysWhy(const v1::RolloutStatus& status) {
  const bool by_person = status.standing() == v1::RolloutStatus::HALTED ||
                         status.standing() == v1::RolloutStatus::PAUSED;
  if (by_person && status.fixes().empty()) return false;
  return HasEnded(status) || IsSaid(status) || !status.reason().empty();
}

}  // namespace

bool World::IsAble(size_t slot) const {
  const Host& host = hosts_[slot];
  // Of a store that an older copy has replaced: a person's next apply moves it.
  const v1::Desired& held = host.held.desired();
  const Applied& newest = NewestOf(store_);
  const bool is_ahead = held.generation() > newest.generation ||
                        (held.generation() == newest.generation && held.generation() > 0 &&
                         FromProto(held.applied_at()) != newest.at);
  // By what it holds it only observes, and it takes no older one: nobody stops its Connect.
  const bool only_observes =
      held.generation() > InForce(store_).generation && held.spec().enforcement() != v1::ENFORCE;
  if (is_ahead || only_observes) return false;
  const bool reached = host.exists && host.power && host.agent && !host.cut && !host.cloned &&
                       !host.held.removed() && store_.records[slot].machine == host.machine;
  return reached && !HasFault(host) && !host.old_agent && host.allow == v1::ALLOW_SERVE &&
         host.installed != 0;
}

// A person has it tried again.
bool World::HasFailedToStart(size_t slot) const {
  if (StartFailed(hosts_[slot])) return true;
  const auto& nodes = store_.memory.nodes();
  return std::any_of(nodes.begin(), nodes.end(), [&](const v1::NodeMemory& node) {
    return node.node() == NameOf(slot) && node.start_failed() == InForce(store_).generation;
  });
}

bool World::HasReason(size_t slot) const {
  const Host& host = hosts_[slot];
  if (!IsAble(slot) || HasFailedToStart(slot)) return true;
  // A person took it for gone, and it is the last one: it stays as it was.
  if (host.left_behind && host.running) return true;
  const Version wanted = VersionIn(*InForce(store_).spec);
  // What was applied last brings all of them to one version.
  if (setup_.stays_broken == 0 && wanted != 0) return false;
  // Nobody approves any more what may migrate the database.
  const bool is_known = !store_.memory.database().newest_version().empty();
  if (setup_.stays_broken != 0 && (!is_known || host.installed > database_->schema)) return true;
  // Nobody but a person has it stopped that was found running, for what is in force already.
  const Report& report = knowledge_.back().views[slot].report;
  const bool is_found = report.state == v1::OBSERVED && report.connect_runs;
  if (is_found && report.needs >= v1::Change::RESTART) return true;
  // A person had a newer one migrate it, or a node did that is no more, and the specification names
  // none: what is installed is older, and starts no more.
  const bool is_told_no_version = wanted == 0 || database_->by_hand;
  if (is_told_no_version && host.installed < database_->schema) return true;
  const bool other_version = wanted != 0 && host.installed != wanted;
  const bool other_process = host.running && host.process != host.installed;
  if (other_version || other_process) return true;
  return std::any_of(hosts_.begin(), hosts_.end(), [&host](const Host& other) {
    const Version theirs = other.process != 0 ? other.process : other.installed;
    return other.exists && theirs != host.installed;
  });
}

// A change waits, or was stopped by a person, or by what went wrong; where all was mended and
// approved that is none.
bool World::HasCommonReason() const {
  const bool waits = setup_.stays_broken != 0 && standing_ >= v1::RolloutStatus::WAITS;
  const bool is_said =
      std::any_of(store_.words.begin(), store_.words.end(),
                  [](const v1::Word& word) { return word.kind() != v1::Word::APPROVE; });
  return InForce(store_).spec->enforcement() != v1::ENFORCE || waits || is_said ||
         store_.memory.has_restored_at() || clock_jumped_ || database_away_;
}

bool World::HasReason() const {
  if (HasCommonReason()) return true;
  for (size_t i = 0; i < hosts_.size(); ++i) {
    if (store_.records[i].member && HasReason(i)) return true;
  }
  return false;
}

// Where every node could, and all have one version of Connect, somebody serves, whatever is still
// to be changed.
void World::CheckSomebodyServes() {
  if (HasCommonReason()) return;
  Version version = 0;
  bool serves = false;
  for (size_t i = 0; i < hosts_.size(); ++i) {
    if (!store_.records[i].member) continue;
    const Version own = hosts_[i].installed;
    const bool is_other = version != 0 && own != version;
    if (!IsAble(i) || HasFailedToStart(i) || is_other) return;
    version = own;
    serves = serves || Serves(hosts_[i], Around());
  }
  // What is too old for the database starts no more, and what is newer waits for a person.
  const bool is_known = !store_.memory.database().newest_version().empty();
  const bool is_approved = setup_.stays_broken == 0 || (is_known && version <= database_->schema);
  if (version == 0 || serves || version < database_->schema || !is_approved) return;
  Break("somebody-serves-at-the-end", "every node could serve, and none does");
}

// Where nobody else serves, no rule closes a node's gate.
void World::CheckLastGate(size_t coordinator) {
  const auto serves = [this](const Host& host) { return Serves(host, Around()); };
  if (clock_jumped_ || store_.memory.has_restored_at()) return;
  if (std::any_of(hosts_.begin(), hosts_.end(), serves)) return;
  for (size_t i = 0; i < hosts_.size(); ++i) {
    const Host& host = hosts_[i];
    const std::optional<v1::NodeAssignment>& told = coordinators_[coordinator].published(i);
    const bool is_told = told && told->state() == v1::SERVING && !told->closed() &&
                         told->order().serial() == host.held.order().serial() &&
                         told->order().epoch() == host.held.order().epoch();
    const bool is_closed = host.exists && host.agent && host.running &&
                           host.reached == v1::SERVING && !host.cut && !host.cloned;
    if (!is_told || !is_closed) continue;
    return Break("the-last-gate-stays-open",
                 absl::StrCat(host.name, " serves, but for its gate; and no other node does"));
  }
}

void World::CheckAtRest(size_t coordinator) {
  for (const v1::NodeAssignment& told : coordinators_[coordinator].decision().assignments()) {
    if (told.waits_for().empty()) continue;
    Note(absl::StrCat(told.node(), " is ", v1::NodeState_Name(told.state()),
                      ", and waits for: ", told.waits_for()));
  }
  for (const v1::Word& word : store_.words) {
    if (!word.has_until() || FromProto(word.until()) > ClockOf(coordinator)) continue;
    Break("what-has-an-end-ends",
          absl::StrCat(v1::Word::Kind_Name(word.kind()), " of ", word.node(), " is still there"));
  }
  for (size_t i = 0; i < hosts_.size(); ++i) CheckServesAsBefore(i);
  CheckNamedStates(coordinators_[coordinator].decision().rollout());
  CheckSomebodyServes();
  CheckLastGate(coordinator);
  const bool has_reason = HasReason();
  CheckStatus(coordinators_[coordinator].decision().rollout(), has_reason);
  Count(has_reason ? Sometimes::kRestsWithAReason : Sometimes::kAllServeAtTheEnd);
  for (size_t i = 0; i < hosts_.size(); ++i) {
    if (!store_.records[i].member) continue;
    const std::optional<v1::NodeAssignment>& told = coordinators_[coordinator].published(i);
    if (!told) {
      Break("every-member-is-told", absl::StrCat(NameOf(i), " is told nothing"));
      continue;
    }
    if (!has_reason && !(told->state() == v1::SERVING && Serves(hosts_[i], Around()))) {
      Break("all-serve-at-the-end",
            absl::StrCat("nothing is wrong, and ", NameOf(i), " is ",
                         v1::NodeState_Name(told->state()), "; it waits for: ", told->waits_for()));
    }
    CheckReason(i, *told);
    CheckHeld(i);
  }
}

// Where a change stands is said, and why, also of the one to come beside it; and where nothing
// speaks against it, it has ended.
void World::CheckStatus(const v1::RolloutStatus& status, bool has_reason) {
  using Status = v1::RolloutStatus;
  const uint64_t newest = NewestOf(store_).generation;
  const bool is_to_come = newest != InForce(store_).generation;
  const Status& latest = status.has_next() ? status.next() : status;
  const std::string where =
      absl::StrCat("generation ", newest, " is not in force, and the change to ",
                   latest.generation(), " is in ", Status::Phase_Name(latest.phase()), ", ",
                   Status::Standing_Name(latest.standing()), ": ", latest.reason());
  const bool is_aborted =
      std::any_of(store_.words.begin(), store_.words.end(), [newest](const v1::Word& word) {
        return word.kind() == v1::Word::ABORT && word.generation() == newest;
      });
  const bool is_missing = HasEnded(latest) || latest.generation() != newest;
  // An older store holds up what was given up, too.
  const bool goes_on = is_aborted && !IsSaid(latest) && latest.standing() != Status::HALTED;
  if (is_to_come && (is_missing || goes_on)) {
    Break("a-change-says-where-it-is", where);
  }
  if (!SaysWhy(status) || !SaysWhy(latest)) {
    Break("a-change-says-where-it-is",
          absl::StrCat("it says not why, or not what to type: ", where));
  }
  // One that was applied while a newer Connect was about to migrate ends there.
  const Version wanted = VersionIn(*NewestOf(store_).spec);
  const bool is_refused =
      latest.phase() == Status::REFUSED && wanted != 0 && wanted < database_->schema;
  // Nobody is there to make it.
  const bool has_members = std::any_of(store_.records.begin(), store_.records.end(),
                                       [](const auto& record) { return record.member; });
  // Two generations may have had one number then: what differs is a person's.
  const bool is_a_persons = was_restored_ && status.standing() == Status::WAITS &&
                            absl::StrContains(status.reason(), "connect-ha apply");
  const bool is_to_end =
      setup_.stays_broken == 0 && !has_reason && !is_refused && has_members && !is_a_persons;
  if (is_to_end && (is_to_come || !HasEnded(status))) Break("the-change-ends", where);
}

void World::CheckReason(size_t slot, const v1::NodeAssignment& told) {
  const bool serves = told.state() == v1::SERVING && Serves(hosts_[slot], Around());
  if (serves || !told.waits_for().empty() || !told.reason().empty()) return;
  // A machine that is down is said to be lost, by its facts.
  if (told.state() == v1::SERVING && hosts_[slot].exists && !hosts_[slot].power) return;
  Break("what-waits-says-for-what",
        absl::StrCat(NameOf(slot), " is ", v1::NodeState_Name(told.state()),
                     ", and it is not said why"));
}

// Who is known to be the wrong one, while another serves that is not, is held by now.
void World::CheckHeld(size_t slot) {
  const Knowledge& known = knowledge_.back();
  const NodeView& view = known.views[slot];
  const bool moves = view.fresh && !view.cloned && view.report.can_serve &&
                     view.report.allow == v1::ALLOW_SERVE && known.generation > 0 &&
                     view.report.generation == known.generation &&
                     known.spec->enforcement() == v1::ENFORCE && !store_.memory.has_restored_at() &&
                     !clock_jumped_ && FindWord(known, v1::Word::UNFENCE, NameOf(slot)) == nullptr;
  if (!moves || hosts_[slot].held.state() != v1::SERVING) return;
  uint64_t reached = 0;
  for (const v1::NodeMemory& node : store_.memory.nodes()) {
    if (node.node() == NameOf(slot)) reached = node.reached();
  }
  for (size_t rule = 0; rule < kRules; ++rule) {
    const bool to_be_made = known.lines[slot][rule].basis == v1::SPEC && reached < known.generation;
    if (to_be_made || !MayFence(slot, rule, known, true)) continue;
    for (size_t i = 0; i < hosts_.size(); ++i) {
      const v1::Outcome outcome = known.lines[i][rule].outcome;
      const bool sound = outcome == v1::PASS || outcome == v1::NOT_APPLICABLE;
      if (i == slot || !sound || !ServedAsKnown(known, i)) continue;
      Break("the-wrong-one-is-held",
            absl::StrCat(NameOf(slot), " still serves, though ", RuleName(rule), " fails there"));
    }
  }
}

}  // namespace connect_ha::simulation
