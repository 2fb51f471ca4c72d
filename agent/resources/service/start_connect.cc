#include "agent/resources/service/start_connect.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/assignment/standing.h"
#include "agent/probes/connect/connect.h"
#include "agent/probes/connect/guard.h"
#include "agent/resources/service/service_notes.h"
#include "agent/resources/service/without_secrets.h"
#include "agent/resources/unit_journal.h"
#include "common/checklist/guard_lines.h"
#include "common/text/short_text.h"
#include "common/time.h"
#include "common/version.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;

// As kPreflightLine has it.
constexpr char kAgent[] = "/usr/bin/connect-ha-agent";
// It answers within 32 s.
constexpr milliseconds kPreflightDeadline{45'000};
// Between two looks whether somebody says stop.
constexpr milliseconds kStartDeadline{5'000};
// Longer than Connect's own unit gives it.
constexpr int kMostWaits = 120;
// What was printed comes to the journal a little after the unit has ended.
constexpr milliseconds kJournalDelay{500};
constexpr int kJournalLines = 20;
constexpr size_t kMostBytes = 2'048;
constexpr size_t kHeadBytes = 300;
constexpr char kAutoRestart[] = "auto-restart";
constexpr char kSaysNothing[] = "its journal says nothing";
constexpr char kRefused[] = "its preflight does not let it start";

bool IsLater(const v1::Order& order, const v1::Order& known) {
  return order.lineage() != known.lineage() || IsBelow(known, order);
}

// What Connect prints may hold what it was configured with.
std::string JournalOf(const ResourceContext& context) {
  const std::string text = WithoutSecrets(
      context, ReadJournal(context.host, context.agent_config.connect_unit(), kJournalLines));
  return ShortLines(text.size() > kMostBytes ? text.substr(text.size() - kMostBytes) : text,
                    kMostBytes);
}

// The last that Connect itself said.
std::string LastPrinted(const ResourceContext& context) {
  const std::string text = WithoutSecrets(
      context, ReadPrinted(context.host, context.agent_config.connect_unit(), kJournalLines));
  const std::vector<std::string> lines = absl::StrSplit(text, '\n', absl::SkipWhitespace());
  const auto last = std::find_if(lines.rbegin(), lines.rend(),
                                 [](const std::string& line) { return line != kMayStart; });
  return last == lines.rend() ? "" : *last;
}

// Where there is room for one line, it is the first that is shown. What is not among the last lines
// was said by an earlier run: this one said nothing.
std::string LastLines(const ResourceContext& context) {
  const std::string journal = JournalOf(context);
  const std::string head = LastPrinted(context);
  if (head.empty() || journal == head || !absl::StrContains(journal, head)) return journal;
  return absl::StrCat(ShortText(head, kHeadBytes), "\n", journal);
}

absl::Status NoMoreStarts(const v1::ServiceMemory& memory) {
  return absl::FailedPreconditionError(absl::StrCat(
      "Connect did not start, ", memory.starts(), " times\n", memory.start_failed(),
      "\nfix: mend what it says, then have it tried anew: connect-ha node start NODE --reason "
      "TEXT"));
}

absl::Status NoteFailed(const ResourceContext& context) {
  const std::string lines = LastLines(context);
  return context.notes->Change([&lines](v1::ServiceMemory& memory) {
    memory.set_start_failed(lines.empty() ? kSaysNothing : lines);
  });
}

// FailedPrecondition: it was tried too often.
absl::Status CheckTries(const ResourceContext& context) {
  if (context.notes == nullptr) return absl::OkStatus();
  const v1::ServiceMemory before = context.notes->Get();
  const bool is_new = IsLater(context.service.order, before.order());
  if (is_new || before.starts() < kMostStarts) return absl::OkStatus();
  // Killed after the last try, or it was started and did not stay up.
  if (before.start_failed().empty()) {
    const absl::Status noted = NoteFailed(context);
    if (!noted.ok()) return noted;
  }
  return NoMoreStarts(context.notes->Get());
}

// It may migrate the database as soon as it runs.
void NoteNewest(const std::string& version, const v1::Order& order, v1::ServiceMemory& memory) {
  if (version.empty()) return;
  const std::string& newest = memory.newest_start().version();
  if (!newest.empty() && CompareVersions(version, newest) < 0) return;
  memory.mutable_newest_start()->set_version(version);
  *memory.mutable_newest_start()->mutable_order() = order;
}

absl::Status CountStart(const ResourceContext& context) {
  if (context.notes == nullptr) return absl::OkStatus();
  const absl::StatusOr<std::string> version = InstalledConnect(context.host, context.cache);
  if (!version.ok()) return version.status();
  const v1::Order& order = context.service.order;
  const bool is_new = IsLater(order, context.notes->Get().order());
  return context.notes->Change([&order, &version, is_new](v1::ServiceMemory& memory) {
    NoteNewest(*version, order, memory);
    *memory.mutable_order() = order;
    memory.set_starts(is_new ? 1 : memory.starts() + 1);
    memory.clear_start_failed();
  });
}

absl::Status AskPreflight(const ResourceContext& context, const v1::Unit& unit) {
  if (HasPreflight(unit)) return absl::OkStatus();
  CommandOptions options;
  options.deadline = kPreflightDeadline;
  const absl::StatusOr<CommandResult> asked = context.host.Run({kAgent, "preflight"}, options);
  if (!asked.ok()) return asked.status();
  if (asked->exit_code == 0 && !asked->timed_out) return absl::OkStatus();
  const std::string said(absl::StripAsciiWhitespace(asked->output));
  return absl::AbortedError(said.empty() ? kRefused : said);
}

// Why the unit's own preflight did not let a start through since then; "" where it did, or was not
// asked.
std::string WhyRefused(const ResourceContext& context, Time since) {
  const absl::StatusOr<v1::PreflightResult> last = ReadPreflightResult(context.host);
  if (!last.ok() || last->may_start() || FromProto(last->at()) < since) return "";
  return last->reason().empty() ? kRefused : last->reason();
}

// The run of systemd's that comes next is the first one of this order.
absl::Status CountAnew(const ResourceContext& context) {
  return context.notes->Change([&context](v1::ServiceMemory& memory) {
    *memory.mutable_order() = context.service.order;
    memory.clear_starts();
    memory.clear_start_failed();
  });
}

// Since the look before, which this one becomes.
uint32_t Grown(uint32_t number, std::optional<uint32_t>& seen) {
  const uint32_t before = seen.value_or(number);
  seen = number;
  // Fewer: somebody started it, and it counts from there.
  return number < before ? number : number - before;
}

// The same, where Connect has not run since.
std::string WhyLastRefused(const ResourceContext& context, const v1::Unit& unit) {
  return WhyRefused(context, unit.has_started_at() ? FromProto(unit.started_at()) : Time{});
}

// Nothing of Connect ran: that was no try of it.
absl::Status Refused(const ResourceContext& context, const std::string& why) {
  if (context.notes != nullptr) {
    absl::Status noted = context.notes->Change([](v1::ServiceMemory& memory) {
      if (memory.starts() > 0) memory.set_starts(memory.starts() - 1);
    });
    if (!noted.ok()) return noted;
  }
  return absl::AbortedError(absl::StrCat("Connect may not start on this node: ", why));
}

absl::Status Start(const ResourceContext& context, const v1::Unit& unit, Progress& progress) {
  const std::string& name = context.agent_config.connect_unit();
  absl::Status started;
  // How often systemd itself has tried is no limit to a start that was asked for.
  if (unit.active_state() == "failed") {
    static_cast<void>(
        context.host.Run({"/usr/bin/systemctl", "reset-failed", "--", name}, CommandOptions()));
  }
  for (int wait = 0; wait < kMostWaits; ++wait) {
    // PID 1 goes on with it, and is found at it.
    if (progress.Stopped()) return absl::CancelledError("stopped");
    started = context.host.StartUnit(name, kStartDeadline);
    if (!absl::IsDeadlineExceeded(started)) break;
  }
  return started;
}

}  // namespace

absl::Status StartConnect(const ResourceContext& context, const v1::Unit& unit,
                          Progress& progress) {
  absl::Status may = CheckTries(context);
  if (may.ok()) may = AskPreflight(context, unit);
  if (may.ok()) may = CountStart(context);
  if (!may.ok()) return may;
  const Time began = context.host.Now();
  const absl::Status started = Start(context, unit, progress);
  if (started.ok() || absl::IsCancelled(started)) return started;
  const std::string refused = WhyRefused(context, began);
  if (!refused.empty()) return Refused(context, refused);
  progress.Wait(kJournalDelay);
  std::string lines = LastLines(context);
  if (lines.empty()) lines = std::string(started.message());
  progress.Log(lines);
  if (context.notes == nullptr || context.notes->Get().starts() < kMostStarts) {
    return absl::AbortedError(absl::StrCat("Connect did not start: ", started.message()));
  }
  const absl::Status noted = context.notes->Change(
      [&lines](v1::ServiceMemory& memory) { memory.set_start_failed(lines); });
  return noted.ok() ? NoMoreStarts(context.notes->Get()) : noted;
}

bool WaitsForRestart(const v1::Unit& unit) { return unit.sub_state() == kAutoRestart; }

absl::Status NoteTries(const ResourceContext& context, const v1::Unit& unit, v1::NodeState told,
                       std::optional<uint32_t>& seen) {
  const uint32_t more = Grown(unit.restarts(), seen);
  if (context.notes == nullptr) return absl::OkStatus();
  const v1::ServiceMemory memory = context.notes->Get();
  if (!memory.has_order()) return absl::OkStatus();  // it has stayed up
  const bool has_ended = WaitsForRestart(unit);
  if (told == v1::SERVING && IsLater(context.service.order, memory.order())) {
    return has_ended ? CountAnew(context) : absl::OkStatus();
  }
  if (!memory.start_failed().empty() || (more == 0 && !has_ended) ||
      !WhyLastRefused(context, unit).empty()) {
    return absl::OkStatus();
  }
  absl::Status noted = context.notes->Change(
      [more](v1::ServiceMemory& counted) { counted.set_starts(counted.starts() + more); });
  const bool is_last = has_ended && memory.starts() + more >= kMostStarts;
  return noted.ok() && is_last ? NoteFailed(context) : noted;
}

absl::Status WhyItWaits(const ResourceContext& context, const v1::Unit& unit) {
  const v1::ServiceMemory memory =
      context.notes == nullptr ? v1::ServiceMemory() : context.notes->Get();
  const bool is_new = IsLater(context.service.order, memory.order());
  const bool has_ended = WaitsForRestart(unit);
  if (has_ended && !is_new && !memory.start_failed().empty()) return NoMoreStarts(memory);
  const std::string refused = WhyLastRefused(context, unit);
  return absl::UnavailableError(absl::StrCat(
      context.agent_config.connect_unit(),
      has_ended ? " has ended, and systemd is about to start it again" : " is starting",
      refused.empty() ? "" : "; before, Connect was not let start on this node: ", refused));
}

std::string StartFailure(const v1::ServiceMemory& memory, const v1::Assignment& orders) {
  const bool is_over = orders.state() == v1::SERVING && IsLater(orders.order(), memory.order());
  return is_over ? "" : memory.start_failed();
}

}  // namespace connect_ha
