// A simulated coordinator, and the store that it, the one after it and the one beside it write to.
// It asks the plan as coordinator/cluster's planner does: gather, Decide, Broken, store, publish
// with the gates' terms; it may die, or be overtaken by another, between any two of these.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "common/time.h"
#include "connect_ha/v1/node_service.pb.h"
#include "connect_ha/v1/plan.pb.h"
#include "coordinator/cluster/node/gate_terms.h"
#include "tests/plan_simulation/checklist.h"
#include "tests/plan_simulation/content.h"
#include "tests/plan_simulation/report.h"
#include "tests/plan_simulation/schedule.h"

namespace connect_ha::simulation {

inline constexpr char kLineage[] = "simulated";
// limits.stale_after: a node that was not heard for so long is lost.
inline constexpr std::chrono::seconds kStaleAfter{30};

// How long a node has shown an outcome. A time of UNKNOWN in between does not end it.
struct Shown {
  v1::Outcome outcome = v1::OUTCOME_UNSPECIFIED;
  Time since;
  v1::Outcome known = v1::OUTCOME_UNSPECIFIED;
  Time known_since;
};

struct Record {
  bool member = false;
  uint32_t machine = 0;
  uint64_t rank = 0;
  bool has_report = false;
  Report report;
  Time last_seen;
  std::array<Shown, kRules> shown;
};

// What a person has applied.
struct Applied {
  uint64_t generation = 0;
  Time at;
  std::shared_ptr<const v1::ClusterSpec> spec;
  Configuration configuration;
};

struct Store {
  uint64_t epoch = 0;
  std::vector<Applied> applied;  // one and more; the last is the newest
  v1::PlanMemory memory;
  std::vector<v1::Word> words;
  uint64_t last_word = 0;
  std::array<Record, kMostNodes> records;
  uint64_t last_rank = 0;
  uint64_t memberships = 0;  // grows with every change of who is a member
};

const Applied& NewestOf(const Store& store);
// As PlanMemory.generation.
const Applied& InForce(const Store& store);

// What a coordinator finds on its host.
struct Beside {
  std::optional<v1::BackupRun> backup;  // the latest
};

// Faults that can be planted in the coordinator around the plan (planted.h).
struct CoordinatorFaults {
  bool publishes_first = false;  // before it has stored
  bool writes_late = false;      // though another has taken the store up
  bool tells_no_terms = false;   // on which a node's gate closes by itself
};

struct Answer {
  bool removed = false;
  v1::HeartbeatResponse response;
};

class Coordinator {
 public:
  enum class Stage { kIdle, kDecided, kStored };

  bool up() const { return up_; }
  uint64_t epoch() const { return epoch_; }
  Stage stage() const { return stage_; }
  // Something that the plan looks at has changed since it was asked last, or that is long ago.
  bool IsDue(Time now) const;
  void Note() { due_ = true; }

  void Start(Store& store, Time now);
  void Die() { up_ = false; }
  // Another machine has the name now, or none.
  void Forget(size_t slot);

  // `now` is by its own clock. Nothing: it does not know the machine, or cannot write, since
  // another has taken the store up.
  std::optional<Answer> Hear(Store& store, size_t slot, const Report& report, bool cloned,
                             Time now);

  // What the plan is asked; also what is known of each node then.
  const v1::PlanInput& Gather(Store& store, const Beside& beside, Time now);
  const v1::PlanInput& input() const { return input_; }
  const Views& views() const { return views_; }
  const std::array<Lines, kMostNodes>& lines() const { return lines_; }
  void Decided(v1::Decision decision);
  const v1::Decision& decision() const { return decision_; }
  // False: it was overtaken, and is no more.
  bool Write(Store& store, const CoordinatorFaults& faults);
  // What was decided of it is of the machine that has its name now.
  bool IsStillOf(const Store& store, size_t slot) const;
  // What every member is told from now on.
  void Tell(const Store& store, const CoordinatorFaults& faults);
  void Publish(const Store& store, const CoordinatorFaults& faults);
  const std::optional<Time>& wake_at() const { return wake_at_; }
  const std::optional<v1::NodeAssignment>& published(size_t slot) const { return published_[slot]; }

 private:
  struct Seen {
    bool heard = false;
    bool cloned = false;
    bool ahead = false;
    bool odd = false;
    Time last_seen;
  };

  bool LeavesAlone(size_t slot) const;
  void TellAhead(const Store& store, const Report& report, v1::HeartbeatResponse& response) const;
  void View(const Store& store, Time now);
  void Look(Store& store, Time now);
  void FillWindow(const v1::ClusterSpec& spec, Time now);
  void FillNext(const Store& store, Time now);
  void FillPinned();
  void FillAhead(const Store& store, const Report& report, v1::PlanNode* node) const;
  void Fill(const Store& store, size_t slot, v1::PlanNode* node);
  void FillStanding(const Store& store, size_t slot, v1::PlanNode* node);
  void FillRules(const Record& record, size_t slot, v1::PlanNode* node) const;

  bool up_ = false;
  uint64_t epoch_ = 0;
  Time started_;
  bool due_ = true;
  Time asked_;
  std::array<Seen, kMostNodes> seen_;
  Views views_;
  std::array<Lines, kMostNodes> lines_;
  v1::PlanInput input_;
  v1::Decision decision_;
  uint64_t in_force_ = 0;  // as it has told
  uint64_t memberships_ = 0;
  std::array<uint64_t, kMostNodes> looked_at_{};  // rank of the record
  Stage stage_ = Stage::kIdle;
  std::optional<Time> wake_at_;
  std::array<std::optional<v1::NodeAssignment>, kMostNodes> published_;
  std::array<GateTerms, kMostNodes> terms_;  // as published
};

}  // namespace connect_ha::simulation
