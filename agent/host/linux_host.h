// The machine that this process runs on.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "agent/host/host.h"
#include "agent/host/live_mount_table.h"
#include "agent/host/shared_reader.h"
#include "agent/host/systemd_bus.h"

namespace connect_ha {

class LinuxHost : public Host {
 public:
  LinuxHost() = default;
  // For tests: another bus than the system's, another program to read network file systems with.
  LinuxHost(std::string bus_address, std::vector<std::string> reader_command);

  absl::StatusOr<std::string> ReadFile(const std::string& path) override;
  absl::StatusOr<FileStatus> Stat(const std::string& path) override;
  absl::StatusOr<FileStatus> LStat(const std::string& path) override;
  absl::StatusOr<std::string> ReadLink(const std::string& path) override;
  absl::StatusOr<std::vector<std::string>> ListDirectory(const std::string& path) override;
  absl::StatusOr<std::string> HashFile(const std::string& path, const char* algorithm) override;
  absl::StatusOr<FileSystemUse> Use(const std::string& path) override;
  absl::StatusOr<UserEntry> LookUpUser(const std::string& name) override;
  absl::StatusOr<uint32_t> LookUpGroup(const std::string& name) override;
  absl::StatusOr<v1::Unit> ReadUnit(const std::string& name) override;
  absl::StatusOr<std::vector<std::string>> ReadUnitEnvironment(const std::string& name) override;
  absl::StatusOr<CommandResult> Run(const std::vector<std::string>& arguments,
                                    const CommandOptions& options) override;
  absl::StatusOr<HttpResponse> Http(const HttpRequest& request) override;
  absl::StatusOr<KernelClock> ReadKernelClock() override;
  Time Now() override;

  // True where a look at `path` would touch a network file system.
  bool IsOnNetwork(const std::string& path);

 private:
  // The reader of the network file system that `path` leads onto; null: read it here.
  absl::StatusOr<SharedReader*> ReaderFor(const std::string& path, bool follow_last);

  std::vector<std::string> reader_command_ = SharedReaderOptions().command;
  LiveMountTable mounts_;
  SystemdBus bus_;
  std::mutex readers_mutex_;
  std::map<std::string, std::unique_ptr<SharedReader>> readers_;  // by mount point
};

}  // namespace connect_ha
