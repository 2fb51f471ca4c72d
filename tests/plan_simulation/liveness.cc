// The end of each schedule: faults cease, and everything comes to rest within so many rounds, as
// the specification says, or with a reason that is said.
#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/plan_simulation/world.h"

namespace connect_ha::simulation {
namespace {

constexpr int kMostRounds = 240;
// So often nothing moves, and no time is named at which it would.
constexpr int kQuiet = 1;
constexpr std::chrono::minutes kWaits{11};
constexpr int kUntilInForce = 3;

void Mix(uint64_t value, uint64_t* sum) { *sum = (*sum ^ value) * 0x100000001b3; }

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
      const auto slot = static_cast<size_t>(&host - hosts_.data());
      if (host.taken) Replace(slot);
      Mend(host);
      host.cloned = false;
      if (!host.power && MaySwitchOn(slot)) {
        Boot(host, Around(), subject_.agent);
        CheckStarted(slot, false);
      }
    }
    if (host.power && !host.agent) StartAgent(host);
  }
  if (!all) return;
  database_away_ = false;
  database_->next = Database::Migration::kGoesWell;
  backup_fails_ = false;
  // But for what happened to the database: that stays so, and nothing was decided by it yet.
  const auto is_taken_back = [](const v1::Word& word) { return word.kind() != v1::Word::RESTORED; };
  auto& words = store_.words;
  words.erase(std::remove_if(words.begin(), words.end(), is_taken_back), words.end());
  Round();  // what the store does not know is seen before something is applied
  now_ += std::chrono::seconds(5);
  // What was only observed, and differs, is changed by the one after that from which on it may be.
  const bool enforced = InForce(store_).spec->enforcement() == v1::ENFORCE;
  ApplyLast();
  for (int i = 0; i < kUntilInForce && !enforced; ++i) Round();
  if (!enforced) ApplyLast();
}

// What nothing speaks against, and a person approves.
void World::ApplyLast() {
  if (!MayWrite()) return;
  Applied next = NewestOf(store_);
  v1::ClusterSpec spec = *next.spec;
  spec.set_enforcement(v1::ENFORCE);
  if (VersionIn(spec) != 0) {
    spec.mutable_connect()->set_version(VersionText(std::max(VersionIn(spec), database_->schema)));
  }
  SetRuntimes(RuntimesIn(spec) | pinned_, spec);
  next.spec = std::make_shared<const v1::ClusterSpec>(std::move(spec));
  Put(std::move(next));
  SayOfChange(kApproveNow);
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
    Mix(GateIsOpen(host, now_) ? 1 : 0, &sum);
    Mix(host.installed, &sum);
    Mix(host.runtimes, &sum);
    Mix(host.configuration.restarts * 100 + host.configuration.reloads * 10 +
            host.configuration.together,
        &sum);
    Mix(host.held.closed() ? 1 : 0, &sum);
    Mix(host.ahead.generation() * 2 + (host.ahead_ready ? 1 : 0), &sum);
  }
  for (const v1::NodeMemory& node : store_.memory.nodes()) {
    Mix(node.order().epoch(), &sum);
    Mix(node.order().serial(), &sum);
  }
  Mix(store_.memory.generation(), &sum);
  Mix(static_cast<uint64_t>(phase_) * 8 + static_cast<uint64_t>(standing_), &sum);
  return sum;
}

// To when the plan wants to be asked, or EC2 does what it has said. False: there is no such time,
// and no migration runs yet.
bool World::PassToNext(size_t coordinator) {
  const std::optional<Time>& wake = coordinators_[coordinator].wake_at();
  std::optional<Time> next;
  if (wake) next = Time(*wake - offsets_[coordinator]);
  for (const Host& host : hosts_) {
    if (host.exists && host.departure.at)
      next = std::min(next.value_or(*host.departure.at), *host.departure.at);
    if (!host.exists || !host.running || host.answers_at <= now_) continue;
    const Time later = std::min(host.answers_at, now_ + kWaits);
    next = std::min(next.value_or(later), later);
  }
  if (!next) {
    now_ += kWaits;
    return false;
  }
  PassTo(std::max(now_, *next), false);
  return true;
}

// Of what may migrate the database: for which a word is said as what is in force, and not before.
bool World::IsStartAwaited() const {
  for (size_t i = 0; i < hosts_.size(); ++i) {
    const Host& host = hosts_[i];
    const bool is_new =
        host.installed > database_->schema || store_.memory.database().newest_version().empty();
    if (store_.records[i].member && !host.running && is_new) return true;
  }
  return false;
}

void World::ComeToRest() {
  Note("from here on nothing happens any more");
  MendCoordinators();
  MendHosts();
  const auto left = static_cast<size_t>(std::max(Leader(), 0));
  uint64_t last = Signature();
  int quiet = 0;
  bool is_asked_again = setup_.stays_broken != 0;
  for (int round = 0; round < kMostRounds && !failure_; ++round) {
    Round();
    const uint64_t is = Signature();
    if (is != last) {
      last = is;
      quiet = 0;
      continue;
    }
    if (PassToNext(left) || ++quiet <= kQuiet) continue;
    if (is_asked_again || !IsStartAwaited()) return CheckAtRest(left);
    // What a person had installed since, or before it was in force.
    SayOfChange(kApproveNow);
    is_asked_again = true;
    quiet = 0;
  }
  // A backup that fails is made in each maintenance window again.
  if (backup_fails_ && NewestOf(store_).spec->rollout().has_maintenance_window()) {
    return CheckAtRest(left);
  }
  Break("comes-to-rest", absl::StrCat("something still moves after ", kMostRounds, " rounds"));
}

}  // namespace connect_ha::simulation
