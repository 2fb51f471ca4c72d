// How many events may be told of one node, so that none fills the history.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/time.h"
#include "connect_ha/v1/event.pb.h"

namespace connect_ha {

inline constexpr uint32_t kEventsPerMinute = 30;

// A value: what takes room in a copy takes none in the original. Not for use by two threads at
// once.
class EventPace {
 public:
  EventPace() = default;
  explicit EventPace(uint32_t per_minute) : per_minute_(per_minute) {}

  // Room for as many of `wanted` as this minute still has.
  uint32_t Take(uint32_t wanted, Time now);
  // There was no room for these.
  void LeftOut(uint32_t count) { left_out_ += count; }
  // How many were left out in a minute that is over; 0 after it was asked once, and for none.
  uint32_t TakeLeftOut(Time now);
  // Nothing is counted any more.
  bool IsIdle(Time now) const { return left_out_ == 0 && IsOver(now); }

 private:
  bool IsOver(Time now) const;

  uint32_t per_minute_ = kEventsPerMinute;
  Time minute_{};  // its beginning
  uint32_t taken_ = 0;
  uint32_t left_out_ = 0;
};

// Adds the event if its node's share has room for it, else counts it.
void TellAtPace(EventPace& pace, v1::Event event, Time now, std::vector<v1::Event>& events);

// EVENTS_LEFT_OUT, once the minute is over in which some were; `node` is "" for the cluster.
std::optional<v1::Event> TellLeftOut(EventPace& pace, const std::string& node, Time now);

}  // namespace connect_ha
