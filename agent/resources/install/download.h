// Artifacts on this node, by their digest: CACHE_DIR/SHA256.SUFFIX, and .part while one is on
// its way. What Download returns was read whole and has the digest that was asked for.
//
// Of one thread: one artifact is never fetched twice at once.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "agent/resources/resource.h"

namespace connect_ha {

// Left free on the file systems of the cache and of what is installed.
inline constexpr uint64_t kSpaceMargin = 256ull << 20;

// The artifact's path. `suffix`: "deb", "tar.gz". Taken up where an earlier try ended; what fails
// by the network is tried a few times before it is Unavailable. NotFound: the server has no such
// file. ResourceExhausted: the disk is too full, even without what the cache can do without.
// FailedPrecondition: it is too large, the file at the URL is another one, fetched twice to be
// sure, or it is a file of this node that agent.yaml's artifact_dir does not allow.
absl::StatusOr<std::string> Download(const ResourceContext& context, const v1::Artifact& artifact,
                                     const std::string& suffix, Progress& progress);

// ResourceExhausted when fewer than `bytes` and the margin are free at `path` or, where that is not
// there yet, above it.
absl::Status CheckRoom(Host& host, const std::string& path, uint64_t bytes,
                       const std::string& what);

// Where Download leaves it.
std::string CachedPath(const ResourceContext& context, const v1::Artifact& artifact,
                       const std::string& suffix);

// Removes the artifacts, and parts of them, that neither the specification nor the one beside it
// names. One that an installer still reads stays.
absl::Status ClearCache(const ResourceContext& context);

// Removes the oldest artifacts until the others take no more than `limit_bytes`, and parts of
// what nobody waits for any more. What is named by the specification beside stays, and counts for
// nothing: it is to be there when its time comes.
absl::Status BoundCache(const ResourceContext& context, uint64_t limit_bytes);

}  // namespace connect_ha
