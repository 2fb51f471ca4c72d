// A machine in memory. Arrange it with the Set calls, or load a captured node:
//
//   tests/nodes/NAME/
//     root/                    files of the node, by path; symbolic links as links
//     modes                    lines "MODE UID GID PATH"; without one: root's, 0644, directories
//     0755 units/UNIT.textproto     a connect_ha.v1.Unit units/UNIT.environment   NAME=value lines:
//     what ReadUnitEnvironment returns commands/ANY.txt         line 1: the arguments with a blank
//     between; line 2: exit code; then output http/ANY.txt             line 1: "METHOD URL"; line
//     2: HTTP status; then the body space                    lines "PATH SIZE_BYTES FREE_BYTES
//     [ro]" clock                    "NOW_SECONDS synchronized|unsynchronized MAX_ERROR_US"
//
// Users and groups come from root/etc/passwd and root/etc/group. Everything but root/ may be
// missing. All calls may be made from any thread.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "agent/host/host.h"

namespace connect_ha {

struct FakeFile {
  std::string content;
  uint32_t mode = 0644;
  uint32_t uid = 0;
  uint32_t gid = 0;
  Time modified_at{};
};

class FakeHost : public Host {
 public:
  FakeHost();

  // Paths below the source directory are meant: "tests/nodes/NAME". Aborts the test with the
  // reason when the folder cannot be read.
  static std::unique_ptr<FakeHost> FromDirectory(const std::string& directory);

  // Parent directories are made as needed.
  void SetFile(const std::string& path, FakeFile file);
  void SetFile(const std::string& path, const std::string& content);
  void SetDirectory(const std::string& path, uint32_t mode = 0755, uint32_t uid = 0,
                    uint32_t gid = 0);
  void SetLink(const std::string& path, const std::string& target);
  void SetOwner(const std::string& path, uint32_t mode, uint32_t uid, uint32_t gid);
  // With everything below it.
  void Remove(const std::string& path);
  // Calls on the path, or below it, fail with this. Of any kind: files, units, URLs, argv[0].
  void SetError(const std::string& what, absl::Status status);
  void SetUser(UserEntry user);
  void SetGroup(const std::string& name, uint32_t gid);
  void SetUnit(const v1::Unit& unit);
  void SetUnitEnvironment(const std::string& unit, std::vector<std::string> environment);
  // `command`: the arguments with a blank between them.
  void SetCommand(const std::string& command, CommandResult result);
  void SetHttp(const std::string& method, const std::string& url, HttpResponse response);
  void SetUse(const std::string& path, FileSystemUse use);
  void SetKernelClock(KernelClock clock);
  void SetNow(Time now);
  void Advance(std::chrono::microseconds span);

  // The nth call from now (1: the next) fails with `status`; 0: none. Now() is not counted.
  void FailCall(int n, absl::Status status);
  int calls() const;
  // As given to SetCommand, in order.
  std::vector<std::string> commands_run() const;
  // "METHOD URL", in order, and the headers of the latest request.
  std::vector<std::string> http_requests() const;
  std::vector<std::string> last_http_headers() const;

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

 private:
  struct Node {
    FileStatus::Kind kind = FileStatus::Kind::kFile;
    std::string content;  // of a link: its target
    uint32_t mode = 0644;
    uint32_t uid = 0;
    uint32_t gid = 0;
    uint64_t inode = 0;
    Time modified_at{};
  };

  // Counts the call; the error that it must fail with, if any. Needs mutex_.
  absl::Status Enter(const std::string& what);
  absl::StatusOr<std::string> Resolve(const std::string& path, bool follow_last) const;
  absl::StatusOr<const Node*> Find(const std::string& path, bool follow_last);
  absl::StatusOr<FileStatus> Status(const std::string& path, bool follow_last);
  void Put(const std::string& path, Node node);
  void PutParents(const std::string& path);

  mutable std::mutex mutex_;
  std::map<std::string, Node> nodes_;
  uint64_t next_inode_ = 2;
  std::map<std::string, absl::Status> errors_;
  std::map<std::string, UserEntry> users_;
  std::map<std::string, uint32_t> groups_;
  std::map<std::string, v1::Unit> units_;
  std::map<std::string, std::vector<std::string>> environments_;
  std::map<std::string, CommandResult> commands_;
  std::map<std::string, HttpResponse> http_;
  std::map<std::string, FileSystemUse> uses_;
  KernelClock kernel_clock_;
  Time now_;
  int calls_ = 0;
  int fail_at_ = 0;
  absl::Status fail_with_;
  std::vector<std::string> commands_run_;
  std::vector<std::string> http_requests_;
  std::vector<std::string> last_http_headers_;
};

}  // namespace connect_ha
