// plan_simulation: runs schedules, from seeds or from files.
//   plan_simulation [--seeds N] [--from N] [--jobs N]   those seeds; the first that fails is shrunk
//   plan_simulation --seed N                            that one, with all that happens
//   plan_simulation --replay FILE...                    these schedules, with all that happens
//   plan_simulation --planted [--seeds N]               every planted fault is caught
// Exit codes: 0 nothing is broken, 1 something is, 2 it was called wrongly.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <mutex>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "tests/plan_simulation/planted.h"
#include "tests/plan_simulation/run.h"

namespace connect_ha::simulation {
namespace {

// From so many on, everything that has to happen sometimes has to have happened.
constexpr uint64_t kEnoughForAll = 100'000;
// Of these, a planted fault is caught by one at the latest.
constexpr uint64_t kSeedsForPlanted = 200'000;
// So often it says how far it is.
constexpr uint64_t kSaidEvery = 20'000;

struct Options {
  uint64_t seeds = 0;  // 0: not said
  uint64_t from = 0;
  uint32_t jobs = 0;
  std::optional<uint64_t> seed;
  bool planted = false;
  std::vector<std::string> replay;
};

struct Found {
  uint64_t seed = 0;
  Failure failure;
};

struct Outcome {
  std::optional<Found> found;  // of those that count the one with the smallest seed
  Counts counts{};
  uint64_t run = 0;
};

// Until one breaks this invariant; "": any.
Outcome RunSeeds(const Subject& subject, uint64_t from, uint64_t seeds, uint32_t jobs,
                 const std::string& invariant) {
  Outcome outcome;
  std::mutex mutex;
  std::atomic<uint64_t> next{from};
  std::atomic<bool> stop{false};
  const auto work = [&] {
    Counts counts{};
    uint64_t run = 0;
    while (!stop) {
      const uint64_t seed = next++;
      if (seed >= from + seeds) break;
      ++run;
      if (seed > from && (seed - from) % kSaidEvery == 0) {
        std::cerr << seed - from << " of " << seeds << " schedules\n";
      }
      const std::optional<Failure> failure = Run(FromSeed(seed), subject, &counts);
      if (!failure || (!invariant.empty() && failure->invariant != invariant)) continue;
      stop = true;
      const std::lock_guard<std::mutex> lock(mutex);
      if (!outcome.found || seed < outcome.found->seed) outcome.found = Found{seed, *failure};
    }
    const std::lock_guard<std::mutex> lock(mutex);
    outcome.run += run;
    for (size_t i = 0; i < counts.size(); ++i) outcome.counts[i] += counts[i];
  };
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < jobs; ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  return outcome;
}

// In how many schedules' events each thing happened; false where one never did.
bool PrintCounts(const Outcome& outcome, bool all_have_to) {
  bool all = true;
  for (size_t i = 0; i < outcome.counts.size(); ++i) {
    const std::string name = NameOfCount(i);
    if (name.empty()) continue;
    const bool never = outcome.counts[i] == 0;
    std::cout << (never && all_have_to ? "NEVER " : "      ") << outcome.counts[i] << "  " << name
              << "\n";
    all = all && !never;
  }
  return all || !all_have_to;
}

int Simulate(const Options& options) {
  const uint64_t seeds = options.seeds == 0 ? 10'000 : options.seeds;
  const Subject subject = TheRealOne();
  const Outcome outcome = RunSeeds(subject, options.from, seeds, options.jobs, "");
  std::cout << outcome.run << " schedules\n";
  if (!outcome.found) return PrintCounts(outcome, seeds >= kEnoughForAll) ? 0 : 1;
  const Schedule schedule = FromSeed(outcome.found->seed);
  const Schedule shrunk = Shrink(schedule, subject, outcome.found->failure.invariant);
  std::cout << "seed " << outcome.found->seed << " breaks " << outcome.found->failure.invariant
            << ": " << outcome.found->failure.text << "\n"
            << "shrunk from " << schedule.events.size() << " events to " << shrunk.events.size()
            << "; once it is mended, keep it: a file of its own in "
               "tests/plan_simulation/fixtures/\n\n"
            << "# seed " << outcome.found->seed << "\n"
            << Describe(shrunk, subject);
  return 1;
}

int ShowOne(const Schedule& schedule) {
  const Subject subject = TheRealOne();
  std::cout << Describe(schedule, subject);
  Counts counts{};
  return Run(schedule, subject, &counts) ? 1 : 0;
}

int Replay(const std::vector<std::string>& files) {
  int code = 0;
  for (const std::string& file : files) {
    std::ifstream stream(file);
    std::stringstream text;
    text << stream.rdbuf();
    const absl::StatusOr<Schedule> schedule = FromText(text.str());
    if (!stream || !schedule.ok()) {
      std::cerr << "error: " << file << ": "
                << (stream ? schedule.status().ToString() : "cannot be read") << "\n";
      return 2;
    }
    std::cout << "# " << file << "\n";
    code = std::max(code, ShowOne(*schedule));
  }
  return code;
}

int CatchPlanted(const Options& options) {
  const uint64_t seeds = options.seeds == 0 ? kSeedsForPlanted : options.seeds;
  int code = 0;
  for (const Planted& planted : AllPlanted()) {
    const Outcome outcome =
        RunSeeds(planted.subject, options.from, seeds, options.jobs, planted.caught_by);
    if (outcome.found) {
      std::cout << planted.name << ": caught after " << outcome.run << " by "
                << outcome.found->failure.invariant << ": " << outcome.found->failure.text << "\n";
    } else {
      std::cout << planted.name << ": SURVIVED " << outcome.run << " schedules\n";
      code = 1;
    }
  }
  return code;
}

std::optional<Options> Parse(const std::vector<std::string>& arguments) {
  Options options;
  options.jobs = std::max(1U, std::thread::hardware_concurrency());
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& name = arguments[i];
    if (name == "--planted") {
      options.planted = true;
      continue;
    }
    if (name == "--replay" && i + 1 < arguments.size()) {
      options.replay.assign(arguments.begin() + static_cast<ptrdiff_t>(i) + 1, arguments.end());
      return options;
    }
    uint64_t number = 0;
    if (i + 1 >= arguments.size() || !absl::SimpleAtoi(arguments[i + 1], &number)) {
      return std::nullopt;
    }
    ++i;
    if (name == "--seeds") {
      options.seeds = number;
    } else if (name == "--from") {
      options.from = number;
    } else if (name == "--seed") {
      options.seed = number;
    } else if (name == "--jobs" && number > 0 && number <= 256) {
      options.jobs = static_cast<uint32_t>(number);
    } else {
      return std::nullopt;
    }
  }
  return options;
}

int Main(const std::vector<std::string>& arguments) {
  const std::optional<Options> options = Parse(arguments);
  if (!options) {
    std::cerr << "error: what is asked is not known\n"
                 "fix:   plan_simulation [--seeds N] [--from N] [--jobs N] | --seed N | "
                 "--replay FILE... | --planted [--seeds N]\n";
    return 2;
  }
  if (!options->replay.empty()) return Replay(options->replay);
  if (options->planted) return CatchPlanted(*options);
  if (options->seed) return ShowOne(FromSeed(*options->seed));
  return Simulate(*options);
}

}  // namespace
}  // namespace connect_ha::simulation

int main(int argc, char** argv) {
  return connect_ha::simulation::Main(std::vector<std::string>(argv + 1, argv + argc));
}
