#include "agent/probes/installed/runtime_trial.h"

#include <algorithm>
#include <csignal>
#include <iterator>
#include <mutex>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "agent/probes/machine/accounts.h"
#include "agent/probes/probe_cache.h"

namespace connect_ha {
namespace {

constexpr std::chrono::milliseconds kSmokeDeadline{180'000};
constexpr size_t kTailLines = 10;
constexpr size_t kTailBytes = 4096;
// What no file tells, such as a library of the system that went away.
constexpr std::chrono::hours kPassedFor{24};

// Makes an environment with pip in it, as Connect does for content; it goes away at exit.
constexpr char kPythonSmoke[] =
    "import subprocess, tempfile, venv; d = tempfile.TemporaryDirectory(); "
    "venv.create(d.name, with_pip=True); "
    "subprocess.run([d.name + '/bin/python', '-m', 'pip', '--version'], check=True)";
// Neither the account's own packages (~/.local) nor what lies in the working directory may decide
// what an interpreter is good for: content does not see them. By environment as well as by -I and
// an empty home, since the environment that is made and the pip in it inherit it.
const std::vector<std::string>& PythonIsolation() {
  static const std::vector<std::string> variables = {"PYTHONNOUSERSITE=1", "PYTHONSAFEPATH=1"};
  return variables;
}
// An expression whose text is not its value, so that an echo of the command is no success.
constexpr char kRSmoke[] = "cat('smoke', 6 * 7, '\\n')";
constexpr char kRSmokeAnswer[] = "smoke 42";

std::vector<std::string> SmokeCommand(v1::RuntimeKind kind, const std::string& executable) {
  switch (kind) {
    case v1::R:
      return {executable, "--vanilla", "-e", kRSmoke};
    case v1::PYTHON:
      return {executable, "-I", "-c", kPythonSmoke};
    default:
      return {executable, "check", "--quiet"};
  }
}

std::string Tail(const std::string& output) {
  absl::string_view end = absl::StripAsciiWhitespace(output);
  if (end.size() > kTailBytes) end.remove_prefix(end.size() - kTailBytes);
  std::vector<std::string> lines = absl::StrSplit(end, '\n', absl::SkipWhitespace());
  if (lines.size() > kTailLines) lines.erase(lines.begin(), lines.end() - kTailLines);
  return absl::StrJoin(lines, "\n");
}

// What a Python may lack, and how that shows. Debian and Ubuntu ship these parts of the standard
// library in packages of their own.
struct LackingModule {
  const char* symptom;
  const char* module;
  const char* package;  // VERSION is the interpreter's
};
constexpr LackingModule kLacking[] = {
    {"ensurepip is not", "ensurepip", "pythonVERSION-venv"},
    {"No module named ensurepip", "ensurepip", "pythonVERSION-venv"},
    {"No module named 'ensurepip", "ensurepip", "pythonVERSION-venv"},
    {"No module named venv", "venv", "pythonVERSION-venv"},
    {"No module named 'venv'", "venv", "pythonVERSION-venv"},
    {"No module named 'distutils", "distutils", "python3-distutils"},
};

// "3.12" of ".../python3.12" or of "apt install python3.12-venv"; "3" where neither says it.
std::string MinorVersionOf(const std::string& executable, const std::string& output) {
  const std::string name = executable.substr(executable.rfind('/') + 1);
  for (absl::string_view word :
       absl::StrSplit(absl::StrCat(name, " ", output), absl::ByAnyChar(" \n"), absl::SkipEmpty())) {
    absl::ConsumeSuffix(&word, "-venv");
    if (absl::ConsumePrefix(&word, "python3.") && !word.empty() &&
        std::all_of(word.begin(), word.end(),
                    [](unsigned char c) { return absl::ascii_isdigit(c); })) {
      return absl::StrCat("3.", word);
    }
  }
  return "3";
}

// What to install, in a line of its own; "" where the output does not show it.
std::string WhatPythonLacks(const std::string& executable, const std::string& output) {
  for (const LackingModule& lacking : kLacking) {
    if (!absl::StrContains(output, lacking.symptom)) continue;
    const std::string package =
        absl::StrReplaceAll(lacking.package, {{"VERSION", MinorVersionOf(executable, output)}});
    const bool of_the_system =
        absl::StartsWith(executable, "/usr/bin/") || absl::StrContains(output, "apt install");
    return absl::StrCat("it has no ", lacking.module,
                        ", so no environment can be made for content: ",
                        of_the_system ? absl::StrCat("apt-get install ", package)
                                      : absl::StrCat("reinstall it with ", lacking.module),
                        "\n");
  }
  return "";
}

// Content's interpreters run as content's account, and never as root.
absl::StatusOr<std::string> UnprivilegedAccount(const ProbeInput& input) {
  const absl::StatusOr<std::string> name = RunAsAccount(input);
  if (!name.ok()) return name.status();
  const absl::StatusOr<UserEntry> user = input.host.LookUpUser(*name);
  if (absl::IsNotFound(user.status())) {
    return absl::UnavailableError(
        absl::StrCat("not run: there is no account ", *name, " to run it as"));
  }
  if (!user.ok()) return absl::UnavailableError(user.status().message());
  if (user->uid == 0) {
    return absl::UnavailableError("not run: Applications.RunAs is root, which would endanger it");
  }
  return *name;
}

}  // namespace

absl::StatusOr<CommandResult> RunAsContent(const ProbeInput& input,
                                           const std::vector<std::string>& arguments,
                                           std::chrono::milliseconds deadline,
                                           const std::vector<std::string>& environment) {
  const absl::StatusOr<std::string> account = UnprivilegedAccount(input);
  if (!account.ok()) return account.status();
  CommandOptions options;
  options.account = *account;
  options.deadline = deadline;
  options.environment = environment;
  options.empty_home = true;
  options.keep_end = true;
  absl::StatusOr<CommandResult> result = input.host.Run(arguments, options);
  if (absl::IsNotFound(result.status())) {
    return absl::UnavailableError(result.status().message());
  }
  return result;
}

namespace {

bool IsRecent(const v1::SmokeRun& run, Time now) {
  const Time ran_at = FromProto(run.ran_at());
  return ran_at <= now && now - ran_at < kPassedFor;
}

// Whoever runs as the same account can send these, and so can the kernel of a node without memory;
// an interpreter that does not work ends with others.
bool WasEndedFromOutside(const CommandResult& run) {
  static constexpr int kSignals[] = {SIGHUP, SIGINT, SIGQUIT, SIGKILL, SIGTERM};
  return std::any_of(std::begin(kSignals), std::end(kSignals),
                     [&run](int signal) { return run.exit_code == 128 + signal; });
}

absl::StatusOr<v1::SmokeRun> RunTrial(const ProbeInput& input, v1::RuntimeKind kind,
                                      const std::string& executable) {
  const auto started = std::chrono::steady_clock::now();
  const absl::StatusOr<CommandResult> run =
      RunAsContent(input, SmokeCommand(kind, executable), kSmokeDeadline,
                   kind == v1::PYTHON ? PythonIsolation() : std::vector<std::string>());
  if (!run.ok()) return run.status();
  // A busy node is not a broken interpreter: what was not seen to end is not known.
  if (run->timed_out) {
    return absl::DeadlineExceededError(
        absl::StrCat("the smoke run did not end within ", kSmokeDeadline.count() / 1000, " s"));
  }
  if (WasEndedFromOutside(*run)) {
    return absl::DeadlineExceededError(
        absl::StrCat("the smoke run was ended by signal ", run->exit_code - 128));
  }
  const auto took = std::chrono::steady_clock::now() - started;
  v1::SmokeRun smoke;
  const bool answered = kind != v1::R || absl::StrContains(run->output, kRSmokeAnswer);
  smoke.set_passed(run->exit_code == 0 && answered);
  if (!smoke.passed()) {
    const std::string lacks =
        kind == v1::PYTHON ? WhatPythonLacks(executable, run->output) : std::string();
    smoke.set_output(absl::StrCat(lacks, Tail(run->output), run->output.empty() ? "" : "\n",
                                  "exit code ", run->exit_code));
  }
  *smoke.mutable_ran_at() = ToProto(input.host.Now());
  smoke.set_duration_us(std::chrono::duration_cast<std::chrono::microseconds>(took).count());
  return smoke;
}

}  // namespace

absl::StatusOr<v1::SmokeRun> TryRuntime(const ProbeInput& input, v1::RuntimeKind kind,
                                        const std::string& executable) {
  const std::lock_guard<std::mutex> one_at_a_time(input.cache.trial);
  const absl::StatusOr<std::string> account = UnprivilegedAccount(input);
  if (!account.ok()) return account.status();
  // Before it runs: what changes meanwhile has not been tried.
  const absl::StatusOr<std::string> subject = TrialSubject(input.host, kind, executable, *account);
  if (subject.ok()) {
    std::optional<v1::SmokeRun> kept = input.cache.trials.Get(executable, *subject);
    if (kept && kept->passed() && IsRecent(*kept, input.host.Now())) return *std::move(kept);
  }
  absl::StatusOr<v1::SmokeRun> run = RunTrial(input, kind, executable);
  if (run.ok() && subject.ok()) input.cache.trials.Put(executable, {*subject, *run});
  return run;
}

}  // namespace connect_ha
