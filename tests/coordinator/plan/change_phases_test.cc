#include <gtest/gtest.h>

#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "coordinator/plan/change/phases.h"

namespace connect_ha {
namespace {

TEST(ChangePhases, HaveOneRowEachInTheirOrder) {
  ASSERT_EQ(Phases().size(), static_cast<size_t>(v1::RolloutStatus::Phase_MAX));
  std::set<std::string> names;
  for (size_t i = 0; i < Phases().size(); ++i) {
    const PhaseRow& row = Phases()[i];
    EXPECT_EQ(static_cast<size_t>(row.phase), i + 1);
    EXPECT_EQ(FindPhase(row.phase), &row);
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    for (const char* text : {row.kinds, row.meaning, row.nodes, row.goes_on, row.fails}) {
      EXPECT_STRNE(text, "") << row.name;
      EXPECT_FALSE(absl::StrContains(text, "|")) << row.name;
    }
  }
  EXPECT_EQ(FindPhase(v1::RolloutStatus::PHASE_UNSPECIFIED), nullptr);
}

TEST(ChangePhases, PrintThemselvesAsATable) {
  const std::string text = PhasesMarkdown();
  for (const PhaseRow& row : Phases()) {
    EXPECT_TRUE(absl::StrContains(text, absl::StrCat("\n| ", row.name, " | "))) << row.name;
  }
}

}  // namespace
}  // namespace connect_ha
