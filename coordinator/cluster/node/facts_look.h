// Facts travel and are kept as bytes. They are parsed where they are judged, into an arena, and
// once when they come, for the little that is looked at all the time.
#pragma once

#include <google/protobuf/arena.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/time.h"
#include "connect_ha/v1/brief.pb.h"
#include "connect_ha/v1/facts.pb.h"
#include "connect_ha/v1/node_service.pb.h"
#include "connect_ha/v1/spec.pb.h"
#include "connect_ha/v1/store.pb.h"
#include "coordinator/plan/plan.h"

namespace connect_ha {

// The facts of one node as they came. Not changed once they are made.
struct HeldFacts {
  std::shared_ptr<const std::string> bytes;  // a serialised v1::Facts that can be parsed
  std::string digest, machine_id, boot_id;   // as the node said with them
  std::string digest_key_id;
  Time received_at;
  UnitSeen unit;
  // Of Connect, plainly ("2024.08.0"): as installed, and as the process says; "": not known, or
  // none.
  std::string installed_version, running_version;
  std::vector<v1::InstanceNotice> notices;  // a few
  std::optional<std::string> migration;     // as of DatabaseFacts; nullopt: not known
  // The same, the first few hundred; `pinned_unknown` is "" where all of it is known.
  std::vector<v1::PinnedRuntime> pinned;
  std::string pinned_unknown;
  v1::FactsBrief brief;
  uint64_t brief_generation = 0;     // of the specification that it goes by
  std::vector<std::string> beacons;  // of which nodes it sees some, sorted
  // When, by whom and why the last start of Connect was let through; "" where it was not.
  std::string let_through;
};

// The facts in these bytes, of the arena. Null where they are none, or have more parts than any
// node has: a byte or two may be a message that takes a hundred, and what is said of one node is
// compared with every other one.
const v1::Facts* ParseFacts(const std::string& bytes, google::protobuf::Arena& arena);

v1::FactsBrief MakeBrief(const v1::Facts& facts, const v1::ClusterSpec& spec);

// What a heartbeat brings; null when it brings no facts. InvalidArgument: they cannot be read.
absl::StatusOr<std::shared_ptr<const HeldFacts>> TakeFacts(const v1::HeartbeatRequest& request,
                                                           const v1::ClusterSpec& spec,
                                                           uint64_t generation, Time now);
// What the store has.
absl::StatusOr<std::shared_ptr<const HeldFacts>> TakeFacts(const v1::NodeReport& report,
                                                           const v1::ClusterSpec& spec,
                                                           uint64_t generation);
v1::NodeReport MakeReport(const std::string& node, const std::string& agent_version,
                          const HeldFacts& facts);

}  // namespace connect_ha
