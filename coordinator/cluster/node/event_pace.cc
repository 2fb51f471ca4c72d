#include "coordinator/cluster/node/event_pace.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coordinator/cluster/node/node_events.h"

namespace connect_ha {

// A clock that was set back begins a new minute, too.
bool EventPace::IsOver(Time now) const {
  return now < minute_ || now - minute_ >= std::chrono::minutes(1);
}

uint32_t EventPace::Take(uint32_t wanted, Time now, uint32_t others) {
  if (IsOver(now)) {
    minute_ = now;
    taken_ = 0;
  }
  const uint32_t room = per_minute_ - taken_;
  const uint32_t granted = room > others ? std::min(wanted, room - others) : 0;
  taken_ += granted;
  return granted;
}

void EventPace::Wait(v1::Event event) {
  const auto same = std::find_if(waiting_.begin(), waiting_.end(), [&event](const v1::Event& one) {
    return one.kind() == event.kind();
  });
  if (same != waiting_.end()) {
    waiting_.erase(same);
    LeftOut(1);
  }
  waiting_.push_back(std::move(event));
}

std::optional<v1::Event> EventPace::TakeWaiting(Time now) {
  if (waiting_.empty() || Take(1, now) == 0) return std::nullopt;
  v1::Event next = std::move(waiting_.front());
  waiting_.erase(waiting_.begin());
  return next;
}

uint32_t EventPace::TakeLeftOut(Time now) {
  return left_out_ > 0 && IsOver(now) ? std::exchange(left_out_, 0U) : 0;
}

void TellAtPace(EventPace& pace, v1::Event event, Time now, std::vector<v1::Event>& events) {
  if (auto left_out = TellLeftOut(pace, event.node(), now)) events.push_back(*std::move(left_out));
  if (pace.Take(1, now) == 0) return pace.LeftOut(1);
  events.push_back(std::move(event));
}

void TellOrWait(EventPace& pace, v1::Event event, Time now, std::vector<v1::Event>& events) {
  TellWaiting(pace, event.node(), now, events);
  if (pace.Take(1, now) == 0) return pace.Wait(std::move(event));
  events.push_back(std::move(event));
}

void TellWaiting(EventPace& pace, const std::string& node, Time now,
                 std::vector<v1::Event>& events) {
  if (auto left_out = TellLeftOut(pace, node, now)) events.push_back(*std::move(left_out));
  while (auto waited = pace.TakeWaiting(now)) events.push_back(*std::move(waited));
}

std::optional<v1::Event> TellLeftOut(EventPace& pace, const std::string& node, Time now) {
  const uint32_t count = pace.TakeLeftOut(now);
  if (count == 0) return std::nullopt;
  v1::Event event =
      MakeEvent(v1::Event::EVENTS_LEFT_OUT, node,
                absl::StrCat(count, count == 1 ? " more event" : " more events", " in one minute ",
                             count == 1 ? "was" : "were", " not kept"),
                now);
  event.set_count(count);
  return event;
}

}  // namespace connect_ha
