#include "agent/resources/install/installer.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "agent/resources/connect_unit.h"

namespace connect_ha {
namespace {

constexpr char kAgentUnit[] = "connect-ha-agent.service";
constexpr std::chrono::milliseconds kPollInterval{500};
constexpr int kMostSilence = 120;  // in a row; each may have taken its own time
constexpr size_t kDigestShown = 12;
constexpr size_t kTailLines = 20;
constexpr size_t kTailBytes = 4096;
constexpr char kUnitPath[] =
    "/run/systemd/system:/usr/local/lib/systemd/system:/lib/systemd/system:"
    "/usr/lib/systemd/system:/etc/systemd/system";
constexpr char kDiskFull[] = "No space left on device";

std::string NoteFile(const ResourceContext& context) { return context.state_dir + "/installing"; }

std::string LogFile(const ResourceContext& context, const std::string& service) {
  return absl::StrCat(context.state_dir, "/", service, ".log");
}

std::string Tail(const std::string& log) {
  const std::string end = log.size() > kTailBytes ? log.substr(log.size() - kTailBytes) : log;
  std::vector<std::string> lines = absl::StrSplit(absl::StripAsciiWhitespace(end), '\n');
  if (lines.size() > kTailLines) lines.erase(lines.begin(), lines.end() - kTailLines);
  return absl::StrJoin(lines, "\n");
}

// PID 1 of a busy node may be slow to answer; what it runs goes on all the same.
bool MayAnswerLater(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
}

absl::StatusOr<ServiceResult> WaitForEnd(const ResourceContext& context, const std::string& service,
                                         Progress& progress) {
  progress.Enter(v1::Step::INSTALLING);
  int silent = 0;
  while (true) {
    absl::StatusOr<ServiceResult> result = context.host.ReadService(service);
    if (result.ok()) {
      if (result->state != ServiceResult::State::kRunning) return result;
      silent = 0;
    } else if (!MayAnswerLater(result.status()) || ++silent == kMostSilence) {
      return result;
    }
    if (!progress.Wait(kPollInterval)) return absl::CancelledError("stopped");
  }
}

// The note goes last: what it names is looked for until it is gone.
absl::Status Forget(const ResourceContext& context, const std::string& service, bool keep_log) {
  absl::Status done = context.host.ClearService(service);
  if (!done.ok()) return done;
  if (!keep_log) done = context.host.Remove(LogFile(context, service));
  if (!done.ok()) return done;
  return context.host.Remove(NoteFile(context));
}

// How the agent reaches the network (libcurl reads no HTTP_PROXY), for what apt and scripts fetch
// themselves.
struct Proxies {
  std::vector<std::string> environment;
  bool withheld = false;  // one with a password, which anybody could read of the service
};

absl::StatusOr<Proxies> ReadProxies(const ResourceContext& context) {
  static constexpr absl::string_view kNames[] = {"http_proxy", "https_proxy", "no_proxy",
                                                 "HTTPS_PROXY", "NO_PROXY"};
  const absl::StatusOr<std::vector<UnitVariable>> environment =
      context.host.ReadUnitEnvironment(kAgentUnit);
  Proxies proxies;
  if (absl::IsNotFound(environment.status())) return proxies;
  if (!environment.ok()) return environment.status();
  std::map<std::string, std::string> latest;
  for (const UnitVariable& variable : *environment) {
    const std::string& assignment = variable.assignment;
    const std::string name = assignment.substr(0, assignment.find('='));
    const bool known = std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
    if (known) latest[name] = assignment;
  }
  for (const auto& [name, assignment] : latest) {
    if (absl::StrContains(assignment, "@")) {
      proxies.withheld = true;
    } else if (assignment.find_first_of("$\"\\`;") == std::string::npos) {
      proxies.environment.push_back(assignment);
    }
  }
  return proxies;
}

absl::Status Start(const ResourceContext& context, const Installation& installation) {
  if (installation.commands.empty()) {
    return absl::AbortedError(absl::StrCat(installation.service, " went away"));
  }
  TransientService service;
  service.name = installation.service;
  service.description = absl::StrCat("connect-ha: ", installation.description);
  service.commands = installation.commands;
  service.at_end = installation.at_end;
  // SYSTEMD_OFFLINE has systemctl start nothing, even where a script took the mask away. It does
  // fail to enable what is masked, and a script of Connect's that ends at an error would end there:
  // where /etc is looked at last it finds the unit behind the mask.
  service.environment = {"DEBIAN_FRONTEND=noninteractive",
                         "SYSTEMD_OFFLINE=1",
                         absl::StrCat("SYSTEMD_UNIT_PATH=", kUnitPath),
                         "RSTUDIO_INSTALL_NO_LICENSE_INITIALIZATION=1",
                         "LC_ALL=C.UTF-8",
                         "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};
  const absl::StatusOr<Proxies> proxies = ReadProxies(context);
  if (!proxies.ok()) return proxies.status();
  service.environment.insert(service.environment.end(), proxies->environment.begin(),
                             proxies->environment.end());
  service.log_path = LogFile(context, installation.service);
  service.time_limit = installation.time_limit;
  absl::Status done = context.host.Remove(service.log_path);
  if (!done.ok()) return done;
  done = context.host.WriteFile(NoteFile(context), installation.service, FileAttributes());
  if (!done.ok()) return done;
  done = context.host.StartService(service);
  return absl::IsAlreadyExists(done) ? absl::OkStatus() : done;
}

// What to type where apt needs a proxy that it was not told; "" where that is not what is wrong.
std::string ProxyFix(const ResourceContext& context, const std::string& log) {
  if (!absl::StrContains(log, "Failed to fetch")) return "";
  const absl::StatusOr<Proxies> proxies = ReadProxies(context);
  if (!proxies.ok() || !proxies->withheld) return "";
  return absl::StrCat("\nfix: apt is not told the proxy of ", kAgentUnit,
                      ", which has a password: write Acquire::http::Proxy "
                      "\"http://USER:PASSWORD@HOST:PORT\"; into /etc/apt/apt.conf.d/90proxy");
}

absl::Status Explain(const ResourceContext& context, const ServiceResult& result,
                     const std::string& log, const Installation& installation) {
  if (result.reason == "timeout") {
    return absl::FailedPreconditionError(
        absl::StrCat(installation.description, " did not end in ", installation.time_limit.count(),
                     " minutes and was ended\nfix: ", installation.fix_of_time_out));
  }
  const std::string words =
      absl::StrCat(installation.description, " failed: ", result.reason, " ", result.exit_code);
  const absl::StatusCode code = ClassifyInstallerLog(log);
  return absl::Status(
      code, words + (code == absl::StatusCode::kUnavailable ? ProxyFix(context, log) : ""));
}

absl::Status Finish(const ResourceContext& context, const Installation& installation,
                    const ServiceResult& result, Progress& progress) {
  if (result.state == ServiceResult::State::kAbsent) {
    return absl::AbortedError(absl::StrCat(installation.service, " went away before it ended"));
  }
  if (result.state == ServiceResult::State::kSucceeded) {
    return Forget(context, installation.service, false);
  }
  const absl::StatusOr<std::string> log =
      context.host.ReadFile(LogFile(context, installation.service));
  const std::string text = log.ok() ? *log : std::string(log.status().message());
  progress.Log(Tail(text));
  absl::Status forgotten = Forget(context, installation.service, true);
  if (!forgotten.ok()) return forgotten;
  return Explain(context, result, text, installation);
}

// What apt and dpkg themselves say that failed. Everything else is a package's script, and may be
// about anything: its own database, its own network.
std::string WordsOfThePackageManager(const std::string& log) {
  std::string words;
  bool goes_on = false;  // dpkg says why in a second line, set in by a blank
  for (const absl::string_view line : absl::StrSplit(log, '\n')) {
    const bool begins = absl::StartsWith(line, "E: ") || absl::StartsWith(line, "dpkg: error") ||
                        absl::StartsWith(line, "dpkg-deb: error");
    if (begins || (goes_on && absl::StartsWith(line, " "))) absl::StrAppend(&words, line, "\n");
    goes_on = begins;
  }
  return words;
}

}  // namespace

std::string InstallerService(const std::string& verb, const std::string& digest) {
  return absl::StrCat("connect-ha-", verb, "-", digest.substr(0, kDigestShown), ".service");
}

absl::StatusCode ClassifyInstallerLog(const std::string& log) {
  using Row = std::pair<const char*, absl::StatusCode>;
  // The words of apt 2.4 to 2.6 and dpkg 1.21, in the C locale.
  static constexpr std::array<Row, 19> kWords = {{
      // Something else was at it when the repair came: the next try repairs again.
      {"dpkg was interrupted", absl::StatusCode::kAborted},
      {kDiskFull, absl::StatusCode::kResourceExhausted},
      {"You don't have enough free space", absl::StatusCode::kResourceExhausted},
      {"Could not get lock", absl::StatusCode::kUnavailable},
      {"Unable to acquire the dpkg frontend lock", absl::StatusCode::kUnavailable},
      {"is locked by another process", absl::StatusCode::kUnavailable},
      {"lock was locked by another process", absl::StatusCode::kUnavailable},
      {"Temporary failure resolving", absl::StatusCode::kUnavailable},
      {"Could not resolve", absl::StatusCode::kUnavailable},
      {"Could not connect", absl::StatusCode::kUnavailable},
      {"Unable to connect", absl::StatusCode::kUnavailable},
      {"Connection failed", absl::StatusCode::kUnavailable},
      {"Connection timed out", absl::StatusCode::kUnavailable},
      {"404  Not Found", absl::StatusCode::kNotFound},
      {"is not installable", absl::StatusCode::kNotFound},
      {"Unable to locate package", absl::StatusCode::kNotFound},
      // What stands above these, without an E:, is which.
      {"Unmet dependencies", absl::StatusCode::kNotFound},
      {"Unable to correct problems", absl::StatusCode::kNotFound},
      {"Unable to fetch some archives", absl::StatusCode::kNotFound},
  }};
  const std::string words = WordsOfThePackageManager(log);
  for (const Row& row : kWords) {
    if (absl::StrContains(words, row.first)) return row.second;
  }
  // Whoever says it: somebody makes room, and tells nobody.
  return absl::StrContains(log, kDiskFull) ? absl::StatusCode::kResourceExhausted
                                           : absl::StatusCode::kFailedPrecondition;
}

absl::StatusOr<std::string> NotedInstaller(const ResourceContext& context) {
  absl::StatusOr<std::string> note = context.host.ReadFile(NoteFile(context));
  if (absl::IsNotFound(note.status())) return "";
  return note;
}

absl::StatusOr<bool> IsUnderWay(const ResourceContext& context, const std::string& service) {
  const absl::StatusOr<ServiceResult> result = context.host.ReadService(service);
  if (!result.ok()) return result.status();
  return result->state == ServiceResult::State::kRunning ||
         result->state == ServiceResult::State::kFailed;
}

absl::Status SettleInstaller(const ResourceContext& context, Progress& progress) {
  const absl::StatusOr<std::string> note = NotedInstaller(context);
  if (!note.ok()) return note.status();
  if (note->empty()) return absl::OkStatus();
  const absl::StatusOr<ServiceResult> result = WaitForEnd(context, *note, progress);
  if (!result.ok()) return result.status();
  return Forget(context, *note, result->state == ServiceResult::State::kFailed);
}

absl::Status Install(const ResourceContext& context, const Installation& installation,
                     Progress& progress) {
  const absl::StatusOr<bool> under_way = IsUnderWay(context, installation.service);
  if (!under_way.ok()) return under_way.status();
  if (!*under_way) {
    absl::Status ready = SettleInstaller(context, progress);
    if (ready.ok()) ready = CheckMayInstall(context, installation.touches_connect);
    if (ready.ok()) ready = context.host.ClearService(installation.service);
    // What led here, a look at what apt would do and a wait for another, may have taken minutes.
    if (ready.ok() && progress.Stopped()) ready = absl::CancelledError("stopped");
    if (ready.ok()) ready = Start(context, installation);
    if (!ready.ok()) return ready;
  }
  const absl::StatusOr<ServiceResult> result = WaitForEnd(context, installation.service, progress);
  if (!result.ok()) return result.status();
  absl::Status finished = Finish(context, installation, *result, progress);
  if (!finished.ok()) return finished;
  return CheckMayInstall(context, installation.touches_connect);
}

}  // namespace connect_ha
