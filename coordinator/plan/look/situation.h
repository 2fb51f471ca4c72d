// The input as everything that decides looks at it; made once for each decision.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/look/moments.h"
#include "coordinator/plan/words/words.h"

namespace connect_ha {

// What may be done to a node.
enum class May {
  kObserve,  // nothing
  kInstall,  // bring it to the specification; Connect is neither started nor stopped
  kServe,
};

struct Member {
  const v1::PlanNode* node = nullptr;
  // As it is remembered; of one that is not, as it begins. `reached` is up to date.
  v1::NodeMemory memory;
  NodeWords words;
  // What it was told to be and goes by, or is about to. Of what an earlier coordinator told and the
  // node has not taken, nothing holds: that is decided anew.
  v1::NodeState position = v1::OBSERVED;
  // Why it is not moved now; "": it may be.
  std::string stays;
  // It is given no order either, since it goes by what this store does not know.
  bool left_alone = false;
  May may = May::kObserve;
  std::string why_no_more;  // "" for kServe
  // By what it says alone: what it goes by is not in the store yet. Nothing is built on it.
  bool begins_anew = false;
  // A person has its Connect, which did not start, tried once more.
  bool tries_again = false;
  bool serves = false;                         // what is not known does not
  const v1::InstanceNotice* notice = nullptr;  // as of NoticeDue
  std::vector<v1::Hazard> hazards;             // by rule; none where the node stays

  const std::string& name() const { return node->brief().name(); }
};

struct Situation {
  const v1::PlanInput& input;
  // What only looks asks it, too, and so has the next decision made in time.
  mutable Moments moments;
  std::vector<Member> members;  // in the input's order
  Words words;
  std::vector<v1::Said> said;
  // The nodes go over to the generation in force one after the other: some that may run Connect
  // have not been as it says, or were a moment ago only.
  bool goes_over = false;
  // As of PlanMemory.
  std::optional<Time> restored_at;
  uint64_t restored_generation = 0;

  // As of v1::Said.
  void Say(const std::string& node, const std::string& text, const std::string& fix,
           const std::string& about = "");
};

// Borrows the input.
Situation LookAt(const v1::PlanInput& input);

// Whether order a was given later than b.
bool IsLater(const v1::Order& a, const v1::Order& b);
// A node that lives, as far as is known, and was not heard since the coordinator started.
bool IsAwaited(const Member& member);
// The node has taken the order it was given last, and reached its state.
bool HasReached(const Member& member, v1::NodeState state);
// It may have been told more a moment ago, and has not taken that yet: nobody but a person stops
// what is merely observed.
bool IsYetObserved(const Member& member);
// It serves by its orders, and its Connect did not start by these; nobody has it tried once more.
bool StartFailed(const Member& member);
// It is out since its Connect did not run, which rests for good now, or is started again and again
// as its agent has counted; and nothing says why.
bool GaveUp(const Situation& situation, const Member& member);

}  // namespace connect_ha
