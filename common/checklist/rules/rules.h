// The functions of the table's rows; what each must show is said in table.cc.
#pragma once

#include <set>
#include <string>

#include "connect_ha/v1/checklist.pb.h"

namespace connect_ha {

// versions.cc
v1::Finding ConnectVersionMatches(const v1::Snapshot& cluster);
v1::Finding ConnectFilesIntact(const v1::Snapshot& cluster);
v1::Finding AgentVersionMatches(const v1::Snapshot& cluster);

// database/server.cc
v1::Finding DatabaseIsPostgres(const v1::Snapshot& cluster);
v1::Finding DatabaseIsWritable(const v1::Snapshot& cluster);
v1::Finding DatabaseVersionSupported(const v1::Snapshot& cluster);

// database/same.cc
v1::Finding DatabaseIsSame(const v1::Snapshot& cluster);

// database/ours.cc
v1::Finding DatabaseIsOurs(const v1::Snapshot& cluster);

// database/reachable.cc
v1::Finding DatabaseReachable(const v1::Snapshot& cluster);

// database/connection.cc
v1::Finding DatabaseConnectionEncrypted(const v1::Snapshot& cluster);
v1::Finding DatabaseHeadroom(const v1::Snapshot& cluster);

// shared_directories.cc
v1::Finding DataDirIsShared(const v1::Snapshot& cluster);
v1::Finding DatabaseDirIsShared(const v1::Snapshot& cluster);
v1::Finding LandingDirIsShared(const v1::Snapshot& cluster);

// install_directory.cc
v1::Finding DataDirOutsideInstall(const v1::Snapshot& cluster);

// load_balancer.cc
v1::Finding LoadBalancerIsSticky(const v1::Snapshot& cluster);
v1::Finding LoadBalancerReachesNodes(const v1::Snapshot& cluster);

// metrics_path.cc
v1::Finding MetricsPathIsUnique(const v1::Snapshot& cluster);

// storage.cc
v1::Finding StorageIsMounted(const v1::Snapshot& cluster);
v1::Finding StorageIsEncryptedInTransit(const v1::Snapshot& cluster);
// left_over.cc
v1::Finding NoMountIsLeftOver(const v1::Snapshot& cluster);
// storage_options.cc
v1::Finding StorageOptions(const v1::Snapshot& cluster);
v1::Finding StorageReadsAhead(const v1::Snapshot& cluster);
// storage_answers.cc
v1::Finding StorageIsAlive(const v1::Snapshot& cluster);
// storage_work.cc
v1::Finding StorageWorks(const v1::Snapshot& cluster);
v1::Finding StorageAllowsOwnership(const v1::Snapshot& cluster);

// boot.cc
v1::Finding BootIsGuarded(const v1::Snapshot& cluster);

// encryption_key.cc
v1::Finding EncryptionKeyMatches(const v1::Snapshot& cluster);

// clocks.cc
v1::Finding ClocksAreSynchronised(const v1::Snapshot& cluster);

// accounts.cc
v1::Finding AccountsMatch(const v1::Snapshot& cluster);

// configuration/file.cc
v1::Finding ConfigurationIsValid(const v1::Snapshot& cluster);
v1::Finding ConfigurationIsApplied(const v1::Snapshot& cluster);
v1::Finding ConfigurationIsProtected(const v1::Snapshot& cluster);
// configuration/matches.cc
v1::Finding ConfigurationMatches(const v1::Snapshot& cluster);
// On these nodes database-is-same tells already that they lead elsewhere.
v1::Finding ConfigurationMatchesBut(const v1::Snapshot& cluster,
                                    const std::set<std::string>& elsewhere);

// runtimes.cc
v1::Finding RuntimesMatchR(const v1::Snapshot& cluster);
v1::Finding RuntimesMatchPython(const v1::Snapshot& cluster);
v1::Finding RuntimesMatchQuarto(const v1::Snapshot& cluster);

// service.cc
v1::Finding ServiceIsHealthy(const v1::Snapshot& cluster);
v1::Finding LicenseIsValid(const v1::Snapshot& cluster);

// cluster.cc
v1::Finding AtLeastTwoNodes(const v1::Snapshot& cluster);
v1::Finding NodesAreDistinct(const v1::Snapshot& cluster);
v1::Finding NodesSpanZones(const v1::Snapshot& cluster);
v1::Finding FactsAreFresh(const v1::Snapshot& cluster);
v1::Finding ProbesFinish(const v1::Snapshot& cluster);

// platform.cc
v1::Finding PlatformMatches(const v1::Snapshot& cluster);
v1::Finding DiskHasRoom(const v1::Snapshot& cluster);
v1::Finding StorageHasRoom(const v1::Snapshot& cluster);

}  // namespace connect_ha
