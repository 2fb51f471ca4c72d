#include "coordinator/rpc/port/connection_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace connect_ha {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Id = ConnectionTable::Id;

ConnectionBounds Small() {
  ConnectionBounds bounds;
  bounds.nodes = {2, 4, seconds(15), 1000, 2500};
  bounds.enrolment = {1, 2, seconds(30), 100, 150};
  bounds.waiting = 6;
  bounds.waiting_patience = seconds(20);
  bounds.in_all = 8;
  bounds.of_a_node = 2;
  bounds.of_an_admin = 3;
  return bounds;
}

class ConnectionTableTest : public testing::Test {
 protected:
  Id Add(const std::string& address, Port port = Port::kNodes) {
    return table_.Add(port, address + ":" + std::to_string(++last_port_), now_);
  }
  // One of this address that is served.
  Id Serve(const std::string& address, Port port = Port::kNodes) {
    const Id id = Add(address, port);
    EXPECT_EQ(table_.Next(now_), id);
    return id;
  }
  std::string LastPeer(const std::string& address) const {
    return address + ":" + std::to_string(last_port_);
  }
  Id ServeKnown(const std::string& address, const std::string& owner) {
    const Id id = Serve(address);
    table_.Know(LastPeer(address), owner);
    return id;
  }
  std::vector<Id> Turns() {
    std::vector<Id> turns;
    while (const auto next = table_.Next(now_)) turns.push_back(*next);
    return turns;
  }
  std::vector<Id> Ended() {
    std::vector<Id> ended;
    for (const auto& ending : table_.Endings(now_)) ended.push_back(ending.id);
    std::sort(ended.begin(), ended.end());
    return ended;
  }

  ConnectionTable table_{Small()};
  ConnectionTable::Time now_{seconds(1000)};
  int last_port_ = 40000;
};

TEST_F(ConnectionTableTest, ANeighbourHasSoManyNewcomersAndTheOthersGetTheirTurn) {
  const Id first = Add("10.0.0.1");
  const Id second = Add("10.0.0.1");
  const Id third = Add("10.0.0.1");
  const Id other = Add("10.0.0.2");

  // Whoever has fewest comes first, though it came last.
  EXPECT_EQ(Turns(), (std::vector<Id>{first, other, second}));
  EXPECT_EQ(table_.waiting(), 1u);
  table_.Remove(first);
  EXPECT_EQ(Turns(), std::vector<Id>{third});
}

TEST_F(ConnectionTableTest, ANetworkOfIpv6IsOneNeighbour) {
  for (const char* address : {"2001:db8::1", "2001:db8::2", "2001:db8::3"}) Add(address);
  EXPECT_EQ(Turns().size(), 2u);
  Add("2001:db8:0:1::1");
  EXPECT_EQ(Turns().size(), 1u);
}

TEST_F(ConnectionTableTest, SoManyNewcomersAreServedInAllAndOnEachPort) {
  for (const char* address : {"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"}) {
    Add(address);
  }
  EXPECT_EQ(Turns().size(), 4u);
  Add("10.0.0.1", Port::kEnrolment);
  EXPECT_EQ(Turns().size(), 1u);
}

TEST_F(ConnectionTableTest, WhoIsKnownTakesNoNewcomersPlace) {
  for (int i = 0; i < 5; ++i) ServeKnown("10.0.0.1", "node/node-" + std::to_string(i));
  EXPECT_EQ(table_.newcomers().size(), 0u);
  EXPECT_TRUE(table_.IsKnown(LastPeer("10.0.0.1")));
  now_ += std::chrono::hours(1);
  EXPECT_TRUE(Ended().empty());
  EXPECT_TRUE(table_.quiet());
}

TEST_F(ConnectionTableTest, NoMoreAreServedThanInAll) {
  for (int i = 0; i < 8; ++i) ServeKnown("10.0.0.1", "node/node-" + std::to_string(i));
  const Id late = Add("10.0.0.2");
  EXPECT_TRUE(Turns().empty());
  table_.Remove(1);
  EXPECT_EQ(Turns(), std::vector<Id>{late});
}

TEST_F(ConnectionTableTest, WhereTooManyWaitOneOfTheNeighbourWithMostGoes) {
  for (const char* address : {"10.0.0.1", "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"}) {
    Add(address);
  }
  ASSERT_EQ(Turns().size(), 4u);  // one of 10.0.0.1 waits
  std::vector<Id> crowd;
  for (int i = 0; i < 5; ++i) crowd.push_back(Add("10.0.0.9"));
  EXPECT_TRUE(Ended().empty());

  const Id honest = Add("10.0.0.5");

  EXPECT_EQ(Ended(), std::vector<Id>{crowd.back()});
  table_.Remove(crowd.back());
  EXPECT_EQ(table_.waiting(), 6u);
  // And the honest one is the next, as its neighbour has none.
  table_.Remove(2);
  table_.Remove(1);
  table_.Remove(3);
  const auto turns = Turns();
  EXPECT_NE(std::find(turns.begin(), turns.end(), honest), turns.end());
}

TEST_F(ConnectionTableTest, WhereNobodyHasMoreTheLatestGoes) {
  for (int i = 1; i <= 4; ++i) Serve("10.0.1." + std::to_string(i));
  for (int i = 1; i <= 6; ++i) Add("10.0.2." + std::to_string(i));
  EXPECT_TRUE(Ended().empty());
  const Id latest = Add("10.0.3.1");
  EXPECT_EQ(Ended(), std::vector<Id>{latest});
  EXPECT_EQ(table_.waiting(), 6u);
}

TEST_F(ConnectionTableTest, WaitingHasAnEnd) {
  for (int i = 0; i < 2; ++i) Serve("10.0.0.1");
  const Id waits = Add("10.0.0.1");
  now_ += seconds(14);
  EXPECT_TRUE(Ended().empty());
  now_ += seconds(6);
  const auto ended = Ended();  // with those who were served, and did not call
  EXPECT_NE(std::find(ended.begin(), ended.end(), waits), ended.end());
  EXPECT_EQ(table_.waiting(), 0u);
}

TEST_F(ConnectionTableTest, ANewcomerThatDoesNotCallGoesAndCountsUntilItIsClosed) {
  const Id silent = Serve("10.0.0.1");
  Serve("10.0.0.1");
  now_ += milliseconds(14'999);
  EXPECT_TRUE(Ended().empty());
  now_ += milliseconds(1);
  EXPECT_EQ(Ended().size(), 2u);
  EXPECT_TRUE(Ended().empty());  // told once
  Add("10.0.0.1");
  EXPECT_TRUE(Turns().empty());  // its memory is in use still
  table_.Remove(silent);
  EXPECT_EQ(Turns().size(), 1u);
}

TEST_F(ConnectionTableTest, WhereAllPlacesAreTakenWhoHasMostMakesRoom) {
  const Id oldest = Serve("10.0.0.1");
  Serve("10.0.0.1");
  Serve("10.0.0.2");
  Serve("10.0.0.3");
  const Id honest = Add("10.0.0.4");
  EXPECT_TRUE(Turns().empty());
  EXPECT_TRUE(Ended().empty());  // they may be about to call
  now_ += seconds(2);
  EXPECT_EQ(Ended(), std::vector<Id>{oldest});
  EXPECT_TRUE(Ended().empty());  // one is enough
  table_.Remove(oldest);
  EXPECT_EQ(Turns(), std::vector<Id>{honest});
  // Now each has one: who comes next waits.
  Add("10.0.0.5");
  now_ += seconds(3);
  EXPECT_TRUE(Ended().empty());
}

TEST_F(ConnectionTableTest, ANewcomerThatSendsTooMuchGoes) {
  const Id greedy = Serve("10.0.0.1");
  const Id honest = Serve("10.0.0.2");
  table_.Received(greedy, 1001);
  table_.Received(honest, 1000);
  const auto endings = table_.Endings(now_);
  ASSERT_EQ(endings.size(), 1u);
  EXPECT_EQ(endings[0].id, greedy);
  EXPECT_EQ(endings[0].reason, "it sent 1001 bytes before it was known");
  EXPECT_EQ(endings[0].peer, "10.0.0.1:40001");
}

TEST_F(ConnectionTableTest, NewcomersThatSendTooMuchTogetherLoseTheLargest) {
  const Id small = Serve("10.0.0.1");
  const Id large = Serve("10.0.0.2");
  const Id larger = Serve("10.0.0.3");
  table_.Received(small, 700);
  table_.Received(large, 950);
  table_.Received(larger, 951);
  EXPECT_EQ(Ended(), std::vector<Id>{larger});
  table_.Received(small, 900);
  table_.Received(large, 900);
  EXPECT_TRUE(Ended().empty());
}

TEST_F(ConnectionTableTest, WhatAKnownOneSendsIsItsOwnAffair) {
  const Id known = ServeKnown("10.0.0.1", "node/node-1");
  table_.Received(known, 1'000'000);
  EXPECT_TRUE(Ended().empty());
}

TEST_F(ConnectionTableTest, NobodyIsKnownOnTheEnrolmentPort) {
  const Id id = Serve("10.0.0.1", Port::kEnrolment);
  table_.Know(LastPeer("10.0.0.1"), "node/node-1");
  EXPECT_FALSE(table_.IsKnown(LastPeer("10.0.0.1")));
  table_.Received(id, 101);
  EXPECT_EQ(Ended(), std::vector<Id>{id});
}

TEST_F(ConnectionTableTest, OfOneNameTheOldestConnectionGoes) {
  const Id oldest = ServeKnown("10.0.0.1", "node/node-1");
  ServeKnown("10.0.0.2", "node/node-1");
  ServeKnown("10.0.0.3", "node/node-2");
  EXPECT_TRUE(Ended().empty());
  ServeKnown("10.0.0.4", "node/node-1");
  EXPECT_EQ(Ended(), std::vector<Id>{oldest});
  // It goes, though it is not gone yet.
  const auto peer = LastPeer("10.0.0.4");
  EXPECT_TRUE(table_.IsKnown(peer));
}

TEST_F(ConnectionTableTest, AnAdminMayHaveMore) {
  for (int i = 0; i < 3; ++i) ServeKnown("10.0.0.1", "admin/alice");
  EXPECT_TRUE(Ended().empty());
  ServeKnown("10.0.0.1", "admin/alice");
  EXPECT_EQ(Ended().size(), 1u);
}

TEST_F(ConnectionTableTest, WhoWasRemovedGoesOnceItWasTold) {
  const Id removed = ServeKnown("10.0.0.1", "node/node-1");
  ServeKnown("10.0.0.2", "node/node-2");
  table_.Forget("node/node-1", now_);
  EXPECT_TRUE(Ended().empty());
  EXPECT_FALSE(table_.quiet());
  now_ += seconds(5);
  EXPECT_EQ(Ended(), std::vector<Id>{removed});
  table_.Remove(removed);
  EXPECT_TRUE(table_.quiet());
}

TEST_F(ConnectionTableTest, NothingIsLeftOfWhatIsRemoved) {
  std::vector<Id> all = {Serve("10.0.0.1"), ServeKnown("10.0.0.2", "node/node-1"),
                         Serve("10.0.0.1", Port::kEnrolment), Add("10.0.0.3")};
  for (const Id id : all) table_.Remove(id);
  EXPECT_TRUE(table_.empty());
  EXPECT_TRUE(table_.quiet());
  EXPECT_EQ(table_.served(), 0u);
  EXPECT_FALSE(table_.IsKnown("10.0.0.2:40002"));
}

// What is left of one that is not closed yet does not take the place of the next.
TEST_F(ConnectionTableTest, APeersNumberMayComeAgain) {
  const Id old = table_.Add(Port::kNodes, "10.0.0.1:5000", now_);
  ASSERT_EQ(table_.Next(now_), old);
  const Id next = table_.Add(Port::kNodes, "10.0.0.1:5000", now_);
  ASSERT_EQ(table_.Next(now_), next);
  table_.Remove(old);
  table_.Know("10.0.0.1:5000", "node/node-1");
  EXPECT_TRUE(table_.IsKnown("10.0.0.1:5000"));
}

TEST(ConnectionBounds, FitTheFilesThatAProcessMayOpen) {
  const ConnectionBounds usual;
  const ConnectionBounds of_the_unit = FitToFiles(usual, 65'536);
  EXPECT_EQ(of_the_unit.in_all, usual.in_all);
  EXPECT_EQ(of_the_unit.waiting, usual.waiting);
  const ConnectionBounds of_a_shell = FitToFiles(usual, 1024);
  EXPECT_LE(2 * of_a_shell.in_all + of_a_shell.waiting, 1024u - 256);
  EXPECT_GT(of_a_shell.in_all, 300u);
  EXPECT_GT(FitToFiles(usual, 10).in_all, 0u);
}

}  // namespace
}  // namespace connect_ha
