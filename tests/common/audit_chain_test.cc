#include "common/audit_chain.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/time.h"

namespace connect_ha {
namespace {

std::vector<v1::AuditEntry> Chain(uint64_t length) {
  std::vector<v1::AuditEntry> chain;
  for (uint64_t id = 1; id <= length; ++id) {
    v1::AuditEntry entry;
    entry.set_id(id);
    *entry.mutable_at() = ToProto(Time(std::chrono::seconds(1'700'000'000 + id)));
    entry.set_action(v1::AuditEntry::NODE_REMOVED);
    entry.set_actor("admin/alice");
    entry.set_why("its disk fails");
    entry.set_previous_digest(chain.empty() ? NoAuditDigest() : chain.back().digest());
    entry.set_digest(AuditDigest(entry));
    chain.push_back(entry);
  }
  return chain;
}

v1::AuditAnchor AnchorAt(const v1::AuditEntry& entry) {
  v1::AuditAnchor anchor;
  anchor.set_id(entry.id());
  anchor.set_digest(entry.digest());
  return anchor;
}

std::string Said(const std::vector<v1::AuditEntry>& entries,
                 const std::optional<v1::AuditAnchor>& anchor = std::nullopt) {
  return std::string(AuditHolds(entries, anchor).message());
}

TEST(AuditChain, HoldsFromTheFirstEntryAndFromTheAnchor) {
  const auto chain = Chain(4);
  EXPECT_EQ(Said({}), "");
  EXPECT_EQ(Said(chain), "");
  EXPECT_EQ(Said({chain[2], chain[3]}, AnchorAt(chain[1])), "");
  EXPECT_EQ(chain[0].digest().size(), 32u);
  EXPECT_NE(chain[0].digest(), chain[1].digest());
}

TEST(AuditChain, NamesTheEntryThatDoesNotStandWhereItShould) {
  const auto chain = Chain(4);
  const auto misplaced = [](int there, int expected) {
    return absl::StrCat("entry ", there, " of the audit log stands where ", expected,
                        " should: entries were taken out, or put in");
  };
  EXPECT_EQ(Said({chain[0], chain[2], chain[3]}), misplaced(3, 2));
  EXPECT_EQ(Said({chain[0], chain[2], chain[1], chain[3]}), misplaced(3, 2));
  EXPECT_EQ(Said({chain[0], chain[1], chain[1]}), misplaced(2, 3));
  EXPECT_EQ(Said({chain[1], chain[2]}), misplaced(2, 1));
  EXPECT_EQ(Said({chain[3]}, AnchorAt(chain[1])), misplaced(4, 3));
  EXPECT_EQ(Said(chain, AnchorAt(chain[1])), misplaced(1, 3));
}

TEST(AuditChain, SeesAChangeThoughItsDigestWasMadeAnew) {
  auto chain = Chain(3);
  chain[1].set_actor("admin/mallory");
  EXPECT_EQ(Said(chain), "entry 2 of the audit log is not what was written");
  chain[1].set_digest(AuditDigest(chain[1]));
  EXPECT_EQ(Said(chain),
            "entry 3 of the audit log was written after another entry 2 than what is there now");
}

TEST(AuditChain, SeesAnotherAnchor) {
  const auto chain = Chain(3);
  v1::AuditAnchor anchor = AnchorAt(chain[1]);
  anchor.set_digest(NoAuditDigest());
  EXPECT_EQ(AuditHolds({chain[2]}, anchor).code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace connect_ha
