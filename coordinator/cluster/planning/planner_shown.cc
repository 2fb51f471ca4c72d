// What is shown of what was decided, to whoever asks.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <mutex>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/checklist/rule.h"
#include "common/log.h"
#include "common/text/shell_word.h"
#include "coordinator/cluster/planner.h"
#include "coordinator/cluster/planning/draft_look.h"
#include "coordinator/plan/change/change.h"
#include "coordinator/plan/look/action.h"

namespace connect_ha {

v1::GetPlanResponse Planner::Shown(const v1::PlanInput& input, v1::Decision decision,
                                   Time now) const {
  v1::GetPlanResponse shown;
  *shown.mutable_decided_at() = ToProto(now);
  for (const v1::Word& word : plan_->words) *shown.add_words() = word;
  for (const Rule& rule : Rules()) {
    if (ActionBySpec(input.spec(), rule.id) == v1::FENCE) shown.add_fencing(rule.id);
  }
  if (input.spec().enforcement() != v1::ENFORCE && input.generation() > 0) {
    v1::PlanInput enforced = input;
    enforced.mutable_spec()->set_enforcement(v1::ENFORCE);
    if (enforced.has_next()) enforced.mutable_next()->mutable_spec()->set_enforcement(v1::ENFORCE);
    *shown.mutable_would() = functions_.decide(enforced);
  }
  *shown.mutable_decision() = std::move(decision);
  return shown;
}

void Planner::Show(v1::GetPlanResponse shown) {
  auto shared = std::make_shared<const v1::GetPlanResponse>(std::move(shown));
  std::lock_guard lock(shown_mutex_);
  shown_ = std::move(shared);
}

std::shared_ptr<const v1::GetPlanResponse> Planner::LastShown() const {
  std::lock_guard lock(shown_mutex_);
  return shown_;
}

void Planner::LeaveInForce(std::vector<std::string> why) {
  if (why != broken_)
    spdlog::error("event=PLAN_NOT_IN_FORCE text={}", LogValue(absl::StrJoin(why, "; ")));
  {
    // It is asked again in a while.
    std::lock_guard lock(wake_mutex_);
    wake_at_.reset();
  }
  v1::GetPlanResponse shown = CurrentPlan();
  shown.clear_broken();
  for (const std::string& line : why) shown.add_broken(line);
  if (plan_) {
    shown.clear_words();
    for (const v1::Word& word : plan_->words) *shown.add_words() = word;
  }
  broken_ = std::move(why);
  Show(std::move(shown));
}

v1::GetPlanResponse Planner::CurrentPlan() const { return *LastShown(); }

v1::NodeAssignment Planner::AssignmentOf(const std::string& node) const {
  const auto shown = LastShown();
  const auto& all = shown->decision().assignments();
  const auto found = std::find_if(all.begin(), all.end(), [&node](const v1::NodeAssignment& one) {
    return one.node() == node;
  });
  return found == all.end() ? v1::NodeAssignment() : *found;
}

v1::Rollout Planner::CurrentRollout() const {
  const auto shown = LastShown();
  const v1::Rollout& latest = shown->decision().remember().rollout();
  return latest.end() == v1::Rollout::END_UNSPECIFIED ? latest : v1::Rollout();
}

// Whoever is no member is waited for by nobody.
absl::Status Planner::CheckRemoval(const std::string& node) const {
  const v1::Rollout rollout = CurrentRollout();
  if (!IsFirstAlone(rollout) || rollout.first() != node) return absl::OkStatus();
  const std::string operand = ShellOperand(node) + " --reason TEXT";
  return absl::FailedPreconditionError(absl::StrCat(
      node, " is changed alone for generation ", rollout.generation(),
      ", and may be migrating the database: once it is no member, another one is started beside "
      "it\nfix: look whether that machine is switched off; where it is: connect-ha node gone ",
      operand, "; where it is not: connect-ha node stop --now --allow-downtime ", operand,
      "; all the same: connect-ha node remove --force ", operand));
}

std::optional<v1::Outlook> Planner::OutlookOf(const v1::Desired& draft,
                                              const std::map<std::string, v1::Preview>& previews,
                                              Time now) const {
  std::shared_ptr<const v1::PlanInput> latest;
  {
    std::lock_guard lock(shown_mutex_);
    latest = looked_at_;
  }
  if (latest == nullptr) return std::nullopt;
  return functions_.look_ahead(WithDraft(*latest, draft, previews, now));
}

}  // namespace connect_ha
