// What of a simulated machine both its agent's work (host_work.cc) and the rest of it (host.cc,
// host_say.cc, host_start.cc) look at.
#pragma once

#include "agent/resources/converge/course.h"
#include "tests/plan_simulation/host.h"

namespace connect_ha::simulation {

// By the real table, of what it holds and has reached.
Course CourseOf(const Host& host);
// Its Connect's unit is so.
bool IsAsWanted(const Host& host, UnitWanted wanted);

bool PackageDiffers(const Host& host, const Wanted& wanted);
// What it takes to write the configuration: nothing differs, or not installed: NEEDS_UNSPECIFIED.
v1::Change::Needs FileNeeds(const Host& host, const Wanted& wanted);
// The greatest that it takes to bring it to what is wanted, the unit apart.
v1::Change::Needs NeedsFor(const Host& host, const Wanted& wanted);
// What its specification wants is not so; the unit apart.
bool Differs(const Host& host);
// It has served as this specification with everything right: what differs is no change to be made.
bool HasServedAs(const Host& host, const v1::Desired& desired);
bool Enforces(const v1::Assignment& held);
// Runtimes that its specification has removed, and that are there; a bit for each. None while the
// database does not say what content is pinned to.
uint32_t ToBeRemoved(const Host& host, const Surroundings& around);

// Before each start, by systemd's own hand: agent and coordinator need not run.
bool PassesPreflight(const Host& host, const Surroundings& around, const AgentFaults& faults);
// False: it did not start. The preflight is asked. A version that is newer than what has migrated
// the database migrates it.
bool TryStart(Host& host, const Surroundings& around, const AgentFaults& faults);
// The same of a version that somebody put there.
void MigrateByHand(const Host& host, Database& database);

// What the database says of itself; 0: it does not.
uint32_t AskMigration(const Surroundings& around);

}  // namespace connect_ha::simulation
