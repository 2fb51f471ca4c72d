// Brings a node to its assignment: looks at every resource, changes the first that differs and has
// not to wait for another, and looks again. What fails keeps back what comes after it, and nothing
// else. The only caller of Resource::Apply. Has no thread of its own (converger.h has).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "agent/resources/converge/ahead.h"
#include "agent/resources/converge/change_journal.h"
#include "agent/resources/converge/course.h"
#include "agent/resources/converge/look.h"
#include "agent/resources/converge/watch.h"
#include "agent/resources/integrity.h"
#include "agent/resources/resource.h"
#include "agent/resources/service/service_notes.h"
#include "common/backoff.h"

namespace connect_ha {

// As in ResourceContext.
struct ConvergeOptions {
  std::string node;
  v1::AgentConfig agent_config;
  std::string state_dir;
  std::string cache_dir;
  std::string credentials_dir;
  std::string digest_key;
  // What was gathered last. Null: nothing is known of it.
  std::function<v1::Facts()> facts = {};
};

class StepProgress;

// Of one thread.
class Converge {
 public:
  // `cache`: the probes', so that what they verified is not read again.
  Converge(ConvergeOptions options, WritableHost& host, ProbeCache& cache, ChangeJournal& journal);

  // Returns when nothing is left to do, or something went wrong, or the watch says to stop. What
  // went wrong and cannot pass by itself is not tried again before it looks different, TryAgain,
  // or another specification. When to take the next turn because of what went wrong; nullopt: when
  // something changed. `ahead`: what the node gets ready for beside it, which is left as it is;
  // null: nothing.
  std::optional<std::chrono::milliseconds> Turn(const v1::Assignment& assignment, TurnWatch& watch,
                                                const v1::Desired* ahead = nullptr);

  // After a turn that left nothing to do: gets the node ready for `ahead`, as far as this
  // assignment lets it (ahead.h). Returns as Turn does.
  std::optional<std::chrono::milliseconds> GetReady(const v1::Assignment& assignment,
                                                    const v1::Desired& ahead, AheadWatch& watch);

  // Stops and masks Connect where these orders want that, beside a turn that does not come to its
  // end: a look at a package may take minutes. From any thread. `stopped`: it is not to be gone on
  // with.
  void HoldNow(const v1::Assignment& orders, const std::function<bool()>& stopped);

  // What would be changed for this; changes nothing. `noun`: only resources whose name begins with
  // that (IsNamed); "" for all.
  v1::Preview MakePreview(const v1::Desired& desired, const std::string& noun = "");

  // What is remembered of Connect's unit. From any thread.
  v1::ServiceMemory Memory() const { return notes_.Get(); }
  // The state that the node has reached, to be remembered.
  void NoteReached(v1::NodeState state);
  // As ServiceMemory.closed_by. From any thread.
  void NoteClosed(const std::string& closed_by);

  // Verify installed files anew at the next look, and try again what did not work.
  void VerifyAgain();
  void TryAgain();

 private:
  // What went wrong with a change, and what it looked like right after.
  struct Hold {
    v1::Change change;
    v1::Trouble trouble;
    std::optional<SteadyTime> retry_at;
    bool looked = false;
  };
  struct Turning;

  ResourceContext MakeContext(const v1::Desired& desired);
  void BeginTurn(Turning& turning);
  void TakeCourse(Turning& turning);
  absl::StatusOr<std::vector<std::unique_ptr<Resource>>> MakeAll(const Turning& turning);
  // Connect's unit is looked at before everything else, which may take minutes, and stopped where
  // it is to be.
  void SeeUnitFirst(Turning& turning);
  void Report(Turning& turning);
  bool MayMake(const Turning& turning, const LookedAt& look) const;
  bool MayMendAtRest(const Turning& turning) const;
  // Connect is not started before this is as it should be.
  bool KeepsFromStart(const Turning& turning, const LookedAt& look) const;
  bool MayBegin(const Turning& turning, const LookedAt& look) const;
  void NoteServing(Turning& turning);
  void NoteMigration(const v1::Unit& unit);
  void NoteRestored(const v1::Assignment& assignment);
  // True: something was changed, look again.
  bool Round(Turning& turning);
  // Tells what is held back. Null: nothing is left to change now.
  const LookedAt* NextToChange(Turning& turning);
  absl::Status SettleBegun(const Turning& turning);
  absl::Status Change(Turning& turning, const LookedAt& look);
  absl::Status ApplyAndLook(Resource& resource, StepProgress& progress);
  void TryRuntimes(Turning& turning);
  bool Tidy(Turning& turning);
  void AddTrouble(Turning& turning, const std::string& resource, const absl::Status& status);
  void Finish(Turning& turning);
  void HoldBack(const Turning& turning, const LookedAt& look, const absl::Status& status,
                const std::string& log);
  // Null: it may be tried.
  const Hold* FindHold(const Turning& turning, const v1::Change& change);
  void TellHeld(Turning& turning, const Hold& hold);

  const ConvergeOptions options_;
  WritableHost& host_;
  ProbeCache& cache_;
  ChangeJournal& journal_;
  IntegrityLedger integrity_;
  Backoff backoff_;                          // of what cannot be looked at
  std::map<std::string, Backoff> backoffs_;  // of what cannot be changed, by resource
  std::map<std::string, Hold> holds_;        // by resource
  v1::Desired latest_;                       // of the latest turn, what IsOneSpecification looks at
  ServiceNotes notes_;
  Ahead ahead_;
  // Of the Connect that was started as `notes_` says that the node serves: when that was.
  std::optional<google::protobuf::Timestamp> right_start_;
  // The Connect that answers, by its start, and since when it is known that it does.
  google::protobuf::Timestamp answering_start_;
  std::optional<Time> answers_since_;
  std::optional<uint32_t> restarts_seen_;  // systemd's number of its restarts
  bool tidy_due_ = true;
};

}  // namespace connect_ha
