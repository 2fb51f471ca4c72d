#include "agent/host/linux_host.h"

#include <sys/timex.h>

#include <cerrno>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/host/accounts.h"
#include "agent/host/errors.h"
#include "agent/host/files/files.h"
#include "agent/host/mounts/network_walk.h"
#include "agent/host/network/http.h"
#include "agent/host/processes/command.h"
#include "agent/host/systemd/unit_environment.h"

namespace connect_ha {

LinuxHost::LinuxHost(const std::string& bus_address, std::vector<std::string> reader_command)
    : bus_(bus_address), changes_(bus_address), readers_(std::move(reader_command)) {}

absl::StatusOr<std::shared_ptr<SharedReader>> LinuxHost::ReaderFor(const std::string& path,
                                                                   bool follow_last) {
  if (!absl::StartsWith(path, "/")) {
    return absl::InvalidArgumentError("not an absolute path: " + path);
  }
  const auto mounts = mounts_.Get();
  if (!mounts.ok()) return mounts.status();
  const std::optional<std::string> mount_point = NetworkMountOnTheWay(**mounts, path, follow_last);
  if (!mount_point.has_value()) return std::shared_ptr<SharedReader>();
  return readers_.Get(**mounts, *mount_point, SharedReaders::Lane::kReads);
}

bool LinuxHost::IsOnNetwork(const std::string& path) {
  const auto mounts = mounts_.Get();
  return mounts.ok() && NetworkMountOnTheWay(**mounts, path, true).has_value();
}

absl::StatusOr<std::string> LinuxHost::ReadFile(const std::string& path) {
  const absl::StatusOr<std::shared_ptr<SharedReader>> reader = ReaderFor(path, true);
  if (!reader.ok()) return reader.status();
  return *reader == nullptr ? ReadFileHere(path) : (*reader)->ReadFile(path);
}

absl::StatusOr<FileStatus> LinuxHost::Stat(const std::string& path) {
  const absl::StatusOr<std::shared_ptr<SharedReader>> reader = ReaderFor(path, true);
  if (!reader.ok()) return reader.status();
  return *reader == nullptr ? StatHere(path, true) : (*reader)->Stat(path, true);
}

absl::StatusOr<FileStatus> LinuxHost::LStat(const std::string& path) {
  const absl::StatusOr<std::shared_ptr<SharedReader>> reader = ReaderFor(path, false);
  if (!reader.ok()) return reader.status();
  return *reader == nullptr ? StatHere(path, false) : (*reader)->Stat(path, false);
}

absl::StatusOr<FileStatus> LinuxHost::LookAlone(const std::string& path) {
  const auto mounts = mounts_.Get();
  if (!mounts.ok()) return mounts.status();
  const MountEntry* mount = FindMount(**mounts, path);
  if (mount == nullptr || !IsNetworkFileSystem(mount->fs_type)) return LStat(path);
  return readers_.Get(**mounts, mount->mount_point, SharedReaders::Lane::kLiveness)
      ->Stat(path, false);
}

absl::StatusOr<std::string> LinuxHost::ReadLink(const std::string& path) {
  const absl::StatusOr<std::shared_ptr<SharedReader>> reader = ReaderFor(path, false);
  if (!reader.ok()) return reader.status();
  return *reader == nullptr ? ReadLinkHere(path) : (*reader)->ReadLink(path);
}

absl::StatusOr<std::vector<std::string>> LinuxHost::ListDirectory(const std::string& path) {
  const absl::StatusOr<std::shared_ptr<SharedReader>> reader = ReaderFor(path, true);
  if (!reader.ok()) return reader.status();
  return *reader == nullptr ? ListDirectoryHere(path) : (*reader)->ListDirectory(path);
}

absl::StatusOr<std::string> LinuxHost::HashFile(const std::string& path, const char* algorithm) {
  const absl::StatusOr<std::shared_ptr<SharedReader>> reader = ReaderFor(path, true);
  if (!reader.ok()) return reader.status();
  return *reader == nullptr ? HashFileHere(path, algorithm) : (*reader)->HashFile(path, algorithm);
}

absl::StatusOr<FileSystemUse> LinuxHost::Use(const std::string& path) {
  const absl::StatusOr<std::shared_ptr<SharedReader>> reader = ReaderFor(path, true);
  if (!reader.ok()) return reader.status();
  return *reader == nullptr ? UseHere(path) : (*reader)->Use(path);
}

absl::StatusOr<UserEntry> LinuxHost::LookUpUser(const std::string& name) {
  absl::StatusOr<AccountEntry> account = LookUpAccount(name);
  if (!account.ok()) return account.status();
  return std::move(account->user);
}

absl::StatusOr<uint32_t> LinuxHost::LookUpGroup(const std::string& name) {
  return LookUpGroupId(name);
}

absl::StatusOr<v1::Unit> LinuxHost::ReadUnit(const std::string& name) {
  return bus_.ReadUnit(name);
}

std::vector<UnitVariable> LinuxHost::Locate(const std::vector<std::string>& assignments,
                                            const std::vector<std::string>& unit_files) {
  std::vector<UnitVariable> variables;
  variables.reserve(assignments.size());
  for (const std::string& assignment : assignments) variables.push_back({assignment, "", 0});
  if (variables.empty()) return variables;
  for (const std::string& file : unit_files) {
    const absl::StatusOr<std::string> text = ReadFile(file);
    if (!text.ok()) continue;  // the variable holds all the same
    for (UnitVariable& variable : variables) {
      const std::string name = variable.assignment.substr(0, variable.assignment.find('='));
      if (const unsigned line = FindEnvironmentLine(*text, name)) {
        variable.file = file;
        variable.line = line;
      }
    }
  }
  return variables;
}

absl::StatusOr<std::vector<UnitVariable>> LinuxHost::ReadUnitEnvironment(const std::string& name) {
  absl::StatusOr<SystemdBus::Environment> environment = bus_.ReadEnvironment(name);
  if (!environment.ok()) return environment.status();
  std::vector<UnitVariable> variables;
  for (std::string& assignment : environment->of_systemd) {
    variables.push_back({std::move(assignment), "", 0});
  }
  for (UnitVariable& variable : Locate(environment->assignments, environment->unit_files)) {
    variables.push_back(std::move(variable));
  }
  for (const SystemdBus::Environment::File& file : environment->files) {
    const absl::StatusOr<std::string> text = ReadFile(file.path);
    if (!text.ok() && file.optional && absl::IsNotFound(text.status())) continue;
    // The unit cannot start without it, but that is not the same as no such unit.
    if (absl::IsNotFound(text.status())) {
      return absl::FailedPreconditionError(text.status().message());
    }
    if (!text.ok()) return text.status();
    for (EnvironmentLine& line : ParseEnvironmentFile(*text)) {
      variables.push_back({std::move(line.assignment), file.path, line.line});
    }
  }
  return variables;
}

absl::StatusOr<std::vector<std::string>> LinuxHost::ReadProcessEnvironment(
    const std::string& unit) {
  const absl::StatusOr<uint32_t> process = bus_.ReadMainProcess(unit);
  if (!process.ok()) return process.status();
  const absl::StatusOr<std::string> text =
      ReadFileHere(absl::StrCat("/proc/", *process, "/environ"));
  if (!text.ok()) return text.status();
  return std::vector<std::string>(absl::StrSplit(*text, '\0', absl::SkipEmpty()));
}

absl::StatusOr<CommandResult> LinuxHost::Run(const std::vector<std::string>& arguments,
                                             const CommandOptions& options) {
  return RunCommand(arguments, options);
}

absl::StatusOr<HttpResponse> LinuxHost::Http(const HttpRequest& request) {
  return AskHttp(request);
}

absl::StatusOr<KernelClock> LinuxHost::ReadKernelClock() {
  timex state{};
  const int result = adjtimex(&state);
  if (result < 0) return ErrnoStatus(errno, "cannot read the kernel's clock state");
  KernelClock clock;
  clock.synchronized = result != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
  clock.max_error = std::chrono::microseconds(state.maxerror);
  return clock;
}

Time LinuxHost::Now() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

}  // namespace connect_ha
