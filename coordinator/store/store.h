// What the coordinator keeps: takes and gives messages. No secret is ever stored.
//
// A store is opened by one coordinator at a time. Opening counts its epoch up; every write carries
// the epoch that it was opened with, and once another has opened it, all writes of the earlier one
// fail with FailedPrecondition and superseded() is true for ever: that coordinator must end.
// A store has a lineage, random, made with it and kept in every copy: numbers of another lineage
// mean nothing.
//
// Every write is durable (fsynced) when the call returns OK, and all or nothing. What is read and
// then written is read inside the same transaction. Ids (of events and audit entries) are given by
// the store, one after the other without gaps. All calls may be made from any thread; concurrent
// writes are committed in groups. What is passed to be called (a change, a visitor) runs on another
// thread, under a lock: it is short, and calls nothing of the store. While a thread is in a write
// or in superseded(), that is noted (store_wait.h). Errors: NotFound, AlreadyExists,
// FailedPrecondition (a stated condition does not hold), Aborted (somebody else was first);
// Unavailable (held by another process), ResourceExhausted (no room), DataLoss (corrupt) and
// Internal, with the database's words.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/time.h"
#include "connect_ha/v1/audit.pb.h"
#include "connect_ha/v1/checklist.pb.h"
#include "connect_ha/v1/event.pb.h"
#include "connect_ha/v1/plan.pb.h"
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

  // Of this opening: greater than that of every opening before, of older copies of the store too
  // (it is not below the microseconds since 1970 when it was opened).
  virtual uint64_t epoch() const = 0;
  virtual const std::string& lineage() const = 0;
  virtual bool superseded() const = 0;

  // Nodes.
  virtual absl::Status AddNode(const v1::NodeRecord& node) = 0;  // AlreadyExists
  virtual absl::StatusOr<v1::NodeRecord> GetNode(const std::string& name) = 0;
  virtual absl::StatusOr<std::vector<v1::NodeRecord>> ListNodes() = 0;  // by name, removed ones too
  // Marks it removed at `now` and removes its report; NotFound, also where it is removed already.
  // Returns the record as it is now. The entry's actor, address, text and why are the caller's, the
  // rest of it is set here.
  virtual absl::StatusOr<v1::NodeRecord> RemoveNode(const std::string& name,
                                                    const v1::AuditEntry& entry, Time now) = 0;
  // Takes the records of nodes that were removed before this out, and returns their names. What was
  // removed under release 0.1 counts as removed when the store was first opened after that.
  virtual absl::StatusOr<std::vector<std::string>> PurgeNodes(Time removed_before) = 0;

  // Latest report of each node; replaces the one before. NotFound when the node is removed or not
  // known.
  virtual absl::Status PutReport(const v1::NodeReport& report) = 0;
  // One after the other, by the nodes' names, each in memory only for its visit. Ends with the
  // first error of `visit`. All come with facts_bytes and without facts, those of release 0.1 too.
  virtual absl::Status VisitReports(const std::function<absl::Status(v1::NodeReport)>& visit) = 0;

  // What is remembered of the latest evaluation: replaces that of the rules named, drops that of
  // rules in `gone`; what changed is added as events: all in one transaction.
  virtual absl::Status PutMemories(Time evaluated_at, const std::vector<v1::FindingMemory>& changed,
                                   const std::vector<std::string>& gone,
                                   const std::vector<v1::Event>& events) = 0;
  struct Memories {
    std::optional<Time> evaluated_at;
    std::vector<v1::FindingMemory> findings;  // by rule
  };
  virtual absl::StatusOr<Memories> GetMemories() = 0;

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
  // the event and the audit entry; Aborted when `newest` is not the newest (0: there is none),
  // FailedPrecondition when the generation is not above it, or is 2^63 or more.
  virtual absl::Status AddSpec(const v1::SpecGeneration& spec, uint64_t newest,
                               const v1::Event& applied, const v1::AuditEntry& entry) = 0;
  // 0: the newest. NotFound: there is no such generation, or none at all.
  virtual absl::StatusOr<v1::SpecGeneration> GetSpec(uint64_t generation) = 0;
  // Newest first, without their bundles.
  virtual absl::StatusOr<std::vector<v1::SpecGeneration>> ListSpecs() = 0;

  // What the plan remembers, and what people said. `revision` counts up with every word that is
  // given or taken back, and whenever a name's machine is another one, or none: then what the plan
  // remembers of that name is dropped in that same transaction (AddNode, SpendToken, RemoveNode),
  // and with a node that is removed what was said of it.
  struct Plan {
    uint64_t revision = 0;
    v1::PlanMemory memory;        // its nodes by name
    std::vector<v1::Word> words;  // by number
  };
  virtual absl::StatusOr<Plan> GetPlan() = 0;
  virtual absl::StatusOr<uint64_t> PlanRevision() = 0;
  struct PlanChange {
    uint64_t revision = 0;  // of the plan that it was made from
    v1::PlanMemory memory;  // but for its nodes
    std::vector<v1::NodeMemory> changed;
    std::vector<std::string> gone;  // nodes
    std::vector<uint64_t> ended_words;
    std::vector<v1::Event> events;
    std::vector<v1::Rollout> ended;      // changes of the cluster, for ListRollouts
    std::vector<v1::AuditEntry> audits;  // of what began and ended
  };
  // All of it in one transaction. Aborted: the revision is another one by now.
  virtual absl::Status PutPlan(const PlanChange& change) = 0;
  // Changes that ended, the newest `limit`, newest first. Beyond the newest 1,000 they may be
  // dropped.
  virtual absl::StatusOr<std::vector<v1::Rollout>> ListRollouts(uint32_t limit) = 0;
  // Gives the word the next number and returns it with that; numbers are never given again. With
  // the event and the audit entry. NotFound: its node is removed or not known.
  virtual absl::StatusOr<v1::Word> AddWord(const v1::Word& word, const v1::Event& given,
                                           const v1::AuditEntry& entry) = 0;
  // Of these numbers those that are there, with the events and the audit entry; returns them.
  // NotFound: none is.
  virtual absl::StatusOr<std::vector<v1::Word>> RemoveWords(const std::vector<uint64_t>& numbers,
                                                            const std::vector<v1::Event>& events,
                                                            const v1::AuditEntry& entry) = 0;

  // The newest NODE_LOST of each node, where no NODE_BACK came after it, by the nodes' names.
  virtual absl::StatusOr<std::vector<v1::Event>> ListLosses() = 0;

  // Since when the writes that the disk has now have been on their way, whoever gave them; nullopt:
  // it has none.
  virtual std::optional<std::chrono::steady_clock::time_point> writing_since() const {
    return std::nullopt;
  }

  // Tokens.
  virtual absl::Status AddToken(const v1::StoredToken& token,
                                const v1::AuditEntry& entry) = 0;  // AlreadyExists
  virtual absl::StatusOr<v1::StoredToken> GetToken(const std::string& id) = 0;
  virtual absl::StatusOr<std::vector<v1::StoredToken>> ListTokens() = 0;  // by creation
  virtual absl::Status RevokeToken(const std::string& id, const v1::AuditEntry& entry) = 0;
  // In one transaction: fails with FailedPrecondition when the token is expired at `now`,
  // revoked or used up; else records the use, lets `change` make the node's record of what is
  // stored under its name (a new one where there is none) and puts it. A use that repeats an
  // earlier one (same key, machine and node) succeeds whatever became of the token, and spends and
  // adds to the audit log nothing; `change` is asked all the same, since the node may have been
  // removed since. An error of `change` is returned, and nothing was stored. Returns the record.
  using ChangeNode = std::function<absl::Status(v1::NodeRecord& node)>;
  virtual absl::StatusOr<v1::NodeRecord> SpendToken(const std::string& id,
                                                    const v1::StoredToken::Use& use,
                                                    const ChangeNode& change,
                                                    const v1::AuditEntry& entry, Time now) = 0;

  // Admins: `change` gets what is stored under the name, or a new record with that name; an error
  // of it is returned, and nothing was stored. Together with the audit entry. Returns the record.
  using ChangeAdmin = std::function<absl::Status(v1::AdminRecord& admin)>;
  virtual absl::StatusOr<v1::AdminRecord> ChangeAdminRecord(const std::string& name,
                                                            const ChangeAdmin& change,
                                                            const v1::AuditEntry& entry) = 0;
  virtual absl::StatusOr<v1::AdminRecord> GetAdmin(const std::string& name) = 0;
  virtual absl::StatusOr<std::vector<v1::AdminRecord>> ListAdmins() = 0;  // by name, removed too

  // The audit log. The store sets id, previous_digest and digest of each entry that it is given
  // anywhere above, in the same transaction as what it tells of.
  virtual absl::Status AddAudit(const v1::AuditEntry& entry) = 0;
  // At most `limit` with a greater id, oldest first.
  virtual absl::StatusOr<std::vector<v1::AuditEntry>> ListAudit(uint64_t after_id,
                                                                uint32_t limit) = 0;
  virtual absl::StatusOr<std::optional<v1::AuditAnchor>> GetAuditAnchor() = 0;
  virtual absl::StatusOr<uint64_t> NewestAuditId() = 0;  // 0: none
  // Lets go of entries older than `before`, never of the newest, and moves the anchor.
  virtual absl::Status PruneAudit(Time before) = 0;
};

}  // namespace connect_ha
