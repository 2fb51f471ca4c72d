#include "agent/host/processes/beacon_work.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "connect_ha/v1/beacon_work.pb.h"
#include "tests/fakes/temporary_directory.h"

namespace connect_ha {
namespace {

class BeaconWorkTest : public testing::Test {
 protected:
  std::string Device() const {
    struct stat status {};
    EXPECT_EQ(stat(shared_.path().c_str(), &status), 0);
    return absl::StrCat(major(status.st_dev), ":", minor(status.st_dev));
  }
  v1::BeaconExchange Request(const std::string& node, uint64_t counter = 1) const {
    v1::BeaconExchange exchange;
    exchange.set_device(Device());
    v1::BeaconFile& own = *exchange.mutable_own();
    own.set_cluster("lab");
    own.set_node(node);
    own.set_machine_id("m-" + node);
    own.set_boot_id("b1");
    own.set_nonce("abcd");
    own.set_challenge("c1");
    own.set_counter(counter);
    return exchange;
  }
  v1::BeaconsFound Exchange(const v1::BeaconExchange& exchange) const {
    const auto answer = ExchangeBeaconsHere(shared_.path(), exchange.SerializeAsString());
    EXPECT_TRUE(answer.ok()) << answer.status();
    v1::BeaconsFound found;
    EXPECT_TRUE(found.ParseFromString(answer.ok() ? *answer : ""));
    return found;
  }
  std::string Folder() const { return shared_ / ".connect-ha/beacons"; }
  // What node-1 says of the beacon of node-2.
  std::string ErrorOfNode2() const {
    const v1::BeaconsFound found = Exchange(Request("node-1"));
    EXPECT_EQ(found.found_size(), 1);
    if (found.found_size() != 1) return "";
    EXPECT_EQ(found.found(0).node(), "node-2");
    EXPECT_EQ(found.found(0).has_beacon(), found.found(0).error().empty());
    return found.found(0).error();
  }
  void PutBeacon(const std::string& name, const std::string& content) const {
    std::ofstream(Folder() + "/" + name, std::ios::binary) << content;
  }

  TemporaryDirectory shared_;
};

TEST_F(BeaconWorkTest, NodesSeeWhatEachOtherWroteLast) {
  EXPECT_EQ(Exchange(Request("node-1", 1)).error(), "");
  Exchange(Request("node-2", 7));
  Exchange(Request("node-1", 2));

  const v1::BeaconsFound found = Exchange(Request("node-2", 8));

  EXPECT_EQ(found.error(), "");
  ASSERT_EQ(found.found_size(), 1);
  EXPECT_EQ(found.found(0).node(), "node-1");
  EXPECT_EQ(found.found(0).error(), "");
  EXPECT_EQ(found.found(0).beacon().counter(), 2u);
  EXPECT_EQ(found.found(0).beacon().machine_id(), "m-node-1");
}

TEST_F(BeaconWorkTest, WhatIsWrittenIsRootsAlone) {
  Exchange(Request("node-1"));
  struct stat status {};
  ASSERT_EQ(stat(Folder().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0700u);
  ASSERT_EQ(stat((Folder() + "/node-1").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600u);
}

TEST_F(BeaconWorkTest, NothingIsWrittenWhereAnotherFileSystemIsMountedByNow) {
  v1::BeaconExchange exchange = Request("node-1");
  exchange.set_device("0:0");
  const auto answer = ExchangeBeaconsHere(shared_.path(), exchange.SerializeAsString());
  EXPECT_EQ(answer.status().code(), absl::StatusCode::kAborted);
  EXPECT_TRUE(std::filesystem::is_empty(shared_.path()));
}

TEST_F(BeaconWorkTest, WhatAKilledRunLeftIsWrittenOver) {
  Exchange(Request("node-1", 1));
  PutBeacon(".node-1.new", "half");
  EXPECT_EQ(Exchange(Request("node-1", 2)).error(), "");
  EXPECT_FALSE(std::filesystem::exists(Folder() + "/.node-1.new"));
}

TEST_F(BeaconWorkTest, NoLinkIsFollowed) {
  Exchange(Request("node-1"));
  shared_.Write("elsewhere", Request("node-2").own().SerializeAsString());
  std::filesystem::create_symlink(shared_ / "elsewhere", Folder() + "/node-2");
  EXPECT_EQ(ErrorOfNode2(), "is a link");
}

TEST_F(BeaconWorkTest, ALinkInPlaceOfTheFolderIsRefused) {
  TemporaryDirectory other;
  std::filesystem::create_directory(shared_ / ".connect-ha");
  std::filesystem::permissions(shared_ / ".connect-ha", std::filesystem::perms::owner_all);
  std::filesystem::create_directory_symlink(other.path(), Folder());
  EXPECT_TRUE(absl::StrContains(Exchange(Request("node-1")).error(), "cannot open " + Folder()));
  EXPECT_TRUE(std::filesystem::is_empty(other.path()));
}

// Who owns it could take away any node's, and the nodes would look like apart.
TEST_F(BeaconWorkTest, AFolderThatSomebodyElseMadeIsRefused) {
  if (geteuid() != 0) {  // who is not root cannot give a folder away
    EXPECT_NE(chown(shared_.path().c_str(), 1234, 1234), 0);
    return;
  }
  for (const std::string& theirs : {shared_ / ".connect-ha", Folder()}) {
    std::filesystem::remove_all(shared_ / ".connect-ha");
    Exchange(Request("node-1"));
    ASSERT_EQ(chown(theirs.c_str(), 1234, 1234), 0);
    EXPECT_TRUE(absl::StrContains(Exchange(Request("node-2")).error(), "somebody else made it"))
        << theirs;
    EXPECT_FALSE(std::filesystem::exists(Folder() + "/node-2")) << theirs;
    EXPECT_FALSE(std::filesystem::exists(Folder() + "/.node-2.new")) << theirs;
  }
}

TEST_F(BeaconWorkTest, WhatIsNoBeaconIsToldAndNotTaken) {
  Exchange(Request("node-1"));
  const auto told = [this](const std::string& content) {
    PutBeacon("node-2", content);
    return ErrorOfNode2();
  };
  EXPECT_EQ(told(std::string(4097, 'x')), "is larger than 4096 bytes");
  EXPECT_EQ(told("no message"), "is not a beacon");
  EXPECT_EQ(told(""), "is not a beacon");
  v1::BeaconFile beacon = Request("node-2").own();
  beacon.set_nonce("\x1b[2J");
  EXPECT_EQ(told(beacon.SerializeAsString()), "is not a beacon");
  EXPECT_EQ(told(Request("node-3").own().SerializeAsString()), "is the beacon of node-3");
  beacon = Request("node-2").own();
  beacon.set_cluster("prod");
  EXPECT_EQ(told(beacon.SerializeAsString()), "is of another cluster: prod");
  EXPECT_EQ(told(Request("node-2").own().SerializeAsString()), "");
}

TEST_F(BeaconWorkTest, OtherFilesAreNoBeacons) {
  Exchange(Request("node-1"));
  PutBeacon(".nfs0000000000000001", "x");
  PutBeacon("a b", "x");
  PutBeacon(std::string(70, 'a'), "x");
  EXPECT_EQ(Exchange(Request("node-1")).found_size(), 0);
}

TEST_F(BeaconWorkTest, OnlyThoseThatAreToBeForgottenAreRemoved) {
  for (const char* node : {"node-1", "node-2", "node-3"}) Exchange(Request(node));
  shared_.Write("kept", "x");
  v1::BeaconExchange exchange = Request("node-1", 2);
  for (const char* name : {"node-2", "node-1", "../../kept", ""}) exchange.add_forget(name);

  const v1::BeaconsFound found = Exchange(exchange);

  ASSERT_EQ(found.found_size(), 1);
  EXPECT_EQ(found.found(0).node(), "node-3");
  EXPECT_FALSE(std::filesystem::exists(Folder() + "/node-2"));
  EXPECT_TRUE(std::filesystem::exists(Folder() + "/node-1"));
  EXPECT_TRUE(std::filesystem::exists(shared_ / "kept"));
}

TEST_F(BeaconWorkTest, ManyAreBounded) {
  Exchange(Request("node-1"));
  for (int i = 0; i < 300; ++i) PutBeacon(absl::StrCat("other-", 1000 + i), "x");
  const v1::BeaconsFound found = Exchange(Request("node-1"));
  EXPECT_EQ(found.found_size(), 256);
  EXPECT_EQ(found.left_out(), 44u);
}

TEST_F(BeaconWorkTest, ARequestThatNamesAPathIsMalformed) {
  EXPECT_EQ(
      ExchangeBeaconsHere(shared_.path(), Request("../x").SerializeAsString()).status().code(),
      absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(std::filesystem::is_empty(shared_.path()));
}

}  // namespace
}  // namespace connect_ha
