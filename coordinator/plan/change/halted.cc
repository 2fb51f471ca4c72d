#include "coordinator/plan/change/halted.h"

#include "absl/strings/str_cat.h"
#include "coordinator/plan/change/change.h"
#include "coordinator/plan/change/database.h"
#include "coordinator/plan/change/verify.h"
#include "coordinator/plan/look/generation.h"
#include "coordinator/plan/look/hazards.h"
#include "coordinator/plan/look/serving.h"

namespace connect_ha {
namespace {

// Neither in service nor on its way out of it.
bool IsOut(const Member& member) {
  return member.position == v1::PREPARING || member.position == v1::READY ||
         (member.position == v1::SERVING && member.memory.closed());
}

std::string WhyStuck(const Situation& situation, const Member& member) {
  if (!IsStuck(situation.input, *member.node)) return "";
  const v1::Convergence& convergence = member.node->convergence();
  if (convergence.troubles_size() == 0) return "its agent is stuck";
  const v1::Trouble& trouble = convergence.troubles(0);
  return absl::StrCat(trouble.resource(), ": ", trouble.error(), trouble.log().empty() ? "" : "\n",
                      trouble.log());
}

std::string WhyFailed(Situation& situation, const Member& member, bool is_first) {
  if (!member.stays.empty() || IsGone(member) || IsHeldByPerson(member)) return "";
  const std::string& last = member.node->start_failed();
  // It may have been told already what follows from that, or not.
  if (member.memory.start_failed() == situation.input.generation() || StartFailed(member)) {
    return absl::StrCat("Connect does not start", last.empty() ? "" : ": ", last);
  }
  if (!IsOut(member)) return is_first && member.position == v1::FENCED ? "it is fenced" : "";
  const std::string stuck = WhyStuck(situation, member);
  if (!stuck.empty()) return stuck;
  if (is_first && MayBeMigrating(member)) return "";
  if (!TakesTooLong(situation, member)) return "";
  return absl::StrCat("it takes more than ", FormatSpan(kTakesLong), ": ",
                      WhyItLasts(situation, member));
}

// It is changed where it is: under a Connect that serves on, or while it has none to start.
std::string WhyStuckInPlace(const Situation& situation, const Member& member) {
  if (!member.stays.empty() || IsGone(member) || IsHeldByPerson(member)) return "";
  if (member.may == May::kObserve || member.position == v1::OBSERVED) return "";
  return WhyStuck(situation, member);
}

// A rule can be waived, and what Connect itself does is in its journal.
std::string HowToOpen(Situation& situation, const Member& member) {
  const std::string why = WhyItLasts(situation, member);
  const std::string rule = why.substr(0, why.find(": "));
  if (LineOf(*member.node, rule) == nullptr) {
    return absl::StrCat(
        "to go on, it has to be right: connect-ha checklist; journalctl -u rstudio-connect on ",
        member.name());
  }
  return absl::StrCat(
      "to go on, it has to be right (connect-ha checklist), or the rule waived for a time: "
      "connect-ha waive ",
      rule, " --until TIME --reason ...");
}

std::string HowToGoOn(Situation& situation, const Member& member) {
  if (member.memory.start_failed() == situation.input.generation() || StartFailed(member)) {
    return absl::StrCat("to go on, once it may go well: connect-ha node start ", member.name(),
                        " --reason ...");
  }
  if (member.position == v1::FENCED) {
    return absl::StrCat(
        "to go on, that has to be right (connect-ha checklist); or another one has "
        "to go first: connect-ha node stop ",
        member.name(), " --reason ...");
  }
  const bool stuck = IsStuck(situation.input, *member.node);
  const bool closed = member.position == v1::SERVING && member.memory.closed();
  if ((closed || member.position == v1::READY) && !stuck) return HowToOpen(situation, member);
  const auto& troubles = member.node->convergence().troubles();
  const std::string fix = !stuck || troubles.empty() ? "" : troubles.begin()->fix();
  return absl::StrCat("to go on, put right what is in the way on ", member.name(),
                      fix.empty() ? "" : " (", fix, fix.empty() ? "" : ")",
                      ": it is tried again by itself");
}

}  // namespace

uint64_t GoodGeneration(const v1::PlanInput& input) {
  const v1::PlanMemory& memory = input.memory();
  const v1::Rollout& rollout = memory.rollout();
  if (rollout.end() == v1::Rollout::DONE) return rollout.generation();
  if (memory.good_generation() != 0) return memory.good_generation();
  return rollout.generation() == 0 ? input.generation() : rollout.from();
}

std::string WayBack(const Situation& situation, const v1::Rollout& rollout) {
  const uint64_t good = GoodGeneration(situation.input);
  if (good == 0) return "";
  const std::string back = absl::StrCat("connect-ha spec rollback ", good);
  const v1::DatabaseMemory database = DatabaseNow(situation);
  std::string fix;
  const std::string& before = database.before_version();
  const bool is_over_others = good != rollout.from();
  const bool is_open = (rollout.kind() != v1::Rollout::TOGETHER && !is_over_others) ||
                       before.empty() || WhyNotVersion(situation, database, before, fix).empty();
  if (is_open) return absl::StrCat("to go back: ", back);
  // Whether that one has another Connect is not known here.
  return absl::StrCat("to go back, where that has an older Connect than ",
                      database.newest_version(),
                      ": first put the database back to what it was before that, then: connect-ha "
                      "rollout restored --version ",
                      before, " --reason ...; then, or else at once: ", back);
}

std::string WhyHalted(Situation& situation, const v1::Rollout& rollout,
                      std::vector<std::string>& fixes) {
  if (!rollout.has_in_force_at() || rollout.generation() != situation.input.generation()) return "";
  const Member* worst = nullptr;
  std::string why;
  for (const Member& member : situation.members) {
    const v1::RolloutNode* node = FindNode(rollout, member.name());
    const bool is_first = IsFirstAlone(rollout) && member.name() == rollout.first();
    const bool is_changed =
        (node != nullptr && node->to_change()) || member.name() == rollout.first();
    std::string failed = is_changed ? WhyFailed(situation, member, is_first) : "";
    // What is added without a restart has to be everywhere, before one goes on.
    const bool is_in_place = node != nullptr || member.position == v1::SERVING;
    if (failed.empty() && is_in_place && rollout.kind() != v1::Rollout::TOGETHER) {
      failed = WhyStuckInPlace(situation, member);
    }
    // Of several the eldest is told of: no name decides that.
    if (failed.empty() || (worst != nullptr && worst->node->member() < member.node->member())) {
      continue;
    }
    worst = &member;
    why = failed;
  }
  if (worst == nullptr) return "";
  fixes.push_back(HowToGoOn(situation, *worst));
  const std::string back = WayBack(situation, rollout);
  if (!back.empty()) fixes.push_back(back);
  return absl::StrCat(worst->name(), ": ", why);
}

}  // namespace connect_ha
