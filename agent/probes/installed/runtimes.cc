#include "agent/probes/installed/runtimes.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/probes/reading.h"

namespace connect_ha {
namespace {

constexpr RuntimeLayout kLayouts[] = {
    {v1::R, "R", "/opt/R", "bin/R", "r-"},
    {v1::PYTHON, "Python", "/opt/python", "bin/python3", "python-"},
    {v1::QUARTO, "Quarto", "/opt/quarto", "bin/quarto", ""},
};

// "4.3.3" of "/opt/R/4.3.3/bin/R"; "" for an executable elsewhere.
std::string VersionOf(const RuntimeLayout& layout, const std::string& executable) {
  const std::string prefix = absl::StrCat(layout.directory, "/");
  if (!absl::StartsWith(executable, prefix)) return "";
  return executable.substr(prefix.size(), executable.find('/', prefix.size()) - prefix.size());
}

bool Covers(const std::vector<FoundRuntime>& found, const RuntimeLayout& layout,
            const std::string& version) {
  return std::any_of(found.begin(), found.end(), [&](const FoundRuntime& runtime) {
    return runtime.layout == &layout && runtime.version == version;
  });
}

// Version directories that no configured executable is in. Links (/opt/R/current) and other
// directories (/opt/python/jupyter) are no installations of their own.
absl::Status AddInstalled(Host& host, const RuntimeLayout& layout,
                          std::vector<FoundRuntime>& found) {
  const absl::StatusOr<std::vector<std::string>> names = host.ListDirectory(layout.directory);
  if (absl::IsNotFound(names.status())) return absl::OkStatus();
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(name[0]))) continue;
    if (Covers(found, layout, name)) continue;
    const std::string directory = absl::StrCat(layout.directory, "/", name);
    const absl::StatusOr<FileStatus> status = host.LStat(directory);
    if (absl::IsNotFound(status.status())) continue;
    if (!status.ok()) return status.status();
    if (status->kind != FileStatus::Kind::kDirectory) continue;
    found.push_back({&layout, absl::StrCat(directory, "/", layout.executable), name, false});
  }
  return absl::OkStatus();
}

// The file that holds the interpreter's code: a stub beside a shared library is the same in two
// builds that differ. "" never; the executable itself where nothing better is there.
absl::StatusOr<std::string> InterpreterFile(Host& host, const FoundRuntime& runtime) {
  const std::string root = runtime.executable.substr(0, runtime.executable.rfind("/bin/"));
  std::vector<std::string> candidates;
  if (runtime.layout->kind == v1::R) {
    candidates = {root + "/lib/R/lib/libR.so", root + "/lib/R/bin/exec/R"};
  } else if (runtime.layout->kind == v1::PYTHON) {
    const std::vector<std::string> parts = absl::StrSplit(runtime.version, '.');
    if (parts.size() >= 2) {
      candidates = {absl::StrCat(root, "/lib/libpython", parts[0], ".", parts[1], ".so.1.0")};
    }
  } else {
    candidates = {root + "/bin/quarto.js"};
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
  const absl::StatusOr<bool> owns =
      PackageOwns(input.host, input.cache, *package, runtime.executable);
  if (!owns.ok()) return owns.status();
  if (!*owns) return absl::NotFoundError("it does not own the executable");
  return *package;
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
  if (!runtime.has_version()) {
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
  constexpr char kReason[] = "not verified yet";
  MarkRuntime(facts, runtime, "integrity", kReason);
  MarkRuntime(facts, runtime, "smoke", kReason);
  if (found.version.empty()) MarkRuntime(facts, runtime, "version", kReason);
  if (!runtime.has_package()) MarkRuntime(facts, runtime, "package", kReason);
}

std::pair<int, std::string> Key(const v1::Runtime& runtime) {
  return {runtime.kind(), runtime.executable()};
}

absl::Status ReadRuntime(const ProbeInput& input, const FoundRuntime& found,
                         const std::map<std::string, VerifiedRuntime>& verified, v1::Facts& facts) {
  const absl::StatusOr<FileStatus> status = input.host.Stat(found.executable);
  if (!status.ok() && !absl::IsNotFound(status.status())) return status.status();
  v1::Runtime& runtime = *facts.mutable_runtimes()->add_runtimes();
  runtime.set_kind(found.layout->kind);
  runtime.set_executable(found.executable);
  runtime.set_named_by_config(found.named_by_config);
  if (!found.version.empty()) runtime.set_version(found.version);
  if (!status.ok()) return absl::OkStatus();
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

std::string RuntimeExecutable(v1::RuntimeKind kind, const std::string& version) {
  for (const RuntimeLayout& layout : kLayouts) {
    if (layout.kind == kind) {
      return absl::StrCat(layout.directory, "/", version, "/", layout.executable);
    }
  }
  return "";
}

std::string RuntimeName(v1::RuntimeKind kind) {
  for (const RuntimeLayout& layout : kLayouts) {
    if (layout.kind == kind) return layout.section;
  }
  return "";
}

const VerifiedRuntime* FindVerified(const std::map<std::string, VerifiedRuntime>& verified,
                                    const std::string& executable, const FileStatus& now) {
  const auto it = verified.find(executable);
  if (it == verified.end() || !SameFile(it->second.executable, now)) return nullptr;
  return &it->second;
}

absl::StatusOr<std::vector<FoundRuntime>> FindRuntimes(const ProbeInput& input) {
  if (!input.config && !input.config_status.ok()) return input.config_status;
  std::vector<FoundRuntime> found;
  for (const RuntimeLayout& layout : kLayouts) {
    std::vector<std::string> named;
    if (input.config) named = input.config->GetAll(layout.section, "Executable");
    std::sort(named.begin(), named.end());
    named.erase(std::unique(named.begin(), named.end()), named.end());
    for (const std::string& path : named) {
      if (!path.empty()) found.push_back({&layout, path, VersionOf(layout, path), true});
    }
    absl::Status status = AddInstalled(input.host, layout, found);
    if (!status.ok()) return status;
  }
  return found;
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
