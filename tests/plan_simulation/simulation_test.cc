#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

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
