#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/ascii.h"
#include "common/checklist/rule.h"

namespace connect_ha {
namespace {

TEST(Table, HasEachIdOnce) {
  std::set<std::string> ids;
  for (const Rule& rule : Rules()) EXPECT_TRUE(ids.insert(rule.id).second) << rule.id;
}

TEST(Table, SaysOfEachRuleWhatItIs) {
  for (const Rule& rule : Rules()) {
    EXPECT_NE(std::string(rule.title), "") << rule.id;
    EXPECT_NE(std::string(rule.fix.command) + rule.fix.note, "") << rule.id;
    EXPECT_NE(std::string(rule.group), "") << rule.id;
    EXPECT_NE(std::string(rule.source_item), "") << rule.id;
    EXPECT_NE(rule.rule_class, v1::RULE_CLASS_UNSPECIFIED) << rule.id;
    EXPECT_NE(rule.judge, nullptr) << rule.id;
  }
}

TEST(Table, HasIdsThatCanBeTyped) {
  for (const Rule& rule : Rules()) {
    for (const char c : std::string(rule.id)) {
      EXPECT_TRUE(absl::ascii_islower(static_cast<unsigned char>(c)) || c == '-') << rule.id;
    }
  }
}

TEST(Table, HasTitlesThatFitALine) {
  constexpr size_t kTitleWidth = 66;
  for (const Rule& rule : Rules()) {
    for (const char* title : {rule.title, rule.on_one_node}) {
      if (title == nullptr || *title == '\0') continue;
      EXPECT_LE(std::string(title).size(), kTitleWidth) << rule.id;
      EXPECT_NE(std::string(title).back(), '.') << rule.id;
    }
  }
}

TEST(FindRule, FindsByIdOrSaysThatThereIsNone) {
  EXPECT_EQ(FindRule("storage-options"),
            &*std::find_if(Rules().begin(), Rules().end(), [](const Rule& rule) {
              return std::string(rule.id) == "storage-options";
            }));
  EXPECT_EQ(FindRule("storage-optoins"), nullptr);
}

}  // namespace
}  // namespace connect_ha
