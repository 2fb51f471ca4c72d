// A listening socket as systemd has one, and a client that asks one thing.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <string>
#include <utility>

#include "agent/host/fd.h"

namespace connect_ha {

// The loopback's, of AF_INET or AF_INET6.
struct Loopback {
  Loopback(int family, uint16_t port) {
    if (family == AF_INET6) {
      auto& six = reinterpret_cast<sockaddr_in6&>(storage);
      six.sin6_family = AF_INET6;
      six.sin6_addr = in6addr_loopback;
      six.sin6_port = htons(port);
      size = sizeof six;
    } else {
      auto& four = reinterpret_cast<sockaddr_in&>(storage);
      four.sin_family = AF_INET;
      four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      four.sin_port = htons(port);
      size = sizeof four;
    }
  }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  // The same place in both.
  uint16_t port() const { return ntohs(reinterpret_cast<const sockaddr_in&>(storage).sin_port); }

  sockaddr_storage storage{};
  socklen_t size = 0;
};

// AF_INET6: all addresses of both protocols, as systemd's with BindIPv6Only=both; without IPv6 in
// the kernel those of IPv4 alone, as systemd does then.
struct Listening {
  explicit Listening(int family = AF_INET) : socket(Socket(family)) {
    if (!socket.ok()) socket = Socket(family = AF_INET);
    Loopback address(family, 0);
    if (family == AF_INET6) {
      reinterpret_cast<sockaddr_in6&>(address.storage).sin6_addr = in6addr_any;
      const int only = 0;
      EXPECT_EQ(setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only), 0);
    }
    EXPECT_EQ(bind(socket.get(), address.get(), address.size), 0);
    EXPECT_EQ(listen(socket.get(), 64), 0);
    EXPECT_EQ(getsockname(socket.get(), address.get(), &address.size), 0);
    port = address.port();
  }
  static Fd Socket(int family) { return Fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

  Fd socket;
  uint16_t port = 0;
};

// Not ok: refused.
inline Fd ConnectTo(uint16_t port, int family = AF_INET) {
  Fd client(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  Loopback address(family, port);
  const timeval patience{20, 0};
  setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  return connect(client.get(), address.get(), address.size) == 0 ? std::move(client) : Fd();
}

inline void Send(const Fd& client, const std::string& text) {
  EXPECT_EQ(send(client.get(), text.data(), text.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(text.size()));
}

// To the end of the connection.
inline std::string ReadAll(const Fd& client) {
  std::string all;
  char buffer[4096];
  while (true) {
    const ssize_t count = recv(client.get(), buffer, sizeof buffer, 0);
    if (count <= 0) return all;
    all.append(buffer, static_cast<size_t>(count));
  }
}

// The whole answer; "" where there is none.
inline std::string Ask(uint16_t port, const std::string& path, const std::string& method = "GET",
                       int family = AF_INET) {
  const Fd client = ConnectTo(port, family);
  if (!client.ok()) return "";
  Send(client, method + " " + path + " HTTP/1.1\r\nHost: node\r\n\r\n");
  return ReadAll(client);
}

}  // namespace connect_ha
