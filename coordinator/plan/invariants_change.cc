// Changes of the cluster from one generation to the next.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/time.h"
#include "common/version.h"
#include "coordinator/plan/judged.h"

namespace connect_ha {
namespace {

size_t Minimum(const v1::PlanInput& input) {
  const v1::NodesSpec& spec = input.spec().nodes();
  return std::max<size_t>(1, spec.has_minimum_serving() ? spec.minimum_serving() : 1);
}

bool IsGoneFor(const v1::PlanInput& input, const v1::PlanNode& node) {
  return !node.fresh() && WordOn(input, node.brief().name(), v1::Word::GONE) != nullptr;
}

bool IsKnownToRest(const v1::PlanInput& input, const Judged& judged) {
  const v1::PlanNode& node = *judged.node;
  if (IsGoneFor(input, node)) return true;
  const v1::NodeState reported = node.brief().reported_state();
  const bool held = reported == v1::STOPPED || reported == v1::FENCED;
  return node.heard() && node.fresh() && !node.brief().lost() && node.brief().claimants() <= 1 &&
         held && judged.before.state() == reported &&
         !IsAfter(judged.before.order(), node.obeys()) && node.connect() == v1::CONNECT_RESTS;
}

void JudgeGeneration(const v1::PlanInput& input, const v1::Decision& decision,
                     const std::vector<Judged>& nodes, Complaints& broken) {
  for (const Judged& judged : nodes) {
    if (judged.moved && judged.given.generation() != input.generation()) {
      broken.push_back(absl::StrCat(judged.name(), " is told a generation that is not in force"));
    }
  }
  const uint64_t before = input.generation();
  const uint64_t after = decision.remember().generation();
  if (after == before || after == input.memory().generation()) return;
  if (after < before || !input.has_next() || after != input.next().generation()) {
    broken.push_back("a generation is put into force that is not the newest");
  }
  const v1::Rollout& rollout = decision.remember().rollout();
  if (rollout.generation() != after || rollout.kind() != v1::Rollout::TOGETHER) return;
  const v1::Rollout& known = input.memory().rollout();
  if (known.generation() != after || known.kind() != v1::Rollout::TOGETHER ||
      known.has_ended_at()) {
    broken.push_back(
        "a generation for which all nodes stop is put into force before they were told");
  }
  for (const Judged& judged : nodes) {
    if (!IsKnownToRest(input, judged)) {
      broken.push_back(absl::StrCat("a generation for which all nodes stop is put into force, and ",
                                    judged.name(), " is not known to be stopped"));
    }
  }
}

bool IsSeen(const v1::PlanInput& input, const std::string& version) {
  return std::any_of(input.nodes().begin(), input.nodes().end(), [&](const v1::PlanNode& node) {
    return SameVersion(node.running_version(), version) ||
           SameVersion(node.newest_start().version(), version);
  });
}

bool IsNewer(const std::string& a, const std::string& b) {
  return !a.empty() && !b.empty() && CompareVersions(a, b) > 0;
}

void JudgeDatabase(const v1::PlanInput& input, const v1::Decision& decision, Complaints& broken) {
  const std::string& before = input.memory().database().newest_version();
  const std::string& after = decision.remember().database().newest_version();
  const bool put_back = WordOnAll(input, v1::Word::RESTORED, 0) != nullptr;
  if (!put_back && !before.empty() && (after.empty() || IsNewer(before, after))) {
    broken.push_back("which versions of Connect the database has known is forgotten");
  }
  if (before.empty() || !IsNewer(after, before) || IsSeen(input, after)) return;
  const v1::Rollout& rollout = input.memory().rollout();
  if (rollout.generation() != input.generation() || rollout.approved_by().empty()) {
    broken.push_back(absl::StrCat("Connect ", after, " is to be started, which may migrate the ",
                                  "database, and nobody approved that"));
  }
}

// The database says that nothing was migrated since it ran.
bool IsAsBefore(const v1::PlanInput& input, const std::string& version) {
  const v1::DatabaseMemory& database = input.memory().database();
  if (database.before_migration().empty() || IsNewer(database.before_version(), version)) {
    return false;
  }
  return std::any_of(input.nodes().begin(), input.nodes().end(), [&](const v1::PlanNode& node) {
    return node.fresh() && node.migration() == database.before_migration();
  });
}

void JudgeStarts(const v1::PlanInput& input, const std::vector<Judged>& nodes, Complaints& broken) {
  const std::string& newest = input.memory().database().newest_version();
  const bool put_back = WordOnAll(input, v1::Word::RESTORED, 0) != nullptr;
  const v1::Rollout& rollout = input.memory().rollout();
  for (const Judged& judged : nodes) {
    if (!Begins(judged)) continue;
    const std::string& version = judged.node->installed_version();
    if (!version.empty() && (newest.empty() || IsNewer(version, newest))) {
      broken.push_back(
          absl::StrCat(judged.name(), " starts Connect ", version, ", which is not remembered"));
    }
    if (IsNewer(newest, version) && !put_back && !IsAsBefore(input, version)) {
      broken.push_back(absl::StrCat(judged.name(), " starts Connect ", version, ", and ", newest,
                                    " may have migrated the database"));
    }
    if (!judged.given.closed()) {
      broken.push_back(absl::StrCat(judged.name(), " takes users before it was looked at"));
    }
    if (!IsAllStopUnderWay(input) || rollout.has_verified_at()) continue;
    if (!rollout.has_in_force_at() || rollout.first() != judged.name()) {
      broken.push_back(absl::StrCat(judged.name(), " starts before its turn"));
    }
  }
}

bool StillServes(const Judged& judged) { return judged.served && TakesUsers(judged.given.state()); }

// For nothing else than a change.
bool LeavesForChange(const v1::PlanInput& input, const Judged& judged) {
  return judged.moved && judged.leaves() && !IsWanted(input, judged) &&
         judged.after.out_for_size() == 0 && judged.node->start_failed().empty() &&
         !RunsOlder(input, *judged.node);
}

void JudgeTurns(const v1::PlanInput& input, const v1::Decision& decision,
                const std::vector<Judged>& nodes, Complaints& broken) {
  const auto left = static_cast<size_t>(std::count_if(nodes.begin(), nodes.end(), StillServes));
  const v1::Word* approval = WordOnAll(input, v1::Word::APPROVE, input.generation());
  const bool downtime = IsAllStopUnderWay(input) || (approval != nullptr && approval->downtime());
  const uint64_t of =
      IsAllStopUnderWay(input) ? input.memory().rollout().generation() : input.generation();
  // Once all had stopped, nobody runs on, whatever becomes of it.
  const bool must_stop = IsAllStopUnderWay(input) && input.memory().rollout().has_in_force_at();
  const bool held = WordOnAll(input, v1::Word::PAUSE, 0) != nullptr ||
                    WordOnAll(input, v1::Word::ABORT, of) != nullptr;
  const v1::RolloutStatus& status = decision.rollout();
  const bool halted = status.standing() == v1::RolloutStatus::HALTED && status.generation() == of;
  for (const Judged& judged : nodes) {
    if (!LeavesForChange(input, judged)) continue;
    if (!downtime && left < Minimum(input)) {
      broken.push_back(absl::StrCat(judged.name(), " leaves for a change, and too few are left"));
    }
    if ((held || halted) && !must_stop) {
      broken.push_back(absl::StrCat(judged.name(), " leaves for a change that does not go on"));
    }
  }
}

bool IsLookedAt(const v1::PlanInput& input, const v1::PlanNode& node) {
  const v1::FactsBrief& facts = node.brief().facts();
  const bool mounted =
      facts.has_mount_verified() ? facts.mount_verified() : !input.spec().has_storage();
  const v1::ConnectSpec& spec = input.spec().connect();
  const bool version = !spec.has_version() || spec.version().empty() ||
                       SameVersion(node.running_version(), spec.version());
  return node.heard() && node.fresh() && node.connect() == v1::CONNECT_RUNS && facts.answers() &&
         mounted && version;
}

void JudgeGates(const v1::PlanInput& input, const std::vector<Judged>& nodes, Complaints& broken) {
  for (const Judged& judged : nodes) {
    const bool was_closed = judged.before.state() == v1::SERVING && judged.before.closed() &&
                            !IsAfter(judged.node->obeys(), judged.before.order());
    const bool opens =
        judged.moved && judged.given.state() == v1::SERVING && !judged.given.closed() && was_closed;
    if (opens && !IsLookedAt(input, *judged.node)) {
      broken.push_back(absl::StrCat(judged.name(), " takes users, and is not known to be right"));
    }
    if (judged.given.closed() && judged.given.state() != v1::SERVING) {
      broken.push_back(absl::StrCat(judged.name(), " is closed, and does not serve"));
    }
  }
}

// It is no member, was declared gone, or rests and a person holds it.
bool MayBeReplaced(const v1::PlanInput& input, const std::string& name) {
  for (const v1::PlanNode& node : input.nodes()) {
    if (node.brief().name() != name) continue;
    if (IsGoneFor(input, node)) return true;
    const auto kinds = {v1::Word::STOP, v1::Word::DRAIN, v1::Word::CORDON, v1::Word::FENCE,
                        v1::Word::RELEASE};
    const bool held = node.notices_size() > 0 ||
                      std::any_of(kinds.begin(), kinds.end(), [&](v1::Word::Kind kind) {
                        return WordOn(input, name, kind) != nullptr;
                      });
    return held && node.fresh() && node.connect() == v1::CONNECT_RESTS;
  }
  return true;
}

bool Stays(bool had, const google::protobuf::Timestamp& before, bool has,
           const google::protobuf::Timestamp& after) {
  return !had || (has && FromProto(before) == FromProto(after));
}

void JudgeMemoryOfIt(const v1::PlanInput& input, const v1::Decision& decision, Complaints& broken) {
  const v1::Rollout& before = input.memory().rollout();
  const v1::Rollout& after = decision.remember().rollout();
  const bool in_force = before.has_in_force_at() && !before.has_ended_at();
  if (in_force && after.generation() == 0)
    broken.push_back("what was done of a change is forgotten");
  if (before.generation() == 0 || before.generation() != after.generation()) return;
  const bool stays =
      Stays(before.has_in_force_at(), before.in_force_at(), after.has_in_force_at(),
            after.in_force_at()) &&
      Stays(before.has_verified_at(), before.verified_at(), after.has_verified_at(),
            after.verified_at()) &&
      Stays(before.has_opened_at(), before.opened_at(), after.has_opened_at(), after.opened_at()) &&
      Stays(before.has_ended_at(), before.ended_at(), after.has_ended_at(), after.ended_at());
  if (!stays) broken.push_back("what was done of a change is forgotten");
  if (!before.first().empty() && before.first() != after.first() &&
      !MayBeReplaced(input, before.first())) {
    broken.push_back(absl::StrCat("another node goes first, and ", before.first(), " may run"));
  }
}

bool IsApproved(const v1::PlanInput& input) {
  if (WordOnAll(input, v1::Word::APPROVE, input.next().generation()) != nullptr) return true;
  const Time now = FromProto(input.now());
  return input.has_window() && FromProto(input.window().opens()) <= now &&
         now < FromProto(input.window().closes());
}

bool IsBackedUp(const v1::PlanInput& input) {
  if (!input.next().spec().database().has_backup_before_migration()) return true;
  const v1::BackupRun& run = input.memory().backup();
  return run.generation() == input.next().generation() && run.has_ended_at() && run.went_well();
}

void JudgeBegin(const v1::PlanInput& input, const v1::Decision& decision, Complaints& broken) {
  if (decision.has_back_up() && !(input.has_next() && IsApproved(input))) {
    broken.push_back("a backup is made for what nobody approved");
  }
  const v1::Rollout& before = input.memory().rollout();
  const v1::Rollout& after = decision.remember().rollout();
  const bool begins = after.generation() != 0 && after.kind() == v1::Rollout::TOGETHER &&
                      !after.has_in_force_at() && before.generation() != after.generation();
  if (!begins) return;
  if (!input.has_next() || !IsApproved(input) || after.approved_by().empty()) {
    broken.push_back("all nodes are to stop for what nobody approved");
  }
  if (!IsBackedUp(input)) broken.push_back("all nodes are to stop before the backup was made");
}

void JudgeShown(const v1::PlanInput& input, const v1::Decision& decision, Complaints& broken) {
  const v1::Rollout& rollout = decision.remember().rollout();
  const bool is_there = input.has_next() || (rollout.generation() != 0 && !rollout.has_ended_at());
  const v1::RolloutStatus& status = decision.rollout();
  if (is_there && status.phase() == v1::RolloutStatus::PHASE_UNSPECIFIED) {
    broken.push_back("a change is in no phase");
  }
  const bool stands = status.standing() != v1::RolloutStatus::STANDING_UNSPECIFIED;
  if (stands && status.reason().empty()) {
    broken.push_back("a change is under way, and it is not said for what it waits");
  }
  const bool waits = status.standing() == v1::RolloutStatus::HALTED ||
                     status.standing() == v1::RolloutStatus::PAUSED;
  if (waits && (status.reason().empty() || status.fixes().empty())) {
    broken.push_back("a change does not go on, and it is not said why, or what to type");
  }
}

}  // namespace

void JudgeChange(const v1::PlanInput& input, const v1::Decision& decision,
                 const std::vector<Judged>& nodes, Complaints& broken) {
  JudgeGeneration(input, decision, nodes, broken);
  JudgeDatabase(input, decision, broken);
  JudgeStarts(input, nodes, broken);
  JudgeTurns(input, decision, nodes, broken);
  JudgeGates(input, nodes, broken);
  JudgeMemoryOfIt(input, decision, broken);
  JudgeBegin(input, decision, broken);
  JudgeShown(input, decision, broken);
}

}  // namespace connect_ha
