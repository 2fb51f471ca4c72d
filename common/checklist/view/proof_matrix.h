// Which node sees what which other node writes or holds, from what each of them reports.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "connect_ha/v1/checklist.pb.h"

namespace connect_ha {

// How long it may take until a node that has just joined, or a coordinator that has just started,
// is seen by all: two rounds, and what kernels remember of a directory.
inline constexpr int64_t kProofTakesSeconds = 60;

// Rounds after which every other node has looked twice, and no kernel remembers what was before. An
// agent counts no further, so that its facts stay as they are.
inline constexpr uint32_t kSettledRounds = 5;

// Why a node whose agent may only look has no part in a proof.
inline constexpr char kMayNotProve[] =
    "its agent.yaml says allow: observe, and so it writes nothing";

// PresenceFacts.error where the lock cannot be had for that.
inline constexpr char kLockIsHeld[] = "another session of the database holds this node's lock";

// A node that was not heard for so long may have stopped all that it does, whatever it said last.
inline constexpr std::chrono::seconds kAwayFor{45};

// As many as a node reports the beacons of, and itself.
inline constexpr size_t kMostProvedNodes = 257;

enum class Sight {
  kSeen,
  kWaiting,  // not yet, or it cannot be known
  kNotSeen,  // it would have been by now, if both had one file system, or one database
};

// What is there instead, where it is kNotSeen.
enum class Instead {
  kNothing,
  kOld,           // what the other wrote once and does not write any more: a copy
  kOtherMachine,  // another machine's, under the name
};

struct Glance {
  Sight sight = Sight::kWaiting;
  Instead instead = Instead::kNothing;
  std::string why;                // of kWaiting, where there is more to say than that it takes time
  std::optional<int64_t> age_ms;  // of kSeen, where it is measured
};

struct ProofMatrix {
  std::vector<const v1::NodeSnapshot*> nodes;
  std::vector<std::string> why_not;          // beside nodes: why it has no part; "": it has
  std::vector<std::vector<Glance>> glances;  // [who looks][at whom]; that at itself means nothing
  std::string too_many;                      // more nodes than can prove it; then no glances

  bool AllSeen() const;
};

// The beacons for "Server.DataDir", "Database.Dir" or "Server.LandingDir". Borrows the nodes.
ProofMatrix SeeBeacons(const v1::Snapshot& cluster,
                       const std::vector<const v1::NodeSnapshot*>& nodes, const std::string& key);
// The locks in the database.
ProofMatrix SeePresence(const v1::Snapshot& cluster,
                        const std::vector<const v1::NodeSnapshot*>& nodes);

// Nodes that do not see each other, by their places in the matrix.
struct Apart {
  // Against `others` where these see each other and are right: all nodes that serve are among them,
  // or more than half of three or more that do, or, where none serves, of three or more nodes. Else
  // everybody who does not see, or is not seen, and nobody can tell which of them is right.
  std::vector<size_t> named;
  std::vector<size_t> others;
};
// Nullopt: nothing shows that any two are apart.
std::optional<Apart> FindApart(const ProofMatrix& matrix);

}  // namespace connect_ha
