#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "tests/plan_simulation/planted.h"
#include "tests/plan_simulation/run.h"

namespace connect_ha::simulation {
namespace {

const std::filesystem::path kHere =
    std::filesystem::path(CONNECT_HA_SOURCE_DIR) / "tests/plan_simulation";

std::string Read(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

std::vector<std::filesystem::path> Files(const std::filesystem::path& folder,
                                         const std::string& extension) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == extension) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

const Planted& FindPlanted(const std::string& name) {
  const auto found = std::find_if(AllPlanted().begin(), AllPlanted().end(),
                                  [&](const Planted& planted) { return planted.name == name; });
  return *found;
}

TEST(Simulation, EveryFixtureHolds) {
  const auto files = Files(kHere / "fixtures", ".schedule");
  ASSERT_FALSE(files.empty());
  for (const auto& file : files) {
    const auto schedule = FromText(Read(file));
    ASSERT_TRUE(schedule.ok()) << file << ": " << schedule.status();
    Counts counts{};
    const auto failure = simulation::Run(*schedule, TheRealOne(), &counts);
    EXPECT_FALSE(failure) << file << ": " << failure->invariant << ": " << failure->text;
  }
}

std::vector<std::string> TraceOf(const std::string& fixture) {
  const auto schedule = FromText(Read(kHere / "fixtures" / fixture));
  EXPECT_TRUE(schedule.ok()) << schedule.status();
  if (!schedule.ok()) return {};
  Counts counts{};
  std::vector<std::string> trace;
  const auto failure = simulation::Run(*schedule, TheRealOne(), &counts, &trace);
  EXPECT_FALSE(failure) << failure->invariant << ": " << failure->text;
  return trace;
}

// Its own disk, the clock and the database say nothing against that start: what the others wrote
// where it sees it is all that keeps it.
TEST(Simulation, WhatWasDeclaredGoneIsKeptFromItsStartByTheMark) {
  const auto file = kHere / "fixtures" / "a-node-that-was-declared-gone-returns-soon.schedule";
  const auto schedule = FromText(Read(file));
  ASSERT_TRUE(schedule.ok()) << schedule.status();
  Subject subject = TheRealOne();
  subject.agent.heeds_no_mark = true;
  Counts counts{};
  const auto failure = simulation::Run(*schedule, subject, &counts);
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->invariant, "nothing-older-starts") << failure->text;
}

// The lines in which it is so, as indices.
std::vector<size_t> FindAll(const std::vector<std::string>& trace, const std::string& what) {
  std::vector<size_t> found;
  for (size_t i = 0; i < trace.size(); ++i) {
    if (trace[i].find(what) != std::string::npos) found.push_back(i);
  }
  return found;
}

// Not "it stops Connect on all nodes".
std::vector<size_t> FindStops(const std::vector<std::string>& trace) {
  std::vector<size_t> found;
  for (const size_t i : FindAll(trace, " stops Connect")) {
    if (absl::EndsWith(trace[i], " stops Connect")) found.push_back(i);
  }
  return found;
}

// All stop, one is changed and starts, and only then do the others.
TEST(Simulation, AnUpgradeGoesInOrder) {
  const auto trace = TraceOf("an-upgrade.schedule");
  const auto stops = FindStops(trace);
  const auto installs = FindAll(trace, " installs Connect 2024.09.0");
  const auto starts = FindAll(trace, " starts Connect");
  ASSERT_EQ(stops.size(), 3U);
  ASSERT_EQ(installs.size(), 3U);
  ASSERT_EQ(starts.size(), 3U);
  EXPECT_LT(stops[2], installs[0]);
  EXPECT_LT(installs[0], starts[0]);
  EXPECT_LT(starts[0], installs[1]);
}

TEST(Simulation, AWindowLetsAnUpgradeBegin) {
  const auto trace = TraceOf("an-upgrade-in-a-window.schedule");
  const auto backups = FindAll(trace, "the backup goes well");
  const auto stops = FindStops(trace);
  ASSERT_FALSE(backups.empty());
  ASSERT_FALSE(stops.empty());
  EXPECT_LT(backups[0], stops[0]);
}

// Nothing was migrated, so the version before starts again.
TEST(Simulation, AFailedMigrationHasAWayBack) {
  const auto trace = TraceOf("a-migration-that-fails.schedule");
  EXPECT_FALSE(FindAll(trace, "tries to start Connect in vain").empty());
  EXPECT_FALSE(FindAll(trace, " starts Connect").empty());
}

TEST(Simulation, NothingOlderStartsAfterAMigrationThatFailsHalfWay) {
  const auto trace = TraceOf("a-migration-that-fails-half-way.schedule");
  EXPECT_FALSE(FindAll(trace, "tries to start Connect in vain").empty());
  EXPECT_FALSE(FindAll(trace, "REFUSED, HALTED: Connect 2024.08.0 is older").empty());
  EXPECT_TRUE(FindAll(trace, "installs Connect 2024.08.0").empty());
}

// Whatever has migrated nothing may do so the next time.
TEST(Simulation, WhatFailedStartsOnlyOnceItIsApprovedAnew) {
  const auto trace = TraceOf("the-same-version-after-it-failed.schedule");
  EXPECT_FALSE(FindAll(trace, "tries to start Connect in vain").empty());
  EXPECT_FALSE(FindAll(trace, "applies generation 3").empty());
  EXPECT_TRUE(FindAll(trace, " starts Connect").empty());
}

TEST(Simulation, NobodyStartsBesideAMigration) {
  const auto trace = TraceOf("a-migration-beside-another-generation.schedule");
  const auto starts = FindAll(trace, " starts Connect");
  const auto applied = FindAll(trace, "applies generation 3");
  const auto passes = FindAll(trace, "6m pass");
  ASSERT_GE(starts.size(), 2U);
  ASSERT_EQ(applied.size(), 1U);
  ASSERT_EQ(passes.size(), 2U);
  EXPECT_LT(starts[0], applied[0]);
  EXPECT_GT(starts[1], passes[1]);
}

TEST(Simulation, AnAbortWaitsForAMigrationToEnd) {
  const auto trace = TraceOf("an-abort-of-a-migration.schedule");
  const auto stops = FindStops(trace);
  const auto passes = FindAll(trace, "6m pass");
  ASSERT_EQ(passes.size(), 2U);
  // Both were stopped for the change, and the first once more.
  ASSERT_EQ(stops.size(), 3U);
  EXPECT_GT(stops[2], passes[1]);
}

TEST(Simulation, WhatContentIsPinnedToIsNotRemoved) {
  const auto trace = TraceOf("a-runtime-that-no-list-names.schedule");
  EXPECT_FALSE(FindAll(trace, "REFUSED").empty());
  EXPECT_TRUE(FindAll(trace, "removes Python").empty());
}

TEST(Simulation, ARuntimeGoesOnceConnectWasRestarted) {
  const auto trace = TraceOf("a-runtime-that-is-no-longer-named.schedule");
  const auto removes = FindAll(trace, "removes Python 3.11.9");
  const auto stops = FindStops(trace);
  ASSERT_EQ(removes.size(), 2U);
  ASSERT_EQ(stops.size(), 2U);
  EXPECT_LT(stops[0], removes[0]);
  EXPECT_LT(stops[1], removes[1]);
}

TEST(Simulation, ANodeIsStoppedForItsMaintenance) {
  const auto trace = TraceOf("a-maintenance.schedule");
  const auto stops = FindStops(trace);
  const auto boots = FindAll(trace, "EC2 boots n1 again");
  const auto starts = FindAll(trace, "n1 starts Connect");
  ASSERT_EQ(stops.size(), 1U);
  ASSERT_EQ(boots.size(), 1U);
  ASSERT_EQ(starts.size(), 1U);
  EXPECT_LT(stops[0], boots[0]);
  EXPECT_LT(boots[0], starts[0]);
}

TEST(Simulation, ANodeIsStoppedBeforeItsMachineGoes) {
  const auto trace = TraceOf("an-interruption.schedule");
  const auto stops = FindStops(trace);
  const auto goes = FindAll(trace, "EC2 takes the machine of n1");
  ASSERT_EQ(stops.size(), 1U);
  ASSERT_EQ(goes.size(), 1U);
  EXPECT_LT(stops[0], goes[0]);
}

TEST(Simulation, CountsHaveNames) {
  std::set<std::string> names;
  for (size_t i = 0; i < kCounts; ++i) {
    const std::string name = NameOfCount(i);
    if (name.empty()) continue;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
  EXPECT_EQ(names.count("a coordinator dies in stopping"), 1U);
  EXPECT_EQ(names.count("an older store is put back in first"), 1U);
}

// Under the sanitizers: few of what plan_simulation runs as it is released.
TEST(Simulation, SomeSeedsHold) {
  Counts counts{};
  for (uint64_t seed = 0; seed < 60; ++seed) {
    const auto failure = simulation::Run(FromSeed(seed), TheRealOne(), &counts);
    ASSERT_FALSE(failure) << "seed " << seed << ": " << failure->invariant << ": " << failure->text;
  }
}

TEST(Simulation, AScheduleSurvivesItsFile) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const Schedule schedule = FromSeed(seed);
    const auto read = FromText("# for people\n" + ToText(schedule));
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(read->events, schedule.events);
    EXPECT_EQ(ToText(*read), ToText(schedule));
  }
  EXPECT_FALSE(FromText("setup nodes=0\n").ok());
  EXPECT_FALSE(FromText("no-such-event 1 2\n").ok());
  EXPECT_FALSE(FromText("call 1\n").ok());
}

TEST(Simulation, TheSameScheduleGivesTheSameTrace) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    EXPECT_EQ(Describe(FromSeed(seed), TheRealOne()), Describe(FromSeed(seed), TheRealOne()));
  }
}

// What is left is short, still fails, and says why.
TEST(Simulation, AFailureIsShrunk) {
  const Planted& planted = FindPlanted("says-another-thing");
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    const Schedule schedule = FromSeed(seed);
    Counts counts{};
    const auto failure = simulation::Run(schedule, planted.subject, &counts);
    if (!failure || failure->invariant != planted.caught_by) continue;
    const Schedule shrunk = Shrink(schedule, planted.subject, failure->invariant);
    EXPECT_LE(shrunk.events.size(), 2U) << ToText(shrunk);
    EXPECT_EQ(shrunk.setup.nodes, 1U);
    const std::string text = Describe(shrunk, planted.subject);
    EXPECT_EQ(text.find("# same-input-same-decision: "), 0U) << text;
    return;
  }
  FAIL() << "no seed shows the planted fault";
}

// Whoever adds an invariant shows that it can be broken; `plan_simulation --planted` runs them.
TEST(Simulation, EveryInvariantHasAPlantedFault) {
  // About the simulation itself.
  std::set<std::string> shown = {"every-event-is-known", "orders-are-given"};
  for (const Planted& planted : AllPlanted()) {
    shown.insert(planted.caught_by);
  }
  const std::regex broken("(?:Break|check)\\(\\s*\"([a-z-]+)\"");
  size_t invariants = 0;
  for (const auto& file : Files(kHere, ".cc")) {
    const std::string text = Read(file);
    for (std::sregex_iterator match(text.begin(), text.end(), broken), end; match != end; ++match) {
      ++invariants;
      EXPECT_EQ(shown.count((*match)[1].str()), 1U) << (*match)[1].str() << " in " << file;
    }
  }
  EXPECT_GT(invariants, 20U);
}

}  // namespace
}  // namespace connect_ha::simulation
