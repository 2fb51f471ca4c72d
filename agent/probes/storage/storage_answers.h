// Whether the file systems that hold Connect's data answer. A hard mount whose server is away lets
// everything wait that touches it, and nothing else shows it.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "agent/probes/probe.h"
#include "connect_ha/v1/facts.pb.h"

namespace connect_ha {

// Fills Facts.storage.answers: asks each network mount that a data directory is on, one question.
absl::Status ReadStorageAnswers(const ProbeInput& input, v1::Facts& facts);

// A name on it that is not there and was never asked for: no cache of the kernel knows the answer.
// DeadlineExceeded of Host::LookAlone: the file system hangs.
std::string UnknownName(const std::string& mount_point, Time now);

// One of them did not answer.
bool StorageIsSilent(const v1::Facts& facts);

}  // namespace connect_ha
