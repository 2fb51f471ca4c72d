#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

namespace connect_ha {

// Listens on a port of 127.0.0.1, sends `greeting` to whoever connects, and then does nothing, or
// hangs up when told to.
class RawServer {
 public:
  RawServer(std::string greeting, bool hang_up)
      : greeting_(std::move(greeting)), hang_up_(hang_up) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    listen(listener_, 8);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~RawServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  void Serve() {
    int last = -1;
    while (true) {
      const int peer = accept(listener_, nullptr, nullptr);
      if (last >= 0) close(last);
      last = peer;
      if (peer < 0) return;
      send(peer, greeting_.data(), greeting_.size(), MSG_NOSIGNAL);
      if (hang_up_) shutdown(peer, SHUT_RDWR);
    }
  }

  const std::string greeting_;
  const bool hang_up_;
  int listener_ = -1;
  int port_ = 0;
  std::thread thread_;
};

}  // namespace connect_ha
