// The gate's own events: it turns though the agent's loop waits for something else.
#include "agent/gate/gate_keeper.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "agent/probes/probe.h"
#include "common/time.h"
#include "tests/agent/host/fake_systemd.h"
#include "tests/fakes/fake_host.h"

namespace connect_ha {
namespace {

constexpr char kUnit[] = "rstudio-connect.service";
constexpr std::chrono::seconds kLong{30};

class GateKeeperTest : public testing::Test {
 protected:
  GateKeeperTest() {
    GateOptions options;
    options.node = "node-1";
    options.agent_config.set_connect_unit(kUnit);
    options.orders = [] { return std::make_shared<const v1::Assignment>(); };
    options.memory = [] { return v1::ServiceMemory(); };
    options.facts = [this] {
      const std::lock_guard<std::mutex> lock(mutex_);
      return facts_;
    };
    gate_ = std::make_unique<Gate>(std::move(options), host_);
    SetConnect("active");
  }
  void SetConnect(const std::string& active) {
    v1::Unit unit;
    unit.set_name(kUnit);
    unit.set_active_state(active);
    if (active == "active") unit.mutable_started_at()->set_seconds(100);
    host_.SetUnit(unit);
    const std::lock_guard<std::mutex> lock(mutex_);
    *facts_.mutable_connect()->mutable_unit() = unit;
    v1::Ping& ping = *facts_.mutable_connect()->mutable_ping();
    ping.set_http_status(200);
    *ping.mutable_asked_at() = ToProto(host_.Now());
  }
  void Start(std::chrono::milliseconds pace) {
    GateKeeperOptions options;
    options.connect_unit = kUnit;
    options.bus_address = systemd_.address();
    options.pace = pace;
    keeper_ = std::make_unique<GateKeeper>(std::move(options));
    const absl::Status hears = keeper_->Start(*gate_, [this](uint32_t triggers) {
      const std::lock_guard<std::mutex> lock(mutex_);
      gathered_ |= triggers;
      changed_.notify_all();
    });
    EXPECT_TRUE(hears.ok()) << hears;
  }
  bool BecomesOpen(bool open) {
    const auto end = std::chrono::steady_clock::now() + kLong;
    while ((gate_->Health(std::chrono::milliseconds(0)).status == 200) != open) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::yield();
    }
    return true;
  }
  bool Gathers(uint32_t trigger) {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, kLong, [&] { return (gathered_ & trigger) != 0; });
  }

  FakeSystemd systemd_;
  FakeHost host_;
  std::mutex mutex_;
  std::condition_variable changed_;
  v1::Facts facts_;
  uint32_t gathered_ = 0;
  std::unique_ptr<Gate> gate_;
  std::unique_ptr<GateKeeper> keeper_;
};

TEST_F(GateKeeperTest, ClosesOnAnEventOfTheUnit) {
  Start(std::chrono::hours(1));
  ASSERT_TRUE(BecomesOpen(true));
  while (systemd_.subscriptions() == 0) std::this_thread::yield();
  SetConnect("failed");
  systemd_.EmitUnitChanged();
  EXPECT_TRUE(BecomesOpen(false));
  EXPECT_TRUE(Gathers(kOnUnits));
}

TEST_F(GateKeeperTest, LooksWhenItIsWoken) {
  Start(std::chrono::hours(1));
  ASSERT_TRUE(BecomesOpen(true));
  SetConnect("inactive");
  keeper_->Wake();
  EXPECT_TRUE(BecomesOpen(false));
}

TEST_F(GateKeeperTest, AsksByItselfNowAndThen) {
  Start(std::chrono::milliseconds(20));
  EXPECT_TRUE(Gathers(kOnGate));
  SetConnect("inactive");
  EXPECT_TRUE(BecomesOpen(false));
}

}  // namespace
}  // namespace connect_ha
