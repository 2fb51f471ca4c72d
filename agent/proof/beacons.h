// This node's beacons: a small file in each shared directory, written anew every 30 s, and a look
// at the other nodes' (agent/host/processes/beacon_work.h). Server.DataDir, and Database.Dir and
// Server.LandingDir where they are elsewhere; on network mounts alone.
//
// Nothing is taken back at the end: to the others that would look as if this node used another file
// system. What lies there is written over by the next start, and removed with the node.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/host/mounts/mount_table.h"
#include "agent/proof/proof.h"
#include "connect_ha/v1/beacon_work.pb.h"
#include "connect_ha/v1/facts.pb.h"

namespace connect_ha {

class Beacons : public ProofRounds {
 public:
  explicit Beacons(ProofContext context) : context_(context) {}

  std::chrono::milliseconds Pace() const override;
  bool Run(const ProofOrder& order) override;
  void Stop() override;

 private:
  // Of one beacon, from look to look.
  struct Sighting {
    v1::SeenBeacon seen;  // but for what moves with time
    std::string nonce;    // as it was read last; "": it could not be yet
    uint64_t counter = 0;
    uint64_t first_look = 0;  // at which it was read
    uint64_t grown_look = 0;  // at which it was seen to have been written anew; 0: not yet
    std::chrono::steady_clock::time_point grown_at{};
  };
  // A directory, by where the links to it lead.
  struct Place {
    std::string nonce;
    std::string challenge;
    std::string written_nonce;  // what of these is there, as far as is known
    std::string written_challenge;
    uint64_t counter = 0;
    uint32_t rounds = 0;
    uint64_t looks = 0;
    std::map<std::string, Sighting> sightings;  // by node
  };

  absl::StatusOr<v1::BeaconsFacts> RunAll(const ProofOrder& order);
  v1::BeaconDirectory RunIn(const std::string& directory, const MountEntry& mount,
                            const ProofOrder& order);
  static v1::BeaconExchange NextExchange(Place& place, const ProofOrder& order);
  static Sighting Sight(const v1::FoundBeacon& found, const Place& place);
  static bool IsRenewed(const Sighting& sighting, const Place& place);
  static bool IsTooNew(const Sighting& sighting, const Place& place);
  static void Look(const v1::BeaconsFound& found, const std::vector<std::string>& forgotten,
                   Place& place);
  static void Report(const Place& place, v1::BeaconDirectory& report);
  bool Keep(absl::StatusOr<v1::BeaconsFacts> facts);

  const ProofContext context_;
  std::map<std::string, Place> places_;
  std::string kept_;  // what of the latest result does not move by itself
};

std::unique_ptr<ProofRounds> MakeBeacons(ProofContext context);

}  // namespace connect_ha
