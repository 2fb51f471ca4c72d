// Which database Connect is configured with, its password in clear text, and what its server is
// verified with.
#pragma once

#include "absl/status/statusor.h"
#include "agent/host/host.h"
#include "agent/probes/connect/connect_config.h"
#include "agent/probes/database/database_session.h"
#include "agent/probes/probe_cache.h"
#include "connect_ha/v1/agent_config.pb.h"

namespace connect_ha {

// Keys of Connect below [Postgres].
struct DatabaseKeys {
  const char* url;
  const char* password;
};
inline constexpr DatabaseKeys kMainDatabase = {"URL", "Password"};
inline constexpr DatabaseKeys kInstrumentationDatabase = {"InstrumentationURL",
                                                          "InstrumentationPassword"};

bool UsesPostgres(const ConnectConfig& config);

// `chain_of` tells apart those who connect from threads of their own: each has what is kept of the
// CA file for itself. FailedPrecondition: the URL is wrong, and says how; Unavailable: the password
// cannot be decrypted.
absl::StatusOr<DatabaseTarget> FindDatabaseTarget(Host& host, const v1::AgentConfig& agent_config,
                                                  const ConnectConfig& config,
                                                  const DatabaseKeys& keys, ProbeCache& cache,
                                                  const std::string& chain_of);

}  // namespace connect_ha
