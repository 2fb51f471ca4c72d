// A listening socket as systemd has one, and a client that asks one thing.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <string>

#include "agent/host/fd.h"

namespace connect_ha {

struct Listening {
  Listening() : socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(socket.get(), 64), 0);
    socklen_t size = sizeof address;
    EXPECT_EQ(getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    port = ntohs(address.sin_port);
  }
  Fd socket;
  uint16_t port = 0;
};

// Not ok: refused.
inline Fd ConnectTo(uint16_t port) {
  Fd client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  const timeval patience{20, 0};
  setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    return Fd();
  }
  return client;
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
inline std::string Ask(uint16_t port, const std::string& path, const std::string& method = "GET") {
  const Fd client = ConnectTo(port);
  if (!client.ok()) return "";
  Send(client, method + " " + path + " HTTP/1.1\r\nHost: node\r\n\r\n");
  return ReadAll(client);
}

}  // namespace connect_ha
