#include "agent/resources/runtime_trials.h"

#include "absl/strings/str_cat.h"
#include "agent/probes/connect/configuration.h"
#include "agent/probes/installed/runtime_trial.h"
#include "agent/probes/installed/runtimes.h"
#include "agent/probes/machine/accounts.h"
#include "common/text/shell_word.h"

namespace connect_ha {
namespace {

ProbeInput MakeInput(const ResourceContext& context) {
  ProbeInput input{context.host,       context.agent_config, nullptr,      {},
                   context.digest_key, context.host.Now(),   context.cache};
  absl::StatusOr<ConnectConfig> config = LoadConnectConfig(context.host, context.agent_config);
  if (config.ok()) {
    input.config = std::make_shared<const ConnectConfig>(*std::move(config));
  } else if (!absl::IsNotFound(config.status())) {
    input.config_status = config.status();
  }
  return input;
}

absl::Status Judge(const ProbeInput& input, const std::string& executable,
                   const v1::SmokeRun& run) {
  if (run.passed()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "is installed and does not work: ", run.output(), "\nfix: runuser -u ",
      ShellWord(RunAsAccount(input).value_or("rstudio-connect")), " -- ", ShellWord(executable),
      " --version (what it lacks), then: connect-ha checklist --refresh"));
}

}  // namespace

std::string NamedRuntime::Name() const {
  return absl::StrCat("runtime ", RuntimeName(kind), " ", version);
}

std::vector<NamedRuntime> NamedRuntimes(const v1::RuntimesSpec& spec) {
  std::vector<NamedRuntime> named;
  for (const v1::RuntimeSpec& r : spec.r()) {
    if (r.has_package()) named.push_back({v1::R, r.version()});
  }
  for (const v1::RuntimeSpec& python : spec.python()) {
    if (python.has_package()) named.push_back({v1::PYTHON, python.version()});
  }
  for (const v1::RuntimeSpec& quarto : spec.quarto()) {
    if (quarto.has_archive()) named.push_back({v1::QUARTO, quarto.version()});
  }
  return named;
}

std::optional<absl::Status> KnownTrial(const ResourceContext& context,
                                       const NamedRuntime& runtime) {
  const std::string executable = RuntimeExecutable(runtime.kind, runtime.version);
  const absl::StatusOr<FileStatus> status = context.host.Stat(executable);
  if (absl::IsNotFound(status.status())) {
    return absl::FailedPreconditionError(
        absl::StrCat("is installed and has no ", executable,
                     "\nfix: correct url and sha256 of it in the specification"));
  }
  if (!status.ok()) return status.status();
  const ProbeInput input = MakeInput(context);
  const absl::StatusOr<std::string> account = RunAsAccount(input);
  if (!account.ok()) return account.status();
  const absl::StatusOr<std::string> subject =
      TrialSubject(context.host, runtime.kind, executable, *account);
  if (!subject.ok()) return subject.status();
  const std::optional<v1::SmokeRun> known = context.cache.trials.Get(executable, *subject);
  if (!known) return std::nullopt;
  return Judge(input, executable, *known);
}

absl::Status TryNamed(const ResourceContext& context, const NamedRuntime& runtime) {
  const std::string executable = RuntimeExecutable(runtime.kind, runtime.version);
  const ProbeInput input = MakeInput(context);
  const absl::StatusOr<v1::SmokeRun> run = TryRuntime(input, runtime.kind, executable);
  return run.ok() ? Judge(input, executable, *run) : run.status();
}

}  // namespace connect_ha
