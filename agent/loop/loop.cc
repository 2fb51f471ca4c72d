#include "agent/loop/loop.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/loop/facts_digest.h"
#include "agent/loop/make_printable.h"
#include "agent/loop/report_limit.h"
#include "common/log.h"
#include "common/text/short_text.h"

namespace connect_ha {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

// The quick probes are done long before; a slow one is picked up when it comes back.
constexpr milliseconds kPatience{100};
// A load balancer waits no longer for the gate's answer.
constexpr milliseconds kGateFirst{3'000};
// A report that lacks half of the facts would make findings flap at every restart.
constexpr seconds kFirstGathering{15};
constexpr seconds kRefreshVolatile{60};
// Between two heartbeats that nobody waits for.
constexpr milliseconds kLeastGap{100};
constexpr milliseconds kFirstBackoff{1'000};
// Well within half a minute, after which a coordinator that was started again gives up who has not
// come back (limits.stale_after).
constexpr milliseconds kLastBackoff{10'000};
constexpr milliseconds kShortestInterval{100};
constexpr milliseconds kLongestInterval{300'000};
constexpr int kMostCallsInARow = 3;
constexpr std::chrono::hours kTellAgain{1};

int64_t MicrosecondsOf(Time time) { return time.time_since_epoch().count(); }

// Once it is reached, Connect rests.
bool IsStopped(v1::NodeState state) {
  return state == v1::PREPARING || state == v1::READY || state == v1::STOPPED ||
         state == v1::FENCED;
}

bool IsFaulty(const v1::Integrity& integrity) {
  return integrity.files_changed() + integrity.files_missing() > 0;
}

bool HasFacts(const v1::HeartbeatRequest& request) {
  return request.has_facts() || !request.facts_bytes().empty();
}

// Installed files are not as they were shipped.
bool ShowsFaults(const v1::Facts& facts) {
  const auto& runtimes = facts.runtimes().runtimes();
  return IsFaulty(facts.connect().integrity()) ||
         std::any_of(runtimes.begin(), runtimes.end(),
                     [](const v1::Runtime& runtime) { return IsFaulty(runtime.integrity()); });
}

}  // namespace

Loop::Loop(LoopOptions options, Gatherer& gatherer, Converger& converger, Held& held,
           CoordinatorLink& link, Host& host)
    : options_(std::move(options)),
      gatherer_(gatherer),
      converger_(converger),
      held_(held),
      link_(link),
      host_(host),
      told_state_(converger.News().state),
      backoff_(kFirstBackoff, kLastBackoff) {}

void Loop::SetStatus(const std::string& status) {
  if (status == status_) return;
  status_ = status;
  // The coordinator's words may be in it, and to systemd a second line is another assignment:
  // MAINPID= of whatever it would then end in the agent's place.
  if (options_.notify) options_.notify("STATUS=" + ShortText(status, kTextBytes));
}

SteadyTime Loop::NextDue(SteadyTime now) const {
  SteadyTime next = std::min(gatherer_.NextDue(), now + kRefreshVolatile);
  if (!complete_) {
    next = std::min(next, began_ + kFirstGathering);
  } else if (!away_ && HasNews()) {
    next = std::min(next, last_call_ + kLeastGap);
  } else {
    next = std::min(next, next_call_);
  }
  return std::max(next, now);
}

void Loop::Act(uint32_t triggers, SteadyTime now) {
  Gather(triggers, now);
  for (int i = 0; i < kMostCallsInARow && ShouldCall(now); ++i) Call(now);
}

void Loop::Gather(uint32_t triggers, SteadyTime now) {
  if (first_round_ == 0) {
    began_ = now;
    // Whoever asks the gate of an agent that was started again waits for that alone.
    gatherer_.StartForGate(now);
    gatherer_.WaitForQuick(kGateFirst);
    first_round_ = gatherer_.StartAll(now);
  }
  gatherer_.Start(triggers, now);
  gatherer_.WaitForQuick(kPatience);
  if (gatherer_.Changed(now)) {
    TakeFacts(gatherer_.Collect(now));
    if (options_.gathered) options_.gathered();
  }
  if (!complete_) complete_ = gatherer_.Done(first_round_, now) || now - began_ >= kFirstGathering;
  if (asked_gather_ != gathered_ && gatherer_.Done(asked_round_, now)) gathered_ = asked_gather_;
}

void Loop::TakeFacts(v1::Facts facts) {
  const bool too_large = facts.ByteSizeLong() > options_.max_report_bytes;
  facts_ = LimitReport(std::move(facts), options_.max_report_bytes);
  // Whatever changed here may be what a resource is about.
  if (std::string digest = FactsDigest(facts_); digest != digest_) {
    digest_ = std::move(digest);
    converger_.Look(ShowsFaults(facts_));
  }
  if (std::exchange(too_large_, too_large) == too_large) return;
  if (too_large) {
    spdlog::error("event=report-too-large reason={}",
                  LogValue(facts_.unobserved().rbegin()->reason()));
  } else {
    spdlog::info("event=report-too-large-ended");
  }
}

bool Loop::HasNews() const {
  return send_facts_ || nudged_ || digest_ != acknowledged_digest_ ||
         gathered_ != acknowledged_gathered_ || converger_.version() != acknowledged_news_ ||
         GateVersion() != acknowledged_gate_;
}

uint64_t Loop::GateVersion() const { return options_.gate ? options_.gate().version : 0; }

bool Loop::ShouldCall(SteadyTime now) const {
  if (!complete_) return false;
  if (now >= next_call_) return true;
  if (away_) return false;
  // Whoever asked is answered at once; a flapping fact has to wait a little.
  if (send_facts_ || nudged_ || gathered_ != acknowledged_gathered_) return true;
  return HasNews() && now - last_call_ >= kLeastGap;
}

v1::HeartbeatRequest Loop::MakeRequest(SteadyTime now) {
  v1::HeartbeatRequest request;
  request.set_node(options_.node);
  request.set_machine_id(options_.machine_id);
  request.set_boot_id(options_.boot_id);
  request.set_agent_version(options_.agent_version);
  request.set_digest_key_id(options_.digest_key_id);
  request.set_facts_digest(digest_);
  request.set_gathered(gathered_);
  if (send_facts_ || digest_ != acknowledged_digest_ || gathered_ != acknowledged_gathered_ ||
      now - facts_sent_ >= kRefreshVolatile) {
    if (as_bytes_) {
      request.set_facts_bytes(facts_.SerializeAsString());
    } else {
      *request.mutable_facts() = facts_;
    }
  }
  AddConvergence(request);
  if (last_exchange_.agent_sent_us() != 0) *request.mutable_last_exchange() = last_exchange_;
  request.set_agent_sent_us(MicrosecondsOf(host_.Now()));
  return request;
}

void Loop::AddConvergence(v1::HeartbeatRequest& request) {
  ConvergerNews news = converger_.News();
  sent_news_ = news.version;
  request.set_reported_state(told_state_ = StateToTell(news.state));
  request.set_can_serve(true);
  AddHeld(request);
  AddService(news, request);
  if (news.convergence && (news.version != acknowledged_news_ || HasFacts(request))) {
    *request.mutable_convergence() = *std::move(news.convergence);
  }
  if (news.ahead && (news.version != acknowledged_news_ || HasFacts(request) || send_ahead_)) {
    *request.mutable_ahead() = *std::move(news.ahead);
    MakePrintable(*request.mutable_ahead());
  }
  if (news.preview) *request.mutable_preview() = *std::move(news.preview);
  for (v1::ChangeMade& change : news.changes_made) {
    *request.add_changes_made() = std::move(change);
    MakePrintable(*request.mutable_changes_made(request.changes_made_size() - 1));
  }
  if (request.has_convergence()) MakePrintable(*request.mutable_convergence());
  if (request.has_preview()) MakePrintable(*request.mutable_preview());
}

// What was gathered before Connect was stopped has it running yet: beside that the node is told as
// it was. Once it is told that Connect was stopped, one that runs was started by somebody.
v1::NodeState Loop::StateToTell(v1::NodeState state) const {
  const bool has_stopped = IsStopped(state) && !IsStopped(told_state_);
  const std::string& unit = facts_.connect().unit().active_state();
  const bool seems_to_run = !unit.empty() && unit != "inactive" && unit != "failed";
  return has_stopped && seems_to_run ? told_state_ : state;
}

void Loop::AddHeld(v1::HeartbeatRequest& request) const {
  HeldReport report = held_.Report();
  request.set_reported_generation(report.generation);
  request.set_reported_lineage(report.lineage);
  if (report.applied_at) *request.mutable_reported_applied_at() = *report.applied_at;
  *request.mutable_order() = std::move(report.order);
  request.set_allow(report.allow);
  for (std::string& signer : report.trusted_signers) {
    request.add_trusted_signers(std::move(signer));
  }
}

void Loop::AddService(const ConvergerNews& news, v1::HeartbeatRequest& request) {
  if (!options_.gate) return;
  GateNews gate = options_.gate();
  sent_gate_ = gate.version;
  if (!gate.is_known) return;
  *request.mutable_service() = std::move(gate.report);
  request.mutable_service()->set_start_failed(news.start_failed);
  if (news.newest_start) *request.mutable_service()->mutable_newest_start() = *news.newest_start;
  MakePrintable(*request.mutable_service());
}

void Loop::TakeAssignment(const v1::HeartbeatRequest& request,
                          const v1::HeartbeatResponse& response) {
  acknowledged_news_ = sent_news_;
  acknowledged_gate_ = sent_gate_;
  if (request.has_preview()) converger_.PreviewTaken(request.preview().number());
  if (response.changes_taken() != 0) converger_.ChangesTaken(response.changes_taken());
  if (response.has_preview()) converger_.AskPreview(response.preview());
  NoteAssignment(held_.Take(response));
}

// What could not be kept is tried again with the next answer.
void Loop::NoteAssignment(const absl::Status& kept) {
  const std::string trouble(kept.message());
  if (trouble == std::exchange(assignment_trouble_, trouble)) return;
  if (kept.ok()) {
    spdlog::info("event=assignment-kept");
  } else {
    spdlog::error("event=assignment-not-kept error={}", LogValue(trouble));
  }
}

void Loop::Call(SteadyTime now) {
  nudged_ = false;
  last_call_ = now;
  const v1::HeartbeatRequest request = MakeRequest(now);
  const absl::StatusOr<v1::HeartbeatResponse> response = link_.Heartbeat(request);
  if (response.ok()) {
    TakeAnswer(request, *response, now);
  } else {
    TakeError(response.status(), now);
  }
  if (options_.called) options_.called(response.ok() ? &*response : nullptr);
}

void Loop::TakeAnswer(const v1::HeartbeatRequest& request, const v1::HeartbeatResponse& response,
                      SteadyTime now) {
  if (away_) {
    spdlog::info("event=coordinator-back away={}",
                 LogValue(FormatSpan(std::chrono::duration_cast<microseconds>(now - away_since_))));
  }
  away_ = false;
  backoff_.Reset();
  last_exchange_.set_agent_sent_us(request.agent_sent_us());
  last_exchange_.set_coordinator_received_us(response.coordinator_received_us());
  last_exchange_.set_coordinator_sent_us(response.coordinator_sent_us());
  last_exchange_.set_agent_received_us(MicrosecondsOf(host_.Now()));
  if (HasFacts(request)) {
    acknowledged_digest_ = request.facts_digest();
    facts_sent_ = now;
  }
  acknowledged_gathered_ = request.gathered();
  send_facts_ = response.send_facts();
  as_bytes_ = response.takes_facts_bytes();
  send_ahead_ = response.has_ahead();
  TakeAssignment(request, response);
  if (response.gather() != 0 && response.gather() != asked_gather_ &&
      response.gather() != gathered_) {
    asked_gather_ = response.gather();
    asked_round_ = gatherer_.StartPass(now);
    converger_.TryAgain();
  }
  const milliseconds interval(response.next_heartbeat_ms());
  next_call_ = now + std::clamp(interval, kShortestInterval, kLongestInterval);
  NoteConflict(response.conflict());
  SetStatus(conflict_.empty() ? "reporting to the coordinator"
                              : absl::StrCat("another machine reports as ", options_.node));
}

void Loop::TakeError(const absl::Status& status, SteadyTime now) {
  if (IsRemoval(status)) NoteAssignment(held_.TakeRemoval());
  if (!away_) away_since_ = now;
  // Trouble is told when it begins, when it becomes another, and now and then; not at every try.
  if (!away_ || away_code_ != status.code() || now - away_told_ >= kTellAgain) {
    TellTrouble(status, now);
  }
  away_ = true;
  away_code_ = status.code();
  next_call_ = now + backoff_.Next();
  // It may have lost what it held, or never have got it.
  send_facts_ = true;
  SetStatus(absl::StrCat("cannot report: ", status.message()));
}

void Loop::TellTrouble(const absl::Status& status, SteadyTime now) {
  const bool away = absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
  spdlog::warn("event={} reason={}", away ? "coordinator-away" : "coordinator-refuses",
               LogValue(std::string(status.message())));
  away_told_ = now;
}

void Loop::NoteConflict(const std::string& conflict) {
  if (conflict == conflict_) return;
  if (conflict.empty()) {
    spdlog::info("event=name-conflict-ended node={}", options_.node);
  } else {
    spdlog::error("event=name-conflict node={} other={}", options_.node, LogValue(conflict));
  }
  conflict_ = conflict;
}

}  // namespace connect_ha
