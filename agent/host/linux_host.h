// The machine that this process runs on.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "agent/host/mounts/live_mount_table.h"
#include "agent/host/processes/shared_readers.h"
#include "agent/host/systemd/systemd_bus.h"
#include "agent/host/systemd/systemd_changes.h"
#include "agent/host/writable_host.h"

namespace connect_ha {

struct FileSource;  // agent/host/network/fetch.h

// Changes of files are made on local file systems alone: on a network file system they are
// FailedPrecondition, since they might never come back. WorkOnStorage is for those.
class LinuxHost : public WritableHost {
 public:
  LinuxHost() : LinuxHost("", SharedReaderOptions().command) {}
  // For tests: another bus than the system's, another program to read network file systems with.
  LinuxHost(const std::string& bus_address, std::vector<std::string> reader_command);

  absl::StatusOr<std::string> ReadFile(const std::string& path) override;
  absl::StatusOr<FileStatus> Stat(const std::string& path) override;
  absl::StatusOr<FileStatus> LStat(const std::string& path) override;
  absl::StatusOr<FileStatus> LookAlone(const std::string& path) override;
  absl::StatusOr<std::string> ReadLink(const std::string& path) override;
  absl::StatusOr<std::vector<std::string>> ListDirectory(const std::string& path) override;
  absl::StatusOr<std::string> HashFile(const std::string& path, const char* algorithm) override;
  absl::StatusOr<FileSystemUse> Use(const std::string& path) override;
  absl::StatusOr<UserEntry> LookUpUser(const std::string& name) override;
  absl::StatusOr<uint32_t> LookUpGroup(const std::string& name) override;
  absl::StatusOr<v1::Unit> ReadUnit(const std::string& name) override;
  absl::StatusOr<std::vector<UnitVariable>> ReadUnitEnvironment(const std::string& name) override;
  absl::StatusOr<std::vector<std::string>> ReadProcessEnvironment(const std::string& unit) override;
  absl::StatusOr<CommandResult> Run(const std::vector<std::string>& arguments,
                                    const CommandOptions& options) override;
  absl::StatusOr<HttpResponse> Http(const HttpRequest& request) override;
  absl::StatusOr<KernelClock> ReadKernelClock() override;
  Time Now() override;

  absl::Status WriteFile(const std::string& path, const std::string& content,
                         const FileAttributes& attributes) override;
  absl::Status SetAttributes(const std::string& path, const FileAttributes& attributes) override;
  absl::Status MakeDirectory(const std::string& path) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status Remove(const std::string& path) override;
  absl::Status ReloadUnits() override;
  absl::Status MaskUnit(const std::string& name) override;
  absl::Status UnmaskUnit(const std::string& name) override;
  absl::Status EnableUnit(const std::string& name) override;
  absl::Status StartUnit(const std::string& name, std::chrono::milliseconds deadline) override;
  absl::Status ReloadUnit(const std::string& name, std::chrono::milliseconds deadline) override;
  absl::Status StopUnit(const std::string& name, std::chrono::milliseconds deadline) override;
  absl::Status StartService(const TransientService& service) override;
  absl::StatusOr<ServiceResult> ReadService(const std::string& name) override;
  absl::Status ClearService(const std::string& name) override;
  absl::StatusOr<std::string> WorkOnStorage(char operation, const std::string& directory,
                                            const std::string& request) override;
  absl::Status Fetch(const FetchRequest& request, const FetchProgress& progress) override;
  absl::StatusOr<std::vector<UnpackedFile>> Unpack(const UnpackRequest& request) override;

  // True where a look at `path` would touch a network file system.
  bool IsOnNetwork(const std::string& path);

 private:
  // The reader of the network file system that `path` leads onto; null: read it here.
  absl::StatusOr<std::shared_ptr<SharedReader>> ReaderFor(const std::string& path,
                                                          bool follow_last);
  absl::StatusOr<FileSource> OpenSource(const std::string& path);
  // Where each was written: in the last of these unit files that assigns it.
  std::vector<UnitVariable> Locate(const std::vector<std::string>& assignments,
                                   const std::vector<std::string>& unit_files);
  absl::Status CheckLocal(const std::string& path, bool follow_last);

  LiveMountTable mounts_;
  SystemdBus bus_;
  SystemdChanges changes_;
  std::mutex write_mutex_;  // one change of a file at a time
  SharedReaders readers_;
};

}  // namespace connect_ha
