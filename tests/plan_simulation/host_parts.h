// What of a simulated machine both its agent's work (host_work.cc) and the rest of it (host.cc)
// look at.
#pragma once

#include "agent/resources/converge/course.h"
#include "tests/plan_simulation/host.h"

namespace connect_ha::simulation {

// By the real table, of what it holds and has reached.
Course CourseOf(const Host& host);
// Its Connect's unit is so.
bool IsAsWanted(const Host& host, UnitWanted wanted);

Version WantedVersion(const Host& host);
bool PackageDiffers(const Host& host);
// What its specification wants is not so; the unit apart.
bool Differs(const Host& host);
bool Enforces(const v1::Assignment& held);

// Before each start, by systemd's own hand: agent and coordinator need not run.
bool PassesPreflight(const Host& host, const Surroundings& around);
// False: it did not start. The preflight is asked.
bool TryStart(Host& host, const Surroundings& around, const AgentFaults& faults);

}  // namespace connect_ha::simulation
