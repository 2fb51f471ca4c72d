#include "coordinator/rpc/port/peer.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cstring>

#include "common/log_pace.h"

namespace connect_ha {
namespace {

sockaddr_storage Of(const char* address, uint16_t port) {
  sockaddr_storage storage{};
  sockaddr_in four{};
  sockaddr_in6 six{};
  if (inet_pton(AF_INET, address, &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    std::memcpy(&storage, &four, sizeof four);
  } else {
    EXPECT_EQ(inet_pton(AF_INET6, address, &six.sin6_addr), 1) << address;
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    std::memcpy(&storage, &six, sizeof six);
  }
  return storage;
}

TEST(Peer, IsNamedAlikeByGrpcAndByItsSocket) {
  EXPECT_EQ(PeerName("ipv4:10.0.0.1:41234"), "10.0.0.1:41234");
  EXPECT_EQ(PeerName(Of("10.0.0.1", 41234)), "10.0.0.1:41234");
  // As a socket for both families has it.
  EXPECT_EQ(PeerName(Of("::ffff:10.0.0.1", 41234)), "10.0.0.1:41234");
  // gRPC 1.51 and 1.30.
  EXPECT_EQ(PeerName("ipv6:%5B2001:db8::1%5D:41234"), "2001:db8::1:41234");
  EXPECT_EQ(PeerName("ipv6:[2001:db8::1]:41234"), "2001:db8::1:41234");
  EXPECT_EQ(PeerName(Of("2001:db8::1", 41234)), "2001:db8::1:41234");
  EXPECT_EQ(PeerName("ipv6:%5Bfe80::1%25eth0%5D:41234"), PeerName(Of("fe80::1", 41234)));
}

TEST(Peer, NeighbourIsAnAddressOrANetworkOf64Bits) {
  EXPECT_EQ(NeighbourOf("10.0.0.1"), "10.0.0.1");
  EXPECT_EQ(NeighbourOf("2001:db8:0:1::1"), "2001:db8:0:1::/64");
  EXPECT_EQ(NeighbourOf("2001:db8:0:1:ffff:ffff:ffff:ffff"), "2001:db8:0:1::/64");
  EXPECT_NE(NeighbourOf("2001:db8:0:2::1"), NeighbourOf("2001:db8:0:1::1"));
  EXPECT_EQ(NeighbourOf("fe80::1%eth0"), "fe80::/64");
  EXPECT_EQ(NeighbourOf("unix:"), "unix:");
}

// Who has a network of IPv6 would have filled the log, and kept others out of it.
TEST(Peer, RefusalsOfANetworkAreToldOnceAMinute) {
  LogPace pace;
  const Time now{std::chrono::hours(1)};
  int told = 0;
  for (int i = 1; i <= 100; ++i) {
    const std::string peer = "ipv6:%5B2001:db8::" + std::to_string(i) + "%5D:41234";
    told += pace.Allows(NeighbourOf(AddressOf(peer)), now) ? 1 : 0;
  }
  EXPECT_EQ(told, 1);
  EXPECT_TRUE(pace.Allows(NeighbourOf("10.0.0.1"), now));
}

}  // namespace
}  // namespace connect_ha
