#include "agent/gate/gate.h"

#include <google/protobuf/util/time_util.h>
#include <spdlog/spdlog.h>

#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "agent/assignment/standing.h"
#include "agent/resources/connect_unit.h"
#include "agent/resources/converge/course.h"
#include "agent/resources/service/unit_processes.h"
#include "common/log.h"
#include "common/text/short_text.h"

namespace connect_ha {
namespace {

constexpr int kOk = 200;
constexpr int kUnavailable = 503;
constexpr size_t kReasonBytes = 300;
constexpr char kUnheard[] =
    "nobody can ask: this agent was given no socket by connect-ha-gate.socket";

std::string StateName(v1::NodeState state) {
  return absl::AsciiStrToLower(v1::NodeState_Name(state));
}

// Of what the coordinator wants closed.
std::string WhyClosed(const v1::Assignment& orders) {
  if (orders.state() == v1::SERVING) return "Connect is being looked at before it serves";
  const std::string state = StateName(orders.state());
  return orders.reason().empty() ? state : absl::StrCat(state, ": ", orders.reason());
}

// Of "storage-is-mounted: nothing is mounted at ...".
std::string RuleOf(const std::string& closed_by) {
  return closed_by.substr(0, closed_by.find(':'));
}

// A ping that could not be asked this time is the one of before, of the same start; JudgeConnect
// says for how long.
void KeepPing(const ConnectLook& before, ConnectLook& look) {
  if (look.facts.has_ping() || !look.unit || !before.facts.has_ping()) return;
  const bool is_one_start = before.facts.unit().started_at() == look.unit->started_at();
  if (!is_one_start || !look.unit->has_started_at()) return;
  *look.facts.mutable_unit() = before.facts.unit();
  *look.facts.mutable_ping() = before.facts.ping();
}

}  // namespace

Gate::Gate(GateOptions options, Host& host) : options_(std::move(options)), host_(host) {
  verdict_.why = "this node is being looked at";
  verdict_since_ = state_since_ = host_.Now();
  closed_by_ = {options_.memory().closed_by(), true};
  noted_rule_ = RuleOf(closed_by_.text);
}

GateVerdict Gate::Judge(const v1::Assignment& orders) const {
  if (!options_.is_heard) return {false, kUnheard};
  if (!looked_) return {false, "this node is being looked at"};
  const v1::NodeState reached = options_.memory().reached();
  const GateWanted wanted = CourseOf(orders, reached, options_.agent_config.allow()).gate;
  if (wanted == GateWanted::kClosed) return {false, WhyClosed(orders)};
  // Anew each time: an answer grows too old even where Look itself hangs.
  GateVerdict connect = JudgeConnect(connect_look_, host_.Now());
  if (!connect.open || wanted == GateWanted::kAsConnect) return connect;
  if (closed_by_.text.empty() || orders.no_other_serves()) return {true, ""};
  return {false, closed_by_.text};
}

bool Gate::Settle(const v1::Assignment& orders) {
  GateVerdict verdict = Judge(orders);
  verdict.why = ShortText(verdict.why, kReasonBytes);
  const bool has_state = std::exchange(state_, orders.state()) != orders.state();
  if (has_state) state_since_ = host_.Now();
  if (verdict.open == verdict_.open && verdict.why == verdict_.why) return false;
  if (verdict.open != verdict_.open) {
    verdict_since_ = host_.Now();
    spdlog::info("event=gate-{} reason={}", verdict.open ? "opened" : "closed",
                 LogValue(verdict.open ? std::string("Connect answers") : verdict.why));
  }
  verdict_ = std::move(verdict);
  ++version_;
  return true;
}

void Gate::Tell(bool is_news) {
  if (is_news && options_.on_news) options_.on_news();
}

GateAnswer Gate::Health(std::chrono::milliseconds patience) {
  GateAnswer answer;
  bool is_news = false;
  {
    std::unique_lock<std::mutex> lock(mutex_);
    known_.wait_for(lock, patience, [this] { return looked_; });
    is_news = Settle(*options_.orders());
    answer.status = verdict_.open ? kOk : kUnavailable;
    if (!verdict_.open) ++refused_;
    answer.text = verdict_.open ? "open\n" : absl::StrCat("closed: ", verdict_.why, "\n");
  }
  Tell(is_news);
  return answer;
}

std::string Gate::Page() {
  std::string page;
  bool is_news = false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const std::shared_ptr<const v1::Assignment> orders = options_.orders();
    is_news = Settle(*orders);
    absl::StrAppend(&page, "node     ", options_.node, "\nstate    ", StateName(orders->state()),
                    ", since ",
                    orders->has_since() ? FormatUtc(FromProto(orders->since()))
                                        : FormatUtc(state_since_) + " or before",
                    "\n");
    if (!orders->reason().empty()) {
      absl::StrAppend(&page, "because  ", ShortText(orders->reason(), kTextBytes), "\n");
    }
    absl::StrAppend(&page, "gate     ", verdict_.open ? "open" : "closed", ", since ",
                    FormatUtc(verdict_since_), "\n");
    if (!verdict_.open) absl::StrAppend(&page, "because  ", verdict_.why, "\n");
    const bool serves = orders->state() == v1::SERVING;
    if (verdict_.open && serves && !closed_by_.text.empty() && orders->no_other_serves()) {
      absl::StrAppend(&page, "although ", ShortText(closed_by_.text, kReasonBytes),
                      ": no other node serves\n");
    }
  }
  Tell(is_news);
  return page;
}

GateNews Gate::News() {
  const std::lock_guard<std::mutex> lock(mutex_);
  Settle(*options_.orders());
  GateNews news;
  news.version = version_;
  news.is_known = looked_;
  news.report.set_gate_open(verdict_.open);
  news.report.set_gate_reason(verdict_.why);
  *news.report.mutable_gate_since() = ToProto(verdict_since_);
  news.report.set_refused(refused_);
  news.report.set_jobs_known(jobs_known_);
  news.report.set_jobs(jobs_);
  return news;
}

bool Gate::ConnectRuns() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return connect_look_.unit && IsUp(*connect_look_.unit);
}

// Whatever it is told now: once it is told to serve, what fails here is known.
RuleClosing Gate::LookAtRules(const v1::Facts& facts, const v1::Assignment& orders) {
  if (orders.removed() || orders.desired().spec().enforcement() != v1::ENFORCE) return {};
  GateSubject subject;
  subject.node = options_.node;
  subject.now = host_.Now();
  subject.has_served = IsOneSpecification(options_.memory().served(), orders.desired());
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (closed_by_.sure) subject.closed_by = closed_by_.text;
  }
  return ClosedByRule(facts, orders, subject);
}

// The evidence may have another number in it each time.
void Gate::NoteClosed(const RuleClosing& closing) {
  const std::string text = closing.sure ? ShortText(closing.text, kReasonBytes) : "";
  std::string rule = RuleOf(text);
  if (rule == noted_rule_ || !options_.note_closed) return;
  noted_rule_ = std::move(rule);
  options_.note_closed(text);
}

void Gate::Look() {
  const std::shared_ptr<const v1::Assignment> orders = options_.orders();
  const std::string& unit_name = options_.agent_config.connect_unit();
  const v1::Facts facts = options_.facts();
  ConnectLook look;
  look.facts = facts.connect();
  absl::StatusOr<v1::Unit> unit = host_.ReadUnit(unit_name);
  if (absl::IsNotFound(unit.status())) {
    look.unit.emplace();
  } else if (unit.ok()) {
    look.unit = *std::move(unit);
  }
  const RuleClosing closed_by = LookAtRules(facts, *orders);
  absl::StatusOr<std::vector<UnitProcess>> processes = absl::NotFoundError("not asked");
  if (orders->state() == v1::DRAINING) processes = ReadUnitProcesses(host_, unit_name);
  const uint32_t jobs = processes.ok() ? CountJobs(*processes) : 0;
  bool is_news = false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    // systemd that cannot be asked says nothing new.
    if (!look.unit) look.unit = connect_look_.unit;
    KeepPing(connect_look_, look);
    connect_look_ = std::move(look);
    closed_by_ = closed_by;
    is_news = processes.ok() != jobs_known_ || jobs != jobs_;
    jobs_known_ = processes.ok();
    jobs_ = jobs;
    if (is_news) ++version_;
    // Before the first probe of Connect there is nothing to go by.
    const bool is_known = facts.connect().has_unit() || facts.connect().has_ping() ||
                          (connect_look_.unit && !connect_look_.unit->has_started_at());
    if (is_known && !looked_) {
      looked_ = true;
      ++version_;
      is_news = true;
    }
    is_news = Settle(*options_.orders()) || is_news;
  }
  known_.notify_all();
  Tell(is_news);
  if (orders->state() == v1::SERVING) NoteClosed(closed_by);
}

}  // namespace connect_ha
