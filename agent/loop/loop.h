// The agent's loop: what changed is gathered and leaves at once in a heartbeat; when nothing
// changes, a heartbeat leaves when the coordinator wants the next one.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "agent/assignment/held.h"
#include "agent/gate/gate.h"
#include "agent/link/coordinator_link.h"
#include "agent/loop/gatherer.h"
#include "agent/resources/converge/converger.h"
#include "common/backoff.h"

namespace connect_ha {

struct LoopOptions {
  std::string node;
  std::string machine_id;
  std::string boot_id;
  std::string agent_version;
  std::string digest_key_id;  // of the key that the gatherer makes digests with
  // What the coordinator takes, less room for the rest of the message.
  size_t max_report_bytes = 4 * 1024 * 1024 - 64 * 1024;
  // sd_notify(3)'s.
  std::function<void(const std::string& state)> notify;
  // After each call, once its orders were taken. Null: there was no answer.
  std::function<void(const v1::HeartbeatResponse* answer)> called = {};
  // Facts were taken in that may be others than before. Null: nobody is told.
  std::function<void()> gathered = {};
  // How the node's gate stands. Null: it has none.
  std::function<GateNews()> gate = {};
};

class Loop {
 public:
  Loop(LoopOptions options, Gatherer& gatherer, Converger& converger, Held& held,
       CoordinatorLink& link, Host& host);

  // One turn: starts what is due and what `triggers` (of Trigger) ask for, gives the quick probes
  // a moment, and calls the coordinator when there is a reason to. Errors of the coordinator are
  // kept and retried with back-off; nothing else depends on it.
  void Act(uint32_t triggers, SteadyTime now);
  // When the next turn is due.
  SteadyTime NextDue(SteadyTime now) const;
  // The coordinator asks for a call now. From any thread; make the loop turn afterwards.
  void Nudge() { nudged_ = true; }

 private:
  void Gather(uint32_t triggers, SteadyTime now);
  void TakeFacts(v1::Facts facts);
  bool ShouldCall(SteadyTime now) const;
  bool HasNews() const;
  void Call(SteadyTime now);
  v1::HeartbeatRequest MakeRequest(SteadyTime now);
  void AddConvergence(v1::HeartbeatRequest& request);
  v1::NodeState StateToTell(v1::NodeState state) const;
  void AddHeld(v1::HeartbeatRequest& request) const;
  void AddService(const ConvergerNews& news, v1::HeartbeatRequest& request);
  uint64_t GateVersion() const;
  void TakeAssignment(const v1::HeartbeatRequest& request, const v1::HeartbeatResponse& response);
  void NoteAssignment(const absl::Status& kept);
  void TakeAnswer(const v1::HeartbeatRequest& request, const v1::HeartbeatResponse& response,
                  SteadyTime now);
  void TakeError(const absl::Status& status, SteadyTime now);
  void TellTrouble(const absl::Status& status, SteadyTime now);
  void NoteConflict(const std::string& conflict);
  void SetStatus(const std::string& status);

  const LoopOptions options_;
  Gatherer& gatherer_;
  Converger& converger_;
  Held& held_;
  CoordinatorLink& link_;
  Host& host_;

  v1::Facts facts_;
  std::string digest_;
  bool too_large_ = false;
  bool complete_ = false;  // the first gathering is over: there is something to report
  SteadyTime began_{};
  uint64_t first_round_ = 0;

  std::string acknowledged_digest_;  // of the facts that the coordinator holds
  SteadyTime facts_sent_{};
  bool send_facts_ = true;
  bool as_bytes_ = false;    // the coordinator takes facts_bytes
  bool send_ahead_ = false;  // it gave what to get ready for: it does not know that we have it
  uint64_t gathered_ = 0;
  uint64_t acknowledged_gathered_ = 0;
  uint64_t asked_gather_ = 0;
  uint64_t asked_round_ = 0;

  std::atomic<bool> nudged_{false};
  SteadyTime next_call_{};
  SteadyTime last_call_{};
  v1::ClockExchange last_exchange_;
  std::string assignment_trouble_;  // why the last assignment was not kept; "": it was
  v1::NodeState told_state_ = v1::NODE_STATE_UNSPECIFIED;
  uint64_t sent_news_ = 0;  // version of the converger's news in the latest request
  uint64_t acknowledged_news_ = 0;
  uint64_t sent_gate_ = 0;  // the same of the gate's
  uint64_t acknowledged_gate_ = 0;

  Backoff backoff_;
  bool away_ = false;
  absl::StatusCode away_code_ = absl::StatusCode::kOk;
  SteadyTime away_since_{};
  SteadyTime away_told_{};
  std::string conflict_;
  std::string status_;
};

}  // namespace connect_ha
