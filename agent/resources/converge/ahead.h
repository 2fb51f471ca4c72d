// Gets a node ready for a specification that is not in force yet, so that nothing is waited for
// once it is: what it installs is fetched and checked, and there is room for all of it; and what it
// only adds (accounts, R, Python and Quarto that the node's own specification does not name) is
// made beside what is there. Nothing that Connect runs with is touched. Of the converger's thread.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/resources/converge/change_journal.h"
#include "agent/resources/converge/look.h"
#include "agent/resources/converge/watch.h"
#include "agent/resources/resource.h"
#include "common/backoff.h"

namespace connect_ha {

class StepProgress;

struct AheadOrder {
  const v1::Desired& desired;  // to get ready for
  const v1::Desired& held;     // what that names stays
  bool may_fetch = false;
  bool may_add = false;
};

class Ahead {
 public:
  Ahead(std::function<ResourceContext(const v1::Desired& desired)> make_context,
        ChangeJournal& journal);

  // Goes as far as it gets, and publishes how far that is. Returns when nothing is left to do, or
  // something went wrong, or the watch says to stop; when to come again because of what went
  // wrong; nullopt: when something changed. Killed or stopped anywhere, it goes on with the next
  // call.
  std::optional<std::chrono::milliseconds> GetReady(const AheadOrder& order, AheadWatch& watch);

  // What needed a person is tried again, and what is here is checked again.
  void TryAgain();

 private:
  // What went wrong with a resource, and what that looked like right after.
  struct Failure {
    v1::Trouble trouble;
    std::optional<SteadyTime> retry_at;  // unset: it needs a person
    std::optional<v1::Change> change;
  };
  // What a resource has here to be made of, and what that looked like right after.
  struct Here {
    Brought brought;
    std::vector<FileStatus> files;
    std::optional<v1::Change> change;
  };
  struct Pass;

  void Begin(Pass& pass);
  void LookAgain(Pass& pass) const;
  // Of what was brought here: what is not there any more as it was.
  void ForgetGone(const Pass& pass);
  // All of these: false: stopped before something that is still to be done.
  bool BringAll(Pass& pass);
  bool AddAll(Pass& pass);
  bool TryRuntimes(Pass& pass);
  const LookedAt* NextToAdd(const Pass& pass);
  absl::Status Add(Pass& pass, const LookedAt& look, StepProgress& progress);
  void RemoveUnfinished(const Pass& pass, StepProgress& progress);
  void SettleBegun(const Pass& pass);
  void NoteFailure(const Pass& pass, const std::string& resource, const absl::Status& status,
                   const std::string& log);
  // Null: it may be tried.
  const Failure* FindFailure(const Pass& pass, const LookedAt& look);
  void CheckRoomForAll(Pass& pass) const;
  void LookBeyond(Pass& pass) const;
  void Report(Pass& pass);

  const std::function<ResourceContext(const v1::Desired& desired)> make_context_;
  ChangeJournal& journal_;
  v1::Desired latest_;                       // what IsOneSpecification looks at
  std::map<std::string, Here> here_;         // by resource
  std::map<std::string, Failure> failures_;  // by resource
  Backoff backoff_;
};

}  // namespace connect_ha
