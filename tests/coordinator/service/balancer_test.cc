// The look at the load balancer: who asks how often, with which cookies, and what is made of the
// answers.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <deque>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "coordinator/cluster/balancer/balancer_ask.h"
#include "coordinator/cluster/balancer/balancer_probe.h"
#include "tests/coordinator/service/roster_fixture.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

class BalancerProbeTest : public RosterFixture {
 protected:
  // A balancer that gives each visitor a node of its own, by turns.
  BalancerVisitor Open(const std::string& url) {
    urls_.push_back(url);
    const std::string node = absl::StrCat("node-", ++visitors_ % 2);
    return [this, node](milliseconds deadline) {
      EXPECT_GT(deadline.count(), 0);
      ++requests_;
      return error_.empty() ? BalancerAnswer{node, ""} : BalancerAnswer{"", error_};
    };
  }
  void SetUrl(const std::string& url) {
    v1::Desired desired;
    desired.mutable_spec()->mutable_load_balancer()->set_url(url);
    roster_->SetSpec(desired);
  }
  v1::BalancerLook Shown() { return roster_->TakeSnapshot(noon_).balancer(); }

  std::vector<std::string> urls_;
  int visitors_ = 0;
  int requests_ = 0;
  std::string error_;
  BalancerProbe probe_{*roster_, [this](const std::string& url) { return Open(url); }};
};

TEST_F(BalancerProbeTest, WithoutAnAddressNobodyIsAsked) {
  probe_.Round(noon_);
  EXPECT_EQ(requests_, 0);
  EXPECT_FALSE(roster_->TakeSnapshot(noon_).has_balancer());
}

TEST_F(BalancerProbeTest, ARoundIsAFewRequestsSomeOfOneSession) {
  SetUrl("https://connect.example.com");
  const uint64_t changes = roster_->changes();
  probe_.Round(noon_);
  EXPECT_GT(roster_->changes(), changes);
  EXPECT_LT(requests_, 10);
  const v1::BalancerLook look = Shown();
  EXPECT_EQ(look.url(), "https://connect.example.com");
  EXPECT_EQ(FromProto(look.at()), noon_);
  int kept = 0;
  for (const v1::BalancerLook::Request& request : look.requests()) {
    EXPECT_FALSE(request.node().empty());
    kept += request.session() != 0 ? 1 : 0;
  }
  EXPECT_EQ(kept, 3);
  probe_.Round(noon_ + minutes(1));
  EXPECT_NE(Shown().requests(look.requests_size() - 1).session(),
            Shown().requests(Shown().requests_size() - 1).session());
}

TEST_F(BalancerProbeTest, WhatIsLongAgoIsForgottenAndWhatWasAnothersIsToo) {
  SetUrl("https://connect.example.com");
  probe_.Round(noon_);
  const int of_one = Shown().requests_size();
  probe_.Round(noon_ + minutes(59));
  EXPECT_EQ(Shown().requests_size(), 2 * of_one);
  probe_.Round(noon_ + minutes(61));
  EXPECT_EQ(Shown().requests_size(), 2 * of_one);
  SetUrl("https://other.example.com");
  error_ = "no answer in 3000 ms";
  probe_.Round(noon_ + minutes(62));
  EXPECT_EQ(Shown().requests_size(), of_one);
  EXPECT_EQ(Shown().requests(0).error(), error_);
  SetUrl("");
  probe_.Round(noon_ + minutes(63));
  EXPECT_FALSE(roster_->TakeSnapshot(noon_).has_balancer());
}

// One answer for each connection, in their order; keeps what it was asked.
class OneByOneServer {
 public:
  explicit OneByOneServer(std::deque<std::string> answers) : answers_(std::move(answers)) {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listener_, 8), 0);
    EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~OneByOneServer() { Wait(); }
  // For the last answer.
  void Wait() {
    if (thread_.joinable()) thread_.join();
    if (listener_ >= 0) close(std::exchange(listener_, -1));
  }
  std::string Url() const { return absl::StrCat("http://127.0.0.1:", port_, "/"); }
  const std::vector<std::string>& asked() const { return asked_; }

 private:
  void Serve() {
    for (const std::string& answer : answers_) {
      const int connection = accept(listener_, nullptr, nullptr);
      if (connection < 0) return;
      std::string request;
      char buffer[1024];
      while (!absl::StrContains(request, "\r\n\r\n")) {
        const ssize_t count = read(connection, buffer, sizeof buffer);
        if (count <= 0) break;
        request.append(buffer, static_cast<size_t>(count));
      }
      asked_.push_back(request);
      if (!answer.empty()) {
        EXPECT_EQ(write(connection, answer.data(), answer.size()),
                  static_cast<ssize_t>(answer.size()));
      }
      close(connection);
    }
  }

  const std::deque<std::string> answers_;
  std::vector<std::string> asked_;
  int listener_ = -1;
  int port_ = 0;
  std::thread thread_;
};

std::string Answer(const std::string& headers, const std::string& body, int status = 200) {
  return absl::StrCat("HTTP/1.1 ", status, " Word\r\nContent-Length: ", body.size(),
                      "\r\nConnection: close\r\n", headers, "\r\n", body);
}

TEST(AskBalancerTest, KeepsCookiesAndReadsWhichNodeAnswered) {
  OneByOneServer server({
      Answer("Set-Cookie: AWSALB=one; Path=/\r\n",
             R"({"hostname": "ip-10-0-1-11", "version": "2"})"),
      Answer("x-connect-ha-node: node-1\r\n", R"({"hostname": "ip-10-0-1-11"})"),
      Answer("", "no JSON"),
      Answer("", "", 503),
  });
  const BalancerVisitor visitor = AskBalancer(server.Url());
  EXPECT_EQ(visitor(milliseconds(10'000)).node, "ip-10-0-1-11");
  EXPECT_EQ(visitor(milliseconds(10'000)).node, "node-1");
  const BalancerAnswer silent = visitor(milliseconds(10'000));
  EXPECT_EQ(silent.node, "");
  EXPECT_EQ(silent.error, "");
  EXPECT_EQ(AskBalancer(server.Url())(milliseconds(10'000)).error, "it answers 503");
  server.Wait();
  ASSERT_EQ(server.asked().size(), 4u);
  EXPECT_TRUE(absl::StartsWith(server.asked()[0], "GET /__api__/server_settings HTTP/1.1\r\n"));
  EXPECT_FALSE(absl::StrContains(server.asked()[0], "Cookie:"));
  EXPECT_TRUE(absl::StrContains(server.asked()[1], "Cookie: AWSALB=one\r\n"));
  EXPECT_FALSE(absl::StrContains(server.asked()[3], "Cookie:"));
}

// As a balancer does that has everybody use https.
TEST(AskBalancerTest, ItIsSaidWhereOneIsSent) {
  OneByOneServer server({
      Answer("Location: https://connect.example.com/\r\n", "", 301),
      Answer("X-Connect-HA-Node: node-1\r\nLocation: /login\r\n", "", 302),
  });
  const BalancerVisitor visitor = AskBalancer(server.Url());
  EXPECT_EQ(visitor(milliseconds(10'000)).error,
            "it answers 301, with https://connect.example.com/");
  EXPECT_EQ(visitor(milliseconds(10'000)).node, "node-1");
}

TEST(AskBalancerTest, NoAnswerIsAnError) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(listener, 8), 0);  // and nobody accepts
  ASSERT_EQ(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const std::string url = absl::StrCat("http://127.0.0.1:", ntohs(address.sin_port));
  EXPECT_EQ(AskBalancer(url)(milliseconds(50)).error, "no answer in 50 ms");
  close(listener);
  EXPECT_NE(AskBalancer(url)(milliseconds(10'000)).error, "");  // refused
}

}  // namespace
}  // namespace connect_ha
