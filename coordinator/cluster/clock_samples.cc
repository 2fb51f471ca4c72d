#include "coordinator/cluster/clock_samples.h"

#include <algorithm>

#include "common/time.h"

namespace connect_ha {
namespace {

constexpr size_t kSamplesKept = 8;

}  // namespace

void ClockSamples::Add(const v1::ClockExchange& exchange) {
  const int64_t sent = exchange.agent_sent_us();
  const int64_t received = exchange.coordinator_received_us();
  const int64_t answered = exchange.coordinator_sent_us();
  const int64_t back = exchange.agent_received_us();
  if (sent <= 0 || received <= 0 || answered < received || back < sent) return;
  if (!samples_.empty() && samples_.back().measured_us >= received) return;
  const int64_t round_trip = (back - sent) - (answered - received);
  if (round_trip < 0) return;  // a clock was set in between
  if (samples_.size() == kSamplesKept) samples_.pop_front();
  const int64_t offset = ((sent - received) + (back - answered)) / 2;
  samples_.push_back({offset, (round_trip + 1) / 2, received});
}

std::optional<v1::ClockOffset> ClockSamples::Best() const {
  if (samples_.empty()) return std::nullopt;
  const auto best =
      std::min_element(samples_.begin(), samples_.end(),
                       [](const Sample& a, const Sample& b) { return a.error_us < b.error_us; });
  v1::ClockOffset offset;
  offset.set_offset_us(best->offset_us);
  offset.set_error_us(best->error_us);
  *offset.mutable_measured_at() = ToProto(Time(std::chrono::microseconds(best->measured_us)));
  return offset;
}

}  // namespace connect_ha
