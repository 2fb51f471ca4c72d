// The key that Connect encrypts settings and database records with. It must be the same on every
// node; it never leaves the node.
#pragma once

#include "absl/status/status.h"
#include "agent/probes/connect/connect_config.h"
#include "agent/probes/probe.h"
#include "connect_ha/v1/facts.pb.h"

namespace connect_ha {

// Server.EncryptionKeyFile, or Connect's default: secret.key in Database.Dir. The file need not
// exist; it may be on a network file system.
std::string EncryptionKeyFile(const ConnectConfig& config);

// Fills Facts.encryption_key.
absl::Status ReadEncryptionKey(const ProbeInput& input, v1::Facts& facts);

}  // namespace connect_ha
