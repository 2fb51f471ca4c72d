// Thousands of simulated nodes in one thread: each with its own mTLS connection, a nudge stream,
// and heartbeats. All by one completion queue.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/bench_cluster.h"

namespace connect_ha {

class BenchNodes {
 public:
  // Connects them, a few hundred at a time. A heartbeat is tried until it is answered.
  BenchNodes(const BenchCluster& cluster, const std::vector<BenchIdentity>& identities);
  ~BenchNodes();
  BenchNodes(const BenchNodes&) = delete;

  // Until every node's latest heartbeat was answered and its stream is open; the seconds that
  // took, negative after `limit_seconds`.
  double WaitUntilAllReported(double limit_seconds);
  // Every node's next answer counts anew: for a coordinator that was killed.
  void ExpectAgain();
  // From now on each node reports other facts every `interval`, beginning at a moment of its own.
  // Returns when all do.
  void ReportChangesEvery(std::chrono::milliseconds interval);
  // The milliseconds from each such report to its acknowledgement, of those acknowledged in `run`.
  std::vector<double> AcknowledgedIn(std::chrono::seconds run);
  // Every call that ended with another status than UNAVAILABLE, as a word of its first.
  int refused() const { return refused_.load(); }
  std::string first_refusal() const;

 private:
  struct Node;
  void Loop();
  void BeginNext();
  void Refused(const grpc::Status& status);

  grpc::CompletionQueue queue_;
  std::vector<std::unique_ptr<Node>> nodes_;
  size_t begun_ = 0;  // of nodes_; of the loop's thread
  std::atomic<int> reported_{0};
  std::atomic<int> refused_{0};
  std::atomic<int> round_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<int64_t> interval_ms_{0};  // between changed reports; 0: the facts stay
  mutable std::mutex mutex_;
  std::string first_refusal_;
  std::vector<double> acknowledged_ms_;
  std::thread thread_;
};

}  // namespace connect_ha
