#include "coordinator/cluster/node/claimants.h"

#include <gtest/gtest.h>

namespace connect_ha {
namespace {

using std::chrono::seconds;

const Time kNoon{seconds(1'700'000'000)};

std::vector<std::string> Machines(const Claimants& claimants) {
  std::vector<std::string> machines;
  for (const v1::Claimant& claimant : claimants.Current()) {
    machines.push_back(claimant.machine_id() + "/" + claimant.boot_id());
  }
  return machines;
}

TEST(ClaimantsTest, RebootIsNoConflict) {
  Claimants claimants;
  claimants.Heard("m1", "b1", "10.0.0.1", kNoon);
  claimants.Heard("m1", "b2", "10.0.0.1", kNoon + seconds(60));
  claimants.Heard("m1", "b2", "10.0.0.1", kNoon + seconds(65));
  EXPECT_FALSE(claimants.conflict());
  EXPECT_EQ(Machines(claimants), (std::vector<std::string>{"m1/b2"}));
}

TEST(ClaimantsTest, ReplacedMachineIsNoConflict) {
  Claimants claimants;
  claimants.Heard("m1", "b1", "10.0.0.1", kNoon);
  claimants.Heard("m2", "b9", "10.0.0.2", kNoon);
  EXPECT_FALSE(claimants.conflict());
  EXPECT_EQ(Machines(claimants), (std::vector<std::string>{"m2/b9"}));
}

TEST(ClaimantsTest, MachineHeardAgainAfterAnotherOneProvesBothAlive) {
  Claimants claimants;
  claimants.Heard("m1", "b1", "10.0.0.1", kNoon);
  claimants.Heard("m1", "b2", "10.0.0.2", kNoon);  // a cloned disk keeps its machine id
  claimants.Heard("m1", "b1", "10.0.0.1", kNoon);
  EXPECT_TRUE(claimants.conflict());
  EXPECT_EQ(Machines(claimants), (std::vector<std::string>{"m1/b1", "m1/b2"}));
  EXPECT_EQ(claimants.Describe(),
            "10.0.0.1 (machine m1, boot b1) and 10.0.0.2 (machine m1, boot b2)");
}

TEST(ClaimantsTest, ThirdMachineThatWasOnlyReplacedIsNotNamed) {
  Claimants claimants;
  claimants.Heard("gone", "b0", "10.0.0.9", kNoon);
  claimants.Heard("m1", "b1", "10.0.0.1", kNoon);
  claimants.Heard("m2", "b2", "10.0.0.2", kNoon);
  claimants.Heard("m1", "b1", "10.0.0.1", kNoon);
  EXPECT_EQ(Machines(claimants), (std::vector<std::string>{"m1/b1", "m2/b2"}));
}

TEST(ClaimantsTest, ConflictEndsWhenOneMachineFallsSilent) {
  Claimants claimants;
  claimants.Heard("m1", "b1", "10.0.0.1", kNoon);
  claimants.Heard("m2", "b2", "10.0.0.2", kNoon);
  claimants.Heard("m1", "b1", "10.0.0.1", kNoon + seconds(1));
  claimants.Heard("m2", "b2", "10.0.0.2", kNoon + seconds(40));
  claimants.ForgetBefore(kNoon + seconds(10));
  EXPECT_FALSE(claimants.conflict());
  EXPECT_EQ(Machines(claimants), (std::vector<std::string>{"m2/b2"}));
}

TEST(ClaimantsTest, ReplacedMachineIsForgottenInItsTimeThoughTheClockWasSetBack) {
  Claimants claimants;
  claimants.Heard("m1", "b1", "10.0.0.1", kNoon + seconds(3600));
  claimants.Heard("m2", "b2", "10.0.0.2", kNoon);
  claimants.Heard("m2", "b2", "10.0.0.2", kNoon + seconds(31));
  claimants.ForgetBefore(kNoon + seconds(1));
  EXPECT_EQ(claimants.Count(), 1u);
}

}  // namespace
}  // namespace connect_ha
