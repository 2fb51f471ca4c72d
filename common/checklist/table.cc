#include "common/checklist/rule.h"
#include "common/checklist/rules/rules.h"

namespace connect_ha {
namespace {

// What one node alone shows of a rule: all of it, or nothing.
constexpr char kAll[] = "";
constexpr const char* kNothing = nullptr;

constexpr char kRestart[] = "on NODE: systemctl restart rstudio-connect";

}  // namespace

const std::vector<Rule>& Rules() {
  using v1::ADVICE;
  using v1::DATA;
  using v1::SERVICE;
  constexpr Source kHa = Source::kHaGuide;
  constexpr Source kRa = Source::kReferenceArchitecture;
  constexpr Source kDoc = Source::kAdminGuide;
  constexpr Source kOps = Source::kOperations;
  constexpr Source kOwn = Source::kConnectHa;

  // id, title, class, source, item, fix, what of it one node shows, function
  static const auto& rules = *new std::vector<Rule>{
      {"facts-are-fresh", "Every node reports", SERVICE, kOwn, "-",
       "on NODE: systemctl status connect-ha-agent", kNothing, FactsAreFresh},
      {"nodes-are-distinct", "Each name is one live machine", DATA, kOwn, "-",
       "stop the machine that is not NODE: connect-ha nodes", kNothing, NodesAreDistinct},
      {"at-least-two-nodes", "Two or more nodes serve", SERVICE, kRa, "RA",
       "start Connect on another node: systemctl start rstudio-connect, or add one: connect-ha "
       "token create",
       kNothing, AtLeastTwoNodes},
      {"nodes-span-zones", "Nodes run in two or more availability zones", SERVICE, kRa, "RA",
       "add a node in another zone: connect-ha token create", kNothing, NodesSpanZones},
      {"platform-matches", "One supported distribution, release and architecture", SERVICE, kRa,
       "RA", "replace NODE by one with the system that the others have: connect-ha token create",
       "The distribution, release and architecture are supported", PlatformMatches},

      {"connect-version-matches", "Every node has and runs the same version of Connect", DATA, kHa,
       "HA 1, RA", kRestart, "This node has and runs one version of Connect, as wanted",
       ConnectVersionMatches},
      {"connect-files-intact", "Connect's files are as shipped", SERVICE, kOps, "OPS",
       "on NODE: dpkg --verify rstudio-connect; apt-get install --reinstall rstudio-connect (it "
       "restarts Connect)",
       kAll, ConnectFilesIntact},
      {"service-is-healthy", "Connect is enabled, active and answers", SERVICE, kDoc, "DOC",
       "on NODE: systemctl status rstudio-connect", kAll, ServiceIsHealthy},
      {"license-is-valid", "The licence is activated and lasts", SERVICE, kDoc, "DOC",
       "on NODE: install -m 0600 -o root -g root NEW.lic /var/lib/rstudio-connect/ (and remove "
       "the old one), then: systemctl restart rstudio-connect",
       kAll, LicenseIsValid},
      {"boot-is-guarded", "A boot starts Connect only after its file system is mounted", DATA, kOps,
       "OPS", "on NODE: systemctl cat rstudio-connect", kAll, BootIsGuarded},

      {"configuration-matches", "The configuration is the same, but for keys that may differ",
       SERVICE, kRa, "RA", "connect-ha facts NODE", "The configuration can be read in full",
       ConfigurationMatches},
      {"configuration-is-applied", "Connect was started after its configuration changed", SERVICE,
       kDoc, "DOC", kRestart, kAll, ConfigurationIsApplied},
      {"configuration-is-protected", "The configuration is root's alone (0600)", SERVICE, kDoc,
       "DOC", "on NODE: chmod 0600 /etc/rstudio-connect/rstudio-connect.gcfg", kAll,
       ConfigurationIsProtected},
      {"encryption-key-matches", "Every node has the same encryption key, mode 0600", DATA, kDoc,
       "DOC", "on NODE: connect-ha-agent facts", "The encryption key is given once, mode 0600",
       EncryptionKeyMatches},
      {"accounts-match", "Accounts that run content have the same uid and gid", DATA, kHa,
       "HA limits", "on NODE: getent passwd rstudio-connect",
       "Accounts that run content are there, with the wanted uid and gid", AccountsMatch},
      {"clocks-are-synchronised", "Clocks agree with each other and with the database", DATA, kHa,
       "HA limits", "on NODE: timedatectl set-ntp true",
       "The clock is kept right, and agrees with the database", ClocksAreSynchronised},

      {"database-is-postgres", "Connect uses PostgreSQL", DATA, kHa, "HA 2", kRestart, kAll,
       DatabaseIsPostgres},
      {"database-reachable", "Every node reaches the database in time", SERVICE, kRa, "RA",
       "on NODE: connect-ha-agent facts", "This node reaches the database in time",
       DatabaseReachable},
      {"database-is-same", "Every node uses the same database", DATA, kHa, "HA 2",
       "set Postgres.URL on NODE as it is elsewhere, then: systemctl restart rstudio-connect",
       kNothing, DatabaseIsSame},
      {"database-is-writable", "Every node reached the writer", DATA, kRa, "RA",
       "on NODE: set Postgres.URL to the writer's endpoint, then: systemctl restart "
       "rstudio-connect",
       "This node reached the writer", DatabaseIsWritable},
      {"database-version-supported", "The database has the wanted version", SERVICE, kRa, "RA",
       "upgrade the database, or correct database.major_version in cluster.yaml", kAll,
       DatabaseVersionSupported},
      {"database-connection-encrypted", "Connections to the database are encrypted and verified",
       SERVICE, kRa, "RA", "on NODE: put sslmode=verify-full into Postgres.URL", kAll,
       DatabaseConnectionEncrypted},
      {"database-headroom", "The database has connections left for every node", ADVICE, kOps, "OPS",
       "raise max_connections of the database, or set MaxOpenConnections under [Postgres] on "
       "every node",
       kNothing, DatabaseHeadroom},

      {"storage-is-mounted", "The shared file system is mounted, and again after a boot", DATA, kRa,
       "RA", "on NODE: findmnt", kAll, StorageIsMounted},
      {"storage-is-alive", "The shared file system answers", SERVICE, kOps, "OPS",
       "on NODE: findmnt (and look at the file system's server)", kAll, StorageIsAlive},
      {"storage-options", "The shared file system has the right mount options", SERVICE, kRa,
       "RA, OPS", "on NODE: findmnt", kAll, StorageOptions},
      {"storage-is-encrypted-in-transit", "Traffic to the file system is encrypted, where asked",
       ADVICE, kRa, "RA",
       "on NODE: mount it with amazon-efs-utils and the option tls, then: systemctl restart "
       "rstudio-connect",
       kAll, StorageIsEncryptedInTransit},
      {"data-dir-is-shared", "The data directory is one file system on every node", DATA, kHa,
       "HA 3", "on NODE: findmnt", "The data directory is on a file system that nodes can share",
       DataDirIsShared},
      {"database-dir-is-shared", "Database.Dir, if set, is shared", DATA, kHa, "HA 4",
       "set Database.Dir on NODE as it is elsewhere, then: systemctl restart rstudio-connect",
       "Database.Dir, if set, is where nodes can share it", DatabaseDirIsShared},
      {"landing-dir-is-shared", "Server.LandingDir, if set, is shared", SERVICE, kHa, "HA 5",
       "set Server.LandingDir on NODE as it is elsewhere, then: systemctl restart rstudio-connect",
       "Server.LandingDir, if set, is where nodes can share it", LandingDirIsShared},
      {"metrics-path-is-unique", "Metrics.DataPath is each node's own", SERVICE, kHa, "HA 6",
       "on NODE: set DataPath under [Metrics] to a directory on its own disk, then: systemctl "
       "restart rstudio-connect",
       "Metrics.DataPath is not left in the shared data directory", MetricsPathIsUnique},
      {"data-dir-outside-install", "No data directory is below /opt/rstudio-connect", SERVICE, kDoc,
       "DOC", "on NODE: connect-ha-agent facts", kAll, DataDirOutsideInstall},

      {"runtimes-match-r", "Every node has the same R versions, intact and working", SERVICE, kRa,
       "RA", "on NODE: ls -l /opt/R /opt/python /opt/quarto",
       "R is intact and works, in the wanted versions", RuntimesMatchR},
      {"runtimes-match-python", "Every node has the same Python versions, intact and working",
       SERVICE, kRa, "RA", "on NODE: ls -l /opt/R /opt/python /opt/quarto",
       "Python is intact and works, in the wanted versions", RuntimesMatchPython},
      {"runtimes-match-quarto", "Every node has the same Quarto versions, intact and working",
       SERVICE, kRa, "RA", "on NODE: ls -l /opt/R /opt/python /opt/quarto",
       "Quarto is intact and works, in the wanted versions", RuntimesMatchQuarto},

      {"disk-has-room", "Local disks have room", ADVICE, kOps, "OPS", "on NODE: df -h", kAll,
       DiskHasRoom},
      {"agent-version-matches", "Agents and coordinator have one version", ADVICE, kOwn, "-",
       "on NODE: systemctl restart connect-ha-agent", kNothing, AgentVersionMatches},
  };
  return rules;
}

const Rule* FindRule(const std::string& id) {
  for (const Rule& rule : Rules()) {
    if (rule.id == id) return &rule;
  }
  return nullptr;
}

}  // namespace connect_ha
