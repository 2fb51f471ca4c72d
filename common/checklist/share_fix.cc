#include "common/checklist/share_fix.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/checklist/rules/storage_options.h"
#include "common/checklist/view/facts_view.h"
#include "common/checklist/view/place.h"

namespace connect_ha {
namespace {

// Where nobody has it mounted yet.
constexpr char kMountPoint[] = "/mnt/connect";

const v1::Mount* NetworkMountAt(const v1::Facts& facts, const std::string& point) {
  const v1::Mount* mount = FindMount(facts, point);
  return mount != nullptr && ReachOf(mount->fs_type()) == Reach::kNetwork ? mount : nullptr;
}

// A node that has the directory on a network file system.
struct Peer {
  const v1::NodeSnapshot* node = nullptr;
  const v1::DataDirectory* directory = nullptr;
  const v1::Mount* mount = nullptr;
};

Peer FindPeer(const v1::Snapshot& cluster, const v1::NodeSnapshot& node, const std::string& key) {
  for (const v1::NodeSnapshot& other : cluster.nodes()) {
    const v1::DataDirectory* directory = FindDirectory(other.facts(), key);
    if (other.name() == node.name() || directory == nullptr) continue;
    const v1::Mount* mount = NetworkMountAt(other.facts(), directory->mount_point());
    if (mount != nullptr) return {&other, directory, mount};
  }
  return {};
}

// Where the node has the shared file system, or is to have it.
std::string SharedPoint(const v1::StorageSpec& spec, const v1::NodeSnapshot& node,
                        const Peer& peer) {
  if (!spec.mount_point().empty()) return spec.mount_point();
  const v1::DataDirectory* data = FindDirectory(node.facts(), "Server.DataDir");
  if (data != nullptr && NetworkMountAt(node.facts(), data->mount_point()) != nullptr) {
    return data->mount_point();
  }
  return peer.mount == nullptr ? kMountPoint : peer.mount->mount_point();
}

std::string LineAfterSource(const std::string& point, const std::string& port) {
  return absl::StrCat(point, " nfs4 ", NfsOptions(), port, " 0 0");
}

// The peer's source will do, but for the end of its own tunnel.
std::string AddLineStep(const Peer& peer, const std::string& point) {
  if (peer.mount == nullptr) {
    return absl::StrCat(
        "add a line to /etc/fstab: the server:/export of the shared file system, "
        "behind it \"",
        LineAfterSource(point, ""), "\", then: ");
  }
  if (peer.mount->has_efs_file_system() || !absl::StartsWith(peer.mount->fs_type(), "nfs")) {
    return absl::StrCat("mount ", point, " as on ", peer.node->name(), " (there: findmnt --fstab ",
                        point, "), by a line in /etc/fstab, then: ");
  }
  std::string port;
  for (const std::string& option : peer.mount->super_options()) {
    if (absl::StartsWith(option, "port=")) port = absl::StrCat(",", option);
  }
  return absl::StrCat("echo '", peer.mount->source(), " ", LineAfterSource(point, port),
                      "' >> /etc/fstab; ");
}

// "" where it is mounted.
std::string MountSteps(const v1::StorageSpec& spec, const v1::NodeSnapshot& node, const Peer& peer,
                       const std::string& point) {
  if (NetworkMountAt(node.facts(), point) != nullptr) return "";
  if (!spec.mount_point().empty()) return absl::StrCat(StartMountCommand(point), "; ");
  return absl::StrCat(AddLineStep(peer, point), "mkdir -p ", point,
                      "; systemctl daemon-reload; mount ", point, "; ");
}

const std::string& PathOf(const v1::DataDirectory& directory) {
  return directory.resolved().empty() ? directory.path() : directory.resolved();
}

std::string SetStep(const v1::Facts& facts, const v1::DataDirectory& directory,
                    const std::string& path, const std::string& note = "") {
  const std::pair<std::string, std::string> key = absl::StrSplit(directory.key(), '.');
  return absl::StrCat("set ", key.second, " = ", path, " under [", key.first, "] in ",
                      ConfigPath(facts), note, ", then: systemctl start rstudio-connect");
}

std::string CopyStep(const std::string& from, const std::string& to, const std::string& note = "") {
  return absl::StrCat("cp -a ", from, " ", to, "/", note, "; ");
}

std::string BelowName(const std::string& to, const std::string& from) {
  return absl::StrCat(to, from.substr(from.rfind('/')));
}

}  // namespace

std::string ShareFix(const v1::Snapshot& cluster, const v1::NodeSnapshot& node,
                     const v1::DataDirectory& directory) {
  const v1::StorageSpec& spec = cluster.spec().storage();
  const Peer peer = FindPeer(cluster, node, directory.key());
  const std::string point = SharedPoint(spec, node, peer);
  const std::string& from = PathOf(directory);
  const std::string start = absl::StrCat("on NODE: systemctl stop rstudio-connect; ",
                                         MountSteps(spec, node, peer, point));
  if (peer.directory != nullptr && peer.mount->mount_point() == point) {
    return absl::StrCat(start, SetStep(node.facts(), directory, peer.directory->path(),
                                       absl::StrCat(" as on ", peer.node->name(), " (", from,
                                                    " is not taken along)")));
  }
  return absl::StrCat(start,
                      CopyStep(from, point, cluster.nodes_size() > 1 ? " (on one node alone)" : ""),
                      SetStep(node.facts(), directory, BelowName(point, from)));
}

std::string MoveFix(const v1::StorageSpec& spec, const v1::Facts& facts,
                    const v1::DataDirectory& directory) {
  const std::string& from = PathOf(directory);
  const std::string to = spec.mount_point().empty() ? "/var/lib" : spec.mount_point();
  return absl::StrCat("on NODE: systemctl stop rstudio-connect; ", CopyStep(from, to),
                      SetStep(facts, directory, BelowName(to, from)));
}

std::string StartMountCommand(const std::string& mount_point) {
  return absl::StrCat("systemctl start \"$(systemd-escape -p --suffix=mount ", mount_point, ")\"");
}

}  // namespace connect_ha
