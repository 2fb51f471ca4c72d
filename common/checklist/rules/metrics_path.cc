#include <map>

#include "absl/strings/str_cat.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/facts_view.h"
#include "common/checklist/view/located.h"

namespace connect_ha {
namespace {

// Places of the metrics directory on network file systems; a local one is a node's own.
std::vector<Located> LocateMetrics(const v1::Snapshot& cluster, Verdict& verdict) {
  std::vector<Located> located;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (StorageUnobserved(node, verdict)) continue;
    if (const auto why = WhyConfigurationUnknown(node.facts())) {
      verdict.Unknown(node.name(), *why);
      continue;
    }
    if (!ConfigFlag(node.facts(), "Metrics", "Enabled", true)) {
      verdict.NotApplicable(node.name(), "Metrics.Enabled is false");
      continue;
    }
    const v1::DataDirectory* directory = FindDirectory(node.facts(), "Metrics.DataPath");
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

// How many nodes have a place, and a path on whatever server.
struct Crowd {
  std::map<std::string, int> at_place;
  std::map<std::string, int> at_path;
  std::map<std::string, int> at_path_unnamed;
};

Crowd Count(const std::vector<Located>& located) {
  Crowd crowd;
  for (const Located& one : located) {
    ++crowd.at_place[one.place.Text()];
    ++crowd.at_path[one.place.path];
    if (!one.place.server_is_named) ++crowd.at_path_unnamed[one.place.path];
  }
  return crowd;
}

// Only equal paths can be one directory; servers that have no comparable name may be one server.
Sameness SharedWithPeers(const Located& one, const Crowd& crowd) {
  const Place& place = one.place;
  if (crowd.at_place.at(place.Text()) > 1) return Same(place, place);
  const bool has_unnamed = crowd.at_path_unnamed.count(place.path) > 0;
  const bool unclear = !place.server_is_named ? crowd.at_path.at(place.path) > 1 : has_unnamed;
  return unclear ? Sameness::kUnknown : Sameness::kDifferent;
}

}  // namespace

v1::Finding MetricsPathIsUnique(const v1::Snapshot& cluster) {
  Verdict verdict;
  const std::vector<Located> located = LocateMetrics(cluster, verdict);
  const Crowd crowd = Count(located);
  for (const Located& one : located) {
    const std::string what =
        absl::StrCat(one.directory->path(), one.directory->is_default() ? " (the default)" : "");
    switch (SharedWithPeers(one, crowd)) {
      case Sameness::kSame:
        verdict.Fail(one.node->name(), absl::StrCat(what, " is one directory for several nodes"));
        break;
      case Sameness::kUnknown:
        verdict.Unknown(one.node->name(),
                        absl::StrCat(what, " may be another node's too (", one.place.Text(), ")"));
        break;
      case Sameness::kDifferent:
        if (one.directory->is_default()) {
          verdict.Fail(
              one.node->name(),
              absl::StrCat(what, " lies in the shared data directory, for any node to use"));
          break;
        }
        verdict.Pass(
            one.node->name(),
            cluster.nodes_size() == 1
                ? absl::StrCat(what, " is not the default; no other node to compare it with")
                : absl::StrCat(what, " is this node's own"));
    }
  }
  return verdict.Finish("every node writes its metrics to a place of its own");
}

}  // namespace connect_ha
