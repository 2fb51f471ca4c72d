// A simulated machine: its Connect, what the load balancer sees of it, and its agent. The agent
// goes by the real table of transitions (course.h), and takes orders as the real one does
// (standing.h); what it does to the machine takes a step each, between which it can be killed.
#pragma once

#include <cstdint>
#include <string>

#include "common/time.h"
#include "connect_ha/v1/convergence.pb.h"
#include "connect_ha/v1/node_service.pb.h"
#include "tests/plan_simulation/report.h"

namespace connect_ha::simulation {

// What of the machine's surroundings its agent finds.
struct Surroundings {
  bool asks_gate = true;  // the load balancer asks the agent, not Connect
  bool database_answers = true;
  Time now;
};

// Faults that can be planted in the agent (planted.h).
struct AgentFaults {
  bool takes_any_order = false;
  bool starts_unasked = false;   // no preflight
  bool resumes_at_boot = false;  // starts what is installed, whatever it was told
};

struct Host {
  std::string name;
  uint32_t machine = 0;  // another one for each machine that had the name
  bool exists = false;   // and is to be a member
  bool power = true;
  bool agent = true;
  bool cut = false;     // from the coordinators
  bool cloned = false;  // another machine speaks under this name
  v1::Allow allow = v1::ALLOW_SERVE;
  bool old_agent = false;

  // Connect.
  Version installed = 0;
  bool masked = false;
  bool enabled = false;
  bool running = false;
  bool crashes = false;  // whenever it is started
  Version process = 0;   // that runs
  Time started_at;
  bool by_hand = false;  // somebody installed or started it, and it was not put right since
  uint32_t jobs = 0;
  bool jobs_known = true;

  // Faults.
  Mount mount = Mount::kVerified;
  uint32_t database = 0;
  uint32_t key = 0;
  bool clock_off = false;
  bool config_broken = false;
  bool license_ends = false;
  uint32_t cannot_tell = 0;
  Notice notice = Notice::kNone;

  // The agent.
  v1::Assignment disk;
  v1::Assignment held;  // in memory
  v1::NodeState reached = v1::OBSERVED;
  bool looked = false;
  // On its disk, as v1::ServiceMemory; so is `reached`.
  v1::Order starts_for;  // the order for which it started Connect last
  uint32_t starts = 0;   // for that one, in a row
  bool start_failed = false;
  uint64_t served_generation = 0;  // as which it has served with everything right
  Time served_applied_at;
  bool told = false;  // the coordinator has answered since the boot
  Time alive_at;      // when it called last
  uint64_t call = 0;  // that it waits for; an answer to another one is none
  // As the world knows it, not the agent.
  bool declared_gone = false;
};

// Connect answers users that the load balancer sends.
bool Serves(const Host& host, const Surroundings& around);
bool GateIsOpen(const Host& host, Time now);
// What it says of that: an order that came later is tried anew.
bool StartFailed(const Host& host);
Report Say(const Host& host, const Surroundings& around);

enum class Taken { kNothing, kSame, kMoved };
// The coordinator's answer. kNothing: the order is an older one.
Taken Take(Host& host, const v1::HeartbeatResponse& answer, const AgentFaults& faults);

// What the step was that the agent made; "": there is nothing to do.
std::string Work(Host& host, const Surroundings& around, const AgentFaults& faults);

// The agent is about to call. Noted only where what it was told still counts.
void NoteAlive(Host& host, Time now);
// systemd starts the agent, and Connect where it is enabled and the preflight lets it.
void StartAgent(Host& host);
void Boot(Host& host, const Surroundings& around, const AgentFaults& faults);
// Connect ended by itself; systemd starts it again, where it can.
void Crash(Host& host, const Surroundings& around, const AgentFaults& faults);
void StopConnect(Host& host);
// Gone, with Connect, that is bound to it.
void Unmount(Host& host);

// So that nothing differs from the specification but versions and what is held.
void Mend(Host& host);

}  // namespace connect_ha::simulation
