// A simulated machine: its Connect, what the load balancer sees of it, and its agent. The agent
// goes by the real table of transitions (course.h), and takes orders as the real one does
// (standing.h); what it does to the machine takes a step each, between which it can be killed.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "common/time.h"
#include "connect_ha/v1/convergence.pb.h"
#include "connect_ha/v1/facts.pb.h"
#include "connect_ha/v1/node_service.pb.h"
#include "tests/plan_simulation/content.h"
#include "tests/plan_simulation/report.h"

namespace connect_ha::simulation {

// The cluster's database, as Connect has left it.
struct Database {
  enum class Migration { kGoesWell, kFailsAtOnce, kFailsHalfWay, kTakesLong, kCount };

  Version schema = 0;  // of the newest version that has migrated it; 0: it is empty
  Migration next = Migration::kGoesWell;
  // A version that a person installed, or started, has migrated it: whoever ran before it may start
  // again.
  bool by_hand = false;
  // Since that was looked at last.
  bool moved = false;
  Version moved_from = 0;
  bool failed = false;
  // On the file system that is the cluster's (agent/host/processes/mark_work.h).
  v1::GenerationMark not_before;
};

// What of the machine's surroundings its agent finds.
struct Surroundings {
  bool asks_gate = true;  // the load balancer asks the agent, not Connect
  bool database_answers = true;
  bool says_migration = true;  // Connect's tables say how far they are
  uint32_t pinned = 0;         // a bit for each runtime that content is pinned to
  Time now;
  Database* database = nullptr;
};

// Faults that can be planted in the agent (planted.h).
struct AgentFaults {
  bool takes_any_order = false;
  bool starts_unasked = false;   // no preflight
  bool resumes_at_boot = false;  // starts what is installed, whatever it was told
  bool opens_closed = false;     // the gate, though it is to stay closed
  bool goes_ahead = false;       // makes what is not in force
  bool stays_ready = false;      // for what is to come, whatever became of what was fetched
  bool prunes_pinned = false;    // what content is pinned to
  bool prunes_first = false;     // under a Connect that was started with it
  bool heeds_no_mark = false;    // of the others on the file system
  bool tells_too_early = false;  // that it has stopped Connect, beside facts of before
};

// What EC2 is about to do with a machine, and what the node was let do about it.
struct Departure {
  std::optional<Time> at;
  uint32_t rounds = 0;               // in which it was to leave, and told so
  std::optional<Time> closed_since;  // as it said in one of them
  uint32_t rounds_after = 0;         // after its drain was over
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
  Time started_at;       // by its own clock; so is alive_at
  Time answers_at;       // Connect, that runs; before that it migrates the database
  // What runs does so until it answers. Not of the very first, which makes the tables.
  bool migrates = false;
  uint32_t runtimes = 0;
  Configuration configuration;
  bool by_hand = false;  // somebody installed or started it, and it was not put right since
  uint32_t jobs = 0;
  bool jobs_known = true;

  // Faults.
  Mount mount = Mount::kVerified;
  uint32_t database = 0;
  uint32_t key = 0;
  bool clock_off = false;
  bool config_broken = false;
  bool cannot_fetch = false;    // nor get ready for what is to come
  bool cannot_install = false;  // nor write the configuration
  bool license_ends = false;
  uint32_t cannot_tell = 0;
  bool covered = false;  // something is mounted over the data directory: by its name all is right
  std::chrono::microseconds clock_offset{};
  Notice notice = Notice::kNone;
  std::optional<Time> notice_at;  // where EC2 says when

  // The agent.
  v1::Assignment disk;
  v1::Assignment held;  // in memory
  v1::NodeState reached = v1::OBSERVED;
  bool looked = false;
  v1::Desired ahead;  // in memory; generation 0: none
  bool ahead_ready = false;
  bool cached = false;          // what was fetched for it is there
  std::optional<Report> found;  // when it looked at the machine last
  Time found_at;
  v1::NodeState told_state = v1::OBSERVED;  // as it said last
  uint32_t migration = 0;                   // as of Report
  Time asked_at;                            // for that
  // On its disk, as v1::ServiceMemory; so is `reached`.
  v1::Order starts_for;  // the order for which it started Connect last
  uint32_t starts = 0;   // for that one, in a row
  bool start_failed = false;
  uint64_t served_generation = 0;  // as which it has served with everything right
  Time served_applied_at;
  Version newest_start = 0;
  v1::Order newest_order;
  Version right_version = 0;     // as which it has served with everything right
  uint32_t right_migration = 0;  // what the database said then; 0: not known
  v1::Order database_restored;   // what was said of that is from before the database was put back
  bool told = false;             // the coordinator has answered since the boot
  Time alive_at;                 // when it called last
  uint64_t call = 0;             // that it waits for; an answer to another one is none
  // As the world knows it, not the agent.
  Departure departure;
  bool taken = false;  // by EC2: nobody switches that machine on
  bool declared_gone = false;
  // That was said while it lived, cut off, and it was not moved since.
  bool mistaken = false;
  // All the others have stopped since for a generation, and the Connect that runs has not.
  bool left_behind = false;
  // That what was fetched is gone: when the agent could see it, and when it has said so first.
  std::optional<Time> lost_seen_at;
  std::optional<Time> lost_said_at;
};

// By its own clock.
Time OwnTime(const Host& host, Time now);
// It has been off for so long, or its clock has run back so far, that it waits to be told.
bool WasAwayForLong(const Host& host, Time now);
bool Answers(const Host& host, Time now);
bool IsMigrating(const Host& host, Time now);
// Connect answers users that the load balancer sends.
bool Serves(const Host& host, const Surroundings& around);
bool GateIsOpen(const Host& host, Time now);
// What it says of that: an order that came later is tried anew.
bool StartFailed(const Host& host);
// Whether it has looked at its machine since it called last: what it does itself takes effect
// before it is seen.
enum class Looks { kAnew, kNotYet };
// As an event says.
Looks LooksBy(uint32_t how);
// It asks the database how far it is, now and then.
Report Say(Host& host, const Surroundings& around, const AgentFaults& faults,
           Looks looks = Looks::kAnew);

enum class Taken { kNothing, kSame, kMoved };
// The coordinator's answer. kNothing: the order is an older one.
Taken Take(Host& host, const v1::HeartbeatResponse& answer, const AgentFaults& faults);

// Of the same answer: what it is to get ready for.
void TakeAhead(Host& host, const v1::HeartbeatResponse& answer);

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
