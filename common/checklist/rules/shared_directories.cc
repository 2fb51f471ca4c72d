#include <algorithm>
#include <array>
#include <map>

#include "absl/strings/str_cat.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/share_fix.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/facts_view.h"
#include "common/checklist/view/located.h"

namespace connect_ha {
namespace {

const char kInstallDirectory[] = "/opt/rstudio-connect";

// Adds the directory's place where it is on a network file system; where it is not, it cannot
// be shared.
void Locate(const v1::Snapshot& cluster, const v1::NodeSnapshot& node,
            const v1::DataDirectory& directory, std::vector<Located>& located, Verdict& verdict) {
  const v1::Mount* mount = MountOf(node, directory, verdict);
  if (mount == nullptr) return;
  switch (ReachOf(mount->fs_type())) {
    case Reach::kLocal:
      return verdict.Fail(node.name(),
                          absl::StrCat(directory.path(), " is on ", mount->mount_point(), " (",
                                       mount->fs_type(), "), which only this node has"),
                          ShareFix(cluster, node, directory));
    case Reach::kUnknown:
      return verdict.Unknown(node.name(), UnknownTypeText(directory, *mount));
    case Reach::kNetwork:
      located.push_back({&node, &directory, PlaceOf(*mount, directory.path_in_source())});
  }
}

// The place that most nodes have; the first one's where none has a majority.
const Place& Usual(const std::vector<Located>& located) {
  std::map<std::string, size_t> count;
  for (const Located& one : located) ++count[one.place.Text()];
  const auto most = std::max_element(located.begin(), located.end(),
                                     [&count](const Located& a, const Located& b) {
                                       return count[a.place.Text()] < count[b.place.Text()];
                                     });
  return most->place;
}

std::string ProofFix(const Located& one) {
  return absl::StrCat("on one node: touch ", one.directory->resolved(),
                      "/.connect-ha-proof, on every other: ls ", one.directory->resolved(),
                      "/.connect-ha-proof (it must be there), then remove it");
}

// Names can disprove that a directory is shared; only seeing each other's files proves it.
void JudgeSameness(const v1::Snapshot& cluster, const std::vector<Located>& located,
                   Verdict& verdict) {
  if (located.empty()) return;
  const Place& usual = Usual(located);
  for (const Located& one : located) {
    const std::string place = one.place.Text();
    const std::string& node = one.node->name();
    if (cluster.nodes_size() == 1) {
      verdict.Pass(node, absl::StrCat(place, "; no other node to compare it with"));
      continue;
    }
    switch (Same(one.place, usual)) {
      case Sameness::kDifferent:
        verdict.Fail(
            node, absl::StrCat(one.directory->path(), " is ", place, ", elsewhere ", usual.Text()),
            absl::StrCat("on NODE: systemctl stop rstudio-connect; make ", one.directory->key(),
                         " lead to ", usual.Text(), " (connect-ha facts ", node,
                         " shows the mounts)"));
        break;
      case Sameness::kUnknown:
        verdict.Unknown(node, absl::StrCat(place, " does not name a server that can be compared"),
                        ProofFix(one));
        break;
      case Sameness::kSame:
        verdict.Unknown(node,
                        absl::StrCat(place,
                                     "; no proof yet that the nodes see each other's "
                                     "files"),
                        ProofFix(one));
    }
  }
}

bool OffTheSpecsMount(const v1::Snapshot& cluster, const v1::NodeSnapshot& node,
                      const v1::DataDirectory& directory, Verdict& verdict) {
  const std::string& wanted = cluster.spec().storage().mount_point();
  if (wanted.empty() || directory.mount_point() == wanted) return false;
  const std::string found = absl::StrCat(directory.path(), " is on ", directory.mount_point());
  if (IsBelow(directory.resolved(), wanted)) {
    verdict.Fail(node.name(), absl::StrCat(found, ": nothing is mounted at ", wanted),
                 absl::StrCat("on NODE: systemctl stop rstudio-connect; ",
                              StartMountCommand(wanted), "; findmnt ", wanted));
  } else {
    verdict.Fail(
        node.name(), absl::StrCat(found, ", not on the file system at ", wanted),
        absl::StrCat("on NODE: set DataDir below ", wanted, " under [Server] in ",
                     ConfigPath(node.facts()), ", then: systemctl restart rstudio-connect"));
  }
  return true;
}

// A directory that need not be configured: where no node has it, the rule does not apply.
v1::Finding OptionalDirectoryIsShared(const v1::Snapshot& cluster, const char* key,
                                      const char* when_unused,
                                      bool (*is_used)(const v1::DataDirectory* directory)) {
  const bool used =
      std::any_of(cluster.nodes().begin(), cluster.nodes().end(),
                  [&](const auto& node) { return is_used(FindDirectory(node.facts(), key)); });
  Verdict verdict;
  std::vector<Located> located;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (StorageUnobserved(node, verdict)) continue;
    const v1::DataDirectory* directory = FindDirectory(node.facts(), key);
    if (!used) {
      verdict.NotApplicable(node.name(), when_unused);
    } else if (directory == nullptr) {
      verdict.Fail(node.name(), absl::StrCat(key, " is not set, elsewhere it is"));
    } else {
      Locate(cluster, node, *directory, located, verdict);
    }
  }
  JudgeSameness(cluster, located, verdict);
  return verdict.Finish();
}

}  // namespace

v1::Finding DataDirIsShared(const v1::Snapshot& cluster) {
  Verdict verdict;
  std::vector<Located> located;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (StorageUnobserved(node, verdict)) continue;
    const v1::DataDirectory* directory = FindDirectory(node.facts(), "Server.DataDir");
    if (directory == nullptr) {
      verdict.Unknown(node.name(), "Server.DataDir was not reported");
    } else if (!OffTheSpecsMount(cluster, node, *directory, verdict)) {
      Locate(cluster, node, *directory, located, verdict);
    }
  }
  JudgeSameness(cluster, located, verdict);
  return verdict.Finish();
}

v1::Finding DatabaseDirIsShared(const v1::Snapshot& cluster) {
  return OptionalDirectoryIsShared(
      cluster, "Database.Dir", "Database.Dir is left at its default, below Server.DataDir",
      [](const v1::DataDirectory* directory) { return directory && !directory->is_default(); });
}

v1::Finding LandingDirIsShared(const v1::Snapshot& cluster) {
  return OptionalDirectoryIsShared(
      cluster, "Server.LandingDir", "Server.LandingDir is not set",
      [](const v1::DataDirectory* directory) { return directory != nullptr; });
}

v1::Finding DataDirOutsideInstall(const v1::Snapshot& cluster) {
  constexpr std::array<const char*, 5> kKeys = {"Server.DataDir", "SQLite.Dir", "Server.TempDir",
                                                "Server.LandingDir", "Database.Dir"};
  Verdict verdict;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (verdict.Unobserved(node, "storage.directories")) continue;
    if (FindDirectory(node.facts(), "Server.DataDir") == nullptr) {
      verdict.Unknown(node.name(), "Server.DataDir was not reported");
      continue;
    }
    bool outside = true;
    for (const char* key : kKeys) {
      const v1::DataDirectory* directory = FindDirectory(node.facts(), key);
      if (directory == nullptr) continue;
      if (!IsBelow(directory->path(), kInstallDirectory) &&
          !IsBelow(directory->resolved(), kInstallDirectory)) {
        continue;
      }
      outside = false;
      verdict.Fail(node.name(),
                   absl::StrCat(key, " ", directory->path(), " is below ", kInstallDirectory,
                                ": Connect does not start"),
                   MoveFix(cluster.spec().storage(), node.facts(), *directory));
    }
    if (outside) verdict.Pass(node.name(), "no data directory is below /opt/rstudio-connect");
  }
  return verdict.Finish();
}

}  // namespace connect_ha
