// The cluster's mark on its file system: what it is to be, what is there, and what to say where
// they differ. Who looks at it waits for a file system of the network, no longer than
// WritableHost::WorkOnStorage says.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/host/writable_host.h"
#include "connect_ha/v1/facts.pb.h"

namespace connect_ha {

// Of the cluster that this node is of: its id is its authority's, in STATE_DIR/ca.crt.
absl::StatusOr<v1::ClusterMark> OwnMark(Host& host, const std::string& state_dir,
                                        const std::string& cluster);

// The one in a data directory on a network mount. NotFound: there is none.
absl::StatusOr<v1::ClusterMark> ReadClusterMark(WritableHost& host, const std::string& data_dir);
// Writes it where there is none; the result is what is there then, which may be another's.
absl::StatusOr<v1::ClusterMark> KeepClusterMark(WritableHost& host, const std::string& data_dir,
                                                const v1::ClusterMark& own,
                                                const std::string& node);
// Writes as which generation Connect may start there at the earliest, beside a mark that is there;
// the result is as above.
absl::StatusOr<v1::ClusterMark> KeepNotBefore(WritableHost& host, const std::string& data_dir,
                                              const v1::GenerationMark& not_before,
                                              const std::string& node);

// FailedPrecondition: the file system is another cluster's, with how to tell which is right.
absl::Status CheckMark(const std::string& data_dir, const v1::ClusterMark& found,
                       const v1::ClusterMark& own);
// FailedPrecondition: there is none, and there should be.
absl::Status NoMark(const std::string& data_dir, const std::string& cluster);

// "/mnt/connect/data/.connect-ha/cluster"
std::string MarkPath(const std::string& data_dir);

}  // namespace connect_ha
