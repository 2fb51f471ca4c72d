#include "agent/resources/storage/marking.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/assignment/standing.h"
#include "agent/probes/storage/storage.h"
#include "agent/resources/storage/cluster_mark.h"
#include "agent/resources/storage/mount_plan.h"
#include "common/checklist/fix.h"
#include "common/checklist/view/data_mount.h"
#include "common/checklist/view/facts_view.h"

namespace connect_ha {
namespace {

constexpr char kAbsent[] = "absent";

std::string MemoryPath(const std::string& state_dir) { return state_dir + "/mark"; }

std::string Memory(const v1::StorageSpec& storage, const v1::ClusterMark& own,
                   const std::string& data_dir) {
  const std::optional<Place> wanted = WantedPlace(storage);
  return absl::StrCat(own.id(), " ", wanted ? wanted->Text() : "", " ", data_dir, "\n");
}

// What is mounted may be another one than the specification names: one that was applied just now
// may name what is still to be mounted, and that is not to be known as marked. One server may have
// several names: only what is surely the same counts.
absl::StatusOr<bool> MayBeAnother(const Marking& marking, const MountEntry& mount) {
  if (!WantedPlace(marking.storage)) return false;
  // By the very name that is wanted, a tunnel's too, of which nothing else tells where it leads.
  const absl::StatusOr<MountPlan> plan = MakeMountPlan(marking.storage, "");
  if (plan.ok() && mount.source == plan->source && mount.root == "/") return false;
  const absl::StatusOr<v1::Mount> fact = ReadMount(marking.host, mount);
  if (!fact.ok()) return fact.status();
  return SameAsWanted(marking.storage, *fact) != Sameness::kSame;
}

// Links on the local disk followed; "" where it is not on the specification's mount.
absl::StatusOr<std::string> DataDir(const Marking& marking) {
  if (marking.config == nullptr) return "";
  const absl::StatusOr<std::vector<MountEntry>> mounts = ReadMounts(marking.host);
  if (!mounts.ok()) return mounts.status();
  absl::StatusOr<std::string> path = ResolveLocalLinks(
      marking.host, *mounts, marking.config->Get("Server", "DataDir").value_or("/"));
  if (!path.ok()) return path;
  const std::string& point = marking.storage.mount_point();
  const MountEntry* mount = FindMount(*mounts, *path);
  const bool is_there = mount != nullptr && IsNetworkMount(*mount) && mount->mount_point == point &&
                        IsBelow(*path, point);
  if (!is_there) return "";
  const absl::StatusOr<bool> another = MayBeAnother(marking, *mount);
  if (!another.ok()) return another.status();
  return *another ? std::string() : *path;
}

// Tells the probe of it, without what to do.
absl::Status Told(const absl::Status& fault, ProbeCache& cache) {
  const std::string message(fault.message());
  cache.mark_fault.Put(message.substr(0, message.find("\nfix: ")));
  return fault;
}

// What it is to be compared with cannot be read: of the mark nothing is known then.
absl::Status Unread(const absl::Status& why, ProbeCache& cache) {
  const std::string message(why.message());
  cache.mark.Put(absl::UnavailableError(message.substr(0, message.find("\nfix: "))));
  return why;
}

// "": what is there is as late as it is to be.
std::string OtherNotBefore(const v1::ClusterMark& found, const v1::GenerationMark& not_before) {
  if (!IsBefore(found.not_before(), not_before)) return "";
  return absl::StrCat("of before generation ", not_before.generation());
}

absl::Status NoDirectory(const std::string& data_dir) {
  return absl::FailedPreconditionError(
      absl::StrCat("there is no ", data_dir,
                   " to mark\nfix: write storage: {owner: {user: root}} into cluster.yaml, and it "
                   "is made; or make "
                   "it: mkdir -p ",
                   ShellWord(data_dir)));
}

}  // namespace

absl::Status MarkIsGone(const std::string& state_dir, const std::string& data_dir,
                        const std::string& cluster) {
  return absl::FailedPreconditionError(
      absl::StrCat(data_dir, " bore the mark of cluster ", cluster,
                   ", and bears none now: the file system is empty, or another one than the "
                   "cluster's\nfix: look what is there: ls -la ",
                   ShellWord(data_dir), "; only where it is right: rm ",
                   ShellWord(MemoryPath(state_dir)), ", and it is marked anew"));
}

absl::StatusOr<bool> KnowsAMark(Host& host, const std::string& state_dir) {
  const absl::StatusOr<FileStatus> memory = host.LStat(MemoryPath(state_dir));
  if (absl::IsNotFound(memory.status())) return false;
  if (!memory.ok()) return memory.status();
  return true;
}

absl::StatusOr<bool> IsMarkKnown(Host& host, const std::string& state_dir,
                                 const v1::StorageSpec& storage, const v1::ClusterMark& own,
                                 const std::string& data_dir) {
  const absl::StatusOr<std::string> memory = host.ReadFile(MemoryPath(state_dir));
  if (absl::IsNotFound(memory.status())) return false;
  if (!memory.ok()) return memory.status();
  return *memory == Memory(storage, own, data_dir);
}

absl::StatusOr<MarkStand> LookAtMark(const Marking& marking) {
  MarkStand stand;
  absl::StatusOr<v1::ClusterMark> own = OwnMark(marking.host, marking.state_dir, marking.cluster);
  if (!own.ok()) return Unread(own.status(), marking.cache);
  stand.own = *std::move(own);
  absl::StatusOr<std::string> data_dir = DataDir(marking);
  if (!data_dir.ok()) return data_dir.status();
  stand.data_dir = *std::move(data_dir);
  stand.fault = kAbsent;
  if (stand.data_dir.empty()) {
    marking.cache.mark_fault.Put("");
    // That a mark could not be read was of what is no longer looked at.
    const std::optional<KeptMark> seen = marking.cache.mark.Get();
    if (seen && !seen->ok()) marking.cache.mark.Put(absl::NotFoundError("not looked for"));
    return stand;
  }
  const absl::StatusOr<bool> known =
      IsMarkKnown(marking.host, marking.state_dir, marking.storage, stand.own, stand.data_dir);
  if (!known.ok()) return Unread(known.status(), marking.cache);
  const absl::StatusOr<v1::ClusterMark> found = ReadClusterMark(marking.host, stand.data_dir);
  marking.cache.mark.Put(found);
  if (absl::IsNotFound(found.status()) && *known) {
    return Told(MarkIsGone(marking.state_dir, stand.data_dir, stand.own.cluster()), marking.cache);
  }
  // There, and none of ours to read; what did not answer says nothing of it.
  if (absl::IsDataLoss(found.status()) || absl::IsFailedPrecondition(found.status())) {
    return Told(found.status(), marking.cache);
  }
  if (!found.ok() && !absl::IsNotFound(found.status())) return found.status();
  if (found.ok()) {
    const absl::Status same = CheckMark(stand.data_dir, *found, stand.own);
    if (!same.ok()) return Told(same, marking.cache);
  }
  marking.cache.mark_fault.Put("");
  if (!found.ok()) return stand;
  stand.fault = *known ? OtherNotBefore(*found, marking.not_before) : "there, and not known here";
  return stand;
}

absl::Status KeepMark(const Marking& marking) {
  const absl::StatusOr<MarkStand> stand = LookAtMark(marking);
  if (!stand.ok()) return stand.status();
  if (stand->fault.empty()) return absl::OkStatus();
  if (stand->data_dir.empty()) {
    return absl::UnavailableError(
        absl::StrCat("Server.DataDir is not on the file system that the specification names for ",
                     marking.storage.mount_point(), ", as far as names tell"));
  }
  absl::StatusOr<v1::ClusterMark> found =
      KeepClusterMark(marking.host, stand->data_dir, stand->own, marking.node);
  marking.cache.mark.Put(found);
  if (absl::IsNotFound(found.status())) return NoDirectory(stand->data_dir);
  if (!found.ok()) return found.status();
  if (absl::Status same = CheckMark(stand->data_dir, *found, stand->own); !same.ok()) return same;
  if (!OtherNotBefore(*found, marking.not_before).empty()) {
    found = KeepNotBefore(marking.host, stand->data_dir, marking.not_before, marking.node);
    marking.cache.mark.Put(found);
    if (!found.ok()) return found.status();
  }
  return marking.host.WriteFile(MemoryPath(marking.state_dir),
                                Memory(marking.storage, stand->own, stand->data_dir),
                                FileAttributes());
}

}  // namespace connect_ha
