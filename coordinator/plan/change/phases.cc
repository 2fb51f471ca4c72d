#include "coordinator/plan/change/phases.h"

#include "absl/strings/str_cat.h"

namespace connect_ha {
namespace {

using Status = v1::RolloutStatus;

constexpr char kAll[] = "in place, rolling, together";
constexpr char kAsBefore[] = "as before: all of them serve, as the generation before";

}  // namespace

const std::vector<PhaseRow>& Phases() {
  static const auto& rows = *new std::vector<PhaseRow>{
      {Status::REFUSED, "refused", kAll, "the generation is not gone to", kAsBefore,
       "another generation; what speaks against it is no longer so (the content was moved, the "
       "database put back)",
       "nothing was begun; correct cluster.yaml, then `connect-ha apply`"},
      {Status::STAGING, "staging", kAll,
       "every node fetches and verifies all that the generation needs, sees that there is room for "
       "it, and adds what stands beside the rest (runtimes, accounts)",
       kAsBefore, "every node that is heard is ready",
       "a download, a checksum, a full disk: said with the node's name, all nodes as before; it "
       "goes "
       "on by itself once that is right, or `connect-ha rollout abort`"},
      {Status::AWAITING, "awaiting", kAll,
       "it waits for what it takes to begin: an approval, the maintenance window, a node that is "
       "not "
       "heard, a database that is not writable, a pause to end",
       kAsBefore,
       "`connect-ha approve`; the window opens; the node is heard, or `--skip-lost NODE`; "
       "`connect-ha rollout resume`",
       "nothing; a window that is too short for it is left to pass"},
      {Status::BACKING_UP, "backing-up", "together",
       "the operator's own command (database.backup_before_migration) runs on the coordinator's "
       "host",
       kAsBefore, "the command ends, and went well",
       "it fails or runs out of time: all nodes as before; `connect-ha approve` tries again, so "
       "does "
       "the next window, or `connect-ha rollout abort`"},
      {Status::STOPPING, "stopping", "together",
       "every node is drained, and its Connect stopped; none starts",
       "on their way out of service, still as the generation before: fewer and fewer serve, then "
       "none",
       "every node says that its Connect rests, or was declared gone",
       "a node is lost: it waits for it, or `connect-ha rollout resume --skip-lost NODE`; pause, "
       "abort, the window's end or a newer generation: all go back into service, as before"},
      {Status::FIRST, "first", "together",
       "one node alone is changed and started, migrates the database, and is looked at: it "
       "answers, "
       "has the right version, and every rule that would hold it passes",
       "stopped, but for that one, whose gate is closed: nobody is served", "that node is right",
       "it does not start: all are stopped; it runs and is not right: it stays closed; `connect-ha "
       "node start NODE` tries again, `connect-ha spec rollback` goes back where nothing was "
       "migrated, else after the database was put back (`connect-ha rollout restored`). While it "
       "does not answer it may be migrating: that is waited for, however long it takes, by a newer "
       "generation and an abort, too"},
      {Status::REST, "rest", "together", "the other nodes are changed, started and looked at",
       "started one beside the other; gates open together as soon as minimum_serving are right, "
       "and "
       "those of later ones each when it is",
       "every node that is there is as the generation says, and serves or is held by a person",
       "a node does not start: what is right serves, that one is stopped; `connect-ha node start "
       "NODE`, or a newer generation"},
      {Status::IN_PLACE, "in-place", "in place",
       "every node is changed at once, by itself: no pause or abort comes in time for it; no "
       "Connect is stopped",
       "serve throughout", "every node that is there is as the generation says",
       "a node is stuck: it serves on as before, and says why; it is tried again by itself once "
       "that is put right, or `connect-ha spec rollback`"},
      {Status::ROLLING, "rolling", "rolling",
       "what takes no restart is made on every node at once, also while it is paused; then node "
       "after node is drained, stopped, changed, started, looked at and opened",
       "minimum_serving and more serve, one part as the generation says, the others as before",
       "every node that is there is as the generation says, and serves or is held by a person",
       "the node whose turn it is does not come up, or one is stuck: it stops there, the others "
       "serve as they are; `connect-ha node start NODE` once it is mended, or `connect-ha spec "
       "rollback`; too few would be left: it waits, or `connect-ha approve --allow-downtime`"},
      {Status::DONE, "done", kAll, "it went well",
       "as the generation says; they serve, or are held by a person", "another generation",
       "a node that was lost is changed when it is back; one that was declared gone is told anew"},
      {Status::ABORTED, "aborted", kAll, "a person ended it",
       "before it was in force: as before, all serve; in place: as before, all serve, as the "
       "generation says where that was made; rolling: some as the generation says, some as before, "
       "all serve but one that does not come up; in `first`: all stopped, the first itself once it "
       "has answered or ended; in `rest`: what is right serves, the others are stopped",
       "another generation, as of `connect-ha spec rollback`; `connect-ha rollout resume` goes on",
       "nothing more is begun"},
  };
  return rows;
}

const PhaseRow* FindPhase(v1::RolloutStatus::Phase phase) {
  for (const PhaseRow& row : Phases()) {
    if (row.phase == phase) return &row;
  }
  return nullptr;
}

std::string PhasesMarkdown() {
  std::string text =
      "| phase | of a change that goes | what is done | the nodes meanwhile | what ends it | what "
      "can go wrong, and what to type |\n|---|---|---|---|---|---|\n";
  for (const PhaseRow& row : Phases()) {
    absl::StrAppend(&text, "| ", row.name, " | ", row.kinds, " | ", row.meaning, " | ", row.nodes,
                    " | ", row.goes_on, " | ", row.fails, " |\n");
  }
  return text;
}

}  // namespace connect_ha
