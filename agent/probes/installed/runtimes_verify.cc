// What takes a process, or reading every file of a package, to tell about a runtime.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/probes/installed/manifest.h"
#include "agent/probes/installed/runtime_trial.h"
#include "agent/probes/installed/runtimes.h"
#include "agent/probes/probe_cache.h"
#include "common/version.h"

namespace connect_ha {
namespace {

constexpr std::chrono::milliseconds kVersionDeadline{20'000};
constexpr std::chrono::minutes kIntegrityFor{2};

// The first version in "R version 4.3.3 (2024-02-29) -- ..." or "Python 3.11.2" or "1.5.57".
absl::StatusOr<std::string> AskVersion(const ProbeInput& input, const FoundRuntime& runtime) {
  const absl::StatusOr<CommandResult> run =
      RunAsContent(input, {runtime.executable, "--version"}, kVersionDeadline);
  if (!run.ok()) return run.status();
  if (run->timed_out) return absl::UnavailableError("--version: it did not answer in time");
  if (run->exit_code != 0) {
    return absl::UnavailableError(absl::StrCat("--version: exit code ", run->exit_code));
  }
  for (const absl::string_view word :
       absl::StrSplit(run->output, absl::ByAnyChar(" \n"), absl::SkipEmpty())) {
    // A warning's "line 12:" is none.
    if (LooksLikeVersion(word)) return std::string(word);
  }
  return absl::UnavailableError("--version: no version in its answer");
}

// What was unpacked from an archive, by the manifest that lies beside it; absent where there is
// none.
absl::StatusOr<std::optional<v1::Integrity>> VerifyUnpacked(const ProbeInput& input,
                                                            const FoundRuntime& runtime) {
  const std::string directory = InstallationOf(runtime);
  const absl::StatusOr<std::string> text = input.host.ReadFile(ManifestPath(directory));
  if (absl::IsNotFound(text.status())) return std::nullopt;
  if (!text.ok()) return text.status();
  const absl::StatusOr<Manifest> manifest = ParseManifest(*text);
  if (!manifest.ok()) {
    return absl::DataLossError(
        absl::StrCat(ManifestPath(directory), ": ", manifest.status().message()));
  }
  absl::StatusOr<v1::Integrity> integrity =
      VerifyManifest(input.host, input.cache, directory, *manifest,
                     std::chrono::steady_clock::now() + kIntegrityFor);
  if (!integrity.ok()) return integrity.status();
  return *std::move(integrity);
}

absl::StatusOr<std::optional<v1::Integrity>> VerifyFiles(
    const ProbeInput& input, const FoundRuntime& runtime,
    const absl::StatusOr<std::optional<v1::Package>>& owner) {
  if (!owner.ok()) return owner.status();
  if (!owner->has_value()) return VerifyUnpacked(input, runtime);
  return VerifyPackage(input.host, input.cache, **owner,
                       std::chrono::steady_clock::now() + kIntegrityFor);
}

absl::StatusOr<std::optional<v1::Package>> OwnerOf(const ProbeInput& input,
                                                   const FoundRuntime& runtime) {
  const auto database = ReadPackages(input.host, input.cache);
  if (absl::IsNotFound(database.status())) return std::nullopt;
  if (!database.ok()) return database.status();
  const v1::Package* named =
      (*database)->Find(absl::StrCat(runtime.layout->package, runtime.version));
  const std::vector<std::string> paths = {runtime.real_path, runtime.executable};
  for (const std::string& path : paths) {
    if (named == nullptr || runtime.version.empty()) break;
    const absl::StatusOr<bool> owns = PackageOwns(input.host, input.cache, *named, path);
    if (!owns.ok()) return owns.status();
    if (*owns) return *named;
  }
  for (const std::string& path : paths) {
    auto owner = FindOwner(input.host, input.cache, path);
    if (!owner.ok() || owner->has_value()) return owner;
  }
  return std::nullopt;
}

// NotFound would read as "absent" where it only means that something vanished meanwhile.
template <typename T>
absl::StatusOr<T> NeverAbsent(absl::StatusOr<T> result) {
  if (absl::IsNotFound(result.status())) return absl::UnavailableError(result.status().message());
  return result;
}

// The version is not asked for again while the trial that was made with it holds.
absl::StatusOr<std::string> KeptOrAskedVersion(const ProbeInput& input, const FoundRuntime& runtime,
                                               const VerifiedRuntime* before,
                                               const VerifiedRuntime& now) {
  if (before != nullptr && before->version.ok() && before->smoke.ok() && now.smoke.ok() &&
      FromProto(before->smoke->ran_at()) == FromProto(now.smoke->ran_at())) {
    return before->version;
  }
  return NeverAbsent(AskVersion(input, runtime));
}

}  // namespace

absl::Status VerifyRuntimes(const ProbeInput& input, v1::Facts&) {
  const absl::StatusOr<std::vector<FoundRuntime>> found = FindRuntimes(input);
  if (!found.ok()) return absl::OkStatus();  // ReadRuntimes says so
  // Earlier results hold until this run has a newer one.
  auto results = input.cache.runtimes.Get().value_or(std::map<std::string, VerifiedRuntime>());
  absl::Status cut_short;
  for (const FoundRuntime& runtime : *found) {
    if (runtime.real_path.empty()) continue;
    const absl::StatusOr<FileStatus> status = input.host.Stat(runtime.executable);
    if (!status.ok()) continue;  // ReadRuntimes says so
    VerifiedRuntime result;
    result.executable = *status;
    result.smoke = NeverAbsent(TryRuntime(input, runtime.layout->kind, runtime.executable));
    result.package = NeverAbsent(OwnerOf(input, runtime));
    result.integrity = NeverAbsent(VerifyFiles(input, runtime, result.package));
    result.version = KeptOrAskedVersion(input, runtime,
                                        FindVerified(results, runtime.executable, *status), result);
    for (const absl::Status& part : {result.smoke.status(), result.integrity.status()}) {
      if (absl::IsDeadlineExceeded(part)) cut_short = part;
    }
    results[runtime.executable] = std::move(result);
    input.cache.runtimes.Put(results);
  }
  return cut_short;
}

}  // namespace connect_ha
