#include "agent/probes/installed/trial_subject.h"

#include <iterator>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/probes/installed/r_scan.h"
#include "agent/probes/installed/real_path.h"

namespace connect_ha {
namespace {

// "/opt/R/4.3.3" of "/opt/R/4.3.3/bin/R".
std::string RootOf(const std::string& executable) {
  return executable.substr(0, executable.rfind("/bin/"));
}

absl::StatusOr<std::set<std::string>> OfR(Host& host, const std::string& real_path) {
  const absl::StatusOr<std::string> home = RHome(host, real_path);
  if (!home.ok()) return home.status();
  return std::set<std::string>{*home + "/bin/exec/R", *home + "/lib/libR.so", *home + "/library",
                               *home + "/etc"};
}

// "lib/python3.11" below `root`, and in it what packages are put into one by one.
absl::Status AddPythonsOf(Host& host, const std::string& root, std::set<std::string>& paths) {
  const std::string lib = root + "/lib";
  const absl::StatusOr<std::vector<std::string>> names = host.ListDirectory(lib);
  if (absl::IsNotFound(names.status())) return absl::OkStatus();
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    if (!absl::StartsWith(name, "python3") && !absl::StartsWith(name, "libpython3")) continue;
    paths.insert(absl::StrCat(lib, "/", name));
    for (const char* part : {"/site-packages", "/dist-packages", "/ensurepip", "/venv"}) {
      paths.insert(absl::StrCat(lib, "/", name, part));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::set<std::string>> OfPython(Host& host, const std::string& executable,
                                               const std::string& real_path) {
  std::set<std::string> paths;
  // An environment of its own has packages, and those of the interpreter that made it.
  for (const std::string& root : {RootOf(executable), RootOf(real_path)}) {
    const absl::Status added = AddPythonsOf(host, root, paths);
    if (!added.ok()) return added;
    paths.insert(root + "/pyvenv.cfg");
  }
  return paths;
}

absl::StatusOr<std::set<std::string>> DependsOn(Host& host, v1::RuntimeKind kind,
                                                const std::string& executable,
                                                const std::string& real_path) {
  if (kind == v1::R) return OfR(host, real_path);
  if (kind == v1::PYTHON) return OfPython(host, executable, real_path);
  const std::string root = RootOf(real_path);
  return std::set<std::string>{root + "/bin", root + "/bin/tools", root + "/bin/quarto.js",
                               root + "/share"};
}

std::string Describe(const FileStatus& status) {
  return absl::StrCat(status.device, " ", status.inode, " ", status.size_bytes, " ",
                      status.modified_at.time_since_epoch().count(), " ",
                      status.changed_at.time_since_epoch().count());
}

}  // namespace

absl::StatusOr<std::string> TrialSubject(Host& host, v1::RuntimeKind kind,
                                         const std::string& executable,
                                         const std::string& account) {
  const absl::StatusOr<std::string> real_path = RealPath(host, executable);
  if (!real_path.ok()) return real_path.status();
  absl::StatusOr<std::set<std::string>> paths = DependsOn(host, kind, executable, *real_path);
  if (!paths.ok()) return paths.status();
  paths->insert(*real_path);
  std::string subject = absl::StrCat("as ", account, "\n");
  for (const std::string& path : *paths) {
    const absl::StatusOr<FileStatus> status = host.Stat(path);
    if (!status.ok() && !absl::IsNotFound(status.status())) return status.status();
    absl::StrAppend(&subject, path, " ", status.ok() ? Describe(*status) : "absent", "\n");
  }
  return subject;
}

std::optional<v1::SmokeRun> KeptTrials::Get(const std::string& executable,
                                            const std::string& subject) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto kept = by_executable_.find(executable);
  if (kept == by_executable_.end() || kept->second.subject != subject) return std::nullopt;
  return kept->second.run;
}

void KeptTrials::Put(const std::string& executable, KeptTrial trial) {
  const std::lock_guard<std::mutex> lock(mutex_);
  by_executable_[executable] = std::move(trial);
}

void KeptTrials::ForgetFailures() {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (auto it = by_executable_.begin(); it != by_executable_.end();) {
    it = it->second.run.passed() ? std::next(it) : by_executable_.erase(it);
  }
}

}  // namespace connect_ha
