// Connect's data directory on the shared file system: made where it is not there, given to its
// owner while it is empty, and never changed once there is something in it. PID 1 does so in a
// service of its own, as a process that changes a file system on the network may hang for ever.
#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "agent/host/processes/storage_work.h"
#include "agent/probes/connect/connect_config.h"
#include "agent/probes/storage/storage.h"
#include "agent/resources/install/installer.h"
#include "agent/resources/nouns.h"
#include "common/checklist/fix.h"
#include "common/checklist/view/facts_view.h"
#include "common/connect/gcfg.h"
#include "common/tls/crypto.h"

namespace connect_ha {
namespace {

constexpr std::chrono::minutes kTimeLimit{2};

class DataDirectory : public Resource {
 public:
  explicit DataDirectory(const ResourceContext& context)
      : context_(context),
        storage_(context.desired.spec().storage()),
        user_(storage_.owner().has_user() ? storage_.owner().user() : "root"),
        group_(storage_.owner().has_group() ? storage_.owner().group() : "root"),
        mode_(storage_.owner().has_mode() ? storage_.owner().mode() : "0755") {}

  std::string Name() const override { return "directory Server.DataDir"; }

  // Whose package, or account, its owner comes with.
  std::vector<std::string> After() override {
    return {"unit", "mount", "account", "packages", "package rstudio-connect"};
  }

  absl::StatusOr<std::optional<v1::Change>> Differs() override {
    const absl::StatusOr<std::string> path = Path();
    if (!path.ok()) return path.status();
    const absl::StatusOr<std::string> fault = Fault(*path);
    if (!fault.ok()) return fault.status();
    if (fault->empty()) return std::nullopt;
    v1::Change change;
    change.set_from(*fault);
    change.set_to(absl::StrCat(*path, " of ", user_, ":", group_, ", mode ", mode_));
    return change;
  }

  absl::Status Apply(Progress& progress) override {
    progress.Enter(v1::Step::WRITING);
    const absl::StatusOr<std::string> path = Path();
    if (!path.ok()) return path.status();
    absl::Status mounted = CheckMounted(*path);
    if (!mounted.ok()) return mounted;
    // It may have been made meanwhile, by another node.
    const absl::StatusOr<std::string> fault = Fault(*path);
    if (!fault.ok()) return fault.status();
    if (fault->empty()) return absl::OkStatus();
    Installation making;
    making.service = InstallerService(
        "directory", Hex(Sha256(absl::StrCat(*path, "\n", user_, ":", group_, "\n", mode_))));
    making.description = "make " + *path;
    making.touches_connect = false;
    // Which may have been unmounted since the look above: the first command that fails is the last.
    making.commands = {
        {"/usr/bin/mountpoint", "--", storage_.mount_point()},
        {"/usr/bin/mkdir", "-p", "--", path->substr(0, std::max<size_t>(path->rfind('/'), 1))},
        {"-/usr/bin/mkdir", "-m", "0700", "--", *path},
        {"/usr/bin/chown", "-h", "--", absl::StrCat(user_, ":", group_), *path},
        {"/usr/bin/chmod", mode_, "--", *path}};
    making.time_limit = kTimeLimit;
    making.fix_of_time_out = "look whether the file system answers: connect-ha-agent check";
    return Install(context_, making, progress);
  }

 private:
  // Server.DataDir as Connect will have it, links on the local disk followed.
  absl::StatusOr<std::string> Path() {
    const absl::StatusOr<std::string> text = ConfigurationText();
    if (!text.ok()) return text.status();
    absl::StatusOr<std::vector<UnitVariable>> environment =
        context_.host.ReadUnitEnvironment(context_.agent_config.connect_unit());
    if (absl::IsNotFound(environment.status())) environment = std::vector<UnitVariable>();
    if (!environment.ok()) return environment.status();
    const ConnectConfig config = MergeConnectConfig(ParseGcfg(*text).entries, *environment);
    const std::string configured = config.Get("Server", "DataDir").value_or("");
    if (!absl::StartsWith(configured, "/") || absl::StrContains(configured, "${")) {
      return absl::FailedPreconditionError(absl::StrCat(
          "Server.DataDir is \"", configured,
          "\", which is no absolute path\nfix: write DataDir = ", storage_.mount_point(),
          "/data under [Server] in Connect's configuration"));
    }
    const auto mounts = ReadMounts(context_.host);
    if (!mounts.ok()) return mounts.status();
    absl::StatusOr<std::string> path = ResolveLocalLinks(context_.host, *mounts, configured);
    if (!path.ok()) return path;
    const std::string& point = storage_.mount_point();
    if (IsBelow(*path, point)) return path;
    return absl::FailedPreconditionError(absl::StrCat(
        "storage.owner is given, and Server.DataDir, ", *path,
        ", is not on the shared file system at ", point, "\nfix: write DataDir = ", point,
        "/data under [Server] in Connect's configuration, or take storage.owner out of "
        "cluster.yaml"));
  }

  // What the specification gives, else what is here.
  absl::StatusOr<std::string> ConfigurationText() {
    if (context_.desired.has_connect_config()) return context_.desired.connect_config();
    absl::StatusOr<std::string> text =
        context_.host.ReadFile(context_.agent_config.connect_config());
    if (absl::IsNotFound(text.status())) return std::string();
    return text;
  }

  absl::Status CheckMounted(const std::string& path) {
    const auto mounts = ReadMounts(context_.host);
    if (!mounts.ok()) return mounts.status();
    const MountEntry* mount = FindMount(*mounts, path);
    if (mount != nullptr && IsNetworkMount(*mount)) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat("no shared file system is mounted at ", storage_.mount_point(), ": ", path,
                     " would be made on the local disk\nfix: mount it first"));
  }

  // "" where it is as it is to be.
  absl::StatusOr<std::string> Fault(const std::string& path) {
    const absl::StatusOr<FileStatus> status = context_.host.LStat(path);
    if (absl::IsNotFound(status.status())) return "absent";
    if (!status.ok()) return status.status();
    if (status->kind != FileStatus::Kind::kDirectory) {
      return absl::FailedPreconditionError(
          absl::StrCat(path, " is not a directory\nfix: look what it is: ls -l ", ShellWord(path)));
    }
    const absl::StatusOr<UserEntry> user = context_.host.LookUpUser(user_);
    if (!user.ok()) return NoAccount(user.status(), "user", user_);
    const absl::StatusOr<uint32_t> group = context_.host.LookUpGroup(group_);
    if (!group.ok()) return NoAccount(group.status(), "group", group_);
    const std::string has =
        absl::StrFormat("%d:%d, mode %04o", status->uid, status->gid, status->mode);
    const std::string digits = "0000" + mode_;
    const std::string wanted =
        absl::StrCat(user->uid, ":", *group, ", mode ", digits.substr(digits.size() - 4));
    if (has == wanted) return "";
    const absl::StatusOr<bool> empty = IsEmpty(path);
    if (!empty.ok()) return empty.status();
    if (*empty) return absl::StrCat("empty, of ", has);
    return absl::FailedPreconditionError(absl::StrCat(
        path, " is of ", has, ", the specification says ", user_, ":", group_, ", mode ", mode_,
        "; what has something in it is never changed here\nfix: where the specification is wrong, "
        "correct storage.owner in cluster.yaml; else: chown ",
        user_, ":", group_, " ", ShellWord(path), "; chmod ", mode_, " ", ShellWord(path)));
  }

  absl::StatusOr<bool> IsEmpty(const std::string& path) {
    const absl::StatusOr<std::vector<std::string>> names = context_.host.ListDirectory(path);
    if (!names.ok()) return names.status();
    return std::all_of(names->begin(), names->end(),
                       [](const std::string& name) { return name == kOwnFolder; });
  }

  static absl::Status NoAccount(const absl::Status& status, const char* kind,
                                const std::string& name) {
    if (!absl::IsNotFound(status)) return status;
    return absl::FailedPreconditionError(absl::StrCat(
        "storage.owner names the ", kind, " ", name, ", which is not here\nfix: write accounts: {",
        name, ": {uid: NUMBER, gid: NUMBER}} into cluster.yaml, or correct storage.owner"));
  }

  const ResourceContext& context_;
  const v1::StorageSpec& storage_;
  const std::string user_;
  const std::string group_;
  const std::string mode_;
};

}  // namespace

std::unique_ptr<Resource> MakeDataDirectory(const ResourceContext& context) {
  return std::make_unique<DataDirectory>(context);
}

}  // namespace connect_ha
