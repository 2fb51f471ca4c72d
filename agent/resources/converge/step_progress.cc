#include "agent/resources/converge/step_progress.h"

namespace connect_ha {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;

constexpr std::chrono::seconds kPublishEvery{1};

}  // namespace

StepProgress::StepProgress(v1::Convergence report, const std::string& resource, Time started_at,
                           TurnWatch& watch)
    : report_(std::move(report)), watch_(watch), began_(watch.Now()), phase_began_(began_) {
  report_.set_state(v1::Convergence::CHANGING);
  report_.mutable_step()->set_resource(resource);
  *report_.mutable_step()->mutable_started_at() = ToProto(started_at);
}

void StepProgress::Account() {
  const SteadyTime now = watch_.Now();
  const auto span = duration_cast<microseconds>(now - phase_began_);
  if (report_.step().phase() == v1::Step::DOWNLOADING) download_ += span;
  if (report_.step().phase() == v1::Step::VERIFYING) verify_ += span;
  phase_began_ = now;
}

void StepProgress::Enter(v1::Step::Phase phase) {
  Account();
  v1::Step& step = *report_.mutable_step();
  if (step.phase() == phase) return;
  step.set_phase(phase);
  step.clear_done_bytes();
  step.clear_total_bytes();
  watch_.Publish(report_);
}

void StepProgress::Bytes(uint64_t done, uint64_t total) {
  report_.mutable_step()->set_done_bytes(done);
  report_.mutable_step()->set_total_bytes(total);
  const SteadyTime now = watch_.Now();
  if (now - published_ < kPublishEvery) return;
  published_ = now;
  watch_.Publish(report_);
}

void StepProgress::Fill(v1::ChangeMade& made) {
  Account();
  made.set_duration_us(duration_cast<microseconds>(phase_began_ - began_).count());
  made.set_download_us(download_.count());
  made.set_verify_us(verify_.count());
}

}  // namespace connect_ha
