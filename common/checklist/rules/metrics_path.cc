#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/share_fix.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/facts_view.h"
#include "common/checklist/view/located.h"

namespace connect_ha {
namespace {

constexpr char kKey[] = "Metrics.DataPath";

// Places of the metrics directory on network file systems; a local one is a node's own.
std::vector<Located> LocateMetrics(const v1::Snapshot& cluster, Verdict& verdict) {
  std::vector<Located> located;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (StorageUnobserved(node, verdict)) continue;
    if (!ConfigFlag(node.facts(), "Metrics", "Enabled", true)) {
      verdict.NotApplicable(node.name(), "Metrics.Enabled is false");
      continue;
    }
    const v1::DataDirectory* directory = FindDirectory(node.facts(), kKey);
    if (directory == nullptr) {
      verdict.Unknown(node.name(), "Metrics.DataPath was not reported");
      continue;
    }
    const v1::Mount* mount = MountOf(node, *directory, verdict);
    if (mount == nullptr) continue;
    switch (ReachOf(mount->fs_type())) {
      case Reach::kLocal:
        verdict.Pass(node.name(), absl::StrCat(directory->path(), " is on this node's own disk"));
        break;
      case Reach::kUnknown:
        verdict.Unknown(node.name(), UnknownTypeText(*directory, *mount));
        break;
      case Reach::kNetwork:
        located.push_back({&node, directory, PlaceOf(*mount, directory->path_in_source())});
    }
  }
  return located;
}

// The places that nodes have at one path, each with the number of its nodes.
struct AtPath {
  std::map<std::string, std::pair<Place, int>> places;
};

std::string Identity(const Place& place) { return absl::StrCat(place.Text(), " ", place.address); }

std::map<std::string, AtPath> ByPath(const std::vector<Located>& located) {
  std::map<std::string, AtPath> paths;
  for (const Located& one : located) {
    auto& [place, nodes] = paths[one.place.path].places[Identity(one.place)];
    place = one.place;
    ++nodes;
  }
  return paths;
}

// Whether another node has this directory, too; only equal paths can be one.
Sameness SharedWithPeers(const Place& place, const AtPath& at_path) {
  Sameness worst = Sameness::kDifferent;
  for (const auto& [identity, other] : at_path.places) {
    if (identity == Identity(place) && other.second == 1) continue;
    const Sameness same = Same(place, other.first);
    if (same == Sameness::kSame) return same;
    if (same == Sameness::kUnknown) worst = same;
  }
  return worst;
}

Fixes OwnPathFix(const v1::NodeSnapshot& node) {
  return {ByHand(node.name(), SetKeyNote(node.facts(), kKey, "/var/lib/rstudio-connect-metrics")),
          RestartConnect(node.name())};
}

void JudgePlace(const v1::Snapshot& cluster, const Located& one, const AtPath& at_path,
                Verdict& verdict) {
  const std::string& node = one.node->name();
  const std::string what =
      absl::StrCat(one.directory->path(), one.directory->is_default() ? " (the default)" : "");
  const Sameness shared = SharedWithPeers(one.place, at_path);
  if (shared == Sameness::kSame) {
    verdict.Fail(node, absl::StrCat(what, " is one directory for several nodes"),
                 OwnPathFix(*one.node), {v1::PEERS});
  } else if (one.directory->is_default()) {
    verdict.Fail(node,
                 absl::StrCat(what, " lies in the shared data directory, for any node to use"),
                 OwnPathFix(*one.node));
  } else if (shared == Sameness::kUnknown) {
    verdict.Unknown(node, absl::StrCat(what, " may be another node's too (", one.place.Text(), ")"),
                    OwnPathFix(*one.node));
  } else if (cluster.nodes_size() == 1 && cluster.nodes_left_out() == 0) {
    verdict.Pass(node, absl::StrCat(what, " is not the default; no other node to compare it with"));
  } else {
    verdict.Pass(node, absl::StrCat(what, " is this node's own"));
  }
}

}  // namespace

v1::Finding MetricsPathIsUnique(const v1::Snapshot& cluster) {
  Verdict verdict;
  const std::vector<Located> located = LocateMetrics(cluster, verdict);
  const std::map<std::string, AtPath> paths = ByPath(located);
  for (const Located& one : located) JudgePlace(cluster, one, paths.at(one.place.path), verdict);
  return verdict.Finish("every node writes its metrics to a place of its own");
}

}  // namespace connect_ha
