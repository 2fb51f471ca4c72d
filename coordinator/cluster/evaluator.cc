#include "coordinator/cluster/evaluator.h"

#include <google/protobuf/arena.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/checklist/rule.h"
#include "common/log.h"
#include "common/text/short_text.h"

namespace connect_ha {
namespace {

constexpr std::chrono::seconds kEvaluateAtLeast{10};
// What is no event (a node that is unknown now, beside others that fail) is stored this often; so
// is the time of the latest evaluation.
constexpr std::chrono::seconds kStoreAtLeast{60};

constexpr size_t kSummaryBytes = 4096;

// Half a command is none.
void BoundFix(v1::Fix& fix) {
  KeepShort(*fix.mutable_note(), kSummaryBytes);
  const bool fits =
      std::all_of(fix.commands().begin(), fix.commands().end(),
                  [](const std::string& command) { return command.size() <= kSummaryBytes; });
  if (fits) return;
  fix.clear_commands();
  fix.set_note("what is to be typed is too long to be shown; connect-ha facts shows what it is of");
}

// Rules quote what nodes say.
void BoundWords(v1::Checklist& checklist) {
  for (v1::Finding& finding : *checklist.mutable_findings()) {
    KeepShort(*finding.mutable_summary(), kSummaryBytes);
    for (v1::Evidence& line : *finding.mutable_evidence()) {
      KeepShort(*line.mutable_text(), kTextBytes);
    }
    for (v1::Fix& fix : *finding.mutable_fixes()) BoundFix(fix);
  }
}

// The facts of all nodes are there only while they are judged.
v1::Checklist JudgeNow(const Roster& roster, Time now) {
  google::protobuf::ArenaOptions options;
  options.start_block_size = 64 * 1024;
  options.max_block_size = 1024 * 1024;
  google::protobuf::Arena arena(options);
  auto* snapshot = google::protobuf::Arena::CreateMessage<v1::Snapshot>(&arena);
  roster.TakeCounted(now, snapshot);
  return EvaluateInPlace(*snapshot);
}

}  // namespace

Evaluator::Evaluator(Roster& roster, Store& store)
    : roster_(roster), store_(store), latest_(std::make_shared<const v1::Checklist>()) {}

absl::Status Evaluator::Load() {
  const auto memories = store_.GetMemories();
  if (!memories.ok()) return memories.status();
  for (const v1::FindingMemory& finding : memories->findings) {
    stored_.emplace(finding.rule(), std::make_shared<const RuleMemory>(finding));
  }
  memory_ = stored_;
  auto recalled =
      std::make_shared<const v1::Checklist>(Recalled(memories->evaluated_at.value_or(Time{})));
  std::lock_guard lock(mutex_);
  latest_ = std::move(recalled);
  return absl::OkStatus();
}

// Words are not stored.
v1::Checklist Evaluator::Recalled(Time evaluated_at) const {
  v1::Checklist checklist;
  checklist.set_cluster(roster_.TakeSnapshot(evaluated_at, /*with_facts=*/false).spec().cluster());
  if (memory_.empty()) return checklist;
  const auto briefs = roster_.Briefs(evaluated_at);
  *checklist.mutable_evaluated_at() = ToProto(evaluated_at);
  checklist.set_nodes(static_cast<uint32_t>(briefs.size()));
  for (const v1::NodeBrief& node : briefs) {
    const v1::FactsBrief& facts = node.facts();
    const bool runs = facts.unit_state() == "active" || facts.unit_state() == "reloading";
    if (runs && facts.answers()) checklist.set_serving(checklist.serving() + 1);
  }
  const std::string text =
      absl::StrCat("as judged at ", FormatUtc(evaluated_at), ", before the coordinator's restart");
  for (const Rule& rule : Rules()) {
    const auto remembered = memory_.find(rule.id);
    if (remembered == memory_.end()) continue;
    v1::Finding& finding = *checklist.add_findings();
    finding.set_rule(rule.id);
    finding.set_title(rule.title);
    const v1::RuleClass lesser = remembered->second->lesser_class();
    finding.set_rule_class(lesser == v1::RULE_CLASS_UNSPECIFIED ? rule.rule_class : lesser);
    finding.set_outcome(remembered->second->finding().outcome);
    finding.set_summary(text);
    for (const RememberedLine& line : remembered->second->lines()) {
      v1::Evidence& evidence = *finding.add_evidence();
      evidence.set_node(line.node);
      evidence.set_outcome(line.of.outcome);
      evidence.set_text(text);
    }
  }
  SetSince(memory_, evaluated_at, &checklist);
  return checklist;
}

std::shared_ptr<const v1::Checklist> Evaluator::Latest() const {
  std::lock_guard lock(mutex_);
  return latest_;
}

void Evaluator::Tick(Time now) {
  std::lock_guard ticking(tick_mutex_);
  roster_.Tick(now);
  EvaluateIfDue(now);
}

void Evaluator::EvaluateIfDue(Time now) {
  if (!stored_.empty() && !roster_.Settled(now)) return;
  const uint64_t changes = roster_.changes();
  // A clock that ran back is no reason to wait.
  const bool was_lately = now >= evaluated_at_ && now - evaluated_at_ < kEvaluateAtLeast;
  if (changes == changes_seen_ && was_lately) return;
  changes_seen_ = changes;
  evaluated_at_ = now;
  Evaluate(now);
}

void Evaluator::Evaluate(Time now) {
  auto checklist = std::make_shared<v1::Checklist>(JudgeNow(roster_, now));
  hold_.Apply(*Latest(), now, checklist.get());
  BoundWords(*checklist);
  SetSince(memory_, now, checklist.get());
  auto changes = FindChanges(stored_, *checklist, now);
  memory_ = Remember(*checklist);
  Share(stored_, memory_);
  const bool first = stored_.empty();
  {
    std::lock_guard lock(mutex_);
    latest_ = std::move(checklist);
  }
  judged_ = changes_seen_;
  if (on_judged_) on_judged_();
  if (first || !changes.empty() || now - stored_at_ >= kStoreAtLeast) {
    Keep(std::move(changes), now);
  }
}

void Evaluator::Save(Time now) {
  std::lock_guard ticking(tick_mutex_);
  const auto latest = Latest();
  if (memory_.empty()) return;
  evaluated_at_ = FromProto(latest->evaluated_at());
  Keep(FindChanges(stored_, *latest, now), now);
}

// What could not be stored is tried again at the next evaluation: `stored_` stays as it was.
void Evaluator::Keep(std::vector<v1::Event> changes, Time now) {
  ChangePaces paces = paces_;
  const auto events = paces.Pick(std::move(changes), now);
  std::vector<v1::FindingMemory> changed;
  for (const auto& [rule, memory] : memory_) {
    const auto stored = stored_.find(rule);
    if (stored == stored_.end() || stored->second != memory) {
      changed.push_back(memory->ToProto(rule));
    }
  }
  std::vector<std::string> gone;
  for (const auto& [rule, memory] : stored_) {
    if (memory_.count(rule) == 0) gone.push_back(rule);
  }
  const absl::Status status = store_.PutMemories(evaluated_at_, changed, gone, events);
  if (!status.ok()) {
    if (!std::exchange(store_failed_, true)) {
      spdlog::error("cannot store what the checklist shows: {}", std::string(status.message()));
    }
    return;
  }
  if (std::exchange(store_failed_, false)) spdlog::info("the checklist is stored again");
  for (const v1::FindingMemory& memory : changed) stored_[memory.rule()] = memory_[memory.rule()];
  for (const std::string& rule : gone) stored_.erase(rule);
  paces_ = std::move(paces);
  stored_at_ = now;
  for (const v1::Event& event : events) {
    spdlog::info("event={} rule={} from={} to={} node={} text={}",
                 v1::Event::Kind_Name(event.kind()), event.rule(), v1::Outcome_Name(event.from()),
                 v1::Outcome_Name(event.to()), event.node(), LogValue(event.text()));
  }
}

}  // namespace connect_ha
