// Whose state is found at a start: this node's, or another's.
#include "agent/assignment/set_aside.h"

#include <gtest/gtest.h>

#include "agent/assignment/assignment_file.h"
#include "tests/agent/assignment/signed_fixture.h"
#include "tests/fakes/fake_host.h"

namespace connect_ha {
namespace {

constexpr char kState[] = "/var/lib/connect-ha-agent";
const Owner kOwner = {"lab", "machine-1", "token-2", "machine-1"};

v1::Assignment OfOwner(const std::string& cluster, const std::string& machine,
                       const std::string& enrolment) {
  v1::Assignment assignment;
  *assignment.mutable_desired() = DesiredOfLab(7);
  assignment.set_cluster(cluster);
  assignment.set_machine_id(machine);
  assignment.set_enrolment(enrolment);
  return assignment;
}

TEST(BelongingOf, GoesByClusterMachineAndEnrolment) {
  EXPECT_EQ(BelongingOf(OfOwner("lab", "machine-1", "token-2"), kOwner), Belonging::kOurs);
  EXPECT_EQ(BelongingOf(OfOwner("lab", "machine-1", "token-1"), kOwner), Belonging::kBefore);
  EXPECT_EQ(BelongingOf(OfOwner("lab", "machine-2", "token-2"), kOwner), Belonging::kAnothers);
  EXPECT_EQ(BelongingOf(OfOwner("other", "machine-1", "token-2"), kOwner), Belonging::kAnothers);
}

TEST(BelongingOf, OfRelease01GoesByItsSpecificationAndTheMachineThatEnrolled) {
  v1::Assignment unnamed;
  EXPECT_EQ(BelongingOf(unnamed, kOwner), Belonging::kOurs);
  *unnamed.mutable_desired() = DesiredOfLab(7);
  EXPECT_EQ(BelongingOf(unnamed, kOwner), Belonging::kOurs);
  Owner copied = kOwner;
  copied.machine_id = "machine-9";
  EXPECT_EQ(BelongingOf(unnamed, copied), Belonging::kAnothers);
  unnamed.mutable_desired()->mutable_spec()->set_cluster("other");
  EXPECT_EQ(BelongingOf(unnamed, kOwner), Belonging::kAnothers);
}

class SetAsideTest : public testing::Test {
 protected:
  SetAsideTest() {
    for (const char* name :
         {"assignment", "changes", "installing", "artifacts/r-4.3.3", "holds/r-4.3.3", "service",
          "preflight-overridden", "node.key", "old-licenses/a.lic"}) {
      host_.SetFile(std::string(kState) + "/" + name, name);
    }
    host_.SetNow(Time(std::chrono::seconds(100)));
  }
  bool IsThere(const std::string& name) { return host_.LStat(kState + ("/" + name)).ok(); }
  // Orders of the owner's that say nothing.
  bool HasBegunAnew() {
    const auto held = LoadAssignment(host_, kState);
    return held.ok() && BelongingOf(*held, kOwner) == Belonging::kOurs && !held->has_desired() &&
           held->state() == v1::OBSERVED && held->enrolment() == kOwner.enrolment;
  }

  FakeHost host_;
};

TEST_F(SetAsideTest, WhatIsOursStays) {
  const auto moved = SetAside(host_, kState, OfOwner("lab", "machine-1", "token-2"), kOwner);
  ASSERT_TRUE(moved.ok()) << moved.status();
  EXPECT_FALSE(*moved);
  EXPECT_TRUE(IsThere("assignment"));
  EXPECT_FALSE(IsThere("set-aside"));
}

TEST_F(SetAsideTest, AnothersIsMovedAndNeverDeleted) {
  const auto moved = SetAside(host_, kState, OfOwner("other", "machine-1", "token-1"), kOwner);
  ASSERT_TRUE(moved.ok()) << moved.status();
  EXPECT_TRUE(*moved);
  for (const char* name : {"changes", "installing", "artifacts/r-4.3.3", "holds/r-4.3.3", "service",
                           "preflight-overridden"}) {
    EXPECT_FALSE(IsThere(name)) << name;
    EXPECT_TRUE(IsThere(std::string("set-aside/100/") + name)) << name;
  }
  EXPECT_EQ(*host_.ReadFile(std::string(kState) + "/set-aside/100/assignment"), "assignment");
  EXPECT_TRUE(HasBegunAnew());
  EXPECT_TRUE(IsThere("node.key"));
  EXPECT_TRUE(IsThere("old-licenses/a.lic"));
}

TEST_F(SetAsideTest, FromBeforeEnrollingAgainOnlyTheOrdersAreMoved) {
  ASSERT_TRUE(SetAside(host_, kState, OfOwner("lab", "machine-1", "token-1"), kOwner).ok());
  EXPECT_TRUE(HasBegunAnew());
  EXPECT_TRUE(IsThere("set-aside/100/assignment"));
  EXPECT_TRUE(IsThere("changes"));
  EXPECT_TRUE(IsThere("service"));
  EXPECT_TRUE(IsThere("preflight-overridden"));
  EXPECT_TRUE(IsThere("artifacts/r-4.3.3"));
}

TEST_F(SetAsideTest, MayBeKilledAnywhereAndDoneAgain) {
  const v1::Assignment assignment = OfOwner("other", "machine-1", "token-1");
  for (int call = 1; !HasBegunAnew(); ++call) {
    ASSERT_LT(call, 20);
    host_.DieAtCall(call);
    static_cast<void>(SetAside(host_, kState, assignment, kOwner));
    host_.Revive();
    host_.Advance(std::chrono::seconds(1));
    // There always is one; while it is the old one, whoever starts finds that it is another's.
    EXPECT_TRUE(IsThere("assignment")) << call;
    if (!HasBegunAnew()) continue;
    for (const char* name : {"changes", "installing", "artifacts", "holds", "service"}) {
      EXPECT_FALSE(IsThere(name)) << name;
    }
  }
}

}  // namespace
}  // namespace connect_ha
