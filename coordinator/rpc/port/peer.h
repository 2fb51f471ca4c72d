// Who is at the other end of a connection, by address.
#pragma once

#include <sys/socket.h>

#include <string>

namespace connect_ha {

// "10.0.0.1" of gRPC's "ipv4:10.0.0.1:41234"; "::1" of "ipv6:%5B::1%5D:41234" and of
// "ipv6:[::1]:41234".
std::string AddressOf(const std::string& peer);

// One name for one connection, whether gRPC says where it comes from (ServerContext::peer) or its
// socket: "10.0.0.1:41234", "fe80::1:41234". "" for a socket that is of neither IPv4 nor IPv6.
std::string PeerName(const std::string& peer);
std::string PeerName(const sockaddr_storage& address);

// What counts as one neighbour: an IPv4 address, or the 64 bits of an IPv6 network, in which a
// single machine may take any number of addresses ("2001:db8:0:1::/64"). Takes AddressOf's words,
// or a PeerName without its port.
std::string NeighbourOf(const std::string& address);

}  // namespace connect_ha
