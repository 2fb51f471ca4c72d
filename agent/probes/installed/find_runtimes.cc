#include "agent/probes/installed/find_runtimes.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/probes/installed/dpkg.h"
#include "agent/probes/installed/r_scan.h"
#include "agent/probes/installed/real_path.h"
#include "agent/probes/probe_cache.h"

namespace connect_ha {
namespace {

// Each is a trial, and some processes.
constexpr size_t kMostRuntimes = 100;

constexpr RuntimeLayout kLayouts[] = {
    {v1::R, "R", "/opt/R", "bin/R", "r-"},
    {v1::PYTHON, "Python", "/opt/python", "bin/python3", "python-"},
    {v1::QUARTO, "Quarto", "/opt/quarto", "bin/quarto", ""},
};

bool IsNumber(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
}

// Of three numbers: "4.3" may be any 4.3, and is often a link.
bool IsVersion(const std::string& name) {
  const std::vector<std::string> parts = absl::StrSplit(name, '.');
  return parts.size() == 3 &&
         std::all_of(parts.begin(), parts.end(), [](const auto& part) { return IsNumber(part); });
}

std::string DirectoryOf(const std::string& path) { return path.substr(0, path.rfind('/')); }

// "4.3.3" of "/opt/R/4.3.3/bin/R"; "" where the directory is not named so.
std::string VersionOf(const RuntimeLayout& layout, const std::string& executable) {
  const std::string prefix = absl::StrCat(layout.directory, "/");
  if (!absl::StartsWith(executable, prefix)) return "";
  const std::string name =
      executable.substr(prefix.size(), executable.find('/', prefix.size()) - prefix.size());
  return IsVersion(name) ? name : "";
}

// A python that is a link with pyvenv.cfg beside it or above it is an environment of its own.
absl::StatusOr<std::string> RealPython(Host& host, const std::string& executable) {
  const absl::StatusOr<std::string> behind = RealPath(host, executable);
  if (!behind.ok()) return behind.status();
  const absl::StatusOr<std::string> directory = RealPath(host, DirectoryOf(executable));
  if (!directory.ok()) return directory.status();
  for (const std::string& place : {*directory, DirectoryOf(*directory)}) {
    const absl::StatusOr<FileStatus> status = host.Stat(absl::StrCat(place, "/pyvenv.cfg"));
    if (status.ok()) {
      return absl::StrCat(*directory, executable.substr(executable.rfind('/')));
    }
    if (!absl::IsNotFound(status.status())) return status.status();
  }
  return *behind;
}

// `executable`: an absolute path.
absl::StatusOr<FoundRuntime> LookAt(Host& host, const RuntimeLayout& layout,
                                    const std::string& executable) {
  FoundRuntime runtime;
  runtime.layout = &layout;
  runtime.executable = executable;
  const absl::StatusOr<std::string> real =
      layout.kind == v1::PYTHON ? RealPython(host, executable) : RealPath(host, executable);
  if (!real.ok() && !absl::IsNotFound(real.status())) return real.status();
  runtime.real_path = real.value_or("");
  runtime.version = VersionOf(layout, real.ok() ? *real : executable);
  runtime.identity = real.ok() ? *real : executable;
  if (real.ok() && layout.kind == v1::R) {
    const absl::StatusOr<std::string> home = RHome(host, *real);
    if (!home.ok()) return home.status();
    runtime.identity = *home;
  }
  return runtime;
}

// Python has several names in one bin/.
bool IsSame(const FoundRuntime& a, const FoundRuntime& b) {
  if (a.layout != b.layout) return false;
  if (a.identity == b.identity) return true;
  return !a.version.empty() && a.version == b.version && InstallationOf(a) == InstallationOf(b);
}

void AddOnce(const FoundRuntime& runtime, std::vector<FoundRuntime>& found) {
  const bool known = std::any_of(found.begin(), found.end(),
                                 [&](const FoundRuntime& other) { return IsSame(runtime, other); });
  if (!known) found.push_back(runtime);
}

absl::Status AddNamed(const ProbeInput& input, const RuntimeLayout& layout,
                      std::vector<FoundRuntime>& found) {
  std::vector<std::string> named;
  if (input.config) named = input.config->GetAll(layout.section, "Executable");
  std::sort(named.begin(), named.end());
  for (const std::string& path : named) {
    if (path.empty()) continue;
    absl::StatusOr<FoundRuntime> runtime = LookAt(input.host, layout, path);
    if (!runtime.ok()) return runtime.status();
    runtime->named_by_config = true;
    AddOnce(*runtime, found);
  }
  return absl::OkStatus();
}

// Whether dpkg says that the package of this version is there.
absl::StatusOr<bool> IsPackaged(const ProbeInput& input, const RuntimeLayout& layout,
                                const std::string& version) {
  const auto database = ReadPackages(input.host, input.cache);
  if (absl::IsNotFound(database.status())) return false;
  if (!database.ok()) return database.status();
  return (*database)->Find(absl::StrCat(layout.package, version)) != nullptr;
}

// A version's directory without an executable is what a removed package leaves behind, with the
// libraries that were installed into it; but while its package is installed it is a broken one.
absl::StatusOr<bool> IsBroken(const ProbeInput& input, const FoundRuntime& runtime) {
  if (!runtime.real_path.empty() || runtime.version.empty()) return false;
  return IsPackaged(input, *runtime.layout, runtime.version);
}

// The installations in `directory`. Connect looks into any directory for R alone:
// /opt/python/jupyter is no installation.
absl::Status AddInstalled(const ProbeInput& input, const RuntimeLayout& layout,
                          const std::string& directory, std::vector<FoundRuntime>& found) {
  Host& host = input.host;
  absl::StatusOr<std::vector<std::string>> names = host.ListDirectory(directory);
  if (absl::IsNotFound(names.status())) return absl::OkStatus();
  if (!names.ok()) return names.status();
  std::vector<FoundRuntime> links;  // may lead to what is listed by its own name
  for (const std::string& name : *names) {
    const bool numbered = absl::ascii_isdigit(static_cast<unsigned char>(name[0]));
    if (name[0] == '.' || (!numbered && layout.kind != v1::R)) continue;
    const std::string path = absl::StrCat(directory, "/", name);
    const absl::StatusOr<FileStatus> status = host.LStat(path);
    if (absl::IsNotFound(status.status())) continue;
    if (!status.ok()) return status.status();
    const absl::StatusOr<FoundRuntime> runtime =
        LookAt(host, layout, absl::StrCat(path, "/", layout.executable));
    if (!runtime.ok()) return runtime.status();
    const absl::StatusOr<bool> broken = IsBroken(input, *runtime);
    if (!broken.ok()) return broken.status();
    if (runtime->real_path.empty() && !*broken) continue;
    if (status->kind == FileStatus::Kind::kLink) {
      links.push_back(*runtime);
    } else {
      AddOnce(*runtime, found);
    }
  }
  for (const FoundRuntime& link : links) AddOnce(link, found);
  return absl::OkStatus();
}

absl::Status AddIfThere(Host& host, const RuntimeLayout& layout, const std::string& executable,
                        std::vector<FoundRuntime>& found) {
  const absl::StatusOr<FoundRuntime> runtime = LookAt(host, layout, executable);
  if (!runtime.ok()) return runtime.status();
  if (!runtime->real_path.empty()) AddOnce(*runtime, found);
  return absl::OkStatus();
}

// What Connect finds of R by itself, unless it was told not to look.
absl::Status AddScanned(const ProbeInput& input, const RuntimeLayout& layout,
                        std::vector<FoundRuntime>& found) {
  if (!ScansForR(input.config.get())) return absl::OkStatus();
  absl::Status status = AddInstalled(input, layout, kOtherRDirectory, found);
  for (const char* executable : kSystemR) {
    if (status.ok()) status = AddIfThere(input.host, layout, executable, found);
  }
  const bool has_one = std::any_of(found.begin(), found.end(), [](const FoundRuntime& runtime) {
    return runtime.layout->kind == v1::R && !runtime.real_path.empty();
  });
  if (!status.ok() || has_one) return status;
  const absl::StatusOr<std::string> on_path = FindROnPath(input);
  if (absl::IsNotFound(on_path.status())) return absl::OkStatus();
  if (!on_path.ok()) return on_path.status();
  return AddIfThere(input.host, layout, *on_path, found);
}

}  // namespace

std::string InstallationOf(const FoundRuntime& runtime) {
  const std::string& path = runtime.real_path.empty() ? runtime.executable : runtime.real_path;
  return path.substr(0, path.rfind("/bin/"));
}

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

absl::StatusOr<std::vector<FoundRuntime>> FindRuntimes(const ProbeInput& input) {
  if (!input.config && !input.config_status.ok()) return input.config_status;
  std::vector<FoundRuntime> found;
  for (const RuntimeLayout& layout : kLayouts) {
    absl::Status status = AddNamed(input, layout, found);
    if (status.ok()) status = AddInstalled(input, layout, layout.directory, found);
    if (status.ok() && layout.kind == v1::R) status = AddScanned(input, layout, found);
    // The .deb of Quarto has no version's directory.
    if (status.ok() && layout.kind == v1::QUARTO) {
      status = AddIfThere(input.host, layout,
                          absl::StrCat(layout.directory, "/", layout.executable), found);
    }
    if (!status.ok()) return status;
  }
  if (found.size() > kMostRuntimes) {
    return absl::ResourceExhaustedError(
        absl::StrCat(found.size(), " interpreters are installed, more than ", kMostRuntimes));
  }
  return found;
}

}  // namespace connect_ha
