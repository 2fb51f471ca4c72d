#include "tests/coordinator/store/store_contract.h"

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "tests/coordinator/store/store_messages.h"

namespace connect_ha {

std::string StoreContract::Name() {
  return absl::StrCat(
      "contract_", getpid(), "_",
      testing::UnitTest::GetInstance()->current_test_info()->result()->start_timestamp());
}

TEST_P(StoreContract, NewStoreIsEmpty) {
  EXPECT_TRUE(store_->ListNodes()->empty());
  EXPECT_TRUE(Reports(*store_).empty());
  EXPECT_TRUE(store_->ListTokens()->empty());
  EXPECT_TRUE(store_->ListEvents({})->empty());
  EXPECT_TRUE(store_->ListSpecs()->empty());
  EXPECT_TRUE(store_->ListAdmins()->empty());
  EXPECT_FALSE(store_->GetMemories()->evaluated_at.has_value());
  EXPECT_TRUE(store_->GetMemories()->findings.empty());
  EXPECT_EQ(store_->GetPlan()->memory.ByteSizeLong(), 0u);
  EXPECT_TRUE(store_->GetPlan()->words.empty());
  EXPECT_TRUE(store_->ListRollouts(10)->empty());
  EXPECT_TRUE(Entries(*store_).empty());
  EXPECT_FALSE(store_->GetAuditAnchor()->has_value());
  EXPECT_EQ(*store_->NewestAuditId(), 0u);
}

TEST_P(StoreContract, EverythingSurvivesReopening) {
  Furnish(*store_);
  for (const auto& [write, status] : TryEveryWrite(*store_)) {
    EXPECT_TRUE(status.ok()) << write << ": " << status;
  }
  const std::string before = Everything(*store_);
  Reopen();
  EXPECT_EQ(Everything(*store_), before);
}

}  // namespace connect_ha
