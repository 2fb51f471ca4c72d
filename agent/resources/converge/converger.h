// Keeps a node at its assignment (held.h), on a thread of its own; the loop reports what it says.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "agent/assignment/held.h"
#include "agent/resources/converge/converge.h"

namespace connect_ha {

// What there is to report. `version` grows when anything else of it changes.
struct ConvergerNews {
  uint64_t version = 0;
  v1::NodeState state = v1::OBSERVED;  // that this node has reached
  uint64_t generation = 0;             // that it holds
  // Of that; or why it does not go by that, or by the one that it was offered.
  std::optional<v1::Convergence> convergence;
  // Of what the node is to get ready for.
  std::optional<v1::Ahead> ahead;
  std::optional<v1::Preview> preview;
  std::vector<v1::ChangeMade> changes_made;
  // As ServiceReport's.
  std::string start_failed;
  std::optional<v1::NewestStart> newest_start;
};

class Converger {
 public:
  // `on_news` is called from the converger's thread when News() changed. `held` has been loaded.
  Converger(ConvergeOptions options, WritableHost& host, ProbeCache& cache, Held& held,
            std::function<void()> on_news);
  // Asks the step that runs to end and waits for it; what it started in PID 1 goes on.
  ~Converger();
  // The same, but waits no longer than `patience`. False: the step has not ended, and this object
  // cannot be destroyed in time; the process may be left as it is.
  bool Stop(std::chrono::milliseconds patience);

  // Takes up what is held, and starts; from the thread that gives `held` its orders. An error is no
  // reason to stop.
  absl::Status Start();

  // Answered in News().preview, until it is taken.
  void AskPreview(const v1::PreviewRequest& request);
  // The preview of this number was delivered; the same number asked again is looked at again.
  void PreviewTaken(uint64_t number);
  void ChangesTaken(uint64_t number);

  // Something on this node changed: look again. `verify`: also at the installed files.
  void Look(bool verify);
  // Somebody asks: everything is looked at, the installed files too, and what needed a person is
  // tried again.
  void TryAgain();

  ConvergerNews News() const;
  uint64_t version() const;
  // What the node remembers of Connect's unit.
  v1::ServiceMemory Memory() const { return converge_.Memory(); }
  // Has it remember what closes the gate (ServiceMemory.closed_by).
  void NoteClosed(const std::string& closed_by) { converge_.NoteClosed(closed_by); }

 private:
  class Watch;
  class ReadyWatch;

  static bool HasWork(const v1::Assignment& orders);

  void OrdersChanged();
  void AheadChanged();
  void Run();
  // A thread of its own: Connect is stopped, where it is to be, though the turn does not end.
  void HoldInTime();
  void TakeTurn(std::unique_lock<std::mutex>& lock);
  void AnswerPreview(std::unique_lock<std::mutex>& lock);
  void GetReady(std::unique_lock<std::mutex>& lock);
  // Until `woken` or that time, and answers previews meanwhile. False: woken.
  bool WaitUntil(std::unique_lock<std::mutex>& lock, SteadyTime until,
                 const std::function<bool()>& woken);
  bool IsTurnDue() const;
  bool IsAheadDue() const;
  SteadyTime NextDue() const;
  void Changed(std::unique_lock<std::mutex>& lock);
  // What was published last is of the specification in these.
  bool SpeaksOf(const v1::Assignment& orders) const;
  // By these orders: its unit is as they want it. Nothing: it is on its way.
  std::optional<v1::NodeState> Reached(const v1::Assignment& orders) const;
  // That the node has reached. On its way to another, the one before; DRAINING where that would say
  // that it is stopped.
  v1::NodeState State(const v1::Assignment& orders) const;
  void NoteReached(const v1::Assignment& orders);

  const ConvergeOptions options_;
  Held& held_;
  const std::function<void()> on_news_;
  ChangeJournal journal_;
  Converge converge_;  // of the thread

  mutable std::mutex mutex_;  // for what follows
  std::condition_variable wake_;
  std::condition_variable end_;
  std::optional<v1::PreviewRequest> preview_request_;
  std::optional<v1::Preview> preview_;
  uint64_t previewing_ = 0;  // the number asked for, until its answer is delivered
  std::optional<v1::Convergence> convergence_;
  std::shared_ptr<const v1::Assignment> convergence_of_;  // the orders of that turn
  std::optional<v1::Ahead> ahead_;                        // of held_.Ahead()
  std::optional<UnitWanted> unit_seen_;                   // as what Connect's unit was seen last
  v1::NodeState reached_ = v1::OBSERVED;                  // what was noted last
  uint64_t version_ = 0;
  bool look_ = false;
  bool verify_ = false;
  bool try_again_ = false;
  bool interrupt_ = false;  // the turn that runs is of an older assignment
  bool stop_ = false;
  bool busy_ = false;  // the thread takes a turn, or looks for a preview
  int running_ = 0;    // threads that are not at their end
  std::optional<SteadyTime> retry_at_;
  bool ahead_due_ = false;
  std::optional<SteadyTime> ahead_retry_at_;
  SteadyTime verify_at_{};

  std::thread thread_;
  std::thread holder_;
};

}  // namespace connect_ha
