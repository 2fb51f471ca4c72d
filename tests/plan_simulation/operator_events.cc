// What people do, and what happens to coordinators and their store.
#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/plan_simulation/world.h"

namespace connect_ha::simulation {
namespace {

constexpr size_t kMostWords = 6;
// From this number on it is the last rule that is waived.
constexpr uint32_t kLastBy = 20;
constexpr std::chrono::seconds kUntil[] = {std::chrono::minutes(10), std::chrono::hours(2)};
constexpr std::chrono::seconds kJumps[] = {std::chrono::minutes(10), -std::chrono::minutes(10),
                                           std::chrono::hours(3), -std::chrono::hours(3)};
// The commoner ones more than once.
constexpr v1::Word::Kind kSaid[] = {
    v1::Word::DRAIN,   v1::Word::STOP,  v1::Word::DRAIN,   v1::Word::FENCE,
    v1::Word::CORDON,  v1::Word::WAIVE, v1::Word::UNFENCE, v1::Word::START,
    v1::Word::RELEASE, v1::Word::GONE,  v1::Word::STOP,    v1::Word::WAIVE,
};

bool HasEnd(v1::Word::Kind kind) { return kind == v1::Word::WAIVE || kind == v1::Word::UNFENCE; }

v1::RuleSpec& SpecOf(size_t rule, v1::ClusterSpec& spec) {
  return (*spec.mutable_rules())[std::string(RuleName(rule))];
}

uint64_t NewestHeld(const Store& store) {
  uint64_t newest = NewestOf(store).generation;
  for (const Record& record : store.records) {
    if (record.has_report) newest = std::max(newest, record.report.generation);
  }
  return newest;
}

}  // namespace

// As the one that has the store saw it last.
bool World::IsLost(size_t slot) const {
  const int leader = Leader();
  return leader >= 0 && coordinators_[static_cast<size_t>(leader)].views()[slot].lost;
}

// How: the lowest digits say what, those above with which options.
void World::GiveWord(size_t slot, uint32_t how) {
  if (!MayWrite() || store_.words.size() >= kMostWords || !store_.records[slot].member) return;
  const Time now = ClockOf(static_cast<size_t>(Leader()));
  const v1::Word::Kind kind = kSaid[how % std::size(kSaid)];
  const uint32_t options = how / static_cast<uint32_t>(std::size(kSaid));
  if (kind == v1::Word::GONE) {
    // Nobody says that of a machine that lives; but where it was cut off, and is lost.
    Host& host = hosts_[slot];
    if (host.power && !(host.cut && IsLost(slot))) return;
    host.declared_gone = true;
    host.mistaken = host.power;
    harmed_ = true;
    if (phase_ == v1::RolloutStatus::AWAITING || phase_ == v1::RolloutStatus::STOPPING ||
        phase_ == v1::RolloutStatus::FIRST) {
      Count(Sometimes::kSkipsLost);
    }
    Count(Sometimes::kSaidGone);
  }
  v1::Word word;
  word.set_number(++store_.last_word);
  word.set_kind(kind);
  word.set_node(NameOf(slot));
  word.set_by("admin/alice");
  word.set_reason("why not");
  word.set_role(options % 4 == 3 ? v1::OPERATOR : v1::ADMIN);
  *word.mutable_at() = ToProto(now);
  if (kind == v1::Word::WAIVE) {
    word.set_rule(RuleName(RuleBy(options, kLastBy)));
    if (options % 3 == 2) word.clear_node();
  }
  if (HasEnd(kind)) *word.mutable_until() = ToProto(now + kUntil[options % 2]);
  word.set_now(options % 2 == 1);
  word.set_downtime(options % 5 == 4);
  harmed_ = harmed_ || word.downtime();
  steady_ = steady_ && !word.downtime() && kind != v1::Word::GONE;
  store_.words.push_back(word);
  for (Coordinator& coordinator : coordinators_) coordinator.Note();
  if (trace_ != nullptr) Note(absl::StrCat("a person says: ", word.ShortDebugString()));
}

void World::TakeBack(uint32_t how) {
  if (!MayWrite() || store_.words.empty()) return;
  const auto index = static_cast<ptrdiff_t>(how % store_.words.size());
  if (trace_ != nullptr) {
    Note(absl::StrCat("a person takes back: ",
                      store_.words[static_cast<size_t>(index)].ShortDebugString()));
  }
  store_.words.erase(store_.words.begin() + index);
  for (Coordinator& coordinator : coordinators_) coordinator.Note();
}

void World::Apply(uint32_t how) {
  if (!MayWrite()) return;
  Applied next = NewestOf(store_);
  v1::ClusterSpec spec = *next.spec;
  switch (how % 8) {
    case 1:
      spec.mutable_connect()->set_version(VersionText(1 + how / 8 % (kVersions - 1)));
      break;
    case 2:
      spec.set_enforcement(v1::OBSERVE);
      break;
    case 3:
      spec.mutable_nodes()->set_minimum_serving(1 + how / 8 % 3);
      break;
    case 4:
      SpecOf(kClocks, spec).set_action(v1::TELL);
      break;
    case 5:
      SpecOf(kConfiguration, spec).set_action(v1::CLOSE);
      break;
    case 6:
      // Of a rule that fences it has no effect.
      SpecOf(kMounted, spec).set_action(v1::TELL);
      break;
    default:
      break;
  }
  if (how % 8 != 2) spec.set_enforcement(v1::ENFORCE);
  next.spec = std::make_shared<const v1::ClusterSpec>(std::move(spec));
  Put(std::move(next));
}

// As the newest generation.
void World::Put(Applied applied) {
  applied.generation = NewestHeld(store_) + 1;
  applied.at = ClockOf(static_cast<size_t>(Leader()));
  store_.applied.push_back(std::move(applied));
  restored_.reset();
  for (Coordinator& coordinator : coordinators_) coordinator.Note();
  if (trace_ == nullptr) return;
  const Applied& newest = NewestOf(store_);
  Note(absl::StrCat("a person applies generation ", newest.generation, ": ",
                    newest.spec->ShortDebugString(), " with ", TextOf(newest.configuration)));
}

void World::Remove(size_t slot) {
  if (!MayWrite() || !store_.records[slot].member) return;
  const uint32_t machine = store_.records[slot].machine;
  Forget(slot);
  store_.records[slot].machine = machine;  // of whom it is known that it was removed
  hosts_[slot].exists = false;
  machine_lost_ = true;
  Note(absl::StrCat("a person removes ", NameOf(slot)));
}

bool World::DoAsOperator(const Event& event, size_t slot) {
  switch (event.kind) {
    case Kind::kWord:
      GiveWord(slot, event.how);
      return true;
    case Kind::kTakeBack:
      TakeBack(event.how);
      return true;
    case Kind::kApply:
      Apply(event.how);
      return true;
    case Kind::kRemove:
      Remove(slot);
      return true;
    case Kind::kEnrol:
      if (MayWrite() && !hosts_[slot].exists) Replace(slot);
      return true;
    default:
      return false;
  }
}

void World::Restore() {
  if (!backup_) return;
  for (Coordinator& coordinator : coordinators_) coordinator.Die();
  Restored restored;
  restored.knowledge = knowledge_.size();
  for (size_t i = 0; i < hosts_.size(); ++i) {
    uint64_t epoch = 0;
    uint64_t serial = 0;
    for (const v1::NodeMemory& node : backup_->memory.nodes()) {
      if (node.node() != NameOf(i)) continue;
      epoch = node.order().epoch();
      serial = node.order().serial();
    }
    const auto is_later = [&](uint64_t other_epoch, uint64_t other_serial) {
      return other_epoch != epoch ? other_epoch > epoch : other_serial > serial;
    };
    const v1::Order& held = hosts_[i].held.order();
    // What was given before anything was remembered is taken for given.
    const bool is_remembered =
        backup_->memory.has_made_at() && held.epoch() >= backup_->memory.made_epoch();
    restored.later[i] = hosts_[i].exists && is_remembered && is_later(held.epoch(), held.serial());
    restored.machine[i] = hosts_[i].machine;
    for (Given& given : given_[i]) given.forgotten |= is_later(given.epoch, given.serial);
  }
  store_ = *backup_;
  CountInPhase(InPhase::kOlderStore);
  // A copy of the moment after a person has applied something to an older store, before anything
  // was decided by that: it says that the nodes may be moved again.
  const v1::PlanMemory& memory = store_.memory;
  const bool lets_go =
      memory.has_restored_at() && NewestOf(store_).generation > memory.restored_generation();
  restored_.reset();
  if (!lets_go) restored_ = restored;
  was_restored_ = true;
  Note("the store is replaced by an older copy");
}

void World::StartCoordinator(size_t index) {
  // No two start in one microsecond, whatever jumps.
  now_ += std::chrono::seconds(1) + std::chrono::microseconds(++starts_);
  coordinators_[index].Start(store_, ClockOf(index));
  Note(absl::StrCat("coordinator ", index, " starts, in epoch ", coordinators_[index].epoch()));
}

bool World::DoToCoordinators(const Event& event) {
  const size_t index = event.who % coordinators_.size();
  Coordinator& coordinator = coordinators_[index];
  switch (event.kind) {
    case Kind::kCoordinatorDies:
      if (!coordinator.up()) return true;
      if (coordinator.stage() != Coordinator::Stage::kIdle) Count(Sometimes::kDiedBetweenWrites);
      coordinator.Die();
      CountInPhase(InPhase::kCoordinatorDies);
      Note(absl::StrCat("coordinator ", index, " dies"));
      return true;
    case Kind::kCoordinatorStarts:
      StartCoordinator(index);
      return true;
    case Kind::kBackUp:
      backup_ = store_;
      Note("the store is copied");
      return true;
    case Kind::kRestore:
      Restore();
      if (backup_ && event.how % 2 == 0) StartCoordinator(index);
      return true;
    case Kind::kClockJump:
      offsets_[index] += kJumps[event.how % std::size(kJumps)];
      clock_jumped_ = true;
      Note(absl::StrCat("the clock of coordinator ", index, " jumps"));
      return true;
    default:
      return false;
  }
}

}  // namespace connect_ha::simulation
