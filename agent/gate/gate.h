// What this node answers its load balancer: from memory, whatever hangs. The state that the node is
// told counts at once; what is known of Connect and of the rules is looked at on a thread of its
// own (gate_keeper.h), so that neither a coordinator that is away nor a probe that hangs delays it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "agent/gate/verdict.h"
#include "agent/host/host.h"
#include "connect_ha/v1/agent_config.pb.h"
#include "connect_ha/v1/convergence.pb.h"
#include "connect_ha/v1/facts.pb.h"
#include "connect_ha/v1/node_service.pb.h"

namespace connect_ha {

struct GateOptions {
  std::string node;
  v1::AgentConfig agent_config;  // with its defaults set
  // What the node is told; never null. What it remembers of Connect's unit. What was gathered last.
  // The first two are called under a lock, and call nothing of the gate.
  std::function<std::shared_ptr<const v1::Assignment>()> orders;
  std::function<v1::ServiceMemory()> memory;
  std::function<v1::Facts()> facts;
  // Called when News() is another, from any thread. Null: nobody is told.
  std::function<void()> on_news;
  // Writes into that memory which rule closes the gate (ServiceMemory.closed_by); from Look's
  // thread. Null: a restart forgets it.
  std::function<void(const std::string& closed_by)> note_closed = {};
  // False: nothing listens for who asks, so that no load balancer finds it open.
  bool is_heard = true;
};

struct GateAnswer {
  int status = 503;
  std::string text;
};

// `version` grows when anything of the report changes but how often it refused.
struct GateNews {
  uint64_t version = 0;
  bool is_known = false;     // it has looked
  v1::ServiceReport report;  // without start_failed
};

// All calls from any thread; Look from one.
class Gate {
 public:
  Gate(GateOptions options, Host& host);

  // /healthz. Waits for the first look, for no longer than `patience`.
  GateAnswer Health(std::chrono::milliseconds patience);
  // /, for people.
  std::string Page();
  GateNews News();

  // Looks at Connect's unit, and at what was gathered; judges both.
  void Look();
  // Connect runs, as far as is known: whether it answers is worth asking.
  bool ConnectRuns();

 private:
  // Needs mutex_. By what is known, and what the node is told now.
  GateVerdict Judge(const v1::Assignment& orders) const;
  // Needs mutex_. Takes up the verdict of now, by the orders of now: those of before the lock was
  // had may be older than what another thread has settled by. True: it is another than before.
  bool Settle(const v1::Assignment& orders);
  void Tell(bool is_news);
  // By what was gathered; of a node whose specification is enforced.
  RuleClosing LookAtRules(const v1::Facts& facts, const v1::Assignment& orders);
  void NoteClosed(const RuleClosing& closing);

  const GateOptions options_;
  Host& host_;
  std::string noted_rule_;  // of Look

  std::mutex mutex_;  // for what follows
  std::condition_variable known_;
  bool looked_ = false;
  ConnectLook connect_look_;
  RuleClosing closed_by_;
  bool jobs_known_ = false;
  uint32_t jobs_ = 0;
  GateVerdict verdict_;
  Time verdict_since_{};  // that it is open, or closed
  v1::NodeState state_ = v1::NODE_STATE_UNSPECIFIED;
  Time state_since_{};
  uint64_t version_ = 1;
  uint64_t refused_ = 0;  // answers other than 200
};

}  // namespace connect_ha
