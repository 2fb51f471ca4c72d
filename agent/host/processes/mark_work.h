// The mark of a cluster on its file system, DIRECTORY/.connect-ha/cluster: JSON that people can
// read, written once, by the first node, and never changed. Beside it not-before, as which
// generation Connect may start there at the earliest: written anew with each change that all nodes
// stop for. An operation of the process that works on a shared mount (storage_work.h, whose rules
// hold here, too).
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace connect_ha {

inline constexpr char kMarkName[] = "cluster";
inline constexpr char kNotBeforeName[] = "not-before";

// `request`: a v1::MarkRequest's bytes; the answer: those of the v1::ClusterMark that is there, the
// one to be written or another. Killed at any instruction it leaves the mark, or none and a file
// that the next call removes. NotFound: there is none, and none is to be written, or there is no
// such directory. DataLoss: what is there is no mark; of a garbled not-before nothing is told, and
// nodes write it anew. FailedPrecondition: others may write to it. Aborted: something else is
// mounted by now.
absl::StatusOr<std::string> ClusterMarkHere(const std::string& directory,
                                            const std::string& request);

}  // namespace connect_ha
