#pragma once

#include "absl/strings/string_view.h"
#include "agent/probes/probe.h"

namespace connect_ha {

// Reads the licence files of this node, /var/lib/rstudio-connect/*.lic (a fixed place, whatever
// Server.DataDir is), and reports what license-manager said when VerifyLicense last asked it.
absl::Status ReadLicense(const ProbeInput& input, v1::Facts& facts);

// Asks Connect's license-manager for its status, which takes a process and up to seconds.
absl::Status VerifyLicense(const ProbeInput& input, v1::Facts& facts);

// `output`: what `license-manager status` prints. Of several blocks the first counts. Status,
// days_left and expiration only.
v1::LicenseFacts ParseLicenseStatus(absl::string_view output);

}  // namespace connect_ha
