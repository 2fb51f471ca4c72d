// Rounds of work on the file systems that the nodes share: once a minute, on a file of this node's
// own in each, what Connect does there all the time. By a process that may hang in our stead.
//
// What one look shows (agent/probes/storage/storage_answers.h) is that the server answers; a round
// shows that work succeeds, and how fast.
#pragma once

#include <map>
#include <string>

#include "agent/probes/storage/storage.h"
#include "agent/proof/proof.h"
#include "connect_ha/v1/facts.pb.h"

namespace connect_ha {

class StorageRounds : public ProofRounds {
 public:
  explicit StorageRounds(const ProofContext& context) : context_(context) {}

  // A minute; 10 s while one hangs, so that its end is seen soon: it costs nothing to ask.
  std::chrono::milliseconds Pace() const override;
  // On each mount in turn. One that hangs is waited for once, 30 s; after that it is asked in no
  // time until it came back or its process was replaced.
  bool Run(const ProofOrder& order) override;
  // Nothing is held between rounds: forgets what they showed.
  void Stop() override;

 private:
  absl::Status Look(const ProofOrder& order);
  absl::Status Work(const std::string& node, const NetworkDirectory& directory);
  bool Keep(const std::string& error);

  const ProofContext context_;
  std::map<std::string, v1::StorageRound> rounds_;  // the latest, by mount point
  std::string kept_;                                // what was kept last, but for durations
};

}  // namespace connect_ha
