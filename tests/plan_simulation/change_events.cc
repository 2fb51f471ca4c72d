// What people do of a change of the cluster, and what goes wrong with one.
#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/plan_simulation/window.h"
#include "tests/plan_simulation/world.h"

namespace connect_ha::simulation {
namespace {

constexpr size_t kMostWords = 10;
// What a new generation changes; the first is the plainest.
enum class What : uint32_t {
  kVersion,
  kRestarts,
  kReloads,
  kTogether,
  kMoreRuntimes,
  kFewerRuntimes,
  kBack,  // to the one before
  kWindow,
  kTwoAtOnce,
  kBackup,
  kPrune,  // what no list names is removed
  kCount,
};

enum class Said : uint32_t {
  kApprove,
  kPause,
  kResume,
  kAbort,
  kRestored,
  kApproveNow,
  kCount,
};
// The commoner ones more than once.
constexpr Said kSaid[] = {Said::kApprove, Said::kApprove, Said::kPause,    Said::kResume,
                          Said::kAbort,   Said::kApprove, Said::kRestored, Said::kApproveNow};

Version Newer(const v1::ClusterSpec& spec) {
  return std::min(std::max<Version>(VersionIn(spec), 1) + 1, kVersions - 1);
}

uint32_t OtherDigit(uint32_t digit) { return (digit + 1) % 10; }

void ChangeSpec(What what, v1::ClusterSpec& spec) {
  const uint32_t runtimes = RuntimesIn(spec);
  switch (what) {
    case What::kVersion:
      spec.mutable_connect()->set_version(VersionText(Newer(spec)));
      break;
    case What::kMoreRuntimes:
      SetRuntimes(((runtimes << 1U) | 1U) % (1U << kRuntimes), spec);
      break;
    case What::kFewerRuntimes:
      SetRuntimes(std::max(1U, (runtimes << 1U) % (1U << kRuntimes)), spec);
      break;
    case What::kWindow:
      if (spec.rollout().has_maintenance_window()) {
        spec.mutable_rollout()->clear_maintenance_window();
      } else {
        spec.mutable_rollout()->set_maintenance_window(kLongWindow);
      }
      break;
    case What::kPrune:
      spec.mutable_runtimes()->set_prune(!spec.runtimes().prune());
      break;
    case What::kTwoAtOnce:
      spec.mutable_rollout()->set_max_unavailable(2);
      break;
    case What::kBackup:
      spec.mutable_database()->mutable_backup_before_migration()->set_command("dump");
      break;
    default:
      break;
  }
}

}  // namespace

void World::ApplyChange(uint32_t how) {
  if (!MayWrite()) return;
  Applied next = NewestOf(store_);
  const auto what = static_cast<What>(how % static_cast<uint32_t>(What::kCount));
  const bool is_back = what == What::kBack && store_.applied.size() > 1;
  if (is_back) next = store_.applied[store_.applied.size() - 2];
  v1::ClusterSpec spec = *next.spec;
  Configuration& configuration = next.configuration;
  ChangeSpec(what, spec);
  // What says how a change is made is changed with one.
  if (what == What::kWindow || what == What::kBackup) ChangeSpec(What::kVersion, spec);
  // The configuration names a runtime that is removed, or, as often as not, one that is added.
  const bool removes = what == What::kFewerRuntimes && spec.runtimes().prune();
  const bool names = what == What::kMoreRuntimes && how / static_cast<uint32_t>(What::kCount) % 2;
  if (what == What::kRestarts || what == What::kTwoAtOnce || removes || names) {
    configuration.restarts = OtherDigit(configuration.restarts);
  }
  if (what == What::kReloads) configuration.reloads = OtherDigit(configuration.reloads);
  if (what == What::kTogether) configuration.together = OtherDigit(configuration.together);
  spec.set_enforcement(v1::ENFORCE);
  next.spec = std::make_shared<const v1::ClusterSpec>(std::move(spec));
  Put(std::move(next));
}

// On any node, a bit for each.
uint32_t World::RuntimesThere() const {
  uint32_t there = 0;
  for (const Host& host : hosts_) there |= host.exists ? host.runtimes : 0;
  return there;
}

// Whoever does that knows that no Connect runs, or is about to.
void World::PutDatabaseBack(v1::Word& word) {
  const auto may_run = [](const Host& host) {
    return host.exists &&
           (host.running || host.held.state() == v1::SERVING || host.held.state() == v1::DRAINING);
  };
  const auto was_told = [](const std::vector<Given>& given) {
    return !given.empty() && given.back().state == v1::SERVING;
  };
  // Nor while a node is not heard that ran it: whether that is still so nobody knows.
  const auto seems_to_run = [](const Record& record) {
    return record.member && record.has_report && record.report.running != 0;
  };
  if (std::any_of(hosts_.begin(), hosts_.end(), may_run)) return;
  if (std::any_of(store_.records.begin(), store_.records.end(), seems_to_run)) return;
  if (std::any_of(given_.begin(), given_.end(), was_told)) return;
  if (database_->schema < 2) return;
  --database_->schema;
  database_->by_hand = false;
  word.set_kind(v1::Word::RESTORED);
  word.set_version(VersionText(database_->schema));
  word.set_role(v1::ADMIN);
  Count(Sometimes::kDatabasePutBack);
}

// How: the lowest digits say what, those above with which options.
void World::SayOfChange(uint32_t how) {
  if (!MayWrite() || store_.words.size() >= kMostWords) return;
  const Said said = kSaid[how % std::size(kSaid)];
  const uint32_t options = how / static_cast<uint32_t>(std::size(kSaid));
  v1::Word word;
  word.set_by("admin/alice");
  word.set_reason("why not");
  word.set_role(options % 4 == 3 ? v1::OPERATOR : v1::ADMIN);
  *word.mutable_at() = ToProto(ClockOf(static_cast<size_t>(Leader())));
  const bool of_newest = said != Said::kAbort || options % 2 == 0;
  const uint64_t generation = of_newest ? NewestOf(store_).generation : InForce(store_).generation;
  switch (said) {
    case Said::kApprove:
    case Said::kApproveNow:
      word.set_kind(v1::Word::APPROVE);
      word.set_generation(generation);
      word.set_now(said == Said::kApproveNow);
      word.set_downtime(said == Said::kApproveNow && options % 2 == 1);
      steady_ = steady_ && !word.downtime();
      approved_.insert(generation);
      harmed_ = true;
      break;
    case Said::kPause:
      word.set_kind(v1::Word::PAUSE);
      CountInPhase(InPhase::kPaused);
      break;
    case Said::kAbort:
      word.set_kind(v1::Word::ABORT);
      word.set_generation(generation);
      CountInPhase(InPhase::kAborted);
      break;
    case Said::kRestored:
      PutDatabaseBack(word);
      break;
    default: {
      auto& words = store_.words;
      const auto stops = [](const v1::Word& other) {
        return other.kind() == v1::Word::PAUSE || other.kind() == v1::Word::ABORT;
      };
      words.erase(std::remove_if(words.begin(), words.end(), stops), words.end());
      Note("a person has the change go on");
    }
  }
  for (Coordinator& coordinator : coordinators_) coordinator.Note();
  if (word.kind() == v1::Word::KIND_UNSPECIFIED) return;
  word.set_number(++store_.last_word);
  store_.words.push_back(word);
  if (trace_ != nullptr) Note(absl::StrCat("a person says: ", word.ShortDebugString()));
}

bool World::DoToChange(const Event& event, size_t slot) {
  Host& host = hosts_[slot];
  switch (event.kind) {
    case Kind::kChange:
      ApplyChange(event.how);
      return true;
    case Kind::kSayOfChange:
      SayOfChange(event.how);
      return true;
    case Kind::kMigration:
      database_->next = static_cast<Database::Migration>(
          event.how % static_cast<uint32_t>(Database::Migration::kCount));
      Note(absl::StrCat("the next migration is to end as ", event.how % 4));
      return true;
    case Kind::kCannotFetch:
      host.cannot_fetch = true;
      Note(absl::StrCat(host.name, " cannot fetch anything"));
      return true;
    case Kind::kCannotInstall:
      host.cannot_install = true;
      Note(absl::StrCat(host.name, " cannot install anything"));
      return true;
    case Kind::kCacheLost:
      host.cached = false;
      Note(absl::StrCat(host.name, " has no more what it has fetched"));
      return true;
    case Kind::kBackupFails:
      backup_fails_ = !backup_fails_;
      Note(backup_fails_ ? "a backup would fail" : "a backup would go well");
      return true;
    case Kind::kPin:
      pinned_ |=
          (RuntimesIn(*InForce(store_).spec) | RuntimesThere()) & (1U << (event.how % kRuntimes));
      Note("content is pinned to a runtime");
      return true;
    default:
      return false;
  }
}

// The command before a migration, on the coordinators' host: what was asked for is not run again.
void World::BackUp(const v1::BackupRun& run, const Knowledge& known) {
  if (!IsApproved(known) && !IsStartApproved(known)) {
    Break("no-backup-unapproved", absl::StrCat("a backup is made for generation ", run.generation(),
                                               ", which nobody has approved"));
  }
  const bool is_asked =
      beside_.backup && FromProto(beside_.backup->asked_at()) == FromProto(run.asked_at());
  if (is_asked) return;
  beside_.backup = run;
  beside_.backup->clear_ended_at();
  backup_ends_ = now_ + std::chrono::minutes(2);
  Note(absl::StrCat("a backup for generation ", run.generation(), " begins"));
}

void World::RunBackup(Time clock) {
  if (!beside_.backup || beside_.backup->has_ended_at() || now_ < backup_ends_) return;
  *beside_.backup->mutable_ended_at() = ToProto(clock);
  beside_.backup->set_went_well(!backup_fails_);
  beside_.backup->set_text(backup_fails_ ? "no space left" : "it is written");
  if (!backup_fails_) backed_up_ = beside_.backup->generation();
  Count(backup_fails_ ? Sometimes::kBackupFailed : Sometimes::kBackupWell);
  Note(absl::StrCat("the backup ", backup_fails_ ? "fails" : "goes well"));
}

}  // namespace connect_ha::simulation
