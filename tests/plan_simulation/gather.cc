// What the plan is asked: all that a coordinator has of its nodes, as coordinator/cluster gathers
// it.
#include <algorithm>
#include <string>
#include <utility>

#include "coordinator/plan/plan.h"
#include "tests/plan_simulation/coordinator.h"

namespace connect_ha::simulation {
namespace {

// Of an order that is 24 h ahead nobody can have given it (coordinator/cluster/node/step_order.cc).
constexpr uint64_t kDayUs = uint64_t{24} * 3600 * 1'000'000;

Time FromMicroseconds(int64_t us) { return Time(std::chrono::microseconds(us)); }

bool IsLater(const v1::Order& a, const v1::Order& b) {
  return std::make_pair(a.epoch(), a.serial()) > std::make_pair(b.epoch(), b.serial());
}

v1::Order OrderOf(const Report& report) {
  v1::Order order;
  order.set_lineage(kLineage);
  order.set_epoch(report.epoch);
  order.set_serial(report.serial);
  return order;
}

v1::Order Remembered(const v1::PlanMemory& memory, const std::string& name) {
  for (const v1::NodeMemory& node : memory.nodes()) {
    if (node.node() == name) return node.order();
  }
  return {};
}

// As Converge::Report: of a Connect that runs, what takes most comes first.
void FillChanges(const Report& report, v1::Convergence* convergence) {
  const auto add = [&](bool differs, const char* resource, v1::Change::Needs needs) {
    if (!differs) return;
    v1::Change* change = convergence->add_changes();
    change->set_resource(resource);
    if (needs >= v1::Change::RESTART) change->set_interrupts("Connect must be stopped");
    if (report.can_serve) change->set_needs(needs);  // an older agent does not say
  };
  const v1::Change::Needs of_package =
      report.installed == 0 ? v1::Change::NOTHING : v1::Change::TOGETHER;
  add(report.unit_differs && !report.connect_runs, "unit rstudio-connect.service",
      v1::Change::NOTHING);
  add(report.package_differs, "package rstudio-connect", of_package);
  add(report.file_needs != v1::Change::NEEDS_UNSPECIFIED, "file rstudio-connect.gcfg",
      report.file_needs);
  add(report.runtimes_differ, "package python-3", v1::Change::NOTHING);
  add(report.prunes, "versions", v1::Change::NOTHING);
  add(report.unit_differs && report.connect_runs, "unit rstudio-connect.service",
      v1::Change::NOTHING);
  if (report.can_serve) convergence->set_needs(report.needs);
}

void FillConvergence(const Report& report, v1::Convergence* convergence) {
  convergence->set_generation(report.generation);
  convergence->set_state(!report.looked     ? v1::Convergence::LOOKING
                         : report.converged ? v1::Convergence::CONVERGED
                         : report.stuck     ? v1::Convergence::STUCK
                                            : v1::Convergence::DIFFERS);
  if (report.looked) FillChanges(report, convergence);
  if (!report.stuck) return;
  v1::Trouble* trouble = convergence->add_troubles();
  trouble->set_resource("package rstudio-connect");
  trouble->set_error("it cannot be installed");
}

void Turn(v1::Outcome outcome, Time now, Shown* shown) {
  const bool known = outcome == v1::PASS || outcome == v1::FAIL || outcome == v1::NOT_APPLICABLE;
  if (known && shown->known != outcome) {
    shown->known = outcome;
    shown->known_since = now;
  }
  if (shown->outcome == outcome) return;
  shown->outcome = outcome;
  shown->since = known ? shown->known_since : now;
}

void FillNotice(const Report& report, v1::InstanceNotice* notice) {
  static constexpr v1::InstanceNotice::Kind kKinds[] = {
      v1::InstanceNotice::KIND_UNSPECIFIED, v1::InstanceNotice::SPOT_INTERRUPTION,
      v1::InstanceNotice::REBALANCE, v1::InstanceNotice::MAINTENANCE,
      v1::InstanceNotice::TERMINATING};
  notice->set_kind(kKinds[static_cast<size_t>(report.notice)]);
  if (report.notice_at_us == 0) return;
  *notice->mutable_at() = ToProto(FromMicroseconds(report.notice_at_us));
}

// What a change for which all nodes stop asks of the database besides. No fault here has it fail.
void FillWritable(const Line& reachable, v1::NodeRule* line) {
  const bool fails = reachable.outcome == v1::FAIL;
  line->set_rule("database-is-writable");
  line->set_outcome(fails ? v1::FOLLOWS : reachable.outcome);
  line->set_basis(v1::SELF);
  line->set_rule_class(v1::DATA);
  line->set_text(reachable.outcome == v1::PASS ? "" : "not as it should be");
}

}  // namespace

void Coordinator::View(const Store& store, Time now) {
  for (size_t i = 0; i < views_.size(); ++i) {
    const Record& record = store.records[i];
    const Seen& seen = seen_[i];
    NodeView& view = views_[i];
    view.member = record.member;
    view.has_report = record.has_report;
    view.heard = seen.heard;
    const Time alive = seen.heard ? seen.last_seen : std::max(seen.last_seen, started_);
    view.lost = record.has_report && now - alive > kStaleAfter;
    view.fresh = seen.heard && !view.lost;
    view.cloned = seen.cloned;
    view.report = record.report;
  }
}

void Coordinator::Look(Store& store, Time now) {
  lines_ = Judge(views_, VersionIn(*InForce(store).spec));
  if (store.epoch != epoch_) return;
  for (size_t i = 0; i < views_.size(); ++i) {
    if (!views_[i].member) continue;
    for (size_t rule = 0; rule < kRules; ++rule) {
      Turn(lines_[i][rule].outcome, now, &store.records[i].shown[rule]);
    }
  }
}

void Coordinator::FillStanding(const Store& store, size_t slot, v1::PlanNode* node) {
  const Report& report = views_[slot].report;
  Seen& seen = seen_[slot];
  seen.odd = seen.ahead = false;
  node->clear_obeys();
  if (seen.heard && (report.epoch != 0 || report.serial != 0)) {
    const v1::Order obeys = OrderOf(report);
    *node->mutable_obeys() = obeys;
    v1::Order latest;
    latest.set_epoch(epoch_);
    latest.set_serial(store.memory.epoch() == epoch_ ? store.memory.serial() : 0);
    Reported said;
    said.state = report.state;
    said.generation = report.generation;
    if (report.generation != 0) said.applied_at = ToProto(FromMicroseconds(report.applied_at_us));
    said.order_ahead =
        IsLater(obeys, latest) && IsLater(obeys, Remembered(store.memory, kNodeNames[slot]));
    if (report.epoch == epoch_ && IsLater(obeys, latest)) said.odd = "an order of this epoch";
    if (report.epoch > epoch_ + kDayUs) said.odd = "an order of tomorrow";
    v1::Desired desired;
    const Applied& newest = NewestOf(store);
    desired.set_generation(newest.generation);
    desired.set_lineage(kLineage);
    *desired.mutable_applied_at() = ToProto(newest.at);
    seen.odd = IsOdd(desired, said);
    seen.ahead = IsAhead(desired, said);
    if (seen.odd) node->clear_obeys();
  }
  node->set_odd(seen.odd);
  node->set_ahead(seen.ahead);
  node->set_standing(seen.odd ? "it is odd" : seen.ahead ? "it is ahead" : "");
}

void Coordinator::FillRules(const Record& record, size_t slot, v1::PlanNode* node) const {
  while (node->rules_size() <= static_cast<int>(kRules)) node->add_rules();
  FillWritable(lines_[slot][kReachable], node->mutable_rules(static_cast<int>(kRules)));
  for (size_t rule = 0; rule < kRules; ++rule) {
    v1::NodeRule* line = node->mutable_rules(static_cast<int>(rule));
    const Line& judged = lines_[slot][rule];
    line->set_rule(RuleName(rule));
    line->set_outcome(judged.outcome);
    line->set_basis(judged.basis);
    line->set_undecided(judged.undecided);
    *line->mutable_since() = ToProto(record.shown[rule].since);
    line->set_rule_class(rule == kLicense ? v1::ADVICE : v1::DATA);
    line->set_text(judged.outcome == v1::PASS ? "" : "not as it should be");
  }
}

void Coordinator::Fill(const Store& store, size_t slot, v1::PlanNode* node) {
  const NodeView& view = views_[slot];
  const Record& record = store.records[slot];
  const Report& report = view.report;
  v1::NodeBrief* brief = node->mutable_brief();
  brief->set_name(kNodeNames[slot]);
  brief->clear_last_seen();
  if (view.has_report) *brief->mutable_last_seen() = ToProto(seen_[slot].last_seen);
  brief->set_lost(view.lost);
  // What it says of itself is not stored: one that was not heard since has said nothing.
  brief->set_reported_state(view.heard ? report.state : v1::NODE_STATE_UNSPECIFIED);
  brief->set_reported_generation(view.heard ? report.generation : 0);
  brief->set_claimants(view.cloned ? 2 : 1);
  brief->set_allow(view.heard ? report.allow : v1::ALLOW_UNSPECIFIED);
  brief->clear_facts();
  if (view.fresh) {
    brief->mutable_facts()->set_answers(report.answers);
    brief->mutable_facts()->set_mount_verified(report.mount == Mount::kVerified);
    const char* const unit = report.connect_runs ? "active" : "inactive";
    brief->mutable_facts()->set_unit_state(report.installed == 0 ? "" : unit);
  }
  node->set_member(record.rank);
  node->set_heard(view.heard);
  node->set_fresh(view.fresh);
  node->set_not_fresh(view.fresh ? "" : "it was not heard for 30 s");
  FillStanding(store, slot, node);
  node->set_own_lineage(true);
  node->set_connect(!view.fresh           ? v1::CONNECT_UNKNOWN
                    : report.connect_runs ? v1::CONNECT_RUNS
                                          : v1::CONNECT_RESTS);
  node->set_connect_unknown(view.fresh ? "" : "it was not heard for 30 s");
  node->set_installed_version(VersionText(report.installed));
  node->set_running_version(VersionText(report.running));
  node->clear_convergence();
  if (view.heard && report.generation != 0) {
    FillConvergence(report, node->mutable_convergence());
  }
  FillAhead(store, report, node);
  node->set_can_serve(view.heard && report.can_serve);
  node->set_gate(!view.fresh || !report.can_serve ? v1::GATE_UNKNOWN
                 : report.gate_open               ? v1::GATE_OPEN
                                                  : v1::GATE_CLOSED);
  node->clear_notices();
  if (view.fresh && report.notice != Notice::kNone) FillNotice(report, node->add_notices());
  node->clear_jobs();
  if (view.fresh && report.jobs_known) node->set_jobs(report.jobs);
  node->set_start_failed(view.fresh && report.start_failed ? "it ended at once" : "");
  FillRules(record, slot, node);
}

const v1::PlanInput& Coordinator::Gather(Store& store, const Beside& beside, Time now) {
  View(store, now);
  Look(store, now);
  *input_.mutable_now() = ToProto(now);
  input_.set_lineage(kLineage);
  input_.set_epoch(epoch_);
  FillNext(store, now);
  FillPinned();
  input_.clear_backup();
  if (beside.backup) *input_.mutable_backup() = *beside.backup;
  *input_.mutable_memory() = store.memory;
  input_.clear_words();
  for (const v1::Word& word : store.words) *input_.add_words() = word;
  int count = 0;
  for (size_t i = 0; i < views_.size(); ++i) {
    if (!views_[i].member) continue;
    if (input_.nodes_size() <= count) input_.add_nodes();
    Fill(store, i, input_.mutable_nodes(count++));
  }
  while (input_.nodes_size() > count) input_.mutable_nodes()->RemoveLast();
  memberships_ = store.memberships;
  for (size_t i = 0; i < looked_at_.size(); ++i) looked_at_[i] = store.records[i].rank;
  due_ = false;
  asked_ = now;
  return input_;
}

}  // namespace connect_ha::simulation
