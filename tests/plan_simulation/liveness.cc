// The end of each schedule: faults cease, and everything comes to rest within so many rounds, as
// the specification says, or with a reason that is said.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tests/plan_simulation/world.h"

namespace connect_ha::simulation {
namespace {

constexpr int kMostRounds = 160;
// So often nothing moves, and no time is named at which it would.
constexpr int kQuiet = 1;
constexpr std::chrono::minutes kWaits{11};

void Mix(uint64_t value, uint64_t* sum) { *sum = (*sum ^ value) * 0x100000001b3; }

bool HasFault(const Host& host) {
  return host.mount != Mount::kVerified || host.database != 0 || host.key != 0 || host.clock_off ||
         host.config_broken || host.cannot_tell != 0 || host.notice != Notice::kNone ||
         host.crashes;
}

}  // namespace

// One coordinator is left, and every node that lives reaches it.
void World::MendCoordinators() {
  const int leader = Leader();
  const size_t left = leader == 1 ? 1 : 0;
  coordinators_[1 - left].Die();
  if (!coordinators_[left].up() || coordinators_[left].epoch() != store_.epoch) {
    StartCoordinator(left);
  }
}

void World::MendHosts() {
  messages_.clear();
  const bool all = setup_.stays_broken == 0;
  for (Host& host : hosts_) {
    if (!host.exists) continue;
    host.cut = false;
    if (all) {
      Mend(host);
      host.cloned = false;
      const auto slot = static_cast<size_t>(&host - hosts_.data());
      if (!host.power && MaySwitchOn(slot)) {
        Boot(host, Around(), subject_.agent);
        CheckStarted(slot, false);
      }
    }
    if (host.power && !host.agent) StartAgent(host);
  }
  if (!all) return;
  database_away_ = false;
  store_.words.clear();
  Round();  // what the store does not know is seen before something is applied
  now_ += std::chrono::seconds(5);
  Apply(0);
}

uint64_t World::Signature() const {
  uint64_t sum = 0xcbf29ce484222325;
  for (const Host& host : hosts_) {
    Mix(static_cast<uint64_t>(host.held.state()), &sum);
    Mix(static_cast<uint64_t>(host.reached), &sum);
    Mix(host.held.order().epoch(), &sum);
    Mix(host.held.order().serial(), &sum);
    Mix(host.held.desired().generation(), &sum);
    Mix(host.running ? 1 : 0, &sum);
    Mix(host.masked ? 1 : 0, &sum);
    Mix(StartFailed(host) ? 1 : 0, &sum);
    Mix(host.running && GateIsOpen(host, now_) ? 1 : 0, &sum);
    Mix(host.installed, &sum);
  }
  for (const v1::NodeMemory& node : store_.memory.nodes()) {
    Mix(node.order().epoch(), &sum);
    Mix(node.order().serial(), &sum);
  }
  return sum;
}

// To when the plan wants to be asked. False: there is no such time.
bool World::PassToNext(size_t coordinator) {
  const std::optional<Time>& wake = coordinators_[coordinator].wake_at();
  if (!wake) {
    now_ += kWaits;
    return false;
  }
  now_ = std::max(now_, Time(*wake - offsets_[coordinator]));
  return true;
}

void World::ComeToRest() {
  Note("from here on nothing happens any more");
  MendCoordinators();
  MendHosts();
  const auto left = static_cast<size_t>(std::max(Leader(), 0));
  uint64_t last = Signature();
  int quiet = 0;
  for (int round = 0; round < kMostRounds && !failure_; ++round) {
    Round();
    const uint64_t is = Signature();
    if (is != last) {
      last = is;
      quiet = 0;
      continue;
    }
    if (!PassToNext(left) && ++quiet > kQuiet) return CheckAtRest(left);
  }
  Break("comes-to-rest", absl::StrCat("something still moves after ", kMostRounds, " rounds"));
}

bool World::IsAble(size_t slot) const {
  const Host& host = hosts_[slot];
  // Of a store that an older copy has replaced: a person's next apply moves it.
  const v1::Desired& held = host.held.desired();
  const bool is_ahead = held.generation() > store_.generation ||
                        (held.generation() == store_.generation && held.generation() > 0 &&
                         FromProto(held.applied_at()) != store_.applied_at);
  if (is_ahead) return false;
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
    return node.node() == NameOf(slot) && node.start_failed() == store_.generation;
  });
}

bool World::HasReason(size_t slot) const {
  const Host& host = hosts_[slot];
  if (!IsAble(slot)) return true;
  const std::string& wanted = store_.spec.connect().version();
  const bool other_version = !wanted.empty() && VersionText(host.installed) != wanted;
  const bool other_process = host.running && host.process != host.installed;
  if (other_version || other_process) return true;
  for (const Host& other : hosts_) {
    const Version theirs = other.process != 0 ? other.process : other.installed;
    if (other.exists && theirs != host.installed) return true;
  }
  return HasFailedToStart(slot);
}

bool World::HasCommonReason() const {
  return store_.spec.enforcement() != v1::ENFORCE || store_.memory.has_restored_at() ||
         clock_jumped_ || database_away_ || !store_.words.empty();
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
  if (version == 0 || serves) return;
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
    const bool is_told = told && told->state() == v1::SERVING &&
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
  for (const v1::Word& word : store_.words) {
    if (!word.has_until() || FromProto(word.until()) > ClockOf(coordinator)) continue;
    Break("what-has-an-end-ends",
          absl::StrCat(v1::Word::Kind_Name(word.kind()), " of ", word.node(), " is still there"));
  }
  CheckSomebodyServes();
  CheckLastGate(coordinator);
  const bool has_reason = HasReason();
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
