// `rules` of a specification, beside the table of rules, and the maintenance window, beside the
// time zones. Not asked by agents: one that is older than the coordinator does not know every rule,
// nor its machine every zone, and would refuse the whole specification.
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/checklist/rule.h"
#include "common/maintenance_window.h"
#include "common/nearest.h"
#include "common/spec/config_checker.h"

namespace connect_ha {
namespace {

constexpr int64_t kMostSeconds = int64_t{24} * 60 * 60;
// A fence that waits for longer is one that was lowered.
constexpr int64_t kFenceWaitsSeconds = int64_t{10} * 60;

void CheckSpan(bool given, const google::protobuf::Duration& span, const std::string& path,
               Checker& checker) {
  const bool right = span.seconds() >= 0 && span.nanos() >= 0 && span.seconds() <= kMostSeconds;
  checker.Require(!given || right, path, "must be from 0s to 1d");
}

void CheckFenceWaits(const Rule& rule, const v1::RuleSpec& spec, const std::string& path,
                     Checker& checker) {
  const bool too_long = spec.fail_after().seconds() > kFenceWaitsSeconds &&
                        spec.fail_after().seconds() <= kMostSeconds;
  checker.Require(rule.action != v1::FENCE || !too_long, path,
                  absl::StrCat("must be at most 10m, since this rule fences; for a time: "
                               "connect-ha waive ",
                               rule.id, " --until 2h --reason TEXT"));
}

void TellUnknown(const std::string& name, const std::string& path, Checker& checker) {
  std::vector<std::string> names;
  for (const Rule& rule : Rules()) names.emplace_back(rule.id);
  const std::string nearest = Nearest(name, names);
  checker.Require(false, path,
                  nearest.empty() ? std::string("is no rule; to see them all: connect-ha rules")
                                  : absl::StrCat("is no rule; did you mean \"", nearest, "\"?"));
}

void CheckAction(const Rule& rule, const v1::RuleSpec& spec, const std::string& path,
                 Checker& checker) {
  if (!spec.has_action()) return;
  checker.Require(spec.action() >= v1::TELL && spec.action() <= v1::FENCE, path,
                  "must be one of tell, hold, close, fence");
  checker.Require(rule.action != v1::FENCE || spec.action() == v1::FENCE, path,
                  absl::StrCat("cannot be lowered here, since this rule fences; for a time: "
                               "connect-ha waive ",
                               rule.id, " --until 2h --reason TEXT"));
  checker.Require(!rule.some_suffice || spec.action() == v1::TELL, path,
                  "can only be tell: the rule is about the nodes together, and none is the wrong "
                  "one");
}

void CheckRule(const std::string& name, const v1::RuleSpec& spec, Checker& checker) {
  const std::string path = absl::StrCat("rules.", name);
  const Rule* rule = FindRule(name);
  if (rule == nullptr) return TellUnknown(name, path, checker);
  CheckAction(*rule, spec, path + ".action", checker);
  CheckSpan(spec.has_fail_after(), spec.fail_after(), path + ".fail_after", checker);
  CheckFenceWaits(*rule, spec, path + ".fail_after", checker);
  CheckSpan(spec.has_pass_after(), spec.pass_after(), path + ".pass_after", checker);
}

void CheckWindow(const v1::RolloutSpec& rollout, Checker& checker) {
  if (!rollout.has_maintenance_window()) return;
  const auto window = MaintenanceWindow::Parse(rollout.maintenance_window());
  checker.Require(window.ok(), "rollout.maintenance_window",
                  std::string(window.status().message()));
}

}  // namespace

std::vector<ConfigProblem> CheckRules(const v1::ClusterSpec& spec, const std::string& file,
                                      const FilePositions& positions) {
  Checker checker(file, positions);
  // In a fixed order, as a protobuf map has none.
  const std::map<std::string, v1::RuleSpec> rules(spec.rules().begin(), spec.rules().end());
  for (const auto& [name, rule] : rules) CheckRule(name, rule, checker);
  CheckWindow(spec.rollout(), checker);
  return checker.TakeProblems();
}

}  // namespace connect_ha
