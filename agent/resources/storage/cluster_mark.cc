#include "agent/resources/storage/cluster_mark.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/host/mounts/mount_table.h"
#include "agent/host/processes/mark_work.h"
#include "agent/host/processes/shared_reader_wire.h"
#include "agent/host/processes/storage_work.h"
#include "agent/probes/storage/storage.h"
#include "common/checklist/fix.h"
#include "common/proof/cluster_id.h"
#include "connect_ha/v1/storage_work.pb.h"

namespace connect_ha {
namespace {

absl::StatusOr<v1::ClusterMark> Ask(WritableHost& host, const std::string& data_dir,
                                    v1::MarkRequest request) {
  const absl::StatusOr<std::vector<MountEntry>> mounts = ReadMounts(host);
  if (!mounts.ok()) return mounts.status();
  const MountEntry* mount = FindMount(*mounts, data_dir);
  if (mount == nullptr || !IsNetworkMount(*mount)) {
    return absl::FailedPreconditionError(
        absl::StrCat(data_dir, " is on no network file system\nfix: mount it first"));
  }
  request.set_device(mount->device);
  const absl::StatusOr<std::string> answer =
      host.WorkOnStorage(kMarkOperation, data_dir, request.SerializeAsString());
  if (!answer.ok()) return answer.status();
  v1::ClusterMark mark;
  if (!mark.ParseFromString(*answer)) return absl::InternalError("a malformed answer");
  return mark;
}

}  // namespace

absl::StatusOr<v1::ClusterMark> OwnMark(Host& host, const std::string& state_dir,
                                        const std::string& cluster) {
  constexpr char kFix[] =
      "\nfix: where it is damaged, join again: connect-ha token create at the coordinator, and "
      "here "
      "what it prints";
  const std::string path = state_dir + "/ca.crt";
  const absl::StatusOr<std::string> ca = host.ReadFile(path);
  if (!ca.ok()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "which cluster this node is of cannot be told: ", ca.status().message(), kFix));
  }
  const absl::StatusOr<std::string> id = ClusterId(*ca);
  if (!id.ok()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "which cluster this node is of cannot be told: ", path, ": ", id.status().message(), kFix));
  }
  v1::ClusterMark own;
  own.set_cluster(cluster);
  own.set_id(*id);
  return own;
}

absl::StatusOr<v1::ClusterMark> ReadClusterMark(WritableHost& host, const std::string& data_dir) {
  return Ask(host, data_dir, v1::MarkRequest());
}

absl::StatusOr<v1::ClusterMark> KeepClusterMark(WritableHost& host, const std::string& data_dir,
                                                const v1::ClusterMark& own,
                                                const std::string& node) {
  v1::MarkRequest request;
  *request.mutable_mark() = own;
  request.set_node(node);
  return Ask(host, data_dir, std::move(request));
}

absl::StatusOr<v1::ClusterMark> KeepNotBefore(WritableHost& host, const std::string& data_dir,
                                              const v1::GenerationMark& not_before,
                                              const std::string& node) {
  v1::MarkRequest request;
  *request.mutable_not_before() = not_before;
  request.set_node(node);
  return Ask(host, data_dir, std::move(request));
}

absl::Status CheckMark(const std::string& data_dir, const v1::ClusterMark& found,
                       const v1::ClusterMark& own) {
  if (found.cluster() == own.cluster() && found.id() == own.id()) return absl::OkStatus();
  const std::string path = ShellWord(MarkPath(data_dir));
  const bool is_namesake = found.cluster() == own.cluster();
  return absl::FailedPreconditionError(absl::StrCat(
      data_dir, " is marked as ", is_namesake ? "another cluster's of the same name, " : "cluster ",
      found.cluster(), " (", found.id(), "), this node is of ", own.cluster(), " (", own.id(),
      ")\nfix: where the data there is the other cluster's, mount the file system of ",
      own.cluster(),
      " instead; only where it is this one's, and its authority was made anew: mv -n ", path, " ",
      path, ".old on one node"));
}

absl::Status NoMark(const std::string& data_dir, const std::string& cluster) {
  return absl::FailedPreconditionError(absl::StrCat(
      data_dir, " bears no mark of cluster ", cluster,
      ": the file system is empty, or another one than the cluster's\nfix: look what is there: ls "
      "-la ",
      ShellWord(data_dir),
      "; where it is right and new, connect-ha-agent marks it: systemctl "
      "status connect-ha-agent"));
}

std::string MarkPath(const std::string& data_dir) {
  return absl::StrCat(data_dir, "/", kOwnFolder, "/", kMarkName);
}

}  // namespace connect_ha
