// What of a change of the cluster is written down, against the world, and against what was known
// to whoever wrote it.
#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/version.h"
#include "tests/plan_simulation/window.h"
#include "tests/plan_simulation/world.h"

namespace connect_ha::simulation {
namespace {

// As coordinator/plan/record/estimate.h.
constexpr std::chrono::minutes kTogetherTakes{15};

bool IsUnderWay(const v1::Rollout& rollout) {
  return rollout.generation() != 0 && !rollout.has_ended_at();
}

bool IsSame(const v1::Rollout& a, const v1::Rollout& b) {
  return a.generation() == b.generation() && FromProto(a.began_at()) == FromProto(b.began_at());
}

// It begins to stop all nodes.
bool BeginsToStop(const v1::Rollout& before, const v1::Rollout& after) {
  const bool stops =
      IsUnderWay(after) && after.kind() == v1::Rollout::TOGETHER && !after.has_in_force_at();
  return stops && !(IsUnderWay(before) && IsSame(before, after));
}

bool HasChanged(bool had, const google::protobuf::Timestamp& before, bool has,
                const google::protobuf::Timestamp& after) {
  return had && (!has || FromProto(before) != FromProto(after));
}

bool HasLostATime(const v1::Rollout& a, const v1::Rollout& b) {
  return HasChanged(a.has_in_force_at(), a.in_force_at(), b.has_in_force_at(), b.in_force_at()) ||
         HasChanged(a.has_verified_at(), a.verified_at(), b.has_verified_at(), b.verified_at()) ||
         HasChanged(a.has_opened_at(), a.opened_at(), b.has_opened_at(), b.opened_at());
}

bool HasEnded(const v1::Decision& decision, uint64_t generation) {
  const auto& ended = decision.ended();
  return std::any_of(ended.begin(), ended.end(), [generation](const v1::Rollout& rollout) {
    return rollout.generation() == generation;
  });
}

uint32_t PinnedBits(const v1::PlanInput& input) {
  uint32_t bits = 0;
  for (const v1::PinnedRuntime& pinned : input.pinned()) {
    for (uint32_t bit = 0; bit < kRuntimes; ++bit) {
      if (pinned.version() == RuntimeText(bit)) bits |= 1U << bit;
    }
  }
  return bits;
}

}  // namespace

void World::NoteChange(const v1::PlanInput& input, Knowledge& known) {
  const Applied& in_force = InForce(store_);
  known.spec = in_force.spec;
  known.generation = in_force.generation;
  known.pinned = PinnedBits(input);
  known.newest = VersionNamed(store_.memory.database().newest_version());
  known.not_before = store_.memory.not_before();
  for (size_t i = 0; i < hosts_.size(); ++i) {
    uint64_t reached = 0;
    for (const v1::NodeMemory& node : store_.memory.nodes()) {
      if (node.node() == NameOf(i)) reached = node.reached();
    }
    if (reached < known.not_before) known.before_that |= 1U << i;
  }
  if (NewestOf(store_).generation != in_force.generation) {
    known.next = NewestOf(store_);
    const std::optional<WindowTime> window = WindowOf(*known.next.spec, known.clock);
    known.window_is_open = window && window->IsOpen(known.clock);
    known.window = window;
  }
  if (known.window_is_open) {
    approved_.insert(known.next.generation);
    harmed_ = true;
  }
  // What is in force may migrate in it, too.
  if (IsStartApproved(known)) approved_.insert(known.generation);
  for (size_t i = 0; i < hosts_.size(); ++i) {
    if (hosts_[i].left_behind) known.left_behind |= 1U << i;
  }
  const v1::Rollout& rollout = store_.memory.rollout();
  if (!IsUnderWay(rollout)) return;
  known.change = rollout.generation();
  known.together = rollout.kind() == v1::Rollout::TOGETHER;
  known.in_force = rollout.has_in_force_at();
  known.verified = rollout.has_verified_at();
  known.first = rollout.first();
  for (const v1::RolloutNode& node : rollout.nodes()) {
    for (size_t i = 0; i < hosts_.size(); ++i) {
      if (node.to_change() && node.node() == NameOf(i)) known.listed |= 1U << i;
    }
  }
}

void World::CheckChange(const v1::PlanMemory& before, const v1::Decision& decision,
                        const Knowledge& known) {
  const v1::PlanMemory& after = decision.remember();
  CheckInForce(before, after, known);
  CheckRemembered(before, decision, known);
  CheckBegun(before.rollout(), after.rollout(), known);
  CheckVerified(before.rollout(), after.rollout(), known);
  if (BeginsToStop(before.rollout(), after.rollout())) {
    CheckWindow(before, after.rollout(), known);
    CheckFetched(after.rollout(), known);
  }
  NoteLeftBehind(before, after);
}

// All have stopped for it, but for those that a person took for gone.
void World::NoteLeftBehind(const v1::PlanMemory& before, const v1::PlanMemory& after) {
  const v1::Rollout& rollout = after.rollout();
  const bool is_put = before.generation() != after.generation() &&
                      rollout.generation() == after.generation() &&
                      rollout.kind() == v1::Rollout::TOGETHER;
  for (Host& host : hosts_) host.left_behind |= is_put && host.mistaken && host.running;
}

// Which generation is in force.
void World::CheckInForce(const v1::PlanMemory& before, const v1::PlanMemory& after,
                         const Knowledge& known) {
  if (before.generation() == after.generation()) return;
  const bool is_first = before.generation() == 0 && after.generation() == known.generation;
  const bool is_next = known.next.generation != 0 && after.generation() == known.next.generation;
  if (!is_first && !is_next) {
    return Break("generations-only-grow",
                 absl::StrCat("generation ", after.generation(), " is put into force after ",
                              before.generation(), ", and the newest is ", known.next.generation));
  }
  if (is_first) return;
  const bool to_enforce = known.next.spec->enforcement() == v1::ENFORCE;  // else nothing is removed
  for (size_t i = 0; i < hosts_.size(); ++i) {
    const NodeView& view = known.views[i];
    const bool says = view.member && view.fresh && !view.cloned && view.report.ahead_keeps &&
                      view.report.ahead == after.generation() && !was_restored_;
    if (!says || !to_enforce) continue;
    Break("a-pinned-runtime-stays",
          absl::StrCat("generation ", after.generation(), " removes what content is pinned to on ",
                       NameOf(i), ", as its agent said, or what it is not known of"));
  }
  const uint32_t kept = RuntimesIn(*known.next.spec);
  const uint32_t removed = RuntimesIn(*known.spec) & ~kept & known.pinned;
  if (to_enforce && kept != 0 && removed != 0) {
    Break("a-pinned-runtime-stays",
          absl::StrCat("generation ", after.generation(), " has no runtime any more that ",
                       "content is pinned to"));
  }
  const bool enforced = known.spec->enforcement() == v1::ENFORCE && to_enforce;
  // What runs another one than is in force already was found so, or has drifted.
  const Version wanted = VersionIn(*known.next.spec);
  const bool is_another = wanted != 0 && wanted != VersionIn(*known.spec);
  for (size_t i = 0; i < hosts_.size() && enforced; ++i) {
    const Host& host = hosts_[i];
    const bool runs = host.exists && host.power && host.running && !host.by_hand &&
                      store_.records[i].member && !host.cloned;
    const bool is_other = is_another && host.process != wanted;
    const bool together = after.rollout().kind() == v1::Rollout::TOGETHER &&
                          after.rollout().generation() == after.generation();
    if (!runs || host.mistaken || (!is_other && !together)) continue;
    Break("all-stop-first",
          absl::StrCat("generation ", after.generation(),
                       " is put into force, and Connect still runs on ", host.name));
  }
}

// What may not be forgotten.
void World::CheckRemembered(const v1::PlanMemory& before, const v1::Decision& decision,
                            const Knowledge& known) {
  const v1::PlanMemory& after = decision.remember();
  const auto& words = known.words;
  const bool is_back = std::any_of(words.begin(), words.end(), [](const v1::Word& word) {
    return word.kind() == v1::Word::RESTORED;
  });
  const std::string& newest = before.database().newest_version();
  if (!is_back && !newest.empty() &&
      (after.database().newest_version().empty() ||
       CompareVersions(after.database().newest_version(), newest) < 0)) {
    Break("what-the-database-knew-is-kept",
          absl::StrCat("that it has known Connect ", newest, " is forgotten"));
  }
  const v1::Rollout& was = before.rollout();
  const v1::Rollout& is = after.rollout();
  if (!IsUnderWay(was)) return;
  if (!IsSame(was, is)) {
    if (was.has_in_force_at() && !HasEnded(decision, was.generation())) {
      Break("what-a-change-was-stays",
            absl::StrCat("the change to generation ", was.generation(), " is forgotten"));
    }
    return;
  }
  const auto runs = [&](const Host& host) {
    const bool is_member = store_.records[static_cast<size_t>(&host - hosts_.data())].member;
    return host.name == was.first() && is_member && host.running && !host.mistaken;
  };
  const bool another_first = !was.first().empty() && was.first() != is.first() &&
                             std::any_of(hosts_.begin(), hosts_.end(), runs);
  if (!HasLostATime(was, is) && !another_first) return;
  Break("what-a-change-was-stays",
        absl::StrCat("what was remembered of the change to generation ", was.generation(),
                     another_first ? ": another one is to go first" : " is another time"));
}

void World::CheckBegun(const v1::Rollout& before, const v1::Rollout& after,
                       const Knowledge& known) {
  const bool begins = BeginsToStop(before, after);
  const bool stopped = IsUnderWay(before) && before.kind() == v1::Rollout::TOGETHER &&
                       !before.has_in_force_at() && IsSame(before, after) &&
                       after.has_in_force_at();
  if (!begins && !stopped) return;
  if (!IsApproved(known)) {
    Break("stops-only-when-approved",
          absl::StrCat("generation ", after.generation(),
                       begins ? " is begun" : " is put into force", ", and nobody approves it"));
  }
  if (!begins || after.generation() != known.next.generation) return;
  const bool backs_up = known.next.spec->database().has_backup_before_migration();
  if (backs_up && backed_up_ != after.generation()) {
    Break("a-backup-comes-first",
          absl::StrCat("generation ", after.generation(), " is begun without its backup"));
  }
}

// By the window alone, or in it, nothing is begun that may last longer than it. What a change takes
// is known once there was one.
void World::CheckWindow(const v1::PlanMemory& before, const v1::Rollout& after,
                        const Knowledge& known) {
  const auto& spans = before.spans();
  const bool is_known = std::any_of(spans.begin(), spans.end(), [](const v1::StepSpan& span) {
    return span.kind() == v1::Rollout::TOGETHER;
  });
  const auto is_now = [&after](const v1::Word& word) {
    return word.kind() == v1::Word::APPROVE && word.generation() == after.generation() &&
           word.now();
  };
  const bool by_person = std::any_of(known.words.begin(), known.words.end(), is_now);
  if (!known.window || is_known || by_person) return;
  if (known.clock + kTogetherTakes <= known.window->closes) return;
  Break("a-window-is-long-enough",
        absl::StrCat("generation ", after.generation(), " is begun, and its window ends in ",
                     FormatSpan(known.window->closes - known.clock)));
}

// Nobody is stopped for a download: what was fetched is there, but for what its agent had no time
// to say.
void World::CheckFetched(const v1::Rollout& after, const Knowledge& known) {
  for (size_t i = 0; i < hosts_.size(); ++i) {
    const Host& host = hosts_[i];
    const NodeView& view = known.views[i];
    const bool says = view.member && view.fresh && !view.cloned && view.report.ahead_ready &&
                      view.report.ahead == after.generation();
    const bool is_lost = host.lost_said_at && known.at - *host.lost_said_at > kStaleAfter;
    if (!says || !is_lost || was_sent_ || clock_jumped_) continue;
    Break("what-it-takes-is-there",
          absl::StrCat("all are to stop for generation ", after.generation(), ", and what ",
                       host.name, " had fetched for it is gone"));
  }
}

// The first is right, as it said itself.
void World::CheckVerified(const v1::Rollout& before, const v1::Rollout& after,
                          const Knowledge& known) {
  const bool verified = IsUnderWay(before) && IsSame(before, after) && !before.has_verified_at() &&
                        after.has_verified_at();
  if (!verified || after.kind() != v1::Rollout::TOGETHER) return;
  const Version wanted = VersionIn(*known.spec);
  for (size_t i = 0; i < hosts_.size(); ++i) {
    const NodeView& view = known.views[i];
    const bool right = view.fresh && !view.cloned && view.report.answers &&
                       (wanted == 0 || view.report.running == wanted);
    if (NameOf(i) == after.first() && right) return;
  }
  Break("the-first-goes-alone",
        absl::StrCat("the others are let go, and ", after.first(), " is not known to be right"));
}

}  // namespace connect_ha::simulation
