#include "common/checklist/share_fix.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/checklist/rules/storage_options.h"
#include "common/checklist/view/data_mount.h"
#include "common/checklist/view/facts_view.h"
#include "common/checklist/view/place.h"
#include "common/mount_unit.h"

namespace connect_ha {
namespace {

// Where nobody has it mounted yet.
constexpr char kMountPoint[] = "/mnt/connect";
constexpr char kInstallDirectory[] = "/opt/rstudio-connect";

const v1::Mount* NetworkMountAt(const v1::Facts& facts, const std::string& point) {
  const v1::Mount* mount = FindMount(facts, point);
  return mount != nullptr && ReachOf(mount->fs_type()) == Reach::kNetwork ? mount : nullptr;
}

// An example for a person: among so many nodes there is one, or there is none. Each of ten thousand
// nodes that fail looks for one.
constexpr int kExamplesLookedFor = 500;

// A node that has the directory on a network file system.
struct Peer {
  const v1::NodeSnapshot* node = nullptr;
  const v1::DataDirectory* directory = nullptr;
  const v1::Mount* mount = nullptr;
};

// One that serves before all others.
Peer FindPeer(const v1::Snapshot& cluster, const v1::NodeSnapshot& node, const std::string& key) {
  Peer found;
  int looked = 0;
  for (const v1::NodeSnapshot& other : cluster.nodes()) {
    if (++looked > kExamplesLookedFor) break;
    const v1::DataDirectory* directory = FindDirectory(other.facts(), key);
    if (other.name() == node.name() || directory == nullptr) continue;
    const v1::Mount* mount = NetworkMountAt(other.facts(), directory->mount_point());
    if (mount == nullptr) continue;
    if (Serves(other.facts())) return {&other, directory, mount};
    if (found.node == nullptr) found = {&other, directory, mount};
  }
  return found;
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

// One field of fstab(5), and no more than that: a node may say anything of what it has mounted.
bool IsField(const std::string& text) {
  return std::none_of(text.begin(), text.end(), [](unsigned char c) {
    return c <= ' ' || c == 0x7f || c == '#' || c == '\\';
  });
}

// The line that /etc/fstab lacks. The peer's source will do, but for the end of its own tunnel.
std::string AddLineNote(const Peer& peer, const std::string& point) {
  if (peer.mount == nullptr) {
    return absl::StrCat("add a line for ", point,
                        " to /etc/fstab: the server:/export of the shared file system, ", "then \"",
                        point, " nfs4 ", NfsOptions(), " 0 0\" (for EFS the options ", EfsOptions(),
                        ")");
  }
  const Place place = PlaceOf(*peer.mount, "/");
  const std::string port = SuperOption(*peer.mount, "port");
  const bool is_line = IsField(peer.mount->source()) && IsField(point) &&
                       IsField(peer.mount->fs_type()) && IsField(port);
  if (peer.mount->has_efs_file_system() || place.is_tunnel || !is_line ||
      peer.mount->fs_type() != "nfs4") {  // an export of NFSv3 has another path
    return absl::StrCat("add a line for ", point, " to /etc/fstab, as on ", peer.node->name(),
                        " (there: findmnt --fstab ", ShellOperand(point), ")");
  }
  return absl::StrCat("add a line to /etc/fstab, as on ", peer.node->name(), ": ",
                      peer.mount->source(), " ", point, " ", peer.mount->fs_type(), " ",
                      place.is_efs ? EfsOptions() : NfsOptions(),
                      port.empty() ? "" : absl::StrCat(",port=", port), " 0 0");
}

// None where it is mounted.
void AddMountSteps(const v1::Snapshot& cluster, const v1::NodeSnapshot& node, const Peer& peer,
                   const std::string& point, Fixes& fixes) {
  if (NetworkMountAt(node.facts(), point) != nullptr) return;
  if (!cluster.spec().storage().mount_point().empty()) {
    fixes.push_back(Type(node.name(), {StartMountCommand(point)}));
    for (const v1::Fix& fix : NoUnitFix(cluster, node, point)) fixes.push_back(fix);
    return;
  }
  fixes.push_back(ByHand(node.name(), AddLineNote(peer, point)));
  fixes.push_back(Type(node.name(), {absl::StrCat("mkdir -p ", ShellOperand(point)),
                                     "systemctl daemon-reload", StartMountCommand(point)}));
}

const std::string& PathOf(const v1::DataDirectory& directory) {
  return directory.resolved().empty() ? directory.path() : directory.resolved();
}

std::string BelowName(const std::string& to, const std::string& from) {
  const size_t slash = from.rfind('/');
  return absl::StrCat(to == "/" ? "" : to, "/",
                      slash == std::string::npos ? from : from.substr(slash + 1));
}

// Nothing that is there is written over, and what is there after a first time stays.
void AddCopySteps(const v1::Snapshot& cluster, const v1::NodeSnapshot& node,
                  const v1::DataDirectory& directory, const std::string& to, Fixes& fixes) {
  const std::string& name = node.name();
  const std::string& from = PathOf(directory);
  const bool are_paths = absl::StartsWith(from, "/") && absl::StartsWith(to, "/");
  if (cluster.nodes_size() + static_cast<int>(cluster.nodes_left_out()) > 1 || !are_paths) {
    fixes.push_back(ByHand(
        "", absl::StrCat("decide which node's ", directory.key(), " counts, and copy that one to ",
                         to, " while Connect is stopped on every node; ", from, " of ", name,
                         " stays where it is")));
  } else {
    fixes.push_back(
        Type(name,
             {absl::StrCat("mkdir -p ", ShellWord(to)),
              absl::StrCat("cp -an ", ShellWord(from + "/."), " ", ShellWord(to + "/"))},
             absl::StrCat("where ", to, " is not there yet or is empty; ", from, " is kept")));
  }
  fixes.push_back(ByHand(name, SetKeyNote(node.facts(), directory.key(), to)));
}

// "Server.DataDir" as the file and the environment have it.
struct KeyInFile {
  const v1::ConfigKey* key;  // null where it is not set
  std::string section;
  std::string name;
};

KeyInFile Find(const v1::Facts& facts, const std::string& key) {
  const std::pair<std::string, std::string> parts = absl::StrSplit(key, '.');
  return {FindKey(facts, parts.first, parts.second), parts.first, parts.second};
}

std::string FileAndLine(const v1::Facts& facts, const v1::ConfigKey* key) {
  const std::string file = key == nullptr || key->file().empty() ? ConfigPath(facts) : key->file();
  return key == nullptr || key->line() == 0 ? file : absl::StrCat(file, ":", key->line());
}

std::string Variable(const KeyInFile& found) {
  return absl::AsciiStrToUpper(absl::StrCat("CONNECT_", found.section, "_", found.name));
}

bool IsFromEnvironment(const KeyInFile& found) {
  return found.key != nullptr && found.key->source() == v1::ConfigKey::ENVIRONMENT;
}

// The environment's files are not Connect's own: where they are not known, nothing is said of them.
std::string EnvironmentPlace(const KeyInFile& found) {
  if (found.key->file().empty()) return "the environment of rstudio-connect.service";
  return found.key->line() == 0 ? found.key->file()
                                : absl::StrCat(found.key->file(), ":", found.key->line());
}

}  // namespace

std::string SetKeyNote(const v1::Facts& facts, const std::string& key, const std::string& value) {
  const KeyInFile found = Find(facts, key);
  if (IsFromEnvironment(found)) {
    return absl::StrCat("set ", Variable(found), "=", value, " in ", EnvironmentPlace(found));
  }
  return absl::StrCat("set ", found.name, " = ", value, " under [", found.section, "] in ",
                      FileAndLine(facts, found.key));
}

std::string TakeKeyOutNote(const v1::Facts& facts, const std::string& key) {
  const KeyInFile found = Find(facts, key);
  if (IsFromEnvironment(found)) {
    return absl::StrCat("take ", Variable(found), " out of ", EnvironmentPlace(found));
  }
  return absl::StrCat("take ", found.name, " under [", found.section, "] out of ",
                      FileAndLine(facts, found.key));
}

Fixes ShareFix(const v1::Snapshot& cluster, const v1::NodeSnapshot& node,
               const v1::DataDirectory& directory) {
  const v1::StorageSpec& spec = cluster.spec().storage();
  const Peer peer = FindPeer(cluster, node, directory.key());
  const std::string point = SharedPoint(spec, node, peer);
  const std::string& from = PathOf(directory);
  Fixes fixes = {StopConnect(node.name())};
  AddMountSteps(cluster, node, peer, point, fixes);
  if (peer.directory == nullptr || peer.mount->mount_point() != point) {
    AddCopySteps(cluster, node, directory, BelowName(point, from), fixes);
    return fixes;
  }
  fixes.push_back(ByHand(
      node.name(),
      absl::StrCat(SetKeyNote(node.facts(), directory.key(), peer.directory->path()), ", as on ",
                   peer.node->name(), "; ", from, " stays where it is, and is not copied")));
  return fixes;
}

Fixes MoveFix(const v1::Snapshot& cluster, const v1::NodeSnapshot& node,
              const v1::DataDirectory& directory) {
  Fixes fixes = {StopConnect(node.name())};
  int looked = 0;
  for (const v1::NodeSnapshot& other : cluster.nodes()) {
    if (++looked > kExamplesLookedFor) break;
    const v1::DataDirectory* theirs = FindDirectory(other.facts(), directory.key());
    if (other.name() == node.name() || theirs == nullptr || !Serves(other.facts()) ||
        IsBelow(PathOf(*theirs), kInstallDirectory)) {
      continue;
    }
    fixes.push_back(
        ByHand(node.name(), absl::StrCat(SetKeyNote(node.facts(), directory.key(), theirs->path()),
                                         ", as on ", other.name(), "; ", PathOf(directory),
                                         " stays where it is, and is not copied")));
    return fixes;
  }
  const std::string& wanted = cluster.spec().storage().mount_point();
  AddCopySteps(cluster, node, directory,
               BelowName(wanted.empty() ? "/var/lib" : wanted, PathOf(directory)), fixes);
  return fixes;
}

std::string StartMountCommand(const std::string& mount_point) {
  return absl::StrCat("systemctl start ", ShellOperand(MountUnitName(mount_point)));
}

Fixes NoUnitFix(const v1::Snapshot& cluster, const v1::NodeSnapshot& node,
                const std::string& mount_point) {
  const bool says_what = WantedPlace(cluster.spec().storage()).has_value();
  if (says_what && cluster.spec().enforcement() == v1::ENFORCE) return {};
  const Peer peer = FindPeer(cluster, node, "Server.DataDir");
  return {ByHand(
      node.name(),
      absl::StrCat("where systemd says that there is no such unit: ",
                   AddLineNote(peer, mount_point), "; then mkdir -p ", ShellOperand(mount_point),
                   ", systemctl daemon-reload, and start it again",
                   says_what ? "; or write enforcement: enforce into cluster.yaml, with which the "
                               "agents mount it, and bring the nodes to all that stands there"
                             : ""))};
}

Fixes RemountFix(const std::string& node, const std::string& mount_point) {
  const std::string point = ShellOperand(mount_point);
  return {StopConnect(node),
          Type(node, {"systemctl daemon-reload", absl::StrCat("umount ", point),
                      StartMountCommand(mount_point), absl::StrCat("findmnt ", point)})};
}

}  // namespace connect_ha
