#include "agent/host/network/http.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <thread>

#include "agent/host/fd.h"

namespace connect_ha {
namespace {

// Answers one connection with fixed bytes and keeps what it was asked.
class OneAnswer {
 public:
  explicit OneAnswer(std::string answer) : answer_(std::move(answer)) {
    listener_.Reset(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
    listen(listener_.get(), 1);
    socklen_t size = sizeof address;
    getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~OneAnswer() {
    shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/ping"; }
  const std::string& asked() {
    shutdown(listener_.get(), SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
    thread_ = std::thread([] {});
    return asked_;
  }

 private:
  void Serve() {
    const Fd peer(accept(listener_.get(), nullptr, nullptr));
    if (!peer.ok()) return;
    char buffer[4096];
    const ssize_t count = recv(peer.get(), buffer, sizeof buffer, 0);
    asked_.assign(buffer, static_cast<size_t>(std::max<ssize_t>(count, 0)));
    // Silence: until the client gives up.
    if (answer_.empty()) recv(peer.get(), buffer, sizeof buffer, 0);
    send(peer.get(), answer_.data(), answer_.size(), MSG_NOSIGNAL);
  }

  std::string answer_;
  std::string asked_;
  Fd listener_;
  int port_ = 0;
  std::thread thread_;
};

TEST(Http, GivesStatusAndBody) {
  OneAnswer server("HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy");
  HttpRequest request;
  request.url = server.url();
  request.method = "PUT";
  request.headers = {"X-Seconds: 60", "X-Other: a"};
  const auto response = AskHttp(request);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->status, 503);
  EXPECT_EQ(response->body, "busy");
  EXPECT_EQ(server.asked().substr(0, 18), "PUT /ping HTTP/1.1");
  EXPECT_NE(server.asked().find("X-Seconds: 60\r\n"), std::string::npos);
  EXPECT_NE(server.asked().find("X-Other: a\r\n"), std::string::npos);
}

TEST(Http, NoProxyAnswersInTheNodesPlace) {
  OneAnswer proxy("HTTP/1.1 204 No Content\r\n\r\n");
  setenv("http_proxy", proxy.url().c_str(), 1);
  HttpRequest request;
  request.url = "http://192.0.2.1/";  // nobody's (RFC 5737)
  request.timeout = std::chrono::milliseconds(100);
  const auto response = AskHttp(request);
  unsetenv("http_proxy");
  EXPECT_FALSE(response.ok());
  EXPECT_EQ(proxy.asked(), "");
}

TEST(Http, ARefusalSaysTheSameEachTime) {
  HttpRequest request;
  request.url = "http://127.0.0.1:1/";
  const auto response = AskHttp(request);
  EXPECT_EQ(response.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(response.status().message().find(" ms"), std::string::npos) << response.status();
  EXPECT_EQ(response.status().message().substr(0, 47),
            "GET http://127.0.0.1:1/: failed to connect to 1");
}

TEST(Http, SilenceEndsAtTheTimeOut) {
  OneAnswer server("");
  HttpRequest request;
  request.url = server.url();
  request.timeout = std::chrono::milliseconds(100);
  const auto response = AskHttp(request);
  EXPECT_EQ(response.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(response.status().message(), "GET " + server.url() + ": no answer in 100 ms");
}

TEST(Http, ABodyBeyondTheLimitIsAnError) {
  OneAnswer server("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n01234567890123456789");
  HttpRequest request;
  request.url = server.url();
  request.body_limit_bytes = 10;
  const auto response = AskHttp(request);
  EXPECT_EQ(response.status().code(), absl::StatusCode::kResourceExhausted);
}

TEST(Http, SpeaksNothingButHttp) {
  HttpRequest request;
  request.url = "file:///etc/passwd";
  EXPECT_FALSE(AskHttp(request).ok());
}

}  // namespace
}  // namespace connect_ha
