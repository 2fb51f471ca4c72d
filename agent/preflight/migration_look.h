// Whether the database is still as the installed Connect left it. For the preflight: a node that
// was away while the others went on to a newer Connect has neither heard of it nor been told
// otherwise, and its older Connect must not run against what the newer one migrated.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "agent/host/writable_host.h"

namespace connect_ha {

// `migration`: what the database says of itself now (DatabaseFacts.migration); "": it does not say,
// and nothing is concluded. Compared with what it said when this version was last right on this
// node (ServiceMemory.right_version, right_migration; STATE_DIR/service; forgotten once the
// coordinator says that the database was put back), but where the node itself has started a newer
// one since: then it is the coordinator that knows what was put back.
// FailedPrecondition says what differs, and ends with "\nfix: " and what to type.
absl::Status CheckMigration(WritableHost& host, const std::string& state_dir,
                            const std::string& migration);

}  // namespace connect_ha
