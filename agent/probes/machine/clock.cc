#include "agent/probes/machine/clock.h"

#include "agent/probes/reading.h"

namespace connect_ha {
namespace {

// The units of every time service that the supported distributions package.
constexpr const char* kTimeServices[] = {
    "chrony.service", "systemd-timesyncd.service", "ntpsec.service",
    "ntp.service",    "openntpd.service",          "chronyd.service",
};

// NotFound: none of them is active. When systemd cannot be asked for one, it is not for the others.
absl::StatusOr<std::string> FindTimeService(Host& host) {
  for (const char* name : kTimeServices) {
    const absl::StatusOr<v1::Unit> unit = host.ReadUnit(name);
    if (unit.ok() && unit->active_state() == "active") return std::string(name);
    if (!unit.ok() && !absl::IsNotFound(unit.status())) return unit.status();
  }
  return absl::NotFoundError("no time service is active");
}

}  // namespace

absl::Status ReadClock(const ProbeInput& input, v1::Facts& facts) {
  v1::ClockFacts& clock = *facts.mutable_clock();
  const absl::StatusOr<KernelClock> kernel = input.host.ReadKernelClock();
  Observe(facts, "clock.synchronized", kernel,
          [&](const KernelClock& value) { clock.set_synchronized(value.synchronized); });
  Observe(facts, "clock.max_error_us", kernel,
          [&](const KernelClock& value) { clock.set_max_error_us(value.max_error.count()); });
  Observe(facts, "clock.time_service", FindTimeService(input.host),
          [&](const std::string& name) { clock.set_time_service(name); });
  return absl::OkStatus();
}

}  // namespace connect_ha
