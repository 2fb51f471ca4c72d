#include "agent/resources/converge/step_progress.h"

#include <utility>

namespace connect_ha {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;

constexpr std::chrono::seconds kPublishEvery{1};

StepProgress::Publish InReport(v1::Convergence report, TurnWatch& watch) {
  report.set_state(v1::Convergence::CHANGING);
  return [report, &watch](const v1::Step& step) {
    v1::Convergence published = report;
    *published.mutable_step() = step;
    watch.Publish(published);
  };
}

}  // namespace

StepProgress::StepProgress(Publish publish, const std::string& resource, Time started_at,
                           WorkWatch& watch)
    : publish_(std::move(publish)), watch_(watch), began_(watch.Now()), phase_began_(began_) {
  step_.set_resource(resource);
  *step_.mutable_started_at() = ToProto(started_at);
}

StepProgress::StepProgress(const v1::Convergence& report, const std::string& resource,
                           Time started_at, TurnWatch& watch)
    : StepProgress(InReport(report, watch), resource, started_at, watch) {}

void StepProgress::Account() {
  const SteadyTime now = watch_.Now();
  const auto span = duration_cast<microseconds>(now - phase_began_);
  if (step_.phase() == v1::Step::DOWNLOADING) download_ += span;
  if (step_.phase() == v1::Step::VERIFYING) verify_ += span;
  phase_began_ = now;
}

void StepProgress::Enter(v1::Step::Phase phase) {
  Account();
  if (step_.phase() == phase) return;
  step_.set_phase(phase);
  step_.clear_done_bytes();
  step_.clear_total_bytes();
  publish_(step_);
}

void StepProgress::Bytes(uint64_t done, uint64_t total) {
  step_.set_done_bytes(done);
  step_.set_total_bytes(total);
  const SteadyTime now = watch_.Now();
  if (now - published_ < kPublishEvery) return;
  published_ = now;
  publish_(step_);
}

void StepProgress::Fill(v1::ChangeMade& made) {
  Account();
  made.set_duration_us(duration_cast<microseconds>(phase_began_ - began_).count());
  made.set_download_us(download_.count());
  made.set_verify_us(verify_.count());
}

}  // namespace connect_ha
