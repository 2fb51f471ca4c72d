#include "common/audit_chain.h"

#include <gtest/gtest.h>

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

TEST(AuditChain, HoldsFromTheFirstEntryAndFromTheAnchor) {
  const auto chain = Chain(4);
  EXPECT_TRUE(AuditHolds({}, std::nullopt));
  EXPECT_TRUE(AuditHolds(chain, std::nullopt));
  EXPECT_TRUE(AuditHolds({chain[2], chain[3]}, AnchorAt(chain[1])));
  EXPECT_EQ(chain[0].digest().size(), 32u);
  EXPECT_NE(chain[0].digest(), chain[1].digest());
}

TEST(AuditChain, SeesWhatWasLeftOutMovedOrIsNotItsBeginning) {
  const auto chain = Chain(4);
  EXPECT_FALSE(AuditHolds({chain[0], chain[2], chain[3]}, std::nullopt));
  EXPECT_FALSE(AuditHolds({chain[0], chain[2], chain[1], chain[3]}, std::nullopt));
  EXPECT_FALSE(AuditHolds({chain[0], chain[1], chain[1]}, std::nullopt));
  EXPECT_FALSE(AuditHolds({chain[1], chain[2]}, std::nullopt));
  EXPECT_FALSE(AuditHolds({chain[3]}, AnchorAt(chain[1])));
  EXPECT_FALSE(AuditHolds(chain, AnchorAt(chain[1])));
}

TEST(AuditChain, SeesAChangeThoughItsDigestWasMadeAnew) {
  auto chain = Chain(3);
  chain[1].set_actor("admin/mallory");
  EXPECT_FALSE(AuditHolds(chain, std::nullopt));
  chain[1].set_digest(AuditDigest(chain[1]));
  EXPECT_FALSE(AuditHolds(chain, std::nullopt));
  EXPECT_TRUE(AuditHolds({chain[0], chain[1]}, std::nullopt));  // what is missing shows in the next
}

TEST(AuditChain, SeesWhatWasPutInBetweenUnderItsOwnNumber) {
  auto chain = Chain(2);
  v1::AuditEntry forged = chain[1];
  forged.set_actor("admin/mallory");
  forged.set_digest(AuditDigest(forged));
  chain[1].set_id(3);
  EXPECT_FALSE(AuditHolds({chain[0], forged, chain[1]}, std::nullopt));
}

TEST(AuditChain, SeesAnotherAnchor) {
  const auto chain = Chain(3);
  v1::AuditAnchor anchor = AnchorAt(chain[1]);
  anchor.set_digest(NoAuditDigest());
  EXPECT_FALSE(AuditHolds({chain[2]}, anchor));
}

}  // namespace
}  // namespace connect_ha
