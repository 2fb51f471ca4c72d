#include "agent/probes/installed/runtimes.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "agent/probes/reading.h"

namespace connect_ha {
namespace {

// "3.11" of "/opt/python/3.11.9/bin/python3.11".
std::string MinorVersion(const FoundRuntime& runtime) {
  absl::string_view name = runtime.real_path;
  name.remove_prefix(name.rfind('/') + 1);
  if (absl::ConsumePrefix(&name, "python") && absl::StrContains(name, ".")) {
    return std::string(name);
  }
  return runtime.version.substr(0, runtime.version.rfind('.'));
}

// The file that holds the interpreter's code: a stub beside a shared library is the same in two
// builds that differ. The executable itself where nothing better is there.
absl::StatusOr<std::string> InterpreterFile(Host& host, const FoundRuntime& runtime) {
  std::vector<std::string> candidates;
  if (runtime.layout->kind == v1::R) {
    candidates = {runtime.identity + "/lib/libR.so", runtime.identity + "/bin/exec/R"};
  } else if (runtime.layout->kind == v1::PYTHON) {
    candidates = {
        absl::StrCat(InstallationOf(runtime), "/lib/libpython", MinorVersion(runtime), ".so.1.0")};
  } else {
    candidates = {InstallationOf(runtime) + "/bin/quarto.js"};
  }
  for (const std::string& candidate : candidates) {
    const absl::StatusOr<FileStatus> status = host.Stat(candidate);
    if (status.ok()) return candidate;
    if (!absl::IsNotFound(status.status())) return status.status();
  }
  return runtime.executable;
}

absl::StatusOr<std::string> BuildDigest(const ProbeInput& input, const FoundRuntime& runtime) {
  const absl::StatusOr<std::string> file = InterpreterFile(input.host, runtime);
  if (!file.ok()) return file.status();
  const auto digest = input.cache.digests.Get(input.host, *file,
                                              [&] { return input.host.HashFile(*file, "sha256"); });
  if (!digest.ok()) return absl::UnavailableError(digest.status().message());
  return **digest;
}

// The package that is named for this version and owns the executable. NotFound: there is none.
absl::StatusOr<v1::Package> NamedPackage(const ProbeInput& input, const FoundRuntime& runtime) {
  if (runtime.version.empty() || *runtime.layout->package == '\0') {
    return absl::NotFoundError("no package is named for it");
  }
  const auto database = ReadPackages(input.host, input.cache);
  if (!database.ok()) return database.status();
  const v1::Package* package =
      (*database)->Find(absl::StrCat(runtime.layout->package, runtime.version));
  if (package == nullptr) return absl::NotFoundError("no such package");
  for (const std::string& path : {runtime.real_path, runtime.executable}) {
    const absl::StatusOr<bool> owns = PackageOwns(input.host, input.cache, *package, path);
    if (!owns.ok()) return owns.status();
    if (*owns) return *package;
  }
  return absl::NotFoundError("it does not own the executable");
}

// "runtimes.runtimes.smoke": a repeated message's fields have one path for all its elements, so
// the reason names the one.
void MarkRuntime(v1::Facts& facts, const v1::Runtime& runtime, const std::string& field,
                 const std::string& reason) {
  MarkUnobserved(facts, "runtimes.runtimes." + field,
                 absl::StrCat(runtime.executable(), ": ", reason));
}

template <typename T, typename Set>
void ObserveRuntime(v1::Facts& facts, const v1::Runtime& runtime, const std::string& field,
                    const absl::StatusOr<T>& reading, Set set) {
  if (reading.ok()) return set(*reading);
  if (absl::IsNotFound(reading.status())) return;
  MarkRuntime(facts, runtime, field, std::string(reading.status().message()));
}

void ReportVerified(const VerifiedRuntime& verified, v1::Runtime& runtime, v1::Facts& facts) {
  ObserveRuntime(facts, runtime, "integrity", verified.integrity, [&](const auto& integrity) {
    if (integrity) *runtime.mutable_integrity() = *integrity;
  });
  ObserveRuntime(facts, runtime, "smoke", verified.smoke,
                 [&](const v1::SmokeRun& smoke) { *runtime.mutable_smoke() = smoke; });
  // What the directory is named holds only as long as the interpreter does not say otherwise.
  if (verified.version.ok() || !runtime.has_version()) {
    ObserveRuntime(facts, runtime, "version", verified.version,
                   [&](const std::string& version) { runtime.set_version(version); });
  }
  if (!runtime.has_package()) {
    ObserveRuntime(facts, runtime, "package", verified.package, [&](const auto& package) {
      if (package) *runtime.mutable_package() = *package;
    });
  }
}

void ReportUnverified(const FoundRuntime& found, const v1::Runtime& runtime, v1::Facts& facts) {
  const auto mark = [&](const std::string& field) {
    MarkPending(facts, "runtimes.runtimes." + field,
                absl::StrCat(runtime.executable(), ": not verified yet"));
  };
  mark("integrity");
  mark("smoke");
  if (found.version.empty()) mark("version");
  if (!runtime.has_package()) mark("package");
}

std::pair<int, std::string> Key(const v1::Runtime& runtime) {
  return {runtime.kind(), runtime.executable()};
}

absl::Status ReadRuntime(const ProbeInput& input, const FoundRuntime& found,
                         const std::map<std::string, VerifiedRuntime>& verified, v1::Facts& facts) {
  v1::Runtime& runtime = *facts.mutable_runtimes()->add_runtimes();
  runtime.set_kind(found.layout->kind);
  runtime.set_executable(found.executable);
  runtime.set_named_by_config(found.named_by_config);
  if (!found.version.empty()) runtime.set_version(found.version);
  if (found.real_path.empty()) return absl::OkStatus();
  const absl::StatusOr<FileStatus> status = input.host.Stat(found.executable);
  if (absl::IsNotFound(status.status())) return absl::OkStatus();
  if (!status.ok()) return status.status();
  runtime.set_exists(true);
  ObserveRuntime(facts, runtime, "build_digest", BuildDigest(input, found),
                 [&](const std::string& digest) { runtime.set_build_digest(digest); });
  const absl::StatusOr<v1::Package> package = NamedPackage(input, found);
  if (package.ok()) {
    *runtime.mutable_package() = *package;
  } else if (!absl::IsNotFound(package.status())) {
    return package.status();
  }
  if (const VerifiedRuntime* result = FindVerified(verified, found.executable, *status)) {
    ReportVerified(*result, runtime, facts);
  } else {
    ReportUnverified(found, runtime, facts);
  }
  return absl::OkStatus();
}

}  // namespace

const VerifiedRuntime* FindVerified(const std::map<std::string, VerifiedRuntime>& verified,
                                    const std::string& executable, const FileStatus& now) {
  const auto it = verified.find(executable);
  if (it == verified.end() || !SameFile(it->second.executable, now)) return nullptr;
  return &it->second;
}

absl::Status ReadRuntimes(const ProbeInput& input, v1::Facts& facts) {
  const absl::StatusOr<std::vector<FoundRuntime>> found = FindRuntimes(input);
  if (!found.ok()) return found.status();
  const std::map<std::string, VerifiedRuntime> verified =
      input.cache.runtimes.Get().value_or(std::map<std::string, VerifiedRuntime>());
  facts.mutable_runtimes();
  for (const FoundRuntime& runtime : *found) {
    absl::Status status = ReadRuntime(input, runtime, verified, facts);
    if (!status.ok()) return status;
  }
  auto& runtimes = *facts.mutable_runtimes()->mutable_runtimes();
  std::sort(runtimes.begin(), runtimes.end(),
            [](const v1::Runtime& a, const v1::Runtime& b) { return Key(a) < Key(b); });
  return absl::OkStatus();
}

}  // namespace connect_ha
