#include <array>

#include "absl/strings/str_cat.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/share_fix.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/facts_view.h"

namespace connect_ha {
namespace {

// Connect's package owns it, and takes it away when it goes.
constexpr char kInstallDirectory[] = "/opt/rstudio-connect";

}  // namespace

v1::Finding DataDirOutsideInstall(const v1::Snapshot& cluster) {
  constexpr std::array<const char*, 5> kKeys = {"Server.DataDir", "SQLite.Dir", "Server.TempDir",
                                                "Server.LandingDir", "Database.Dir"};
  Verdict verdict;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (verdict.Unobserved(node, "storage.directories")) continue;
    if (FindDirectory(node.facts(), "Server.DataDir") == nullptr) {
      verdict.Unknown(node.name(), "Server.DataDir was not reported");
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
                   MoveFix(cluster, node, *directory));
    }
    if (outside) verdict.Pass(node.name(), "no data directory is below /opt/rstudio-connect");
  }
  return verdict.Finish();
}

}  // namespace connect_ha
