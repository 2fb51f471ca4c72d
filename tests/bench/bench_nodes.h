// Thousands of simulated nodes in one thread: each with its own mTLS connection, a nudge stream,
// and heartbeats. All by one completion queue.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/bench_cluster.h"

namespace connect_ha {

class BenchNodes {
 public:
  // Connects all at once. A heartbeat is tried until it is answered, at most `pace` apart.
  BenchNodes(const BenchCluster& cluster, const std::vector<BenchIdentity>& identities);
  ~BenchNodes();
  BenchNodes(const BenchNodes&) = delete;

  // Until every node's latest heartbeat was answered and its stream is open; the seconds that
  // took, negative after `limit_seconds`.
  double WaitUntilAllReported(double limit_seconds);
  // Every node's next answer counts anew: for a coordinator that was killed.
  void ExpectAgain();
  // Every call that ended with another status than UNAVAILABLE, as a word of its first.
  int refused() const { return refused_.load(); }
  std::string first_refusal() const;

 private:
  struct Node;
  void Loop();
  void Refused(const grpc::Status& status);

  grpc::CompletionQueue queue_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::atomic<int> reported_{0};
  std::atomic<int> refused_{0};
  std::atomic<int> round_{0};
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::string first_refusal_;
  std::thread thread_;
};

}  // namespace connect_ha
