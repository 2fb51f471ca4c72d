// The agent while an artifact is on its way, which takes as long as it takes.
#include <gtest/gtest.h>

#include <thread>

#include "agent/resources/converge/converger.h"
#include "tests/agent/resources/bare_node.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

// A transfer goes on until it is stopped.
class SlowServerHost : public FakeHost {
 public:
  absl::Status Fetch(const FetchRequest&, const FetchProgress& progress) override {
    for (uint64_t done = 1; progress(done, 1 << 20); ++done) {
      std::this_thread::sleep_for(milliseconds(1));
    }
    return absl::CancelledError("stopped");
  }
};

class SlowTransferTest : public testing::Test {
 protected:
  SlowTransferTest() {
    for (const char* directory : {kStateDir, "/opt", "/etc/systemd/system", "/var/cache"}) {
      host_.SetDirectory(directory);
    }
    host_.SetUse("/", {100ull << 30, 50ull << 30, false});
    desired_.set_generation(1);
    desired_.mutable_spec()->set_cluster("lab");
    desired_.mutable_spec()->set_enforcement(v1::ENFORCE);
    v1::RuntimeSpec& quarto = *desired_.mutable_spec()->mutable_runtimes()->add_quarto();
    quarto.set_version("1.5.57");
    quarto.mutable_archive()->set_url("https://example.com/quarto.tar.gz");
    quarto.mutable_archive()->set_sha256(std::string(64, 'a'));
    EXPECT_TRUE(held_.Load().ok());
    EXPECT_TRUE(converger_.Start().ok());
    v1::HeartbeatResponse answer;
    answer.set_assigned_state(v1::PREPARING);
    answer.set_assigned_generation(1);
    *answer.mutable_desired() = desired_;
    EXPECT_TRUE(held_.Take(answer).ok());
    EXPECT_TRUE(Until([](const ConvergerNews& news) {
      return news.convergence && news.convergence->step().phase() == v1::Step::DOWNLOADING;
    }));
  }
  // False: not in time.
  template <typename Condition>
  bool Until(Condition condition) {
    const auto deadline = steady_clock::now() + seconds(20);
    while (!condition(converger_.News())) {
      if (steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(milliseconds(2));
    }
    return true;
  }
  static HeldOptions Holding() {
    HeldOptions options;
    options.owner = {"lab", "machine-1", "token-1", "machine-1"};
    options.state_dir = kStateDir;
    return options;
  }
  static ConvergeOptions Options() {
    ConvergeOptions options;
    options.node = "node-1";
    options.agent_config.set_connect_unit(kUnit);
    options.state_dir = kStateDir;
    options.cache_dir = kCacheDir;
    return options;
  }

  SlowServerHost host_;
  ProbeCache cache_;
  v1::Desired desired_;
  Held held_{Holding(), host_};
  Converger converger_{Options(), host_, cache_, held_, [] {}};
};

TEST_F(SlowTransferTest, APreviewIsAnsweredMeanwhile) {
  v1::PreviewRequest request;
  request.set_number(5);
  *request.mutable_desired() = desired_;
  converger_.AskPreview(request);
  ASSERT_TRUE(Until([](const ConvergerNews& news) { return news.preview.has_value(); }));
  const ConvergerNews news = converger_.News();
  EXPECT_EQ(news.preview->number(), 5u);
  EXPECT_EQ(news.preview->changes(0).resource(), "archive quarto 1.5.57");
  EXPECT_EQ(news.convergence->step().phase(), v1::Step::DOWNLOADING);
}

TEST_F(SlowTransferTest, AStopEndsIt) { EXPECT_TRUE(converger_.Stop(seconds(20))); }

}  // namespace
}  // namespace connect_ha
