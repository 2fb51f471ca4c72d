#include "coordinator/cluster/planning/rollouts_listed.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace connect_ha {
namespace {

v1::Rollout Change(uint64_t generation, int64_t began,
                   v1::Rollout::End end = v1::Rollout::END_UNSPECIFIED) {
  v1::Rollout rollout;
  rollout.set_generation(generation);
  rollout.mutable_began_at()->set_seconds(began);
  rollout.set_end(end);
  return rollout;
}

std::string Listed(const v1::Rollout& before, const std::vector<v1::Rollout>& ended,
                   const v1::Rollout& after, size_t limit = 10) {
  std::string text;
  for (const v1::Rollout& one : ListedRollouts(before, ended, after, limit)) {
    absl::StrAppend(&text, one.generation(), " ", v1::Rollout::End_Name(one.end()), "; ");
  }
  return text;
}

TEST(RolloutsListed, WhatIsUnderWayComesFirst) {
  const v1::Rollout now = Change(3, 30);
  EXPECT_EQ(Listed(now, {Change(2, 20, v1::Rollout::DONE)}, now), "3 END_UNSPECIFIED; 2 DONE; ");
  EXPECT_EQ(Listed(now, {Change(2, 20, v1::Rollout::DONE)}, now, 1), "3 END_UNSPECIFIED; ");
  EXPECT_EQ(Listed({}, {Change(2, 20, v1::Rollout::DONE)}, {}), "2 DONE; ");
}

TEST(RolloutsListed, WhatEndsMeanwhileIsThereOnce) {
  const v1::Rollout done = Change(3, 30, v1::Rollout::DONE);
  EXPECT_EQ(Listed(Change(3, 30), {done}, {}), "3 DONE; ");
  EXPECT_EQ(Listed(Change(3, 30), {done}, Change(4, 40)), "3 DONE; ");
}

// As what another one took the place of, which was given up.
TEST(RolloutsListed, WhatGoesOnAgainHasNotEnded) {
  const v1::Rollout again = Change(3, 30);
  const std::vector<v1::Rollout> ended = {Change(4, 40, v1::Rollout::ABORTED),
                                          Change(3, 30, v1::Rollout::SUPERSEDED)};
  EXPECT_EQ(Listed(again, ended, again), "3 END_UNSPECIFIED; 4 ABORTED; ");
  // The same generation, gone to once more.
  const v1::Rollout anew = Change(3, 50);
  EXPECT_EQ(Listed(anew, ended, anew), "3 END_UNSPECIFIED; 4 ABORTED; 3 SUPERSEDED; ");
}

}  // namespace
}  // namespace connect_ha
