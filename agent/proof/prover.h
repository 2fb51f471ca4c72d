// Makes the rounds of the proofs that are asked for, each kind on a thread of its own: a file
// system or a database that hangs holds up nothing but its own proof.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "agent/proof/proof.h"
#include "connect_ha/v1/agent_config.pb.h"
#include "connect_ha/v1/convergence.pb.h"

namespace connect_ha {

struct Proof {
  std::unique_ptr<ProofRounds> rounds;
  bool ProofOrder::*asked = nullptr;  // its rounds are made while this is true
};

class Prover {
 public:
  // `on_news`: called from a thread of the prover when a probe will report something else than
  // before. Nothing is done before an order and a configuration have come. `least_gap`: between two
  // rounds of a kind, whatever its pace and however often the order is another: whoever gives it
  // decides on the load that all nodes together are to the shared file system.
  Prover(std::vector<Proof> proofs, std::function<void()> on_news,
         std::chrono::milliseconds least_gap = std::chrono::seconds(5));
  // Waits for the rounds that are under way.
  ~Prover();
  Prover(const Prover&) = delete;
  Prover& operator=(const Prover&) = delete;

  // From any thread, as often as they like. Of a proof that it asks for and did not before, and
  // of all under another name or challenge, a round does not wait for its pace. Its `config` does
  // not count.
  void SetOrder(ProofOrder order);
  // As of ProofOrder; what is another counts from the next round on.
  void SetConfig(std::shared_ptr<const ConnectConfig> config);

  // Ends the rounds, but waits no longer than `patience`. False: one has not ended, and this object
  // cannot be destroyed in time; the process may be left as it is.
  bool Stop(std::chrono::milliseconds patience);

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;
  struct Worker {
    Proof proof;
    bool hurry = true;  // does not wait for its pace
    bool begun = false;
    SteadyTime due{};
    SteadyTime may_hurry{};  // not before
    std::thread thread;
  };

  // For the thread of a worker.
  void Work(Worker& worker);
  void RunRound(std::unique_lock<std::mutex>& lock, Worker& worker);
  void StopRounds(std::unique_lock<std::mutex>& lock, Worker& worker);
  bool IsAsked(const Worker& worker) const;
  static SteadyTime DueOf(const Worker& worker);

  const std::function<void()> on_news_;
  const std::chrono::milliseconds least_gap_;
  std::mutex mutex_;  // for what follows
  std::condition_variable wake_;
  std::condition_variable end_;
  ProofOrder order_;
  size_t running_ = 0;  // threads
  bool stop_ = false;
  std::vector<std::unique_ptr<Worker>> workers_;
};

// What is to be proved on a node that goes by these orders. Nothing is, where only looking is
// allowed: each proof writes something.
void SetProofs(const v1::Assignment& orders, v1::Allow allow, ProofOrder& order);

}  // namespace connect_ha
