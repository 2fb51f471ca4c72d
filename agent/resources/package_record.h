// Which artifact an installed package came from: one version may exist in two builds, and the
// specification names one by its digest.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/resources/resource.h"

namespace connect_ha {

// Notes that what is installed as `package` now came from the artifact of this digest.
absl::Status RecordArtifact(const ResourceContext& context, const std::string& package,
                            const std::string& sha256);

// The digest of the artifact that what is installed came from; "" when that is not known: it was
// installed by others, or since, or carries no checksums.
absl::StatusOr<std::string> RecordedArtifact(const ResourceContext& context,
                                             const std::string& package);

}  // namespace connect_ha
