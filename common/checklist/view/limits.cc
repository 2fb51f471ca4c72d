#include "common/checklist/view/limits.h"

namespace connect_ha {
namespace {

int64_t OrDefault(bool is_set, const google::protobuf::Duration& duration, int64_t otherwise_us) {
  return is_set ? duration.seconds() * 1'000'000 + duration.nanos() / 1'000 : otherwise_us;
}

}  // namespace

int64_t StaleAfterUs(const v1::ClusterSpec& spec) {
  return OrDefault(spec.limits().has_stale_after(), spec.limits().stale_after(), 30'000'000);
}

int64_t ClockOffsetLimitUs(const v1::ClusterSpec& spec) {
  return OrDefault(spec.limits().has_clock_offset(), spec.limits().clock_offset(), 1'000'000);
}

int64_t DatabaseStageLimitUs(const v1::ClusterSpec& spec) {
  return OrDefault(spec.limits().has_database_stage(), spec.limits().database_stage(), 2'000'000);
}

uint32_t DiskUsedLimitPercent(const v1::ClusterSpec& spec) {
  return spec.limits().has_disk_used_percent() ? spec.limits().disk_used_percent() : 90;
}

int32_t LicenseDaysLeftLimit(const v1::ClusterSpec& spec) {
  return spec.limits().has_license_days_left()
             ? static_cast<int32_t>(spec.limits().license_days_left())
             : 14;
}

}  // namespace connect_ha
