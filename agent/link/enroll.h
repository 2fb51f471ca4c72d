// `connect-ha-agent enroll`: joins a cluster with a token.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/link/identity.h"
#include "common/time.h"

namespace connect_ha {

struct EnrollOptions {
  std::string state_dir;
  std::string coordinator;  // host:port
  std::string ca_hash;      // sha256:...
  std::string token;        // id.secret
  std::string node;         // the name to ask for
  std::string machine_id;
  // How long to go on trying while the coordinator cannot be reached. 0: one try.
  std::chrono::seconds wait{0};
};

struct EnrollResult {
  NodeIdentity identity;
  bool already = false;  // this token had let this very node in before; nothing was asked
};

// Safe to be killed at any point and run again with the same arguments: the key is made once and
// kept, and the coordinator counts a repeat as the same use of the token. Blocks; `report` gets a
// line for a person for each try that failed. Asks `now` between tries.
absl::StatusOr<EnrollResult> Enroll(const EnrollOptions& options, const std::function<Time()>& now,
                                    const std::function<void(const std::string&)>& report);

// The short host name in lower case: the name to ask for when none is given. An error when it is
// no name for a node.
absl::StatusOr<std::string> DefaultNodeName();

}  // namespace connect_ha
