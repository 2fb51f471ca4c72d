// A machine in memory. Arrange it with the Set calls, or load a captured node, a folder
// tests/nodes/NAME/ of:
//
// - root/: files of the node, by path; symbolic links as links.
// - modes: lines "MODE UID GID PATH". Without one: root's, files 0644, directories 0755.
// - units/UNIT.textproto: a connect_ha.v1.Unit.
// - units/UNIT.environment: NAME=value lines, what ReadUnitEnvironment returns. A line "#
// FILE:LINE"
//   before one says where it is written.
// - units/UNIT.process: NAME=value lines, what ReadProcessEnvironment returns. Without: those of
// the
//   unit, where it is active.
// - commands/ANY.txt: line 1 the arguments with a blank between, line 2 the exit code, then output.
// - http/ANY.txt: line 1 "METHOD URL", line 2 the HTTP status, then the body.
// - space: lines "PATH SIZE_BYTES FREE_BYTES [ro]".
// - clock: "NOW_SECONDS synchronized|unsynchronized MAX_ERROR_US".
//
// Users and groups come from root/etc/passwd and root/etc/group. Everything but root/ may be
// missing. All calls may be made from any thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "agent/host/writable_host.h"
#include "tests/fakes/fake_files.h"

namespace connect_ha {

class FakeHost;
// What something that runs on the machine does to it, by the calls that arrange it: those of
// WritableHost count as the agent's.
using FakeEffect = std::function<void(FakeHost&)>;

// What the process that works on a network mount answers: WorkOnStorage's arguments, and its
// result.
using FakeWork = std::function<absl::StatusOr<std::string>(
    char operation, const std::string& directory, const std::string& request)>;

struct FakeFile {
  std::string content;
  uint32_t mode = 0644;
  uint32_t uid = 0;
  uint32_t gid = 0;
  Time modified_at{};
  Time changed_at{};  // without: modified_at
};

// What a command of a transient service does.
struct FakeServiceCommand {
  int exit_code = 0;
  std::string log;    // goes to the service's log as it ends
  FakeEffect effect;  // as it ends, also when it fails
  // ReadService tells kRunning so many times before it ends; kNeverEnds: up to the time limit.
  int reads = 1;
  bool may_fail = false;  // as the service says
};
inline constexpr int kNeverEnds = -1;

// What a URL serves.
struct FakeDownload {
  std::string content;
  // Once: the transfer breaks (Unavailable) when the file has so many bytes.
  std::optional<uint64_t> interrupted_at;
  absl::Status error;  // before the first byte
  bool tells_size = true;
};

// An entry of an archive: a link when `link` is not empty, a directory when the path ends with /.
struct FakeEntry {
  std::string path;
  std::string content;
  uint32_t mode = 0644;
  std::string link;
};

class FakeHost : public WritableHost {
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
  void Erase(const std::string& path);
  // Calls on the path, or below it, fail with this. Of any kind: files, units, URLs, argv[0].
  void SetError(const std::string& what, absl::Status status);
  void SetUser(UserEntry user);
  void SetGroup(const std::string& name, uint32_t gid);
  void SetUnit(const v1::Unit& unit);
  void SetUnitEnvironment(const std::string& unit, std::vector<std::string> environment);
  void SetUnitVariables(const std::string& unit, std::vector<UnitVariable> variables);
  // Calls for it fail with SetError of UNIT + ".process".
  void SetProcessEnvironment(const std::string& unit, std::vector<std::string> environment);
  // `command`: the arguments with a blank between them.
  void SetCommand(const std::string& command, CommandResult result, FakeEffect effect = {});
  void SetHttp(const std::string& method, const std::string& url, HttpResponse response);
  void SetUse(const std::string& path, FileSystemUse use);
  // Without: FailedPrecondition, as where no network file system is mounted.
  void SetWork(FakeWork work);
  void SetKernelClock(KernelClock clock);
  void SetNow(Time now);
  void Advance(std::chrono::microseconds span);

  // `what`: a service's name, for all of its commands at once, or how a command begins (arguments
  // with a blank between them; the longest that fits counts). A command of which nothing is known
  // fails with 203, as one that is not there.
  void SetService(const std::string& what, FakeServiceCommand command);
  // Any other URL is NotFound.
  void SetDownload(const std::string& url, FakeDownload download);
  // A file with this content is an archive of these entries.
  void SetArchive(const std::string& content, std::vector<FakeEntry> entries);
  // As systemctl start, by a person or a package's script: false when it is masked or not there.
  bool StartUnit(const std::string& name);
  // What its start and its stop do to the machine. Without: it is active, or inactive, by that. A
  // start after which SetUnit has it neither active nor activating has failed.
  void SetUnitEffects(const std::string& unit, FakeEffect start, FakeEffect stop);
  // What it finds when it reads its unit files anew; that a unit needs that is over in any case.
  void SetReload(FakeEffect effect);
  // PID 1 forgets its transient services; what they had not done stays undone.
  void Reboot();

  // Killed in the nth changing call from now (1: the next; 0: never): it does nothing, or, with
  // kHalfway, half of what it is to do where that can be (Fetch, Unpack, Remove). It and all calls
  // after it return Aborted until Revive. Started services go on. Run counts as a changing call,
  // since a command may change anything.
  enum class Death { kBefore, kHalfway };
  void DieAtCall(int n, Death death = Death::kBefore);
  void Revive();
  bool dead() const;
  // The changing calls that were let through, in order: "WriteFile /etc/x".
  std::vector<std::string> changes() const;
  // In order, with those that were cleared.
  std::vector<TransientService> services_started() const;

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

 private:
  struct Command {
    CommandResult result;
    FakeEffect effect;
  };
  struct UnitEffects {
    FakeEffect start;
    FakeEffect stop;
  };
  struct Service {
    TransientService service;
    std::vector<FakeServiceCommand> commands;
    size_t at = 0;      // the command that runs
    Time started_at{};  // the command
    ServiceResult result;
  };
  struct Transfer {
    std::string content;
    uint64_t done = 0;  // bytes that the file has
    uint64_t end = 0;   // and will have
    uint64_t told_size = 0;
    absl::Status outcome;
  };

  // All of these need mutex_.
  // Counts the call; the error that it must fail with, if any.
  absl::Status Enter(const std::string& what);
  // The same for a changing call. `halfway`: of a call that can be done by half; set when it dies
  // so.
  absl::Status EnterChange(const std::string& call, const std::string& what,
                           bool* halfway = nullptr);
  absl::StatusOr<const FakeNode*> Find(const std::string& path, bool follow_last);
  absl::StatusOr<FileStatus> Status(const std::string& path, bool follow_last);
  bool IsMasked(const std::string& unit) const;
  FakeServiceCommand CommandOf(const std::vector<std::string>& arguments) const;
  std::vector<FakeServiceCommand> CommandsOf(const TransientService& service) const;
  // What its commands for the end do.
  FakeEffect EffectAtEnd(const TransientService& service) const;
  // Lets a running service go on by one read; the effect of a command that ended by that.
  FakeEffect GoOn(Service& service);
  absl::StatusOr<Transfer> StartTransfer(const FetchRequest& request);
  // Stripped and sorted.
  absl::StatusOr<std::vector<FakeEntry>> EntriesOf(const UnpackRequest& request) const;

  mutable std::mutex mutex_;
  FakeFiles files_;
  std::map<std::string, absl::Status> errors_;
  std::map<std::string, UserEntry> users_;
  std::map<std::string, uint32_t> groups_;
  std::map<std::string, v1::Unit> units_;
  std::map<std::string, UnitEffects> unit_effects_;
  std::map<std::string, std::vector<UnitVariable>> environments_;
  std::map<std::string, std::vector<std::string>> process_environments_;
  std::map<std::string, Command> commands_;
  std::map<std::string, HttpResponse> http_;
  std::map<std::string, FileSystemUse> uses_;
  FakeWork work_;
  FakeEffect reload_;
  std::map<std::string, FakeServiceCommand> arranged_services_;
  std::map<std::string, Service> services_;
  std::vector<TransientService> services_started_;
  std::map<std::string, FakeDownload> downloads_;
  std::map<std::string, std::vector<FakeEntry>> archives_;
  KernelClock kernel_clock_;
  Time now_;
  int calls_ = 0;
  int fail_at_ = 0;
  absl::Status fail_with_;
  int change_calls_ = 0;
  int die_at_ = 0;
  Death death_ = Death::kBefore;
  bool dead_ = false;
  std::vector<std::string> changes_;
  std::vector<std::string> commands_run_;
  std::vector<std::string> http_requests_;
  std::vector<std::string> last_http_headers_;
};

}  // namespace connect_ha
