#include "coordinator/identity/example_spec.h"

#include "absl/strings/str_cat.h"

namespace connect_ha {
namespace {

constexpr char kProve[] = R"(
# That the nodes share one file system and one database is proved by what they see of each other.
# storage: each agent keeps a small file in the shared directories (below .connect-ha), written anew
# every 30 s, and on each of their mounts works on another one every minute. database: each agent
# keeps one idle connection that holds an advisory lock. Without this line none of that is done, and
# the checklist cannot tell. The cluster's mark (.connect-ha/cluster in the data directory) is
# written for storage: true and for enforcement: enforce, where storage names a mount_point.
prove: {storage: true, database: true}
)";

constexpr char kRest[] = R"(
# What is left out is not judged against a wanted value; the nodes are only compared with each
# other. After a change: connect-ha check-config, then connect-ha apply

# observe: report what differs. enforce: bring nodes on which Connect does not run to what stands
# here, into service, and take out of it what must not serve (connect-ha plan); connect-ha apply
# shows what that would change before it does.
#enforcement: observe

# The version of Posit Connect that every node runs.
#connect:
#  version: 2024.08.0
#  # Installed, configured and licensed, too (the files stand beside this one):
#  package:
#    url: https://cdn.posit.co/connect/2024.08/rstudio-connect_2024.08.0~ubuntu22_amd64.deb
#    sha256: "0000000000000000000000000000000000000000000000000000000000000000"  # sha256sum FILE
#  config: rstudio-connect.gcfg  # ${node.name} and ${secret.NAME} are filled in on the node
#  license: {file: connect.lic}
#  allow_downgrade: false  # true: replace a newer version that is installed, too

# Where each node finds what ${secret.NAME} stands for; the values are never here.
#secrets:
#  db_password: {file: /etc/connect-ha/secrets/db_password}  # on the node, root's alone
#  # or a systemd credential of the agent's service, which on each node
#  # `systemctl edit connect-ha-agent` gives it: [Service] LoadCredential=smtp_password:PATH
#  smtp_password: {credential: smtp_password}

# What every node runs, as its os-release and uname -m say. Left out: what Connect is built for.
#platform: {os_id: ubuntu, os_version: "22.04", architecture: x86_64}

# Exactly these versions, on every node. To have them installed, give each a package (Quarto: an
# archive) as Connect's above.
#runtimes:
#  r:      [{version: 4.3.3}]
#  python: [{version: 3.11.9}]
#  quarto: [{version: 1.5.57}]
#  prune: false  # true: versions that a list above does not name are removed

# How packages and archives are fetched. Through a proxy: on each node,
# `systemctl edit connect-ha-agent`: [Service] Environment=https_proxy=http://HOST:PORT
#downloads:
#  allow_http: false        # true: http:// addresses, too
#  allow_file: false        # true: file:/// addresses, too, below each node's own artifact_dir
#  limit_bytes: 4294967296  # the largest that is fetched
#  cache_bytes: 8589934592  # of what was fetched, so much is kept on each node

# Accounts that run content have the same ids everywhere.
#accounts:
#  rstudio-connect: {uid: 999, gid: 999}

# Where the shared file system is mounted, and which one it is.
#storage:
#  mount_point: /mnt/connect
#  efs: {file_system: fs-0123456789abcdef0, region: us-east-1}
#  # or: nfs: {server: nfs.example.com, export: /connect}
#  encrypted_in_transit: false  # true: ask for TLS between the nodes and the file system
#  # Of EFS, TLS needs amazon-efs-utils, as iam: true and access_point: fsap-... beside region do.
#  efs_utils:
#    url: https://packages.example.internal/amazon-efs-utils_3.2.0_all.deb
#    sha256: "1111111111111111111111111111111111111111111111111111111111111111"
#  # Connect's data directory, where it has to be made.
#  owner: {user: root, group: root, mode: "0755"}

#database:
#  major_version: 15
#  minimum_minor_version: 8  # 15.8 or later
#  # Run on the coordinator's host before another version of Connect may migrate the database: a
#  # file in /etc/connect-ha/backup.d, root's. Where it fails, or takes longer, nothing is changed.
#  backup_before_migration: {command: pg-dump, deadline: 30m}

# So many nodes go on serving when one is taken out of service, at the least; rules fence so many in
# an hour, and then a person is asked.
#nodes: {minimum_serving: 1, fences_per_hour: 1}

# The load balancer: its address, through which connect-ha looks whether sessions stay on one node
# and which nodes answer; with sticky: false they need not stay. And whom its health check asks.
# gate: each agent, port 3938, /healthz. connect: Connect's /__ping__; then only a stopped Connect
# leaves service.
#load_balancer:
#  url: https://connect.example.com
#  sticky: true
#  health_check: gate

# How a change is made to a cluster that serves: how long users of a node that is drained have
# before Connect is stopped there; how many nodes are out at once for a change that goes from node
# to node; how often in an hour Connect is restarted for what differs on a node that had been right;
# and when Connect may be stopped on all nodes (for another version, database or data directory)
# without connect-ha approve. The window: days, or none for every day, times, and a time zone.
#rollout:
#  drain_timeout: 5m
#  max_unavailable: 1
#  restarts_per_hour: 2
#  maintenance_window: "Sun 02:00-04:00 Europe/Berlin"

# What an item of the checklist does where it fails, if not what connect-ha rules says: tell, hold,
# close or fence; and how long it must have failed, and held again, before that.
#rules:
#  clocks-are-synchronised: {action: tell, fail_after: 30s, pass_after: 1m}

# When the defaults do not suit.
#limits:
#  stale_after: 30s
#  clock_offset: 1s
#  database_stage: 2s  # for each step of a connection to the database
#  disk_used_percent: 90
#  license_days_left: 14
)";

}  // namespace

std::string ExampleSpec(const std::string& cluster) {
  return absl::StrCat(
      "# What this Posit Connect cluster is to be. The coordinator takes it when it first "
      "starts;\n# from then on `connect-ha apply` puts what is written here into "
      "force.\n",
      "cluster: ", cluster, "\n", kProve, kRest);
}

}  // namespace connect_ha
