// The change of the cluster that is under way or to come, as everything that decides looks at it;
// made once for each decision, from what is remembered (PlanMemory.generation, rollout, backup,
// database) and from what the nodes say. No list of steps: where it is follows from these.
//
// Only what is remembered is gone by. What a decision adds to it (record/progress.h) moves nodes
// with the next one, which is due at once: so it is stored before anything is done by it.
#pragma once

#include <string>
#include <vector>

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/look/situation.h"
#include "coordinator/plan/next/backup.h"
#include "coordinator/plan/next/kind.h"
#include "coordinator/plan/words/words.h"

namespace connect_ha {

// Of the members that are to be changed one after the other.
struct Turns {
  std::vector<const Member*> next;  // whose turn it is, but for what each waits for by itself
  std::string out;                  // who has to serve first, for the others
  std::string small;                // who has something to add yet that takes no restart
};

struct Change {
  // Remembered, and under way (without end); else empty.
  v1::Rollout rollout;
  // TOGETHER, and begun: all nodes are to stop, as the generation before; none starts.
  bool stopping = false;
  // TOGETHER, in force, and nobody is known to be right yet: `rollout.first` alone is changed.
  bool first_alone = false;
  // Of one that stops: why it is given up with this decision, and all nodes go back into service
  // with the next. Meanwhile nobody else leaves. "": it is not.
  std::string goes_back;

  // Of the newest generation, where it is not in force; else empty.
  NextKind next;
  // Where that stands, and why it is not begun now; "": it is.
  v1::RolloutStatus::Phase next_phase = v1::RolloutStatus::PHASE_UNSPECIFIED;
  v1::RolloutStatus::Standing next_standing = v1::RolloutStatus::STANDING_UNSPECIFIED;
  std::string next_waits;
  std::vector<std::string> next_fixes;
  std::string approved_by;  // as Rollout's
  BackupLook backup;

  // People's words on the whole cluster; null: none.
  const v1::Word* paused = nullptr;
  const v1::Word* aborted = nullptr;   // of what all nodes stop for, else of what is in force
  const v1::Word* approved = nullptr;  // of the generation in force
  // A version that a node is about to be told to start, and that is not remembered yet; "": none.
  // Filled in once it is known where each node goes.
  std::string to_note;
  // Why nothing more is begun until a person says how it goes on; "": nothing went wrong.
  std::string halted;
  std::vector<std::string> fixes;  // what to type then
  Turns turns;

  bool under_way() const { return rollout.generation() != 0; }
  // The newest generation's turn has come, with this decision.
  bool begins(const v1::PlanInput& input) const {
    return !stopping && input.has_next() && next_waits.empty();
  }
  // A further node may be taken out of service for it.
  bool goes_on() const { return paused == nullptr && aborted == nullptr && halted.empty(); }
  // It is what all this is of; not one that is begun with this decision in its place.
  bool is_of(const v1::Rollout& other) const { return other.generation() == rollout.generation(); }
  // TOGETHER, in force, and nobody is to serve before the gates open.
  bool is_closed() const {
    return rollout.kind() == v1::Rollout::TOGETHER && !stopping && !rollout.has_opened_at();
  }
  // A person said that fewer than minimum_serving may be left.
  bool may_be_downtime() const { return approved != nullptr && AllowsDowntime(*approved); }
};

// After the situation: it looks at its members, and says loudly what went wrong.
Change LookAtChange(Situation& situation);

// Of a Rollout that has not ended.
bool IsStopping(const v1::Rollout& rollout);
bool IsFirstAlone(const v1::Rollout& rollout);
// Null: it is no member, or none when the change began.
const Member* FindMember(const Situation& situation, const std::string& name);
const v1::RolloutNode* FindNode(const v1::Rollout& rollout, const std::string& name);
// A person keeps it from service, or EC2 takes its machine.
bool IsHeldByPerson(const Member& member);
// A person has it leave, or EC2: it needs no turn for that, and has none once it has left.
bool LeavesAnyway(const Member& member);
// Whoever is held, once it has left: one that is cordoned serves on until its turn. Or it is out of
// service since EC2 recommends to replace it.
bool IsLeftOut(const Member& member);

}  // namespace connect_ha
