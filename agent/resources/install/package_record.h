// Which artifact an installed package came from: one version may exist in two builds, and the
// specification names one by its digest.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/resources/resource.h"

namespace connect_ha {

// Notes that `package` is about to be installed by this agent.
absl::Status RecordBegun(const ResourceContext& context, const std::string& package);

// Notes that what is installed as `package` now came from the artifact of this digest.
absl::Status RecordArtifact(const ResourceContext& context, const std::string& package,
                            const std::string& sha256);

// The digest of the artifact that what is installed came from; "" when that is not known: it was
// installed by others, or since, or the agent was killed before it noted it.
absl::StatusOr<std::string> RecordedArtifact(const ResourceContext& context,
                                             const std::string& package);

// Whether what is installed as `package` has the checksums of the .deb at `file`; false where that
// carries none.
absl::StatusOr<bool> IsBuildOf(const ResourceContext& context, const std::string& package,
                               const std::string& file);

// Every package that this agent installed or began to.
absl::StatusOr<std::vector<std::string>> RecordedPackages(const ResourceContext& context);
// Forgets those that dpkg does not know any more.
absl::Status ForgetRemovedPackages(const ResourceContext& context);

}  // namespace connect_ha
