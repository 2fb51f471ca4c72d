#include "coordinator/cluster/node/claimants.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/text/short_text.h"

namespace connect_ha {
namespace {

std::string Shortened(const std::string& id) {
  return id.size() > 8 ? FirstCharacters(id, 8) + "..." : id;
}

}  // namespace

void Claimants::MakeRoom() {
  if (machines_.size() < kMost) return;
  machines_.erase(std::min_element(
      machines_.begin(), machines_.end(),
      [](const Machine& a, const Machine& b) { return a.last_heard < b.last_heard; }));
}

void Claimants::Heard(const std::string& machine_id, const std::string& boot_id,
                      const std::string& address, Time now) {
  ++calls_;
  // A clock that was set back: what was heard before that is not heard for longer than it would be.
  for (Machine& other : machines_) other.last_seen = std::min(other.last_seen, now);
  auto machine = std::find_if(machines_.begin(), machines_.end(), [&](const Machine& candidate) {
    return candidate.machine_id == machine_id && candidate.boot_id == boot_id;
  });
  if (machine == machines_.end()) {
    MakeRoom();
    machine = machines_.insert(machines_.end(), Machine{});
    machine->machine_id = machine_id;
    machine->boot_id = boot_id;
    machine->first_seen = now;
    machine->first_heard = calls_;
  } else {
    for (Machine& other : machines_) {
      if (other.first_heard <= machine->last_heard) continue;
      other.heard_in_turn = true;  // it did not replace this machine
      machine->heard_in_turn = true;
    }
  }
  machine->address = address;
  machine->last_seen = now;
  machine->last_heard = calls_;
}

void Claimants::ForgetBefore(Time heard_before) {
  const auto gone = [&](const Machine& machine) {
    return machine.last_heard != calls_ && machine.last_seen < heard_before;
  };
  machines_.erase(std::remove_if(machines_.begin(), machines_.end(), gone), machines_.end());
  if (machines_.size() == 1) machines_.front().heard_in_turn = false;
}

bool Claimants::conflict() const {
  return std::count_if(machines_.begin(), machines_.end(),
                       [](const Machine& machine) { return machine.heard_in_turn; }) > 1;
}

bool Claimants::IsCurrent(const Machine& machine, bool in_conflict) const {
  return in_conflict ? machine.heard_in_turn : machine.last_heard == calls_;
}

size_t Claimants::CountCurrent() const {
  const bool in_conflict = conflict();
  return static_cast<size_t>(
      std::count_if(machines_.begin(), machines_.end(),
                    [&](const Machine& machine) { return IsCurrent(machine, in_conflict); }));
}

std::vector<v1::Claimant> Claimants::Current() const {
  const bool in_conflict = conflict();
  std::vector<v1::Claimant> current;
  for (const Machine& machine : machines_) {
    if (!IsCurrent(machine, in_conflict)) continue;
    v1::Claimant& claimant = current.emplace_back();
    claimant.set_machine_id(machine.machine_id);
    claimant.set_boot_id(machine.boot_id);
    claimant.set_address(machine.address);
    *claimant.mutable_first_seen() = ToProto(machine.first_seen);
    *claimant.mutable_last_seen() = ToProto(machine.last_seen);
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
