// The CLI's way to the coordinator over gRPC, with an admin's certificate.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/time.h"
#include "coordinator/cli/link/admin_link.h"

namespace connect_ha {

// `identity_dir` holds admin.crt, admin.key, ca.crt and coordinator (one line, host:port). NotFound
// names the file that is missing. The certificate is renewed on the way when it is past half its
// life and the files can be written; when they cannot, nothing is said until it expires.
absl::StatusOr<std::unique_ptr<AdminLink>> OpenAdminClient(const std::string& identity_dir,
                                                           Time now);

}  // namespace connect_ha
