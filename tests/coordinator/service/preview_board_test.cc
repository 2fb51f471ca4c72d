#include "coordinator/cluster/preview_board.h"

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
  if (answers > 0) request.mutable_preview()->set_number(answers);
  return request;
}

v1::HeartbeatResponse Exchange(PreviewBoard& board, const v1::HeartbeatRequest& request, Time now) {
  v1::HeartbeatResponse response;
  board.Exchange(request, now, &response);
  return response;
}

TEST(PreviewBoardTest, ANodeIsAskedUntilItAnswered) {
  PreviewBoard board;
  EXPECT_FALSE(Exchange(board, Beat("a"), kNoon).has_preview());
  const uint64_t number = board.Ask(Desired("x"), kNoon);
  EXPECT_EQ(Exchange(board, Beat("a"), kNoon).preview().number(), number);
  EXPECT_EQ(Exchange(board, Beat("a"), kNoon).preview().desired().spec().cluster(), "x");
  EXPECT_FALSE(Exchange(board, Beat("a", number), kNoon).has_preview());
  EXPECT_FALSE(Exchange(board, Beat("a"), kNoon).has_preview());
  EXPECT_TRUE(Exchange(board, Beat("b"), kNoon).has_preview());
  const auto previews = board.Previews(number, kNoon);
  ASSERT_TRUE(previews.ok());
  EXPECT_EQ(previews->size(), 1u);
  EXPECT_EQ(previews->count("a"), 1u);
}

TEST(PreviewBoardTest, TheNewestQuestionIsAskedFirst) {
  PreviewBoard board;
  const uint64_t first = board.Ask(Desired("x"), kNoon);
  const uint64_t second = board.Ask(Desired("y"), kNoon);
  EXPECT_LT(first, second);
  EXPECT_EQ(Exchange(board, Beat("a"), kNoon).preview().number(), second);
  EXPECT_EQ(Exchange(board, Beat("a", second), kNoon).preview().number(), first);
}

TEST(PreviewBoardTest, NobodyIsAskedForEver) {
  PreviewBoard board;
  const uint64_t number = board.Ask(Desired("x"), kNoon);
  const Time later = kNoon + std::chrono::minutes(6);
  EXPECT_FALSE(Exchange(board, Beat("a"), later).has_preview());
  EXPECT_EQ(board.Previews(number, later).status().code(), absl::StatusCode::kNotFound);
}

TEST(PreviewBoardTest, OnlyAFewQuestionsAreKept) {
  PreviewBoard board;
  const uint64_t first = board.Ask(Desired("x"), kNoon);
  for (int i = 0; i < 4; ++i) board.Ask(Desired("y"), kNoon);
  EXPECT_EQ(board.Previews(first, kNoon).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace connect_ha
