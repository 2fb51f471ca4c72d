#include "agent/preflight/preflight_command.h"

#include <systemd/sd-daemon.h>

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <future>
#include <mutex>
#include <optional>
#include <ostream>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "agent/preflight/preflight_files.h"
#include "agent/probes/connect/guard.h"
#include "common/command/text_table.h"
#include "common/text/short_text.h"
#include "common/time.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// For a disk, or for systemd, to take what is only told (never both in one run): with
// kPreflightWithin, less than 32 s.
constexpr milliseconds kToldWithin{1'500};
constexpr uint64_t kReadByUs = 1'000'000;

struct Watched {
  PreflightOptions options;
  Whereabouts whereabouts;
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<PreflightFinding> finding;
};

struct Looked {
  PreflightFinding finding;
  bool stuck = false;
};

PreflightFinding TooLate(const Whereabouts::Place& place, std::chrono::milliseconds within) {
  PreflightFinding late;
  late.enforced = place.enforced;
  PreflightStep step;
  step.what = "time";
  step.status = absl::DeadlineExceededError(
      absl::StrCat(place.at, " has not come to an end in ",
                   std::chrono::duration_cast<std::chrono::seconds>(within).count(),
                   " s\nfix: once that is mended: systemctl start rstudio-connect"));
  late.steps.push_back(std::move(step));
  return late;
}

// In a thread of its own: a local disk, a name service or systemd may hang, too.
Looked LookWithin(const std::shared_ptr<WritableHost>& host, const PreflightCall& call) {
  const auto watched = std::make_shared<Watched>();
  watched->options = call.options;
  std::thread look([host, watched] {
    PreflightFinding finding = LookBeforeStart(*host, watched->options, watched->whereabouts);
    const std::lock_guard<std::mutex> lock(watched->mutex);
    watched->finding = std::move(finding);
    watched->changed.notify_all();
  });
  Looked looked;
  {
    std::unique_lock<std::mutex> lock(watched->mutex);
    looked.stuck =
        !watched->changed.wait_for(lock, call.within, [&] { return watched->finding.has_value(); });
    if (!looked.stuck) looked.finding = *std::move(watched->finding);
  }
  if (looked.stuck) {
    looked.finding = TooLate(watched->whereabouts.Get(), call.within);
    look.detach();
  } else {
    look.join();
  }
  return looked;
}

struct Telling {
  absl::Status status;
  bool stuck = false;
};

// In a thread of its own, too, and for as long as there is time: no start is held up by what is
// only told. `whom`: who does not take it, where it is too late.
Telling TellWithin(std::function<absl::Status()> tell, milliseconds within,
                   const std::string& whom) {
  const auto task = std::make_shared<std::packaged_task<absl::Status()>>(std::move(tell));
  std::future<absl::Status> told = task->get_future();
  std::thread teller([task] { (*task)(); });
  if (told.wait_for(within) != std::future_status::ready) {
    teller.detach();
    return {absl::DeadlineExceededError(absl::StrCat(whom, " does not take it")), true};
  }
  teller.join();
  return {told.get(), false};
}

// As the unit's status: of its log, `systemctl status` shows nothing from before the latest try
// was over. PID 1 may hang, and nothing is missing but a line where it does not listen.
Telling TellSystemd(const std::string& sentence) {
  if (std::getenv("NOTIFY_SOCKET") == nullptr) return {};
  const std::string status = absl::StrCat("STATUS=", ShortText(sentence, kTextBytes));
  return TellWithin(
      [status] {
        // It is nobody's word any more once this process is gone.
        if (sd_notify(0, status.c_str()) > 0) sd_notify_barrier(0, kReadByUs);
        return absl::OkStatus();
      },
      kToldWithin, "systemd");
}

// "nothing is mounted at /mnt/connect; fix: systemctl start mnt-connect.mount"
std::string OneLine(const absl::Status& status) {
  const std::string message = absl::StrReplaceAll(status.message(), {{"\n", "; "}});
  return ShortText(message, kTextBytes);
}

// Why not, or what there is to warn of; "" for nothing.
std::string ReasonOf(const PreflightFinding& finding) {
  if (!finding.passed()) return OneLine(finding.steps.back().status);
  return finding.enforced || finding.steps.empty() ? "" : finding.steps.front().seen;
}

std::string Sentence(const v1::PreflightResult& result) {
  if (!result.may_start()) {
    return absl::StrCat("Connect may not start on this node: ", result.reason());
  }
  if (result.has_override()) {
    const v1::PreflightOverride& given = result.override();
    const std::string although =
        result.reason().empty() ? "nothing is wrong" : absl::StrCat("wrong is: ", result.reason());
    return absl::StrCat("Connect starts by the override of ", given.by(), " (", given.reason(),
                        "); ", although);
  }
  if (result.only_warned()) {
    return absl::StrCat("warning: nothing is enforced here, and Connect starts: ", result.reason());
  }
  return kMayStart;
}

void Say(const std::string& line, std::ostream& out) { out << Printable(line) << std::endl; }

}  // namespace

PreflightAnswer RunPreflight(const std::shared_ptr<WritableHost>& host, const PreflightCall& call,
                             Terminal& terminal) {
  const auto began = steady_clock::now();
  const Looked looked = LookWithin(host, call);
  const auto given = TakeOverride(*host, call.invocation);
  v1::PreflightResult result;
  *result.mutable_at() = ToProto(host->Now());
  result.set_reason(ReasonOf(looked.finding));
  result.set_only_warned(!looked.finding.enforced);
  result.set_may_start(looked.finding.passed() || !looked.finding.enforced);
  if (given.ok() && given->has_value()) {
    *result.mutable_override() = **given;
    result.set_may_start(true);
  }
  Say(Sentence(result), terminal.error);
  if (!given.ok()) {
    Say(absl::StrCat("an override does not hold: ", OneLine(given.status())), terminal.error);
  }
  const absl::Status kept = StorePreflightResult(*host, result);
  if (!kept.ok()) {
    Say(absl::StrCat("the agent will not know of it: ", OneLine(kept)), terminal.error);
  }
  Telling refused;
  if (!result.may_start()) refused = TellSystemd(Sentence(result));
  Telling overridden;
  if (result.has_override()) {
    const auto left =
        std::chrono::duration_cast<milliseconds>(began + call.within - steady_clock::now());
    const std::string& state_dir = call.options.state_dir;
    overridden =
        TellWithin([host, state_dir, result] { return KeepOverridden(*host, state_dir, result); },
                   std::max(left, kToldWithin), state_dir);
    if (!overridden.status.ok()) {
      Say(absl::StrCat("after the next start the agent will not know of the override: ",
                       OneLine(overridden.status)),
          terminal.error);
    }
  }
  return {result.may_start() ? kHolds : kFails, looked.stuck || refused.stuck || overridden.stuck};
}

PreflightAnswer ExplainPreflight(const std::shared_ptr<WritableHost>& host,
                                 const PreflightCall& call, Terminal& terminal) {
  const Looked looked = LookWithin(host, call);
  std::vector<TableRow> rows;
  for (const PreflightStep& step : looked.finding.steps) {
    const bool passed = step.status.ok();
    rows.push_back({{passed ? "pass" : "FAIL", passed ? Style::kPlain : Style::kStrong},
                    {step.what},
                    {Printable(passed ? step.seen : OneLine(step.status))}});
  }
  PrintTable(terminal, {"", "LOOKED AT", "SEEN"}, rows);
  v1::PreflightResult result;
  result.set_reason(ReasonOf(looked.finding));
  result.set_only_warned(!looked.finding.enforced);
  result.set_may_start(looked.finding.passed() || !looked.finding.enforced);
  terminal.out << "\n" << Printable(Sentence(result)) << "\n";
  const absl::StatusOr<v1::PreflightOverride> given = ReadPreflightOverride(*host);
  if (given.ok()) {
    terminal.out << "an override of " << Printable(given->by())
                 << " waits for the next start: " << Printable(given->reason()) << "\n";
  }
  return {result.may_start() ? kHolds : kFails, looked.stuck};
}

int OverridePreflight(WritableHost& host, const std::string& reason, const std::string& by,
                      Terminal& terminal) {
  v1::PreflightOverride given;
  given.set_reason(ShortText(std::string(absl::StripAsciiWhitespace(reason)), kTextBytes));
  given.set_by(ShortText(by, kNameBytes));
  *given.mutable_at() = ToProto(host.Now());
  if (given.reason().empty()) {
    PrintError(terminal, absl::InvalidArgumentError(
                             "an override needs a reason, which is reported; fix: connect-ha-agent "
                             "preflight --override \"the mark was lost with the old disk\""));
    return kUsage;
  }
  const absl::Status stored = GiveOverride(host, given);
  if (!stored.ok()) {
    PrintError(terminal, absl::Status(stored.code(),
                                      absl::StrCat(stored.message(), "; fix: run it as root")));
    return kUnknown;
  }
  terminal.out
      << "the preflight lets the next start of Connect through, once, and not after a boot\n"
         "start it: systemctl start rstudio-connect\n"
         "systemd refuses a start before it asks the preflight where the unit is masked, or "
         "bound to a\nfile system that cannot be mounted: that is to be mended first, and "
         "the override waits for the\nstart after it; to take it back: rm "
      << kOverrideFile << "\n";
  return kHolds;
}

}  // namespace connect_ha
