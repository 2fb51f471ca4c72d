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
// Among them, changes that the node made. It keeps those for which there is no room, and the rest
// of the minute's share is for what is told of it besides.
inline constexpr uint32_t kChangesPerMinute = 20;

// A value: what takes room in a copy takes none in the original. Not for use by two threads at
// once.
class EventPace {
 public:
  EventPace() = default;
  explicit EventPace(uint32_t per_minute) : per_minute_(per_minute) {}

  // Room for as many of `wanted` as this minute still has, but for `others`, which it leaves.
  uint32_t Take(uint32_t wanted, Time now, uint32_t others = 0);
  bool HasRoom(Time now) const { return IsOver(now) || taken_ < per_minute_; }
  // There was no room for these.
  void LeftOut(uint32_t count) { left_out_ += count; }
  // There is no room for this one, until there is. One of its kind that waits already is left out.
  void Wait(v1::Event event);
  // Of those that wait the next, if there is room for it.
  std::optional<v1::Event> TakeWaiting(Time now);
  // How many were left out in a minute that is over; 0 after it was asked once, and for none.
  uint32_t TakeLeftOut(Time now);
  // Nothing is counted any more, and nothing waits.
  bool IsIdle(Time now) const { return left_out_ == 0 && waiting_.empty() && IsOver(now); }

 private:
  bool IsOver(Time now) const;

  uint32_t per_minute_ = kEventsPerMinute;
  Time minute_{};  // its beginning
  uint32_t taken_ = 0;
  uint32_t left_out_ = 0;
  std::vector<v1::Event> waiting_;  // one of a kind at the most
};

// Adds the event if its node's share has room for it, else counts it.
void TellAtPace(EventPace& pace, v1::Event event, Time now, std::vector<v1::Event>& events);

// Adds the event if its node's share has room for it, else lets it wait: a node cannot make so many
// events that the latest of any kind stays untold.
void TellOrWait(EventPace& pace, v1::Event event, Time now, std::vector<v1::Event>& events);
// Adds what waited, as far as there is room now, and how many were left out.
void TellWaiting(EventPace& pace, const std::string& node, Time now,
                 std::vector<v1::Event>& events);

// EVENTS_LEFT_OUT, once the minute is over in which some were; `node` is "" for the cluster.
std::optional<v1::Event> TellLeftOut(EventPace& pace, const std::string& node, Time now);

}  // namespace connect_ha
