#include "tests/plan_simulation/schedule.h"

#include <array>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "tests/plan_simulation/tape.h"

namespace connect_ha::simulation {
namespace {

// Most clusters have two or three nodes.
constexpr std::array<uint32_t, 8> kNodes = {2, 2, 2, 3, 3, 3, 4, 1};
constexpr uint32_t kFewestEvents = 8;
constexpr uint32_t kMoreEvents = 36;
constexpr uint32_t kHows = 256;

Setup DrawSetup(Tape& tape) {
  Setup setup;
  setup.nodes = tape.OneIn(16) ? kMostNodes : kNodes[tape.Below(kNodes.size())];
  if (tape.OneIn(3)) setup.start = 1 + tape.Below(2);
  setup.minimum_more = tape.OneIn(3) ? 1 : 0;
  setup.fences_more = tape.OneIn(4) ? 1 : 0;
  setup.version_unsaid = tape.OneIn(6) ? 1 : 0;
  setup.versions_differ = tape.OneIn(6) ? 1 : 0;
  setup.health_by_connect = tape.OneIn(6) ? 1 : 0;
  setup.observes = tape.OneIn(12) ? 1 : 0;
  setup.old_agent = tape.OneIn(12) ? 1 + tape.Below(setup.nodes) : 0;
  setup.limited = tape.OneIn(12) ? 1 + tape.Below(setup.nodes) : 0;
  setup.closer = tape.Below(16);
  if (tape.OneIn(4)) setup.window = tape.OneIn(4) ? 2 : 1;
  if (tape.OneIn(3)) setup.backs_up = 1 + tape.Below(2);
  setup.migration_unsaid = tape.OneIn(2) ? 1 : 0;
  setup.stays_broken = tape.OneIn(2) ? 1 : 0;
  setup.unlisted = tape.OneIn(4) ? 1 : 0;
  return setup;
}

using Swarms = std::array<bool, static_cast<size_t>(Swarm::kCount)>;

Swarms DrawSwarms(Tape& tape) {
  Swarms on{};
  for (bool& swarm : on) swarm = tape.OneIn(3);
  on[static_cast<size_t>(Swarm::kAlways)] = true;
  if (tape.OneIn(3)) on[static_cast<size_t>(Swarm::kChanges)] = true;
  return on;
}

// The kinds that may happen, each as often as its weight says.
std::vector<Kind> DrawUrn(const Swarms& on) {
  std::vector<Kind> urn;
  for (const KindRow& row : Kinds()) {
    if (on[static_cast<size_t>(row.swarm)]) urn.insert(urn.end(), row.weight, row.kind);
  }
  return urn;
}

// A node that is cut off is declared gone, while its Connect runs on.
void DrawAway(std::vector<Event>& events) {
  constexpr uint32_t kAMinute = 4;
  constexpr uint32_t kGone = 9;
  for (const Event& event :
       {Event{Kind::kRound, 0, 0}, Event{Kind::kCut, 1, 0}, Event{Kind::kPass, 0, kAMinute},
        Event{Kind::kRound, 0, 0}, Event{Kind::kWord, 1, kGone}}) {
    events.push_back(event);
  }
}

// A change that is under way: what comes after it finds it in one of its phases.
void DrawChange(Tape& tape, std::vector<Event>& events) {
  constexpr uint32_t kTogether = 3;
  const auto add = [&events](Kind kind, uint32_t how) { events.push_back({kind, 0, how}); };
  const auto rounds = [&](uint32_t below) {
    for (uint32_t i = tape.Below(below); i > 0; --i) add(Kind::kRound, tape.Below(kHows));
  };
  if (tape.OneIn(2)) add(Kind::kBackUp, 0);
  if (tape.OneIn(6)) add(Kind::kMigration, tape.Below(kHows));
  const bool is_away = tape.OneIn(8);
  if (is_away) DrawAway(events);
  const bool is_plain = tape.OneIn(2);
  const uint32_t how = tape.Below(kHows);
  add(Kind::kChange, is_plain ? (is_away ? kTogether : 0) : how);
  rounds(4);
  if (tape.OneIn(3)) add(Kind::kBackUp, 0);
  if (!tape.OneIn(4)) add(Kind::kSayOfChange, 0);
  rounds(12);
  // And another one after it, which nobody has approved.
  if (!tape.OneIn(6)) return;
  add(Kind::kChange, tape.Below(kHows));
  rounds(6);
}

absl::Status ReadSetup(const std::vector<std::string>& words, Setup* setup) {
  for (size_t i = 1; i < words.size(); ++i) {
    const std::vector<std::string> pair = absl::StrSplit(words[i], '=');
    bool known = false;
    for (const SetupField& field : SetupFields()) {
      if (pair.size() != 2 || pair[0] != field.name) continue;
      known =
          absl::SimpleAtoi(pair[1], &(setup->*field.value)) && setup->*field.value < field.below;
    }
    if (!known) return absl::InvalidArgumentError(absl::StrCat("setup: ", words[i]));
  }
  return setup->nodes > 0 ? absl::OkStatus() : absl::InvalidArgumentError("setup: no nodes");
}

absl::StatusOr<Event> ReadEvent(const std::vector<std::string>& words) {
  Event event;
  bool known = false;
  for (const KindRow& row : Kinds()) {
    if (words[0] != row.name) continue;
    event.kind = row.kind;
    known = words.size() == 3 && absl::SimpleAtoi(words[1], &event.who) &&
            absl::SimpleAtoi(words[2], &event.how);
  }
  if (!known) return absl::InvalidArgumentError(absl::StrCat("no event: ", words[0]));
  return event;
}

}  // namespace

const std::vector<SetupField>& SetupFields() {
  static const auto& fields = *new std::vector<SetupField>{
      {"nodes", &Setup::nodes, kMostNodes + 1},
      {"start", &Setup::start, 3},
      {"minimum-more", &Setup::minimum_more, 2},
      {"fences-more", &Setup::fences_more, 2},
      {"version-unsaid", &Setup::version_unsaid, 2},
      {"versions-differ", &Setup::versions_differ, 2},
      {"health-by-connect", &Setup::health_by_connect, 2},
      {"observes", &Setup::observes, 2},
      {"old-agent", &Setup::old_agent, kMostNodes + 1},
      {"limited", &Setup::limited, kMostNodes + 1},
      {"closer", &Setup::closer, 16},
      {"window", &Setup::window, 3},
      {"backs-up", &Setup::backs_up, 3},
      {"unlisted", &Setup::unlisted, 2},
      {"migration-unsaid", &Setup::migration_unsaid, 2},
      {"stays-broken", &Setup::stays_broken, 2},
  };
  return fields;
}

const std::vector<KindRow>& Kinds() {
  static const auto& kinds = *new std::vector<KindRow>{
      {Kind::kRound, "round", Swarm::kAlways, 24},
      {Kind::kCall, "call", Swarm::kAlways, 12},
      {Kind::kWork, "work", Swarm::kAlways, 12},
      {Kind::kPlan, "plan", Swarm::kAlways, 8},
      {Kind::kPass, "pass", Swarm::kAlways, 14},
      {Kind::kMend, "mend", Swarm::kAlways, 5},
      {Kind::kSend, "send", Swarm::kMessages, 8},
      {Kind::kTake, "take", Swarm::kMessages, 8},
      {Kind::kHear, "hear", Swarm::kMessages, 8},
      {Kind::kLose, "lose", Swarm::kMessages, 3},
      {Kind::kRepeat, "repeat", Swarm::kMessages, 2},
      {Kind::kPlanStep, "plan-step", Swarm::kPlanSteps, 14},
      {Kind::kAgentDies, "agent-dies", Swarm::kAgents, 5},
      {Kind::kAgentStarts, "agent-starts", Swarm::kAgents, 5},
      {Kind::kReboot, "reboot", Swarm::kMachines, 4},
      {Kind::kPowerOff, "power-off", Swarm::kMachines, 5},
      {Kind::kPowerOn, "power-on", Swarm::kMachines, 5},
      {Kind::kReplace, "replace", Swarm::kMachines, 2},
      {Kind::kStateLost, "state-lost", Swarm::kMachines, 1},
      {Kind::kCut, "cut", Swarm::kLinks, 7},
      {Kind::kLink, "link", Swarm::kLinks, 7},
      {Kind::kUnmount, "unmount", Swarm::kStorage, 5},
      {Kind::kOtherMount, "other-mount", Swarm::kStorage, 4},
      {Kind::kHang, "hang", Swarm::kStorage, 2},
      {Kind::kRemount, "remount", Swarm::kStorage, 5},
      {Kind::kOtherDatabase, "other-database", Swarm::kIdentity, 4},
      {Kind::kOtherKey, "other-key", Swarm::kIdentity, 4},
      {Kind::kClockOff, "clock-off", Swarm::kIdentity, 3},
      {Kind::kCrash, "crash", Swarm::kService, 4},
      {Kind::kCrashLoop, "crash-loop", Swarm::kService, 3},
      {Kind::kStopByHand, "stop-by-hand", Swarm::kService, 2},
      {Kind::kStartByHand, "start-by-hand", Swarm::kService, 2},
      {Kind::kVersionByHand, "version-by-hand", Swarm::kVersions, 6},
      {Kind::kCannotTell, "cannot-tell", Swarm::kRules, 5},
      {Kind::kBreakConfig, "break-config", Swarm::kRules, 4},
      {Kind::kAdvise, "advise", Swarm::kRules, 2},
      {Kind::kUsers, "users", Swarm::kAlways, 4},
      {Kind::kEverywhere, "everywhere", Swarm::kEverywhere, 4},
      {Kind::kDatabaseAway, "database-away", Swarm::kEverywhere, 3},
      {Kind::kNotice, "notice", Swarm::kNotices, 4},
      {Kind::kWord, "word", Swarm::kWords, 14},
      {Kind::kTakeBack, "take-back", Swarm::kWords, 5},
      {Kind::kApply, "apply", Swarm::kSpecs, 6},
      {Kind::kChange, "change", Swarm::kChanges, 9},
      {Kind::kSayOfChange, "say-of-change", Swarm::kChanges, 18},
      {Kind::kMigration, "migration", Swarm::kChanges, 4},
      {Kind::kCannotFetch, "cannot-fetch", Swarm::kChanges, 2},
      {Kind::kCannotInstall, "cannot-install", Swarm::kChanges, 3},
      {Kind::kCacheLost, "cache-lost", Swarm::kChanges, 2},
      {Kind::kBackupFails, "backup-fails", Swarm::kChanges, 2},
      {Kind::kPin, "pin", Swarm::kChanges, 2},
      {Kind::kRemove, "remove", Swarm::kMembers, 3},
      {Kind::kEnrol, "enrol", Swarm::kMembers, 4},
      {Kind::kClone, "clone", Swarm::kClones, 4},
      {Kind::kOneLeft, "one-left", Swarm::kClones, 4},
      {Kind::kCoordinatorDies, "coordinator-dies", Swarm::kCoordinators, 6},
      {Kind::kCoordinatorStarts, "coordinator-starts", Swarm::kCoordinators, 8},
      {Kind::kBackUp, "back-up", Swarm::kStores, 5},
      {Kind::kRestore, "restore", Swarm::kStores, 4},
      {Kind::kClockJump, "clock-jump", Swarm::kClocks, 5},
      {Kind::kInterruption, "interruption", Swarm::kNotices, 3},
      {Kind::kMaintenance, "maintenance", Swarm::kNotices, 6},
      {Kind::kTerminating, "terminating", Swarm::kNotices, 3},
      {Kind::kNodeClockJump, "node-clock-jump", Swarm::kClocks, 5},
      {Kind::kCover, "cover", Swarm::kStorage, 4},
  };
  return kinds;
}

const char* NameOf(Kind kind) { return Kinds()[static_cast<size_t>(kind)].name; }

Schedule FromSeed(uint64_t seed) {
  Tape tape(seed);
  Schedule schedule;
  schedule.setup = DrawSetup(tape);
  const Swarms on = DrawSwarms(tape);
  const std::vector<Kind> urn = DrawUrn(on);
  if (on[static_cast<size_t>(Swarm::kChanges)] && !tape.OneIn(4)) {
    DrawChange(tape, schedule.events);
  }
  const uint32_t events = kFewestEvents + tape.Below(kMoreEvents);
  for (uint32_t i = 0; i < events; ++i) {
    Event event;
    event.kind = urn[tape.Below(static_cast<uint32_t>(urn.size()))];
    event.who = tape.Below(kMostNodes);
    event.how = tape.Below(kHows);
    schedule.events.push_back(event);
  }
  return schedule;
}

std::string ToText(const Schedule& schedule) {
  std::string text = "setup";
  for (const SetupField& field : SetupFields()) {
    const uint32_t value = schedule.setup.*field.value;
    if (value != 0) absl::StrAppend(&text, " ", field.name, "=", value);
  }
  absl::StrAppend(&text, "\n");
  for (const Event& event : schedule.events) {
    absl::StrAppend(&text, NameOf(event.kind), " ", event.who, " ", event.how, "\n");
  }
  return text;
}

absl::StatusOr<Schedule> FromText(const std::string& text) {
  Schedule schedule;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    line = line.substr(0, line.find('#'));
    const std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    if (words.empty()) continue;
    if (words[0] == "setup") {
      if (const absl::Status read = ReadSetup(words, &schedule.setup); !read.ok()) return read;
      continue;
    }
    const absl::StatusOr<Event> event = ReadEvent(words);
    if (!event.ok()) return event.status();
    schedule.events.push_back(*event);
  }
  return schedule;
}

}  // namespace connect_ha::simulation
