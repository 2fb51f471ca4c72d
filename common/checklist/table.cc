#include <initializer_list>
#include <string>
#include <unordered_map>

#include "common/checklist/rule.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/view/facts_view.h"

namespace connect_ha {
namespace {

using v1::ADVICE;
using v1::CLOSE;
using v1::DATA;
using v1::FENCE;
using v1::HOLD;
using v1::SERVICE;
using v1::TELL;

constexpr Source kHa = Source::kHaGuide;
constexpr Source kRa = Source::kReferenceArchitecture;
constexpr Source kDoc = Source::kAdminGuide;
constexpr Source kOps = Source::kOperations;
constexpr Source kOwn = Source::kConnectHa;

constexpr char kCluster[] = "cluster";
constexpr char kConfiguration[] = "configuration";
constexpr char kStorage[] = "storage";
constexpr char kDatabase[] = "database";
constexpr char kConnect[] = "Connect";
constexpr char kRuntimes[] = "runtimes";

// What one node alone shows of a rule: all of it, or nothing.
constexpr char kAll[] = "";
constexpr const char* kNothing = nullptr;

DefaultFix Type(const char* command, const char* note = "") { return {command, note}; }
DefaultFix ByHand(const char* note) { return {"", note}; }

// What nothing else is judged without, then what the rule needs beside it. A node that does not
// say which machine it is can be looked at all the same.
std::vector<Need> Needs(std::initializer_list<Need> more = {}) {
  std::vector<Need> needs = {{"facts-are-fresh"}, {"nodes-are-distinct", /*unless_it_fails=*/true}};
  needs.insert(needs.end(), more);
  return needs;
}

// Of a rule that counts machines.
std::vector<Need> NeedsMachines() {
  return {{"facts-are-fresh"}, {"nodes-are-distinct"}, {"service-is-healthy"}};
}

std::vector<Need> NeedsConfiguration() { return Needs({{"configuration-is-valid"}}); }

std::vector<Need> NeedsMount() {
  return Needs({{"configuration-is-valid"}, {"data-dir-outside-install"}, {"storage-is-mounted"}});
}

std::vector<Need> NeedsStorage() {
  std::vector<Need> needs = NeedsMount();
  needs.push_back({"storage-is-alive"});
  return needs;
}

std::vector<Need> NeedsWork() {
  std::vector<Need> needs = NeedsStorage();
  needs.push_back({"storage-works", /*unless_it_fails=*/true});
  return needs;
}

// A key that cannot be read, on a file system that lets root do less than it must.
std::vector<Need> NeedsReadableKey() {
  const auto unread = [](const v1::Facts& facts) {
    return WhyUnobserved(facts, "encryption_key.fingerprint").has_value();
  };
  return Needs({{"configuration-is-valid"},
                {"data-dir-outside-install"},
                {"storage-is-mounted"},
                {"storage-is-alive"},
                {"storage-works", /*unless_it_fails=*/true, unread},
                {"storage-allows-ownership", /*unless_it_fails=*/true, unread},
                {"data-dir-is-shared", /*unless_it_fails=*/true},
                {"database-dir-is-shared", /*unless_it_fails=*/true}});
}

// The database's password may need the key, which may be on the shared file system.
std::vector<Need> NeedsPassword() {
  const auto unasked = [](const v1::Facts& facts) {
    return WhyUnobserved(facts, "database").has_value();
  };
  return Needs({{"configuration-is-valid"},
                {"database-is-postgres"},
                {"storage-is-alive", /*unless_it_fails=*/true, unasked},
                {"storage-works", /*unless_it_fails=*/true, unasked},
                {"storage-allows-ownership", /*unless_it_fails=*/true, unasked}});
}

// A Connect that is bound to its mount is stopped with it.
std::vector<Need> NeedsWhatConnectIsBoundTo() {
  const auto stopped = [](const v1::Facts& facts) {
    return facts.connect().unit().binds_to_mounts_size() > 0 && !IsRunning(facts);
  };
  return Needs(
      {{"configuration-is-valid"}, {"storage-is-mounted", /*unless_it_fails=*/true, stopped}});
}

std::vector<Need> NeedsDatabase() {
  return Needs({{"configuration-is-valid"}, {"database-is-postgres"}, {"database-reachable"}});
}

// What is not so on a standby follows from being there.
std::vector<Need> NeedsPrimary() {
  std::vector<Need> needs = NeedsDatabase();
  needs.push_back({"database-is-writable", /*unless_it_fails=*/true});
  return needs;
}

}  // namespace

const std::vector<Rule>& Rules() {
  // id, title, group, class, action, source, item, fix, what of it one node shows, needs, function
  static const auto& rules = *new std::vector<Rule>{
      {"facts-are-fresh",
       "Every node reports",
       kCluster,
       SERVICE,
       TELL,
       kOwn,
       "-",
       Type("systemctl status connect-ha-agent"),
       kNothing,
       {},
       FactsAreFresh},
      {"nodes-are-distinct",
       "Each name is one live machine",
       kCluster,
       DATA,
       HOLD,
       kOwn,
       "-",
       ByHand("stop the machine that is not meant; connect-ha nodes shows them"),
       kNothing,
       {{"facts-are-fresh"}},
       NodesAreDistinct},
      {"probes-finish", "Every look at a node comes to an end", kCluster, SERVICE, TELL, kOwn, "-",
       Type("ps -eo pid,stat,wchan:32,args | grep ' D'"), kNothing, Needs(), ProbesFinish},
      {"platform-matches", "Nodes have one supported distribution and architecture", kCluster,
       SERVICE, HOLD, kRa, "RA",
       ByHand("replace the node by one with the system that the others have"),
       "The distribution, release and architecture are supported", Needs(), PlatformMatches},
      {"clocks-are-synchronised", "Clocks agree with each other and with the database", kCluster,
       DATA, CLOSE, kHa, "HA limits", Type("timedatectl set-ntp true"),
       "The clock is kept right, and agrees with the database", Needs(), ClocksAreSynchronised},

      {"configuration-is-valid", "Connect can read its configuration", kConfiguration, SERVICE,
       HOLD, kDoc, "DOC", Type("connect-ha-agent check-config"), kAll, Needs(),
       ConfigurationIsValid},
      {"configuration-is-protected", "Only root can read the configuration (0600)", kConfiguration,
       SERVICE, TELL, kDoc, "DOC", Type("chmod 0600 /etc/rstudio-connect/rstudio-connect.gcfg"),
       kAll, NeedsConfiguration(), ConfigurationIsProtected},
      {"configuration-matches",
       "Nodes have the same configuration where they must",
       kConfiguration,
       SERVICE,
       HOLD,
       kRa,
       "RA",
       ByHand("connect-ha diff shows what differs"),
       "The configuration can be read in full",
       NeedsConfiguration(),
       ConfigurationMatches,
       /*some_suffice=*/false,
       {"database-is-same", ConfigurationMatchesBut}},
      {"accounts-match", "Accounts that run content have the same uid and gid", kConfiguration,
       DATA, CLOSE, kHa, "HA limits", Type("getent passwd rstudio-connect"),
       "Accounts that run content exist, with the wanted uid and gid", NeedsConfiguration(),
       AccountsMatch},

      {"data-dir-outside-install", "No data directory is below /opt/rstudio-connect", kStorage,
       SERVICE, HOLD, kDoc, "DOC", ByHand("connect-ha facts shows the directories"), kAll,
       NeedsConfiguration(), DataDirOutsideInstall},
      {"storage-is-mounted", "The shared file system is mounted, and will be after a boot",
       kStorage, DATA, FENCE, kRa, "RA", Type("findmnt"), kAll,
       Needs({{"configuration-is-valid"}, {"data-dir-outside-install"}}), StorageIsMounted},
      {"storage-is-alive", "The shared file system answers", kStorage, SERVICE, CLOSE, kOps, "OPS",
       Type("findmnt"), kAll, NeedsMount(), StorageIsAlive},
      {"storage-works", "Work on the shared file system succeeds, and in time", kStorage, SERVICE,
       CLOSE, kOps, "OPS", Type("findmnt"), kNothing, NeedsStorage(), StorageWorks},
      {"storage-allows-ownership", "Root may change owners below the data directory", kStorage,
       DATA, HOLD, kOps, "OPS", Type("findmnt"), kNothing, NeedsWork(), StorageAllowsOwnership},
      {"storage-options", "The shared file system has the right mount options", kStorage, SERVICE,
       TELL, kRa, "RA, OPS", Type("findmnt"), kAll, NeedsMount(), StorageOptions},
      {"storage-reads-ahead", "The kernel reads as far ahead as EFS wants", kStorage, ADVICE, TELL,
       kOps, "OPS", Type("findmnt"), kAll, NeedsMount(), StorageReadsAhead},
      {"storage-has-room", "The shared file system has room", kStorage, ADVICE, TELL, kOps, "OPS",
       Type("findmnt"), kAll, NeedsWork(), StorageHasRoom},
      {"storage-is-encrypted-in-transit", "Traffic to the file system is encrypted, where asked",
       kStorage, ADVICE, TELL, kRa, "RA",
       ByHand("mount it by amazon-efs-utils with the option tls"), kAll, NeedsMount(),
       StorageIsEncryptedInTransit},
      {"no-mount-is-left-over", "No mount of the agent's own is left from an older specification",
       kStorage, ADVICE, TELL, kOwn, "-", Type("systemctl list-unit-files --type=mount"), kNothing,
       Needs(), NoMountIsLeftOver},
      {"data-dir-is-shared", "The data directory is one file system on every node", kStorage, DATA,
       FENCE, kHa, "HA 3", Type("findmnt"),
       "The data directory is on a file system that nodes can share", NeedsWork(), DataDirIsShared},
      {"database-dir-is-shared", "Database.Dir, if set, is shared", kStorage, DATA, FENCE, kHa,
       "HA 4", ByHand("set Database.Dir as it is on the other nodes"),
       "Database.Dir, if set, is where nodes can share it", NeedsWork(), DatabaseDirIsShared},
      {"landing-dir-is-shared", "Server.LandingDir, if set, is shared", kStorage, SERVICE, HOLD,
       kHa, "HA 5", ByHand("set Server.LandingDir as it is on the other nodes"),
       "Server.LandingDir, if set, is where nodes can share it", NeedsWork(), LandingDirIsShared},
      {"metrics-path-is-unique", "Every node has a Metrics.DataPath of its own", kStorage, SERVICE,
       HOLD, kHa, "HA 6",
       ByHand("set DataPath under [Metrics] to a directory on the node's own disk"),
       "Metrics.DataPath is not left in the shared data directory", NeedsStorage(),
       MetricsPathIsUnique},
      {"encryption-key-matches", "Every node has the same encryption key, mode 0600", kStorage,
       DATA, FENCE, kDoc, "DOC", ByHand("connect-ha facts shows how the key is given"),
       "The encryption key is given once, mode 0600", NeedsReadableKey(), EncryptionKeyMatches},

      {"database-is-postgres", "Connect uses PostgreSQL", kDatabase, DATA, FENCE, kHa, "HA 2",
       ByHand("set Provider = postgres under [Database]"), kAll, NeedsConfiguration(),
       DatabaseIsPostgres},
      {"database-reachable", "Every node reaches the database in time", kDatabase, SERVICE, HOLD,
       kRa, "RA", Type("connect-ha-agent facts"), "This node reaches the database in time",
       NeedsPassword(), DatabaseReachable},
      {"database-is-writable", "Every node is connected to the primary database", kDatabase, DATA,
       HOLD, kRa, "RA", ByHand("set Postgres.URL to the primary's endpoint"),
       "This node is connected to the primary database", NeedsDatabase(), DatabaseIsWritable},
      {"database-is-same", "Every node uses the same database", kDatabase, DATA, FENCE, kHa, "HA 2",
       ByHand("set Postgres.URL as it is on the other nodes"), kNothing, NeedsPrimary(),
       DatabaseIsSame},
      {"database-is-ours", "The database is Connect's own, and it may make tables there", kDatabase,
       SERVICE, HOLD, kDoc, "DOC",
       ByHand("give Connect a database of its own, in which its account may make tables"), kAll,
       NeedsDatabase(), DatabaseIsOurs},
      {"database-version-supported", "The database has a supported version", kDatabase, SERVICE,
       HOLD, kRa, "RA",
       ByHand("upgrade the database, or correct database.major_version in cluster.yaml"), kAll,
       NeedsDatabase(), DatabaseVersionSupported},
      {"database-connection-encrypted", "Connections to the database are encrypted and verified",
       kDatabase, SERVICE, TELL, kRa, "RA", ByHand("put sslmode=verify-full into Postgres.URL"),
       kAll, NeedsDatabase(), DatabaseConnectionEncrypted},
      {"database-headroom", "The database has connections left for every node", kDatabase, ADVICE,
       TELL, kOps, "OPS",
       ByHand("raise max_connections of the database, or set MaxOpenConnections under [Postgres] "
              "on every node"),
       kNothing, NeedsDatabase(), DatabaseHeadroom},

      {"connect-version-matches", "Every node has and runs the same version of Connect", kConnect,
       DATA, FENCE, kHa, "HA 1, RA", Type("apt-cache policy rstudio-connect"),
       "This node has and runs one version of Connect, as wanted", Needs(), ConnectVersionMatches},
      {"connect-files-intact", "Connect's package files are unmodified", kConnect, SERVICE, HOLD,
       kOps, "OPS", Type("dpkg --verify rstudio-connect"), kAll, Needs(), ConnectFilesIntact},
      {"configuration-is-applied", "Connect runs with its present configuration", kConnect, SERVICE,
       TELL, kDoc, "DOC", Type("systemctl status rstudio-connect"), kAll, NeedsConfiguration(),
       ConfigurationIsApplied},
      {"license-is-valid", "The licence is active and not about to expire", kConnect, SERVICE, HOLD,
       kDoc, "DOC", Type("/opt/rstudio-connect/bin/license-manager status"), kAll, Needs(),
       LicenseIsValid},
      {"boot-is-guarded", "A boot starts Connect only after its file systems are mounted", kConnect,
       DATA, HOLD, kOps, "OPS", Type("systemctl cat rstudio-connect"), kAll, NeedsConfiguration(),
       BootIsGuarded},
      {"service-is-healthy", "Connect is enabled, active and answers", kConnect, SERVICE, CLOSE,
       kDoc, "DOC", Type("systemctl status rstudio-connect"), kAll, NeedsWhatConnectIsBoundTo(),
       ServiceIsHealthy},
      {"at-least-two-nodes", "Two or more nodes serve", kCluster, SERVICE, TELL, kRa, "RA",
       ByHand("start Connect on another node, or add a node: connect-ha token create"), kNothing,
       NeedsMachines(), AtLeastTwoNodes, /*some_suffice=*/true},
      {"nodes-span-zones", "Nodes run in two or more availability zones", kCluster, SERVICE, TELL,
       kRa, "RA", ByHand("add a node in another zone: connect-ha token create"), kNothing,
       NeedsMachines(), NodesSpanZones, /*some_suffice=*/true},
      {"load-balancer-is-sticky", "Behind the load balancer a session keeps to its node", kCluster,
       SERVICE, TELL, kHa, "HA 7", ByHand("look at the balancer's stickiness"), kNothing, Needs(),
       LoadBalancerIsSticky, /*some_suffice=*/true},
      {"load-balancer-reaches-nodes", "The load balancer reaches the nodes that serve, no other",
       kCluster, SERVICE, TELL, kRa, "RA", ByHand("look at the balancer's targets"), kNothing,
       Needs(), LoadBalancerReachesNodes},

      {"runtimes-match-r", "Every node has the same R versions, intact and working", kRuntimes,
       SERVICE, HOLD, kRa, "RA", Type("ls -l /opt/R"),
       "R is intact and works, in the wanted versions", NeedsConfiguration(), RuntimesMatchR},
      {"runtimes-match-python", "Every node has the same Python versions, intact and working",
       kRuntimes, SERVICE, HOLD, kRa, "RA", Type("ls -l /opt/python"),
       "Python is intact and works, in the wanted versions", NeedsConfiguration(),
       RuntimesMatchPython},
      {"runtimes-match-quarto", "Every node has the same Quarto versions, intact and working",
       kRuntimes, SERVICE, HOLD, kRa, "RA", Type("ls -l /opt/quarto"),
       "Quarto is intact and works, in the wanted versions", NeedsConfiguration(),
       RuntimesMatchQuarto},

      {"disk-has-room", "Local disks have room", kCluster, ADVICE, TELL, kOps, "OPS", Type("df -h"),
       kAll, Needs(), DiskHasRoom},
      {"agent-version-matches", "Agents and coordinator have one version", kCluster, ADVICE, TELL,
       kOwn, "-", Type("systemctl restart connect-ha-agent"), kNothing, Needs(),
       AgentVersionMatches},
  };
  return rules;
}

// Asked of each rule on each node by every decision.
const Rule* FindRule(const std::string& id) {
  static const auto& by_id = *[] {
    auto* rules = new std::unordered_map<std::string, const Rule*>;
    for (const Rule& rule : Rules()) rules->emplace(rule.id, &rule);
    return rules;
  }();
  const auto found = by_id.find(id);
  return found == by_id.end() ? nullptr : found->second;
}

}  // namespace connect_ha
