#include "coordinator/plan_board.h"

#include <gtest/gtest.h>

namespace connect_ha {
namespace {

const Time kNoon{std::chrono::seconds(1'700'000'000)};

v1::Desired Desired(const std::string& cluster) {
  v1::Desired desired;
  desired.mutable_spec()->set_cluster(cluster);
  return desired;
}

v1::HeartbeatRequest Beat(const std::string& node, uint64_t answers = 0) {
  v1::HeartbeatRequest request;
  request.set_node(node);
  if (answers > 0) request.mutable_plan()->set_number(answers);
  return request;
}

v1::HeartbeatResponse Exchange(PlanBoard& board, const v1::HeartbeatRequest& request, Time now) {
  v1::HeartbeatResponse response;
  board.Exchange(request, now, &response);
  return response;
}

TEST(PlanBoardTest, ANodeIsAskedUntilItAnswered) {
  PlanBoard board;
  EXPECT_FALSE(Exchange(board, Beat("a"), kNoon).has_plan());
  const uint64_t number = board.Ask(Desired("x"), kNoon);
  EXPECT_EQ(Exchange(board, Beat("a"), kNoon).plan().number(), number);
  EXPECT_EQ(Exchange(board, Beat("a"), kNoon).plan().desired().spec().cluster(), "x");
  EXPECT_FALSE(Exchange(board, Beat("a", number), kNoon).has_plan());
  EXPECT_FALSE(Exchange(board, Beat("a"), kNoon).has_plan());
  EXPECT_TRUE(Exchange(board, Beat("b"), kNoon).has_plan());
  const auto plans = board.Plans(number, kNoon);
  ASSERT_TRUE(plans.ok());
  EXPECT_EQ(plans->size(), 1u);
  EXPECT_EQ(plans->count("a"), 1u);
}

TEST(PlanBoardTest, TheNewestQuestionIsAskedFirst) {
  PlanBoard board;
  const uint64_t first = board.Ask(Desired("x"), kNoon);
  const uint64_t second = board.Ask(Desired("y"), kNoon);
  EXPECT_LT(first, second);
  EXPECT_EQ(Exchange(board, Beat("a"), kNoon).plan().number(), second);
  EXPECT_EQ(Exchange(board, Beat("a", second), kNoon).plan().number(), first);
}

TEST(PlanBoardTest, NobodyIsAskedForEver) {
  PlanBoard board;
  const uint64_t number = board.Ask(Desired("x"), kNoon);
  const Time later = kNoon + std::chrono::minutes(6);
  EXPECT_FALSE(Exchange(board, Beat("a"), later).has_plan());
  EXPECT_EQ(board.Plans(number, later).status().code(), absl::StatusCode::kNotFound);
}

TEST(PlanBoardTest, OnlyAFewQuestionsAreKept) {
  PlanBoard board;
  const uint64_t first = board.Ask(Desired("x"), kNoon);
  for (int i = 0; i < 4; ++i) board.Ask(Desired("y"), kNoon);
  EXPECT_EQ(board.Plans(first, kNoon).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace connect_ha
