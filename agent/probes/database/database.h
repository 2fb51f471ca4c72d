#pragma once

#include "agent/probes/probe.h"

namespace connect_ha {

// Connects to the database that Connect is configured with, with Connect's own account, and reads
// what answers: every stage with its time, the server, how its clock differs from the node's, and
// what Connect's own tables say (connect_tables.h).
// Absent where Database.Provider is not postgres.
absl::Status ReadDatabase(const ProbeInput& input, v1::Facts& facts);

// The same for Postgres.InstrumentationURL; absent where it is not set.
absl::Status ReadInstrumentationDatabase(const ProbeInput& input, v1::Facts& facts);

// What is kept of the latest round of this node's presence in the database
// (agent/proof/presence.h). Absent where nobody asked for one.
absl::Status ReadPresence(const ProbeInput& input, v1::Facts& facts);

}  // namespace connect_ha
