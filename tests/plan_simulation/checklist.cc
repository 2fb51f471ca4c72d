#include "tests/plan_simulation/checklist.h"

#include <algorithm>
#include <string>

#include "common/checklist/rule.h"

namespace connect_ha::simulation {
namespace {

constexpr std::array<const char*, kRules> kNames = {
    "storage-is-mounted",     "storage-is-alive",        "database-is-same",
    "encryption-key-matches", "connect-version-matches", "clocks-are-synchronised",
    "configuration-is-valid", "service-is-healthy",      "database-reachable",
    "license-is-valid",       "data-dir-is-shared",
};

Line Pass() { return {v1::PASS, v1::SELF, false}; }
Line Fail(v1::Basis basis) { return {v1::FAIL, basis, false}; }
Line FailIf(bool fails) { return fails ? Fail(v1::SELF) : Pass(); }

// The nodes on which Connect answers are the electorate; where they do not agree, a majority of
// three or more (common/checklist/compare.h). So it is with what they see of each other
// (common/checklist/view/proof_matrix.h).
class Peers {
 public:
  using Field = uint32_t Report::*;

  Peers(const Views& views, Field field) : field_(field) {
    const bool some_serve = std::any_of(views.begin(), views.end(), [](const NodeView& view) {
      return Counts(view) && view.report.answers;
    });
    for (const NodeView& view : views) {
      if (!Counts(view)) continue;
      differ_ = differ_ || (value_ != 0 && value_ != Value(view));
      value_ = Value(view);
      if (!some_serve || view.report.answers) ++votes_[Value(view)];
    }
    for (uint32_t votes : votes_) known_ += votes;
  }

  Line Judge(const NodeView& view, v1::Basis basis = v1::PEERS) const {
    if (!differ_) return Pass();
    for (uint32_t value = 0; value < votes_.size(); ++value) {
      const bool decides = known_ >= 3 ? 2 * votes_[value] > known_ : votes_[value] == known_;
      if (!decides || known_ == 0) continue;
      return Value(view) == value ? Pass() : Fail(basis);
    }
    return {v1::FAIL, basis, /*undecided=*/true};
  }

 private:
  static bool Counts(const NodeView& view) {
    return view.member && view.fresh && view.report.installed != 0;
  }
  // 1 to 3.
  uint32_t Value(const NodeView& view) const { return view.report.*field_ % 3 + 1; }

  const Field field_;
  uint32_t value_ = 0;
  bool differ_ = false;
  std::array<uint32_t, 4> votes_{};
  uint32_t known_ = 0;
};

Line JudgeVersion(const Peers& peers, const NodeView& view, Version wanted) {
  const Report& report = view.report;
  if (report.installed == 0) return Fail(wanted == 0 ? v1::SELF : v1::SPEC);
  if (wanted != 0 && report.installed != wanted) return Fail(v1::SPEC);
  if (report.running != 0 && report.running != report.installed) return Fail(v1::SELF);
  return wanted != 0 ? Pass() : peers.Judge(view);
}

Line JudgeService(const Report& report) {
  const bool held =
      report.state != v1::OBSERVED && report.state != v1::SERVING && report.state != v1::DRAINING;
  if (held && !report.connect_runs) return {v1::NOT_APPLICABLE, v1::SELF, false};
  return FailIf(!report.answers || !report.boots);
}

Lines JudgeOne(const NodeView& view, const Peers& databases, const Peers& keys,
               const Peers& versions, const Peers& places, Version wanted) {
  const Report& report = view.report;
  Lines lines;
  if (!view.fresh) return lines;
  const bool mounted = report.mount != Mount::kNone && report.mount != Mount::kOther;
  lines[kMounted] = mounted ? Pass() : Fail(report.mount == Mount::kNone ? v1::SELF : v1::SPEC);
  lines[kAlive] = mounted ? FailIf(report.mount == Mount::kHung) : Line{v1::FOLLOWS, v1::SELF};
  lines[kShared] = mounted ? places.Judge(view, v1::PROOF) : Line{v1::FOLLOWS, v1::SELF};
  lines[kReachable] = FailIf(!report.database_answers);
  lines[kSameDatabase] =
      report.database_answers ? databases.Judge(view) : Line{v1::FOLLOWS, v1::SELF};
  lines[kSameKey] = keys.Judge(view);
  lines[kSameVersion] = JudgeVersion(versions, view, wanted);
  lines[kClocks] = FailIf(report.clock_off);
  lines[kConfiguration] = FailIf(report.config_broken);
  lines[kService] = JudgeService(report);
  lines[kLicense] = FailIf(report.license_ends);
  for (size_t rule = 0; rule < kRules; ++rule) {
    if (((report.cannot_tell >> rule) & 1U) != 0) lines[rule] = Line{};
  }
  return lines;
}

}  // namespace

const char* RuleName(size_t rule) { return kNames[rule]; }

size_t RuleBy(uint32_t number, uint32_t last) {
  return number < last ? number % (kRules - 1) : kRules - 1;
}

v1::RuleAction ActionByTable(size_t rule) {
  static const std::array<v1::RuleAction, kRules> actions = [] {
    std::array<v1::RuleAction, kRules> found{};
    for (size_t i = 0; i < kRules; ++i) {
      const Rule* row = FindRule(kNames[i]);
      found[i] = row == nullptr ? v1::TELL : row->action;
    }
    return found;
  }();
  return actions[rule];
}

v1::RuleAction ActionIn(const v1::ClusterSpec& spec, size_t rule) {
  const v1::RuleAction by_table = ActionByTable(rule);
  if (by_table == v1::FENCE || spec.rules().empty()) return by_table;
  const auto said = spec.rules().find(std::string(RuleName(rule)));
  return said != spec.rules().end() && said->second.has_action() ? said->second.action() : by_table;
}

std::array<Lines, kMostNodes> Judge(const Views& views, Version wanted) {
  const Peers databases(views, &Report::database);
  const Peers keys(views, &Report::key);
  const Peers versions(views, &Report::installed);
  const Peers places(views, &Report::covered);
  std::array<Lines, kMostNodes> all;
  for (size_t i = 0; i < views.size(); ++i) {
    if (views[i].member) all[i] = JudgeOne(views[i], databases, keys, versions, places, wanted);
  }
  return all;
}

}  // namespace connect_ha::simulation
