// What this node holds of its orders, and what of that it may go by: the one owner. The loop gives
// it the coordinator's answers; the converger, the probes and the heartbeat ask it.
//
// What restricts holds in memory at once, is then written down, and until it is on disk stands in
// RUNTIME_DIR (in memory), so that a full disk does not undo it when the agent starts again. What
// permits holds only once it is on disk. What does not validate, or is not signed where it has to
// be, is not taken, and the node says so.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/assignment/check_desired.h"
#include "agent/assignment/set_aside.h"
#include "agent/assignment/standing.h"
#include "agent/assignment/trusted_signers.h"
#include "agent/host/writable_host.h"
#include "connect_ha/v1/agent_config.pb.h"
#include "connect_ha/v1/convergence.pb.h"
#include "connect_ha/v1/node_service.pb.h"

namespace connect_ha {

struct HeldOptions {
  Owner owner;
  v1::Allow allow = v1::ALLOW_SERVE;  // of agent.yaml
  std::string state_dir;              // /var/lib/connect-ha-agent
  std::string runtime_dir;            // $RUNTIME_DIRECTORY; "": none
  std::string trusted_dir = kTrustedDirectory;
};

// What a heartbeat says of it.
struct HeldReport {
  uint64_t generation = 0;  // 0: none
  std::string lineage;      // that the generation is of
  std::optional<google::protobuf::Timestamp> applied_at;
  v1::Order order;  // the greatest that was taken
  v1::Allow allow = v1::ALLOW_SERVE;
  std::vector<std::string> trusted_signers;  // in Base64, sorted
};

// Why a specification is not gone by: the one that is offered, or the one that is held.
struct Refusal {
  uint64_t generation = 0;
  absl::Status why;  // ends with "\nfix: " and what to type
};

// A specification that is not in force yet, to get ready for.
struct AheadHeld {
  // As it may be gone by once it is in force; of one that may not its number, time and lineage.
  v1::Desired desired;
  absl::Status why;  // it may not; ends with "\nfix: " and what to type
};

class Held {
 public:
  Held(HeldOptions options, WritableHost& host);

  // Reads whom this node trusts and what it held when the agent ended; sets aside what is another
  // cluster's or machine's. Once, before everything else. An error is no reason to stop: nothing is
  // permitted then, and the coordinator sends its orders again.
  absl::Status Load();

  // `changed` is called when Orders() is another, from the thread that takes, before that is
  // written down. Null: nobody is told.
  void OnChange(std::function<void()> changed);

  // `changed` is called when Ahead() is another, from the thread that takes. Null: nobody is told.
  void OnAhead(std::function<void()> changed);

  // The coordinator's answer; from one thread. An error: what it says is not on disk.
  absl::Status Take(const v1::HeartbeatResponse& answer);
  // The coordinator says that this node was removed. It is OBSERVED until it enrols again.
  absl::Status TakeRemoval();

  // What holds now, state, specification and whether the node was removed; never null. Nothing is
  // permitted in it that this node does not allow, and there is no specification in it that may not
  // be looked at. From any thread, as all that follows.
  std::shared_ptr<const v1::Assignment> Orders() const;
  HeldReport Report() const;
  // Above what is held, and not written down: an agent that starts has none, and is told again.
  // Null: there is nothing to get ready for.
  std::shared_ptr<const AheadHeld> Ahead() const;
  std::optional<Refusal> refusal() const;
  // Grows with every change of Orders(), refusal() and of what is told of the specification held.
  uint64_t version() const;
  // What may be looked at of a specification that is not in force (CheckDraft).
  absl::StatusOr<v1::Desired> CheckDraft(const v1::Desired& draft) const;

 private:
  absl::Status LoadKept();
  void Label(v1::Assignment& assignment) const;
  void TakeDesired(const v1::Desired& offered, v1::Assignment& next);
  std::shared_ptr<const AheadHeld> NextAhead(const v1::HeartbeatResponse& answer) const;
  void TakeAhead(const v1::HeartbeatResponse& answer);
  void SetAhead(std::shared_ptr<const AheadHeld> next);
  void TellOlder(const v1::HeartbeatResponse& answer);
  void TellRefusal(const std::optional<Refusal>& before) const;
  absl::Status Commit(v1::Assignment next);
  absl::Status CommitPermission(v1::Assignment next);
  void Hold(v1::Assignment next);
  absl::Status Persist();
  absl::Status Copy();
  void DropCopy();
  std::optional<Refusal> CurrentRefusal() const;
  v1::Assignment Effective() const;
  void Publish();

  const HeldOptions options_;
  WritableHost& host_;
  Demands demands_;  // set by Load

  // Of the thread that takes.
  v1::Assignment kept_;
  bool on_disk_ = true;                  // kept_ is, but for its order's serial
  std::optional<Refusal> held_refusal_;  // of what kept_ has
  std::optional<Refusal> refused_;       // of what was offered last
  bool older_told_ = false;
  std::function<void()> changed_;
  std::function<void()> ahead_changed_;

  mutable std::mutex mutex_;  // for what follows
  std::shared_ptr<const v1::Assignment> orders_;
  std::shared_ptr<const AheadHeld> ahead_;
  HeldReport report_;
  std::optional<Refusal> refusal_;
  uint64_t version_ = 0;
};

// What the service holds, for a command beside it: as it is on disk, with the specification as it
// may be looked at by whom the node trusts now. NotFound: nothing yet. FailedPrecondition: the node
// was removed, or does not go by what it holds. `runtime_dir`: where what restricts may stand until
// it is on disk; "": it is not looked for.
absl::StatusOr<v1::Assignment> ReadHeld(Host& host, const std::string& state_dir,
                                        const std::string& runtime_dir = "");
// Of ReadHeld: this node was removed from its cluster.
bool SaysRemoved(const absl::Status& status);
// What it held then: not to go by, but to tell what it is not to do.
absl::StatusOr<v1::Desired> ReadBeforeRemoval(Host& host, const std::string& state_dir);

// After enrolling: what the node held of another cluster, machine or enrolment is set aside. True:
// something was.
absl::StatusOr<bool> SetAsideOthers(WritableHost& host, const std::string& state_dir,
                                    const Owner& owner);

}  // namespace connect_ha
