// `connect-ha audit`: which entries it asks for, and what it makes of a chain that does not hold.
#include "common/audit_chain.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/coordinator/cli/world.h"

namespace connect_ha {
namespace {

using testing::HasSubstr;
using testing::Not;

// One a day, the newest now; chained as the store does it.
void FillAudit(World& world, uint64_t count) {
  std::string previous = NoAuditDigest();
  for (uint64_t id = 1; id <= count; ++id) {
    v1::AuditEntry entry;
    entry.set_id(id);
    *entry.mutable_at() = ToProto(world.now - std::chrono::hours(24 * (count - id)));
    entry.set_action(v1::AuditEntry::NODE_REMOVED);
    entry.set_actor("admin/alice");
    entry.set_address("10.0.0.1");
    entry.set_subject("node-" + std::to_string(id));
    entry.set_previous_digest(previous);
    entry.set_digest(AuditDigest(entry));
    previous = entry.digest();
    world.coordinator.audit.push_back(entry);
  }
}

TEST(Audit, ShowsTheNewestOfMoreThanOnePage) {
  World world;
  FillAudit(world, 7);
  EXPECT_EQ(world.Run({"audit", "--limit", "3"}), kHolds);
  EXPECT_THAT(world.out, HasSubstr("node removed node-7"));
  EXPECT_THAT(world.out, HasSubstr("node removed node-5"));
  EXPECT_THAT(world.out, Not(HasSubstr("node-4")));
}

TEST(Audit, ShowsWhatIsNotOlder) {
  World world;
  FillAudit(world, 7);
  EXPECT_EQ(world.Run({"audit", "--since", "36h"}), kHolds);
  EXPECT_THAT(world.out, HasSubstr("node-6"));
  EXPECT_THAT(world.out, HasSubstr("node-7"));
  EXPECT_THAT(world.out, Not(HasSubstr("node-5")));
}

TEST(Audit, ThatIsWholeHolds) {
  World world;
  FillAudit(world, 7);
  EXPECT_EQ(world.Run({"audit", "--verify"}), kHolds) << world.error;
  EXPECT_THAT(world.out, HasSubstr("7 entries hold\nnewest: 7 sha256:"));
}

v1::AuditAnchor AnchorAt(const v1::AuditEntry& entry) {
  v1::AuditAnchor anchor;
  anchor.set_id(entry.id());
  anchor.set_digest(entry.digest());
  *anchor.mutable_at() = entry.at();
  return anchor;
}

// All up to this one.
void LetGoOf(World& world, int64_t id) {
  std::vector<v1::AuditEntry>& audit = world.coordinator.audit;
  world.coordinator.audit_anchor = AnchorAt(audit[static_cast<size_t>(id) - 1]);
  audit.erase(audit.begin(), audit.begin() + id);
}

TEST(Audit, ThatBeginsBehindWhatWasLetGoOfHolds) {
  World world;
  FillAudit(world, 7);
  LetGoOf(world, 3);
  EXPECT_EQ(world.Run({"audit", "--verify"}), kHolds) << world.error;
  EXPECT_THAT(world.out, HasSubstr("4 entries hold, after 3 that were let go of by"));
}

TEST(Audit, ThatIsLetGoOfWhileItIsReadHolds) {
  World world;
  FillAudit(world, 7);
  world.coordinator.audit_anchor_once = AnchorAt(world.coordinator.audit[1]);
  LetGoOf(world, 3);
  EXPECT_EQ(world.Run({"audit", "--verify"}), kHolds) << world.error;
}

TEST(Audit, ThatWasChangedAnywhereDoesNotHold) {
  for (size_t i = 0; i < 7; ++i) {
    World world;
    FillAudit(world, 7);
    world.coordinator.audit[i].set_actor("admin/bob");
    EXPECT_EQ(world.Run({"audit", "--verify"}), kFails) << i;
    EXPECT_THAT(world.error, HasSubstr("\nfix:   ")) << i;
  }
}

TEST(Audit, ThatLostAnEntryDoesNotHold) {
  for (size_t i = 0; i < 6; ++i) {
    World world;
    FillAudit(world, 7);
    world.coordinator.audit.erase(world.coordinator.audit.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_EQ(world.Run({"audit", "--verify"}), kFails) << i;
  }
}

TEST(Audit, ThatLostItsEndDoesNotHold) {
  World world;
  FillAudit(world, 7);
  world.coordinator.audit_newest = 7;
  world.coordinator.audit.resize(5);
  EXPECT_EQ(world.Run({"audit", "--verify"}), kFails);
  EXPECT_THAT(world.error, HasSubstr("ends with entry 5, the newest is 7"));
  world.coordinator.audit.clear();
  EXPECT_EQ(world.Run({"audit", "--verify"}), kFails);
}

TEST(Audit, SaysWhatToTypeForANumberOrATimeThatIsNone) {
  World world;
  EXPECT_EQ(world.Run({"audit", "--limit", "many"}), kUsage);
  EXPECT_THAT(world.error, HasSubstr("\nfix:   connect-ha audit --limit 50"));
  EXPECT_EQ(world.Run({"audit", "--since", "yesterday"}), kUsage);
}

}  // namespace
}  // namespace connect_ha
