#include "tests/plan_simulation/run.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coordinator/plan/decide.h"

namespace connect_ha::simulation {
namespace {

class Shrinker {
 public:
  Shrinker(const Subject& subject, const std::string& invariant)
      : subject_(subject), invariant_(invariant) {}

  Schedule Do(Schedule schedule) {
    best_ = std::move(schedule);
    bool better = true;
    while (better) {
      better = LeaveOut();
      better = Simplify() || better;
      better = SimplifySetup() || better;
    }
    return best_;
  }

 private:
  // Keeps it where it still fails.
  bool Try(const Schedule& schedule) {
    Counts counts{};
    const std::optional<Failure> failure = Run(schedule, subject_, &counts);
    if (!failure || failure->invariant != invariant_) return false;
    best_ = schedule;
    return true;
  }

  bool LeaveOut() {
    bool better = false;
    for (size_t length = std::max<size_t>(best_.events.size() / 2, 1); length > 0; length /= 2) {
      for (size_t at = 0; at + length <= best_.events.size();) {
        Schedule shorter = best_;
        const auto from = shorter.events.begin() + static_cast<ptrdiff_t>(at);
        shorter.events.erase(from, from + static_cast<ptrdiff_t>(length));
        if (Try(shorter)) {
          better = true;
        } else {
          at += length;
        }
      }
    }
    return better;
  }

  bool TrySmaller(size_t at, uint32_t Event::*number) {
    const uint32_t is = best_.events[at].*number;
    for (const uint32_t smaller : {0U, is / 8, is / 2, is - 1}) {
      if (smaller >= is) continue;
      Schedule plainer = best_;
      plainer.events[at].*number = smaller;
      if (Try(plainer)) return true;
    }
    return false;
  }

  bool Simplify() {
    bool better = false;
    for (size_t at = 0; at < best_.events.size(); ++at) {
      better = TrySmaller(at, &Event::who) || better;
      better = TrySmaller(at, &Event::how) || better;
    }
    return better;
  }

  bool SimplifySetup() {
    bool better = false;
    for (const SetupField& field : SetupFields()) {
      const uint32_t is = best_.setup.*field.value;
      const uint32_t least = field.value == &Setup::nodes ? 1 : 0;
      if (is <= least) continue;
      Schedule plainer = best_;
      plainer.setup.*field.value = is - 1;
      better = Try(plainer) || better;
    }
    return better;
  }

  const Subject& subject_;
  const std::string& invariant_;
  Schedule best_;
};

}  // namespace

Subject TheRealOne() {
  Subject subject;
  subject.decide = Decide;
  return subject;
}

std::optional<Failure> Run(const Schedule& schedule, const Subject& subject, Counts* counts,
                           std::vector<std::string>* trace) {
  World world(schedule.setup, subject, counts, trace);
  for (const Event& event : schedule.events) {
    world.Do(event);
    if (world.failure()) return world.failure();
  }
  world.ComeToRest();
  return world.failure();
}

Schedule Shrink(const Schedule& schedule, const Subject& subject, const std::string& invariant) {
  return Shrinker(subject, invariant).Do(schedule);
}

std::string Describe(const Schedule& schedule, const Subject& subject) {
  Counts counts{};
  std::vector<std::string> trace;
  const std::optional<Failure> failure = Run(schedule, subject, &counts, &trace);
  std::string text;
  if (failure) absl::StrAppend(&text, "# ", failure->invariant, ": ", failure->text, "\n#\n");
  for (const std::string& line : trace) absl::StrAppend(&text, "# ", line, "\n");
  return absl::StrCat(text, ToText(schedule));
}

}  // namespace connect_ha::simulation
