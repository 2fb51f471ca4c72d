// The cluster's mark in Connect's data directory: written by the first node, once. A node that has
// seen it remembers, and never marks the same place again: there it would be another file system.
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/probes/connect/configuration.h"
#include "agent/probes/storage/storage.h"
#include "agent/resources/nouns.h"
#include "agent/resources/storage/cluster_mark.h"
#include "common/checklist/fix.h"
#include "common/checklist/view/data_mount.h"
#include "common/checklist/view/facts_view.h"

namespace connect_ha {
namespace {

constexpr char kAbsent[] = "absent";

class Mark : public Resource {
 public:
  explicit Mark(const ResourceContext& context)
      : context_(context), memory_(context.state_dir + "/mark") {}

  std::string Name() const override {
    return "mark " + context_.desired.spec().storage().mount_point();
  }

  // The data directory is made by its resource, or by nobody; and its place is in the
  // configuration.
  std::vector<std::string> After() override { return {"unit", "mount", "file", "directory"}; }

  absl::StatusOr<std::optional<v1::Change>> Differs() override {
    const absl::StatusOr<Stand> stand = LookAt();
    if (!stand.ok()) return stand.status();
    if (stand->fault.empty()) return std::nullopt;
    v1::Change change;
    change.set_from(stand->fault);
    change.set_to(absl::StrCat("of cluster ", stand->own.cluster(), " (", stand->own.id(), ")"));
    return change;
  }

  absl::Status Apply(Progress& progress) override {
    progress.Enter(v1::Step::WRITING);
    const absl::StatusOr<Stand> stand = LookAt();
    if (!stand.ok()) return stand.status();
    if (stand->data_dir.empty()) {
      return absl::UnavailableError(
          absl::StrCat("Server.DataDir is on no shared file system that is mounted at ",
                       context_.desired.spec().storage().mount_point()));
    }
    const absl::StatusOr<v1::ClusterMark> found =
        KeepClusterMark(context_.host, stand->data_dir, stand->own, context_.node);
    context_.cache.mark.Put(found);
    if (absl::IsNotFound(found.status())) return NoDirectory(stand->data_dir);
    if (!found.ok()) return found.status();
    if (absl::Status same = CheckMark(stand->data_dir, *found, stand->own); !same.ok()) return same;
    return context_.host.WriteFile(memory_, Memory(*stand), FileAttributes());
  }

 private:
  struct Stand {
    v1::ClusterMark own;
    std::string data_dir;  // "": it is on no network file system yet
    std::string fault;     // "": the mark is there, and known here
  };

  // Server.DataDir, links on the local disk followed; "" where that is not on the spec's mount.
  absl::StatusOr<std::string> DataDir() {
    absl::StatusOr<ConnectConfig> config = LoadConnectConfig(context_.host, context_.agent_config);
    if (absl::IsNotFound(config.status())) return "";
    if (!config.ok()) return config.status();
    const absl::StatusOr<std::vector<MountEntry>> mounts = ReadMounts(context_.host);
    if (!mounts.ok()) return mounts.status();
    absl::StatusOr<std::string> path =
        ResolveLocalLinks(context_.host, *mounts, config->Get("Server", "DataDir").value_or("/"));
    if (!path.ok()) return path;
    const std::string& point = context_.desired.spec().storage().mount_point();
    const MountEntry* mount = FindMount(*mounts, *path);
    const bool is_there = mount != nullptr && IsNetworkMount(*mount) &&
                          mount->mount_point == point && IsBelow(*path, point);
    if (!is_there) return "";
    return path;
  }

  absl::StatusOr<Stand> LookAt() {
    Stand stand;
    absl::StatusOr<v1::ClusterMark> own =
        OwnMark(context_.host, context_.state_dir, context_.desired.spec().cluster());
    if (!own.ok()) return own.status();
    stand.own = *std::move(own);
    absl::StatusOr<std::string> data_dir = DataDir();
    if (!data_dir.ok()) return data_dir.status();
    stand.data_dir = *std::move(data_dir);
    stand.fault = kAbsent;
    if (stand.data_dir.empty()) return stand;
    const absl::StatusOr<bool> known = IsKnown(stand);
    if (!known.ok()) return known.status();
    const absl::StatusOr<v1::ClusterMark> found = ReadClusterMark(context_.host, stand.data_dir);
    context_.cache.mark.Put(found);
    if (absl::IsNotFound(found.status())) {
      if (!*known) return stand;
      return absl::FailedPreconditionError(absl::StrCat(
          stand.data_dir, " bore the mark of cluster ", stand.own.cluster(),
          ", and bears none now: the file system is empty, or another one than the cluster's\nfix: "
          "look what is there: ls -la ",
          ShellWord(stand.data_dir), "; only where it is right: rm ", ShellWord(memory_),
          ", and it is marked anew"));
    }
    if (!found.ok()) return found.status();
    if (absl::Status same = CheckMark(stand.data_dir, *found, stand.own); !same.ok()) return same;
    stand.fault = *known ? "" : "there, and not known here";
    return stand;
  }

  // Of a place: another file system that the specification names is none that bore it before.
  std::string Memory(const Stand& stand) {
    const std::optional<Place> wanted = WantedPlace(context_.desired.spec().storage());
    return absl::StrCat(stand.own.id(), " ", wanted ? wanted->Text() : "", " ", stand.data_dir,
                        "\n");
  }

  absl::StatusOr<bool> IsKnown(const Stand& stand) {
    const absl::StatusOr<std::string> memory = context_.host.ReadFile(memory_);
    if (absl::IsNotFound(memory.status())) return false;
    if (!memory.ok()) return memory.status();
    return *memory == Memory(stand);
  }

  static absl::Status NoDirectory(const std::string& data_dir) {
    return absl::FailedPreconditionError(
        absl::StrCat("there is no ", data_dir,
                     " to mark\nfix: write storage: {owner: {user: root}} into "
                     "cluster.yaml, and it is made; or make it: mkdir -p ",
                     ShellWord(data_dir)));
  }

  const ResourceContext& context_;
  const std::string memory_;
};

}  // namespace

std::unique_ptr<Resource> MakeMark(const ResourceContext& context) {
  return std::make_unique<Mark>(context);
}

}  // namespace connect_ha
