// Whether what this node holds may still count: one that was off for long may have been counted
// out, and the cluster gone on to another version of Connect.
//
// RUNTIME_DIR/told, in memory, says that the coordinator has told a state since the boot;
// STATE_DIR/alive when the agent was there last, in seconds since 1970.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "agent/host/writable_host.h"
#include "connect_ha/v1/node_service.pb.h"

namespace connect_ha {

// OK where the coordinator has told a state since the boot, or the agent was there shortly before.
// FailedPrecondition says since when it was not, and ends with "\nfix: " and what to type.
absl::Status CheckTold(Host& host, const std::string& state_dir, const std::string& runtime_dir);

// Of one thread.
class ToldNotes {
 public:
  ToldNotes(WritableHost& host, std::string state_dir, std::string runtime_dir);

  // After each call of the coordinator, once its orders were taken; null: it did not answer. An
  // answer without a state tells nothing: nothing was decided on this node yet. Writes little, and
  // not often.
  void Called(const v1::HeartbeatResponse* answer);

 private:
  void Note(const absl::Status& written);

  WritableHost& host_;
  const std::string state_dir_;
  const std::string runtime_dir_;
  bool told_ = false;
  Time next_alive_{};
};

}  // namespace connect_ha
