// A schedule: what the world is at first, and what happens in it, one event after the other. Every
// choice of a run is in it: the same schedule gives the same run. An event that cannot happen where
// it stands (a dead machine dies) does nothing, so that any event may be left out of any schedule.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace connect_ha::simulation {

inline constexpr uint32_t kMostNodes = 5;
inline constexpr std::array<const char*, kMostNodes> kNodeNames = {"n1", "n2", "n3", "n4", "n5"};

// Where the nodes begin.
enum Start : uint32_t {
  kServing,  // brought into service by this plan, all of them
  kRunning,  // Connect runs as somebody else started it
  kBare,     // nothing is installed
};

// 0 is the plainest of everything but `nodes`.
struct Setup {
  uint32_t nodes = 2;  // 1 to kMostNodes
  uint32_t start = kServing;
  uint32_t minimum_more = 0;       // minimum_serving is one more
  uint32_t fences_more = 0;        // fences_per_hour is one more
  uint32_t version_unsaid = 0;     // cluster.yaml names no version of Connect
  uint32_t versions_differ = 0;    // the last node has another one
  uint32_t health_by_connect = 0;  // load_balancer.health_check: connect
  uint32_t observes = 0;           // enforcement: observe
  uint32_t old_agent = 0;          // 1 + a node whose agent knows neither gate nor SERVING
  uint32_t limited = 0;            // 1 + a node whose agent.yaml says allow: install
  uint32_t closer = 0;             // which decisions are looked at closer (decision_checks.h)
  uint32_t window = 0;             // rollout.maintenance_window: 1: long enough, 2: too short
  uint32_t backs_up = 0;           // database.backup_before_migration: 1: works, 2: fails at first
  uint32_t unlisted = 0;           // a runtime is there that no list names
  uint32_t migration_unsaid = 0;   // Connect's tables do not say how far they are
  uint32_t stays_broken = 0;       // at the end not everything is mended
};

struct SetupField {
  const char* name;
  uint32_t Setup::*value;
  uint32_t below;
};
const std::vector<SetupField>& SetupFields();

enum class Kind : uint32_t {
  kRound,
  kCall,
  kWork,
  kPlan,
  kPass,
  kMend,
  kSend,
  kTake,
  kHear,
  kLose,
  kRepeat,
  kPlanStep,
  kAgentDies,
  kAgentStarts,
  kReboot,
  kPowerOff,
  kPowerOn,
  kReplace,
  kStateLost,
  kCut,
  kLink,
  kUnmount,
  kOtherMount,
  kHang,
  kRemount,
  kOtherDatabase,
  kOtherKey,
  kClockOff,
  kCrash,
  kCrashLoop,
  kStopByHand,
  kStartByHand,
  kVersionByHand,
  kCannotTell,
  kBreakConfig,
  kAdvise,
  kUsers,
  kEverywhere,
  kDatabaseAway,
  kNotice,
  kWord,
  kTakeBack,
  kApply,
  kChange,
  kSayOfChange,
  kMigration,
  kCannotFetch,
  kCannotInstall,
  kCacheLost,
  kBackupFails,
  kPin,
  kRemove,
  kEnrol,
  kClone,
  kOneLeft,
  kCoordinatorDies,
  kCoordinatorStarts,
  kBackUp,
  kRestore,
  kClockJump,
  kInterruption,
  kMaintenance,
  kTerminating,
  kNodeClockJump,
  kCover,
};

// What is switched on or off together for a whole schedule: what is rare beside everything else is
// frequent where little else goes on.
enum class Swarm : uint32_t {
  kAlways,
  kMessages,
  kPlanSteps,
  kAgents,
  kMachines,
  kLinks,
  kStorage,
  kIdentity,
  kService,
  kVersions,
  kRules,
  kEverywhere,
  kNotices,
  kWords,
  kSpecs,
  kChanges,
  kMembers,
  kClones,
  kCoordinators,
  kStores,
  kClocks,
  kCount,
};

struct KindRow {
  Kind kind;
  const char* name;
  Swarm swarm;
  uint32_t weight;
};
// In the order of Kind.
const std::vector<KindRow>& Kinds();
const char* NameOf(Kind kind);

struct Event {
  Kind kind = Kind::kRound;
  uint32_t who = 0;  // a node, a coordinator or a message, modulo how many there are
  uint32_t how = 0;  // what else the kind leaves open; 0 is the plainest

  bool operator==(const Event&) const = default;
};

struct Schedule {
  Setup setup;
  std::vector<Event> events;
};

Schedule FromSeed(uint64_t seed);

// One line for the setup, with what is not 0, and one for each event: "power-off 1 0". What follows
// '#' is for people. FromText fails with the line that it does not know.
std::string ToText(const Schedule& schedule);
absl::StatusOr<Schedule> FromText(const std::string& text);

}  // namespace connect_ha::simulation
