#include "coordinator/pki/example_spec.h"

#include "absl/strings/str_cat.h"

namespace connect_ha {
namespace {

constexpr char kRest[] = R"(
# What is left out is not judged against a wanted value; the nodes are only compared with each
# other. After a change: connect-ha check-config

# The version of Posit Connect that every node runs.
#connect:
#  version: 2024.08.0

# Exactly these versions, on every node.
#runtimes:
#  r:      [{version: 4.3.3}]
#  python: [{version: 3.11.9}]
#  quarto: [{version: 1.5.57}]

# Accounts that run content have the same ids everywhere.
#accounts:
#  rstudio-connect: {uid: 999, gid: 999}

# Where the shared file system is mounted, and which one it is.
#storage:
#  mount_point: /mnt/connect
#  efs: {file_system: fs-0123456789abcdef0, region: us-east-1}
#  # or: nfs: {server: nfs.example.com, export: /connect}

#database:
#  major_version: 15

# When the defaults do not suit.
#limits:
#  stale_after: 30s
#  clock_offset: 1s
#  disk_used_percent: 90
#  license_days_left: 14
)";

}  // namespace

std::string ExampleSpec(const std::string& cluster) {
  return absl::StrCat("# What this Posit Connect cluster is to be. `connect-ha serve` reads it.\n",
                      "cluster: ", cluster, "\n", kRest);
}

}  // namespace connect_ha
