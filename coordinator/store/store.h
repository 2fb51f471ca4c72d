// What the coordinator keeps: takes and gives messages. No secret is ever stored.
//
// Every write is durable (fsynced) when the call returns OK. All calls may be made from any
// thread; concurrent writes are committed in groups. Errors: NotFound, AlreadyExists,
// FailedPrecondition (a stated condition does not hold), Aborted (somebody else was first);
// Unavailable (held by another process),
// ResourceExhausted (no room), DataLoss (corrupt) and Internal, with the database's words.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/time.h"
#include "connect_ha/v1/checklist.pb.h"
#include "connect_ha/v1/event.pb.h"
#include "connect_ha/v1/spec.pb.h"
#include "connect_ha/v1/store.pb.h"

namespace connect_ha {

struct EventQuery {
  uint64_t after_id = 0;
  uint32_t limit = 100;
  std::string node;  // "" for all
  std::string rule;  // "" for all
};

// A change that a node made (ChangeMade.number), as an event.
struct NumberedEvent {
  uint64_t number = 0;
  v1::Event event;
};

class Store {
 public:
  virtual ~Store() = default;

  // Nodes. PutNode inserts or replaces.
  virtual absl::Status PutNode(const v1::NodeRecord& node) = 0;
  virtual absl::StatusOr<v1::NodeRecord> GetNode(const std::string& name) = 0;
  virtual absl::StatusOr<std::vector<v1::NodeRecord>> ListNodes() = 0;  // by name, removed ones too

  // Latest report of each node; replaces the one before. Removing a node removes its report.
  virtual absl::Status PutReport(const v1::NodeReport& report) = 0;
  virtual absl::Status RemoveReport(const std::string& node) = 0;
  virtual absl::StatusOr<std::vector<v1::NodeReport>> ListReports() = 0;

  // The latest checklist (evaluated_at, and its findings, `since` included) replaces the one
  // before; what changed in it is added as events: both in one transaction.
  virtual absl::Status PutChecklist(const v1::Checklist& checklist,
                                    const std::vector<v1::Event>& changes) = 0;
  // Empty when none was put. `cluster` is not kept.
  virtual absl::StatusOr<v1::Checklist> GetChecklist() = 0;

  // Sets the event's id and returns it. Events beyond the newest 100,000 may be dropped.
  virtual absl::StatusOr<uint64_t> AddEvent(const v1::Event& event) = 0;
  virtual absl::Status AddEvents(const std::vector<v1::Event>& events) = 0;
  // The newest `limit` that match, oldest first.
  virtual absl::StatusOr<std::vector<v1::Event>> ListEvents(const EventQuery& query) = 0;

  // Adds the events whose number is above what the node's record has as changes_taken, and raises
  // that, all in one transaction: whatever is repeated is stored once. Returns the new
  // changes_taken. `changes` are in order.
  virtual absl::StatusOr<uint64_t> AddNodeChanges(const std::string& node,
                                                  const std::vector<NumberedEvent>& changes) = 0;

  // Specifications. AddSpec stores it under its generation, which is above `newest`, together with
  // the event; Aborted when `newest` is not the newest (0: there is none).
  virtual absl::Status AddSpec(const v1::SpecGeneration& spec, uint64_t newest,
                               const v1::Event& applied) = 0;
  // 0: the newest. NotFound: there is no such generation, or none at all.
  virtual absl::StatusOr<v1::SpecGeneration> GetSpec(uint64_t generation) = 0;
  // Newest first, without their bundles.
  virtual absl::StatusOr<std::vector<v1::SpecGeneration>> ListSpecs() = 0;

  // The newest NODE_LOST of each node, where no NODE_BACK came after it, by the nodes' names.
  virtual absl::StatusOr<std::vector<v1::Event>> ListLosses() = 0;

  // Tokens.
  virtual absl::Status AddToken(const v1::StoredToken& token) = 0;  // AlreadyExists
  virtual absl::StatusOr<v1::StoredToken> GetToken(const std::string& id) = 0;
  virtual absl::StatusOr<std::vector<v1::StoredToken>> ListTokens() = 0;  // by creation
  virtual absl::Status RevokeToken(const std::string& id) = 0;
  // In one transaction: fails with FailedPrecondition when the token is expired at `now`,
  // revoked or used up, but for a use that repeats an earlier one (same key, machine and node),
  // which succeeds and spends nothing; else records the use and puts the node.
  virtual absl::Status SpendToken(const std::string& id, const v1::StoredToken::Use& use,
                                  const v1::NodeRecord& node, Time now) = 0;
};

}  // namespace connect_ha
