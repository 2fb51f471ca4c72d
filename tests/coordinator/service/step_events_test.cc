// How much is told of one node, and that none hides what it does behind it.
#include <algorithm>
#include <string>
#include <vector>

#include "coordinator/cluster/node/event_pace.h"
#include "coordinator/cluster/node/node_events.h"
#include "tests/coordinator/service/step_fixture.h"

namespace connect_ha {
namespace {

using std::chrono::seconds;

TEST_F(StepTest, OfMoreChangesThanThereIsRoomForTheRestIsSaidAgain) {
  v1::HeartbeatRequest request = Beat();
  for (int number = 1; number <= 450'000; ++number) request.add_changes_made()->set_number(number);
  StepResult result = Take(request, 0);
  EXPECT_EQ(result.changes.size(), kChangesPerMinute);
  EXPECT_EQ(result.answer.changes_taken(), kChangesPerMinute);
  EXPECT_TRUE(Take(request, 30).changes.empty());
  result = Take(request, 60);
  EXPECT_EQ(result.changes.front().number, kChangesPerMinute + 1);
  EXPECT_EQ(result.answer.changes_taken(), 2 * kChangesPerMinute);
  EXPECT_TRUE(result.events.empty());  // nothing was left out
}

// An install of many resources: that it has come to its end is told, however many they are.
TEST_F(StepTest, ChangesLeaveRoomForWhatElseIsToldOfTheNode) {
  v1::HeartbeatRequest request = WithFacts(Beat());
  request.set_reported_generation(3);
  request.set_reported_state(v1::PREPARING);
  request.mutable_convergence()->set_generation(3);
  request.mutable_convergence()->set_state(v1::Convergence::CHANGING);
  for (int number = 1; number <= 30; ++number) request.add_changes_made()->set_number(number);
  EXPECT_EQ(Take(request, 0).changes.size(), kChangesPerMinute);
  request.mutable_convergence()->set_state(v1::Convergence::CONVERGED);
  const StepResult converged = Take(request, 5);
  ASSERT_EQ(converged.events.size(), 1u);
  EXPECT_EQ(converged.events[0].kind(), v1::Event::CONVERGENCE_CHANGED);
}

TEST_F(StepTest, TwoMachinesInTurnFillNoHistory) {
  size_t events = 0;
  for (int i = 0; i < 200; ++i) {
    v1::HeartbeatRequest request = Beat();
    request.set_boot_id(i % 2 == 0 ? "boot" : "another");
    request.set_reported_state(i % 2 == 0 ? v1::READY : v1::OBSERVED);
    events += Take(request, i / 10).events.size();
  }
  EXPECT_EQ(events, 1u);  // the second was taken for the first's successor; then the conflict
}

TEST_F(StepTest, AFloodOfEventsIsAMinutesShareAndACount) {
  std::vector<v1::Event> events;
  for (int i = 0; i < 120; ++i) {
    v1::HeartbeatRequest request = Beat();
    request.mutable_convergence()->set_state(i % 2 == 0 ? v1::Convergence::STUCK
                                                        : v1::Convergence::CONVERGED);
    request.mutable_convergence()->set_generation(static_cast<uint64_t>(i));
    for (v1::Event& event : Take(request, i / 2).events) events.push_back(std::move(event));
  }
  ASSERT_EQ(events.size(), kEventsPerMinute);
  v1::HeartbeatRequest last = Beat();
  last.mutable_convergence()->set_state(v1::Convergence::STUCK);
  const StepResult later = Take(last, 61);
  ASSERT_EQ(later.events.size(), 3u);
  EXPECT_EQ(later.events[0].kind(), v1::Event::EVENTS_LEFT_OUT);
  EXPECT_EQ(later.events[0].node(), "a");
  EXPECT_EQ(later.events[0].count(), 118 - kEventsPerMinute);         // the first look is no event
  EXPECT_EQ(later.events[1].kind(), v1::Event::CONVERGENCE_CHANGED);  // the last one waited
  EXPECT_EQ(later.events[1].text(), "generation 119: converged");
  EXPECT_EQ(FromProto(later.events[1].at()), kNoon + seconds(59));
  EXPECT_EQ(later.events[2].kind(), v1::Event::CONVERGENCE_CHANGED);
}

// A node that floods its share cannot hide what it does besides.
class FloodedStepTest : public StepTest {
 protected:
  FloodedStepTest() {
    Take(Beat(), 0);
    for (int i = 0; i < 40; ++i) Take(Flipped(i), 1 + i / 2);
  }
  static v1::HeartbeatRequest Flipped(int i) {
    v1::HeartbeatRequest request = Beat();
    request.mutable_convergence()->set_state(i % 2 == 0 ? v1::Convergence::STUCK
                                                        : v1::Convergence::CONVERGED);
    return request;
  }
  static size_t Count(const std::vector<v1::Event>& events, v1::Event::Kind kind) {
    return static_cast<size_t>(
        std::count_if(events.begin(), events.end(),
                      [kind](const v1::Event& event) { return event.kind() == kind; }));
  }
};

TEST_F(FloodedStepTest, OddOrdersAreToldOnceThereIsRoom) {
  v1::HeartbeatRequest odd = Beat();
  odd.set_reported_generation(~uint64_t{0});
  EXPECT_TRUE(Take(odd, 30).events.empty());
  const StepResult later = Take(odd, 62);
  EXPECT_EQ(Count(later.events, v1::Event::NODE_ORDERS_ODD), 1u);
  EXPECT_TRUE(Take(odd, 63).events.empty());
}

TEST_F(FloodedStepTest, NeitherSilenceNorRemovalHidesThem) {
  v1::HeartbeatRequest odd = Beat();
  odd.set_reported_generation(~uint64_t{0});
  Take(odd, 30);
  Forget(node_);
  node_.removed = true;
  std::vector<v1::Event> events;
  Age(node_, "a", seconds(30), kNoon, kNoon + seconds(62), events);
  EXPECT_EQ(Count(events, v1::Event::NODE_ORDERS_ODD), 1u);
}

TEST_F(FloodedStepTest, AheadIsToldOnceThereIsRoom) {
  v1::HeartbeatRequest ahead = Beat();
  ahead.set_reported_generation(4);
  EXPECT_TRUE(Take(ahead, 30).events.empty());
  EXPECT_EQ(Count(Take(ahead, 62).events, v1::Event::NODE_AHEAD), 1u);
}

TEST_F(FloodedStepTest, AConflictIsToldOnceThereIsRoom) {
  v1::HeartbeatRequest other = Beat();
  other.set_boot_id("another");
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(Take(i % 2 == 0 ? other : Beat(), 30 + i).events.empty());
  ASSERT_TRUE(node_.in_conflict);
  std::vector<v1::Event> events;
  Age(node_, "a", seconds(60), kNoon, kNoon + seconds(62), events);
  EXPECT_EQ(Count(events, v1::Event::NODE_CONFLICT), 1u);
}

TEST_F(FloodedStepTest, TheReturnFromALossIsToldAtOnce) {
  std::vector<v1::Event> events;
  Age(node_, "a", seconds(5), kNoon, kNoon + seconds(40), events);
  ASSERT_EQ(Count(events, v1::Event::NODE_LOST), 1u);
  EXPECT_EQ(Count(Take(Beat(), 41).events, v1::Event::NODE_BACK), 1u);
}

TEST(EventPaceTest, AMinutesRoomIsGivenOnce) {
  EventPace pace(10);
  EXPECT_EQ(pace.Take(4, kNoon), 4u);
  EXPECT_EQ(pace.Take(9, kNoon + seconds(59)), 6u);
  EXPECT_EQ(pace.Take(1, kNoon + seconds(59)), 0u);
  EXPECT_EQ(pace.Take(11, kNoon + seconds(60)), 10u);
}

TEST(EventPaceTest, SomeLeaveRoomForOthers) {
  EventPace pace(10);
  EXPECT_EQ(pace.Take(9, kNoon, 4), 6u);
  EXPECT_EQ(pace.Take(1, kNoon, 4), 0u);
  EXPECT_TRUE(pace.HasRoom(kNoon));
  EXPECT_EQ(pace.Take(9, kNoon), 4u);
  EXPECT_FALSE(pace.HasRoom(kNoon));
  EXPECT_EQ(pace.Take(1, kNoon, 4), 0u);
  EXPECT_TRUE(pace.HasRoom(kNoon + seconds(60)));
}

TEST(EventPaceTest, OfWhatWaitsTheLatestOfEachKindIsTold) {
  EventPace pace(1);
  std::vector<v1::Event> events;
  for (const char* text : {"first", "second", "third"}) {
    TellOrWait(pace, MakeEvent(v1::Event::NODE_AHEAD, "a", text, kNoon), kNoon, events);
  }
  TellOrWait(pace, MakeEvent(v1::Event::NODE_CONFLICT, "a", "two", kNoon), kNoon, events);
  EXPECT_EQ(events.size(), 1u);
  for (int minute = 1; minute <= 3; ++minute) {
    TellWaiting(pace, "a", kNoon + seconds(60 * minute), events);
  }
  ASSERT_EQ(events.size(), 4u);
  EXPECT_EQ(events[1].count(), 1u);  // the second
  EXPECT_EQ(events[2].text(), "third");
  EXPECT_EQ(events[3].text(), "two");
  EXPECT_TRUE(pace.IsIdle(kNoon + seconds(240)));
}

TEST(EventPaceTest, WhatWasLeftOutIsToldOnceTheMinuteIsOver) {
  EventPace pace(1);
  std::vector<v1::Event> events;
  for (int i = 0; i < 5; ++i) {
    TellAtPace(pace, MakeEvent(v1::Event::NODE_BACK, "a", "back", kNoon), kNoon, events);
  }
  ASSERT_EQ(events.size(), 1u);
  EXPECT_FALSE(TellLeftOut(pace, "a", kNoon + seconds(59)).has_value());
  const auto told = TellLeftOut(pace, "a", kNoon + seconds(60));
  ASSERT_TRUE(told.has_value());
  EXPECT_EQ(told->count(), 4u);
  EXPECT_EQ(told->text(), "4 more events in one minute were not kept");
  EXPECT_FALSE(TellLeftOut(pace, "a", kNoon + seconds(61)).has_value());
}

}  // namespace
}  // namespace connect_ha
