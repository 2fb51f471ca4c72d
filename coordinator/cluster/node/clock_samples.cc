#include "coordinator/cluster/node/clock_samples.h"

#include <algorithm>

#include "common/time.h"

namespace connect_ha {
namespace {

// In the year 9999. Sums of a few such times are still numbers.
constexpr int64_t kLastUs = 253'402'300'799'000'000;

}  // namespace

void ClockSamples::Add(const v1::ClockExchange& exchange) {
  const int64_t sent = exchange.agent_sent_us();
  const int64_t received = exchange.coordinator_received_us();
  const int64_t answered = exchange.coordinator_sent_us();
  const int64_t back = exchange.agent_received_us();
  if (sent <= 0 || received <= 0 || answered < received || back < sent) return;
  if (answered > kLastUs || back > kLastUs) return;
  if (count_ > 0 && samples_[count_ - 1].measured_us >= received) return;
  const int64_t round_trip = (back - sent) - (answered - received);
  if (round_trip < 0) return;  // a clock was set in between
  if (count_ == samples_.size()) {
    std::copy(samples_.begin() + 1, samples_.end(), samples_.begin());
    --count_;
  }
  const int64_t offset = ((sent - received) + (back - answered)) / 2;
  samples_[count_++] = {offset, (round_trip + 1) / 2, received};
}

std::optional<v1::ClockOffset> ClockSamples::Best() const {
  if (count_ == 0) return std::nullopt;
  const auto best =
      std::min_element(samples_.begin(), samples_.begin() + static_cast<std::ptrdiff_t>(count_),
                       [](const Sample& a, const Sample& b) { return a.error_us < b.error_us; });
  v1::ClockOffset offset;
  offset.set_offset_us(best->offset_us);
  offset.set_error_us(best->error_us);
  *offset.mutable_measured_at() = ToProto(Time(std::chrono::microseconds(best->measured_us)));
  return offset;
}

}  // namespace connect_ha
