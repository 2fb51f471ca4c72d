#include "coordinator/plan/move/enter.h"

#include "absl/strings/str_cat.h"
#include "coordinator/plan/change/change.h"
#include "coordinator/plan/change/database.h"
#include "coordinator/plan/change/restarts.h"
#include "coordinator/plan/look/generation.h"
#include "coordinator/plan/look/kept_out.h"
#include "coordinator/plan/move/versions.h"
#include "coordinator/plan/next/first_start.h"

namespace connect_ha {
namespace {

// It is older than what may have migrated the database; or new to it, and nobody approved of that.
std::string WhyDatabaseRefuses(Situation& situation, const std::string& version) {
  const v1::PlanInput& input = situation.input;
  const v1::DatabaseMemory database = DatabaseNow(situation);
  std::string fix;
  const std::string why = WhyNotVersion(situation, database, version, fix);
  if (!why.empty()) return fix.empty() ? why : absl::StrCat(why, "; ", fix);
  if (!IsNewToDatabase(situation, database, version)) return "";
  if (IsApprovedStart(input, database, version)) return "";
  // What was applied since leads on, or back.
  fix = input.has_next() ? ", which nobody approved: connect-ha rollout status"
                         : LookAtFirstStart(situation).why;
  return absl::StrCat("Connect ", version, " ", WhyNewToDatabase(database, version),
                      ", and may migrate it", fix.empty() ? ": to be remembered" : fix);
}

std::string ChangeText(const v1::Change& change) {
  return absl::StrCat(change.resource(), ": ", change.from(), ", to be ", change.to());
}

// Nobody but a person has a Connect stopped that was found running. Where all nodes have to stop
// for it together, one alone is no way.
std::string HowItIsChanged(const Situation& situation, const Member& member) {
  if (NeedsOf(situation, member) == v1::Change::TOGETHER) return "";
  return absl::StrCat("; to have it done: connect-ha node drain ", member.name(),
                      " --reason ..., then: connect-ha node uncordon ", member.name());
}

// Whatever version it has.
std::string WhyNotYet(Situation& situation, const Member& member) {
  if (!HasConverged(situation.input, *member.node)) return "its agent is looking at it anew";
  const v1::Rollout& rollout = situation.input.memory().rollout();
  const bool alone = IsFirstAlone(rollout) && rollout.first() == member.name();
  const std::string why = WhyKeptOut(situation, member, How::kStart, alone);
  return why.empty() ? WhyVersionsDiffer(situation, member) : why;
}

}  // namespace

std::string WhyNotStart(Situation& situation, const Member& member) {
  const std::string why = WhyNotYet(situation, member);
  if (!why.empty()) return why;
  return WhyDatabaseRefuses(situation, member.node->installed_version());
}

std::string VersionToApprove(Situation& situation, const Member& member) {
  const std::string& version = member.node->installed_version();
  const v1::DatabaseMemory database = DatabaseNow(situation);
  std::string fix;
  const bool is_asked = IsNewToDatabase(situation, database, version) &&
                        !IsApprovedStart(situation.input, database, version) &&
                        WhyNotVersion(situation, database, version, fix).empty();
  return is_asked && WhyNotYet(situation, member).empty() ? version : "";
}

std::string WhyNotAdopt(Situation& situation, const Member& member) {
  const v1::PlanNode& node = *member.node;
  if (!HasReached(member, v1::OBSERVED)) return "its agent to get there";
  if (!HoldsGeneration(situation.input, node)) {
    return "it has not taken this generation of the specification yet";
  }
  if (!SpeaksOfGeneration(situation.input, node)) return "its agent has not looked at it in full";
  if (node.convergence().troubles_size() > 0) {
    const v1::Trouble& trouble = node.convergence().troubles(0);
    return absl::StrCat(trouble.resource(), ": ", trouble.error());
  }
  const v1::Change* differs = FirstThatInterrupts(node.convergence());
  if (differs != nullptr)
    return absl::StrCat(ChangeText(*differs), HowItIsChanged(situation, member));
  if (!node.brief().facts().has_answers() || !node.brief().facts().answers()) {
    return "Connect does not answer there";
  }
  return WhyKeptOut(situation, member, How::kAdopt, /*alone=*/false);
}

std::string WhyNotReturn(Situation& situation, const Member& member) {
  return WhyKeptOut(situation, member, How::kReturn, /*alone=*/false);
}

}  // namespace connect_ha
