#include "coordinator/plan/move/serve.h"

#include <algorithm>
#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"
#include "coordinator/plan/change/restarts.h"
#include "coordinator/plan/change/verify.h"
#include "coordinator/plan/look/generation.h"
#include "coordinator/plan/look/serving.h"
#include "coordinator/plan/move/rest.h"
#include "coordinator/plan/record/estimate.h"

namespace connect_ha {
namespace {

// What its agent meets with on the way: a start that the preflight refuses, say.
std::string WithTrouble(const Situation& situation, const Member& member, const char* what) {
  const v1::Convergence& convergence = member.node->convergence();
  if (!SpeaksOfGeneration(situation.input, *member.node) || convergence.troubles_size() == 0) {
    return what;
  }
  const v1::Trouble& trouble = convergence.troubles(0);
  return absl::StrCat(what, ": ", trouble.resource(), ": ", trouble.error());
}

bool IsToBeInstalled(const v1::Convergence& convergence) {
  const auto& changes = convergence.changes();
  return std::any_of(changes.begin(), changes.end(), [](const v1::Change& change) {
    return change.resource() == kConnectsPackage;
  });
}

// Nobody is interrupted by what is changed under a Connect that does not come up, and without that
// it may never. Nor does one start at all whose package was changed before its first start.
bool IsToBeMended(Situation& situation, const Change& change, const Member& member) {
  const v1::PlanNode& node = *member.node;
  if (node.connect() != v1::CONNECT_RESTS || change.paused != nullptr ||
      change.aborted != nullptr || !SpeaksOfGeneration(situation.input, node)) {
    return false;
  }
  const bool installs = IsToBeInstalled(node.convergence());
  const v1::NodeState reported = node.brief().reported_state();
  const bool never_started = reported == v1::PREPARING || reported == v1::READY;
  if (installs && never_started) return true;
  const bool differs = installs || NeedsOf(situation, member) >= v1::Change::RESTART;
  return differs && (StartFailed(member) || IsDown(situation, member));
}

// So long nobody asks how far it is.
Time::duration MigrationTakes(const Situation& situation) {
  const auto last = SpanOf(situation, v1::Rollout::TOGETHER, v1::RolloutStep::STARTING);
  const Time::duration least = std::chrono::hours(1);
  return last ? std::max(least, Time::duration(3 * *last)) : least;
}

void SayThatItMayMigrate(Situation& situation, const Member& first) {
  const Time since = FromProto(first.memory.since());
  if (!situation.moments.Lasted(since, MigrationTakes(situation))) return;
  situation.Say(
      first.name(),
      absl::StrCat("it may be migrating the database since ", FormatUtc(since),
                   ", and does not answer yet: it is waited for"),
      absl::StrCat("journalctl -u rstudio-connect there says how far it is; ", HowToStopIt(first)));
}

// Started, and not open yet.
Move StayClosed(Situation& situation, const Change& change, const Member& member) {
  const std::string why = WhyClosed(situation, change, member);
  if (why.empty()) return {v1::SERVING, "", "", {}};
  const bool is_first = change.first_alone && change.rollout.first() == member.name();
  if (is_first && MayBeMigrating(member)) {
    SayThatItMayMigrate(situation, member);
  } else if (TakesTooLong(situation, member) && change.halted.empty()) {
    situation.Say(member.name(), absl::StrCat("its gate stays closed: ", why),
                  "connect-ha checklist; to let it serve all the same for a time: connect-ha waive "
                  "RULE --until TIME --reason ...");
  }
  const bool comes = HasReached(member, v1::SERVING);
  return {v1::SERVING,
          "its gate is closed until it is known to be right",
          comes ? why : WithTrouble(situation, member, "its agent to get there"),
          {},
          /*closed=*/true};
}

}  // namespace

Move FromServing(Situation& situation, const Change& change, const Member& member) {
  const v1::PlanNode& node = *member.node;
  if (IsToBeMended(situation, change, member)) return Prepare(situation, member);
  std::string waits;
  if (StartFailed(member)) {
    waits =
        absl::StrCat("connect-ha node start ", member.name(), " --reason ..., once it may go well");
  } else if (!HasReached(member, v1::SERVING)) {
    waits = WithTrouble(situation, member, "its agent to get there");
  } else if (!node.brief().facts().answers()) {
    waits = WithTrouble(situation, member, "Connect to answer");
  } else if (GateIsClosed(situation.input, node)) {
    waits = absl::StrCat("its gate to open", node.gate_reason().empty() ? "" : ": ",
                         node.gate_reason());
  }
  if (member.memory.closed() && !StartFailed(member)) return StayClosed(situation, change, member);
  return {v1::SERVING, "", waits, {}, member.memory.closed()};
}

}  // namespace connect_ha
