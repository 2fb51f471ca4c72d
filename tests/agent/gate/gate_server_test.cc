// The gate as a load balancer asks it.
#include "agent/gate/gate_server.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "tests/agent/gate/listening.h"

namespace connect_ha {
namespace {

using absl::StrContains;

class GateServerTest : public testing::Test {
 protected:
  GateServerTest() {
    sockets_.push_back(std::move(listening_.socket));
    Start();
  }
  void Start() {
    GateServerOptions options;
    options.node = "node-1";
    options.health = [this] { return GateAnswer{status_, "closed: draining\n"}; };
    options.page = [] { return std::string("node     node-1\n"); };
    server_ = std::make_unique<GateServer>(sockets_, std::move(options));
  }
  uint16_t port() const { return listening_.port; }

  Listening listening_;
  std::vector<Fd> sockets_;
  std::atomic<int> status_{200};
  std::unique_ptr<GateServer> server_;
};

TEST_F(GateServerTest, AnswersWithItsNameAndEndsTheConnection) {
  const std::string open = Ask(port(), "/healthz");
  EXPECT_TRUE(absl::StartsWith(open, "HTTP/1.1 200 ")) << open;
  EXPECT_TRUE(StrContains(open, "X-Connect-HA-Node: node-1\r\n")) << open;
  EXPECT_TRUE(StrContains(open, "Cache-Control: no-store\r\n")) << open;
  status_ = 503;
  const std::string closed = Ask(port(), "/healthz");
  EXPECT_TRUE(absl::StartsWith(closed, "HTTP/1.1 503 ")) << closed;
  EXPECT_TRUE(absl::EndsWith(closed, "\r\n\r\nclosed: draining\n")) << closed;
}

TEST_F(GateServerTest, HasAPageForPeopleAndNothingElse) {
  EXPECT_TRUE(absl::EndsWith(Ask(port(), "/"), "\r\n\r\nnode     node-1\n"));
  EXPECT_TRUE(absl::StartsWith(Ask(port(), "/etc/passwd"), "HTTP/1.1 404 "));
  EXPECT_TRUE(absl::StartsWith(Ask(port(), "/healthz", "HEAD"), "HTTP/1.1 200 "));
  EXPECT_TRUE(absl::StartsWith(Ask(port(), "/healthz", "POST"), "HTTP/1.1 405 "));
}

TEST_F(GateServerTest, NamesItselfWhateverItAnswers) {
  const Fd client = ConnectTo(port());
  Send(client, "NONSENSE\r\n\r\n");
  for (const std::string& answer : {Ask(port(), "/"), Ask(port(), "/etc/passwd"),
                                    Ask(port(), "/healthz", "POST"), ReadAll(client)}) {
    EXPECT_TRUE(StrContains(answer, "X-Connect-HA-Node: node-1\r\n")) << answer;
  }
}

TEST_F(GateServerTest, AnswersOverBothProtocolsAtOneSocket) {
  Listening listening(AF_INET6);
  sockets_.push_back(std::move(listening.socket));
  server_.reset();
  Start();
  EXPECT_TRUE(absl::StartsWith(Ask(listening.port, "/healthz"), "HTTP/1.1 200 "));
  if (!ConnectTo(listening.port, AF_INET6).ok()) return;  // no ::1 here: nobody could ask there
  const std::string answer = Ask(listening.port, "/healthz", "GET", AF_INET6);
  EXPECT_TRUE(absl::StartsWith(answer, "HTTP/1.1 200 ")) << answer;
}

TEST_F(GateServerTest, WhoSaysNothingKeepsNobodyElseWaitingForLong) {
  std::vector<Fd> silent;
  for (int i = 0; i < 20; ++i) silent.push_back(ConnectTo(port()));
  EXPECT_TRUE(absl::StartsWith(Ask(port(), "/healthz"), "HTTP/1.1 200 "));
}

// Each byte in time, and never an end.
TEST_F(GateServerTest, WhoSendsByteByByteIsNotWaitedFor) {
  const Fd client = ConnectTo(port());
  Send(client, "GET /healthz HTTP/1.1\r\nX: ");
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  pollfd ended{client.get(), POLLIN, 0};
  while (poll(&ended, 1, 200) == 0 && std::chrono::steady_clock::now() < end) {
    send(client.get(), "x", 1, MSG_NOSIGNAL);
  }
  EXPECT_LT(std::chrono::steady_clock::now(), end);
}

TEST_F(GateServerTest, WhoSendsForEverIsReadNoFurther) {
  constexpr size_t kFarMoreThanWaitsInTheKernel = 64 << 20;
  for (const char* beginning :
       {"", "GET /healthz HTTP/1.1\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n"}) {
    const Fd client = ConnectTo(port());
    Send(client, beginning);
    const std::string block(64 << 10, 'x');
    size_t sent = 0;
    while (sent < kFarMoreThanWaitsInTheKernel) {
      const ssize_t count = send(client.get(), block.data(), block.size(), MSG_NOSIGNAL);
      if (count <= 0) break;
      sent += static_cast<size_t>(count);
    }
    EXPECT_LT(sent, kFarMoreThanWaitsInTheKernel) << beginning;
  }
}

TEST_F(GateServerTest, WhatIsNoRequestIsEndedAndTheNextIsAnswered) {
  for (const std::string& text : {std::string("\r\n\r\n"), std::string(20'000, 'x') + "\r\n\r\n",
                                  std::string("GET /healthz\r\n\r\n")}) {
    const Fd client = ConnectTo(port());
    send(client.get(), text.data(), text.size(), MSG_NOSIGNAL);
    shutdown(client.get(), SHUT_WR);
    ReadAll(client);
  }
  EXPECT_TRUE(absl::StartsWith(Ask(port(), "/healthz"), "HTTP/1.1 200 "));
}

// The agent is started again: whoever connects in between waits.
TEST_F(GateServerTest, WhoConnectsWhileNobodyAnswersIsAnsweredByTheNext) {
  server_.reset();
  const Fd client = ConnectTo(port());
  ASSERT_TRUE(client.ok());
  Send(client, "GET /healthz HTTP/1.1\r\nHost: node\r\n\r\n");
  Start();
  EXPECT_TRUE(absl::StartsWith(ReadAll(client), "HTTP/1.1 200 "));
}

TEST_F(GateServerTest, NobodyIsRefusedHoweverOftenItIsStartedAgain) {
  std::atomic<bool> done{false};
  std::atomic<int> refused{0};
  std::atomic<int> answered{0};
  std::thread asker([&] {
    while (!done) {
      if (absl::StartsWith(Ask(port(), "/healthz"), "HTTP/1.1 200 ")) {
        ++answered;
      } else {
        ++refused;
      }
    }
  });
  for (int i = 0; i < 4; ++i) {
    server_.reset();
    Start();
  }
  while (answered == 0) std::this_thread::yield();
  done = true;
  asker.join();
  EXPECT_EQ(refused, 0);
}

TEST(ListeningSockets, NoneAreTakenWhereNobodyHandedAnyOver) {
  EXPECT_TRUE(TakeListeningSockets().empty());
}

}  // namespace
}  // namespace connect_ha
