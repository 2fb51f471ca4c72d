// How long a change takes, by what earlier ones took. Nothing decides by it but whether a window is
// long enough.
#pragma once

#include <chrono>
#include <optional>

#include "common/time.h"
#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

// Of one node in one step, as of PlanMemory.spans; a drain takes drain_timeout. Unset: never done.
std::optional<std::chrono::microseconds> SpanOf(const Situation& situation, v1::Rollout::Kind kind,
                                                v1::RolloutStep::Step step);
// Of a start until the gate may open. Who starts after the first of a change together migrates
// nothing: it starts as one does in a change that goes from node to node; where none was done, it
// counts for kTogetherTakes at most.
std::optional<std::chrono::microseconds> StartTakes(const Situation& situation,
                                                    v1::Rollout::Kind kind, bool may_migrate);
// Of a change together, once the first is right.
std::optional<std::chrono::microseconds> RestTakes(const Situation& situation);
// From its beginning to its end, for so many nodes that have to be changed.
std::optional<std::chrono::microseconds> Takes(const Situation& situation, v1::Rollout::Kind kind,
                                               int nodes);
// The step that the node is in was begun by this coordinator. Of one before it is not known when it
// ended: nobody looked.
bool IsTimed(const Situation& situation, const v1::NodeMemory& memory);
// A step of this change took so long on a node.
void NoteSpan(const v1::Rollout& rollout, v1::RolloutStep::Step step, Time::duration span,
              v1::PlanMemory& remember);
// What a window has to be long enough for where nothing like it was done before.
inline constexpr std::chrono::minutes kTogetherTakes{15};

}  // namespace connect_ha
