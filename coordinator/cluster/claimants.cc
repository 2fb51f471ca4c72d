#include "coordinator/cluster/claimants.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace connect_ha {
namespace {

std::string Shortened(const std::string& id) {
  return id.size() > 8 ? id.substr(0, 8) + "..." : id;
}

}  // namespace

void Claimants::Heard(const std::string& machine_id, const std::string& boot_id,
                      const std::string& address, Time now) {
  ++calls_;
  auto machine = std::find_if(machines_.begin(), machines_.end(), [&](const Machine& candidate) {
    return candidate.claimant.machine_id() == machine_id && candidate.claimant.boot_id() == boot_id;
  });
  if (machine == machines_.end()) {
    machine = machines_.insert(machines_.end(), Machine{});
    machine->claimant.set_machine_id(machine_id);
    machine->claimant.set_boot_id(boot_id);
    *machine->claimant.mutable_first_seen() = ToProto(now);
    machine->first_heard = calls_;
  } else {
    for (Machine& other : machines_) {
      if (other.first_heard <= machine->last_heard) continue;
      other.heard_in_turn = true;  // it did not replace this machine
      machine->heard_in_turn = true;
    }
  }
  machine->claimant.set_address(address);
  *machine->claimant.mutable_last_seen() = ToProto(now);
  machine->last_heard = calls_;
}

void Claimants::ForgetBefore(Time heard_before) {
  const auto gone = [&](const Machine& machine) {
    return machine.last_heard != calls_ && FromProto(machine.claimant.last_seen()) < heard_before;
  };
  machines_.erase(std::remove_if(machines_.begin(), machines_.end(), gone), machines_.end());
  if (machines_.size() == 1) machines_.front().heard_in_turn = false;
}

bool Claimants::conflict() const {
  return std::count_if(machines_.begin(), machines_.end(),
                       [](const Machine& machine) { return machine.heard_in_turn; }) > 1;
}

std::vector<v1::Claimant> Claimants::Current() const {
  const bool in_conflict = conflict();
  std::vector<v1::Claimant> current;
  for (const Machine& machine : machines_) {
    if (in_conflict ? machine.heard_in_turn : machine.last_heard == calls_) {
      current.push_back(machine.claimant);
    }
  }
  return current;
}

std::string Claimants::Describe() const {
  const auto current = Current();
  return absl::StrJoin(current, " and ", [](std::string* out, const v1::Claimant& claimant) {
    absl::StrAppend(out, claimant.address(), " (machine ", Shortened(claimant.machine_id()),
                    ", boot ", Shortened(claimant.boot_id()), ")");
  });
}

}  // namespace connect_ha
