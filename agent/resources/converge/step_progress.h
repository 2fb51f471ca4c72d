// Turns what a resource tells while it is applied into what the node reports.
#pragma once

#include <string>

#include "agent/resources/converge/converge.h"

namespace connect_ha {

class StepProgress : public Progress {
 public:
  // `report`: what is told beside the step.
  StepProgress(v1::Convergence report, const std::string& resource, Time started_at,
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

  v1::Convergence report_;
  TurnWatch& watch_;
  std::string log_;
  SteadyTime began_;
  SteadyTime phase_began_;
  SteadyTime published_{};
  std::chrono::microseconds download_{0};
  std::chrono::microseconds verify_{0};
};

}  // namespace connect_ha
