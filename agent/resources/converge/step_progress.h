// Turns what a resource tells while it is worked on into what the node reports.
#pragma once

#include <functional>
#include <string>

#include "agent/resources/converge/watch.h"
#include "agent/resources/resource.h"
#include "common/time.h"

namespace connect_ha {

class StepProgress : public Progress {
 public:
  using Publish = std::function<void(const v1::Step& step)>;

  StepProgress(Publish publish, const std::string& resource, Time started_at, WorkWatch& watch);
  // `report`: what is told beside the step.
  StepProgress(const v1::Convergence& report, const std::string& resource, Time started_at,
               TurnWatch& watch);

  void Enter(v1::Step::Phase phase) override;
  // Published at most once a second.
  void Bytes(uint64_t done, uint64_t total) override;
  void Log(const std::string& lines) override { log_ = lines; }
  bool Stopped() override { return watch_.Stopped(); }
  bool Wait(std::chrono::milliseconds span) override { return watch_.Wait(span); }

  // The durations up to now.
  void Fill(v1::ChangeMade& made);
  const std::string& log() const { return log_; }

 private:
  void Account();

  const Publish publish_;
  WorkWatch& watch_;
  v1::Step step_;
  std::string log_;
  SteadyTime began_;
  SteadyTime phase_began_;
  SteadyTime published_{};
  std::chrono::microseconds download_{0};
  std::chrono::microseconds verify_{0};
};

}  // namespace connect_ha
