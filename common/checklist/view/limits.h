// The limits of the specification, with their defaults. Times in microseconds.
#pragma once

#include <cstdint>

#include "connect_ha/v1/spec.pb.h"

namespace connect_ha {

int64_t StaleAfterUs(const v1::ClusterSpec& spec);
int64_t ClockOffsetLimitUs(const v1::ClusterSpec& spec);
int64_t DatabaseStageLimitUs(const v1::ClusterSpec& spec);
uint32_t DiskUsedLimitPercent(const v1::ClusterSpec& spec);
int32_t LicenseDaysLeftLimit(const v1::ClusterSpec& spec);

}  // namespace connect_ha
