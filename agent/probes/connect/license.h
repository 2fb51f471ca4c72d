#pragma once

#include "absl/strings/string_view.h"
#include "agent/probes/probe.h"

namespace connect_ha {

// Reads the licence files of this node, /var/lib/rstudio-connect/*.lic (a fixed place, whatever
// Server.DataDir is), and reports what license-manager said when VerifyLicense last asked it.
absl::Status ReadLicense(const ProbeInput& input, v1::Facts& facts);

// Asks Connect's license-manager for its status, which takes a process and up to seconds.
absl::Status VerifyLicense(const ProbeInput& input, v1::Facts& facts);

// `output`: what `license-manager status` prints, a block for the node's own licence and one for a
// floating one. Fills in status, days_left, expiration and, for a floating one, kind, of the
// licence in use: the floating one when its lease is active ("Activated") or when the node has no
// active one of its own (then the lease's own words).
v1::LicenseFacts ParseLicenseStatus(absl::string_view output);

}  // namespace connect_ha
