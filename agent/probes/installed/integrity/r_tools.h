// What R's own tools write into R's installation after its package was unpacked.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "agent/host/host.h"
#include "agent/probes/installed/integrity/shipped_files.h"

namespace connect_ha {

// Whether R's tools explain the fault ("changed" or "missing") of a shipped file:
//
// - `R CMD javareconf` rewrites etc/ldpaths and etc/Makeconf;
// - etc/Renviron.site and etc/Rprofile.site are the administrator's;
// - install.packages() and update.packages() replace a recommended package in R's own library: its
//   DESCRIPTION is then another one, and a whole one.
//
// A package of R's own (base, stats, ...) cannot be replaced so, and one whose DESCRIPTION is as
// shipped was not.
absl::StatusOr<bool> ExplainedByR(Host& host, const ShippedFiles& shipped, const std::string& fault,
                                  const std::string& path);

}  // namespace connect_ha
