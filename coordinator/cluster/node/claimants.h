// Which machines speak under one node's name. A machine that follows another (a reboot, a
// replaced instance) is no conflict; two that are heard in turn are: both are alive.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/time.h"
#include "connect_ha/v1/checklist.pb.h"

namespace connect_ha {

// Not for use by two threads at once.
class Claimants {
 public:
  // Of more machines than these at once, those heard longest ago are forgotten.
  static constexpr size_t kMost = 8;

  void Heard(const std::string& machine_id, const std::string& boot_id, const std::string& address,
             Time now);
  // Forgets those that were last heard before then: they are gone, or were replaced.
  void ForgetBefore(Time heard_before);

  // Two or more are proven to be alive.
  bool conflict() const;
  // Those proven to be alive when in conflict, else the one heard last. By first seen.
  std::vector<v1::Claimant> Current() const;
  size_t CountCurrent() const;
  // All that are not forgotten: of one that follows another both, for a while.
  size_t Count() const { return machines_.size(); }
  // "10.0.0.1 (machine 5c0f..., boot 9a31...) and 10.0.0.2 (...)"
  std::string Describe() const;

 private:
  struct Machine {
    std::string machine_id;
    std::string boot_id;
    std::string address;
    Time first_seen;
    Time last_seen;
    uint64_t first_heard = 0;  // in calls of Heard: times may be equal
    uint64_t last_heard = 0;
    bool heard_in_turn = false;
  };

  bool IsCurrent(const Machine& machine, bool in_conflict) const;
  void MakeRoom();

  std::vector<Machine> machines_;  // by first heard
  uint64_t calls_ = 0;
};

}  // namespace connect_ha
