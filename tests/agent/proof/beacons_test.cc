#include "agent/proof/beacons.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/host/processes/beacon_work.h"
#include "agent/host/processes/shared_reader_wire.h"
#include "agent/probes/storage/beacons.h"
#include "tests/agent/probes/probe_bench.h"
#include "tests/fakes/temporary_directory.h"

namespace connect_ha {
namespace {

constexpr char kMounts[] = R"(28 1 259:1 / / rw,relatime shared:1 - ext4 /dev/root rw
50 28 0:52 / /mnt/share rw,relatime - nfs4 fs-1.efs.us-east-1.amazonaws.com:/ rw,hard
51 28 0:53 / /mnt/other rw,relatime - nfs4 nas:/export rw,hard
)";

// A node whose network mounts are below a directory of this machine.
class Node {
 public:
  Node(const std::string& name, const std::string& server) : server_(server) {
    bench_.host->SetFile("/proc/self/mountinfo", kMounts);
    bench_.host->SetWork([this](char operation, const std::string& directory,
                                const std::string& request) -> absl::StatusOr<std::string> {
      EXPECT_EQ(operation, kBeaconOperation);
      asked.push_back(directory);
      if (!error.ok()) return error;
      v1::BeaconExchange exchange;
      EXPECT_TRUE(exchange.ParseFromString(request));
      devices.push_back(exchange.device());
      const std::string here = server_ + directory;
      std::filesystem::create_directories(here);
      struct stat status {};
      EXPECT_EQ(stat(here.c_str(), &status), 0);
      exchange.set_device(absl::StrCat(major(status.st_dev), ":", minor(status.st_dev)));
      return ExchangeBeaconsHere(here, exchange.SerializeAsString());
    });
    Configure({{"Server.DataDir", "/mnt/share/data"}});
    order.storage = true;
    order.cluster = "lab";
    order.node = name;
    order.machine_id = "m-" + name;
    order.boot_id = "b1";
    order.challenge = "c1";
  }
  void Link(const std::string& path, const std::string& target) {
    bench_.host->SetLink(path, target);
  }
  void Configure(const std::vector<std::pair<std::string, std::string>>& settings) {
    bench_.Configure(settings);
    order.config = bench_.config;
  }
  bool Run() { return beacons_.Run(order); }
  void Stop() { beacons_.Stop(); }
  std::chrono::milliseconds Pace() const { return beacons_.Pace(); }
  v1::Facts Facts() { return bench_.Run(ReadBeacons, "beacons"); }
  v1::BeaconDirectory Data() {
    const v1::Facts facts = Facts();
    for (const v1::BeaconDirectory& directory : facts.beacons().directories()) {
      if (directory.key() == "Server.DataDir") return directory;
    }
    ADD_FAILURE() << "no beacons for Server.DataDir";
    return {};
  }

  ProofOrder order;
  absl::Status error;
  std::vector<std::string> asked;
  std::vector<std::string> devices;

 private:
  const std::string server_;
  ProbeBench bench_;
  Beacons beacons_{{*bench_.host, bench_.cache, bench_.agent_config}};
};

class BeaconsTest : public testing::Test {
 protected:
  TemporaryDirectory server_;
  Node one_{"node-1", server_.path()};
  Node two_{"node-2", server_.path()};
};

TEST_F(BeaconsTest, AreRenewedOnceTheyWereSeenToGrow) {
  one_.Run();
  two_.Run();
  one_.Run();
  ASSERT_EQ(one_.Data().seen_size(), 1);
  EXPECT_EQ(one_.Data().seen(0).node(), "node-2");
  EXPECT_EQ(one_.Data().seen(0).nonce(), two_.Data().nonce());
  EXPECT_EQ(one_.Data().seen(0).machine_id(), "m-node-2");
  EXPECT_FALSE(one_.Data().seen(0).renewed());
  EXPECT_FALSE(one_.Data().seen(0).has_age_ms());

  two_.Run();
  EXPECT_TRUE(one_.Run());

  EXPECT_TRUE(one_.Data().seen(0).renewed());
  EXPECT_TRUE(one_.Data().seen(0).has_age_ms());
}

TEST_F(BeaconsTest, AreWrittenAnewEveryThirtySeconds) {
  EXPECT_EQ(one_.Pace(), std::chrono::seconds(30));
  one_.Run();
  EXPECT_EQ(one_.Pace(), std::chrono::seconds(30));
}

TEST_F(BeaconsTest, AreOldWhenNobodyRenewsThem) {
  for (int i = 0; i < 2; ++i) {
    two_.Run();
    one_.Run();
  }
  EXPECT_TRUE(one_.Data().seen(0).renewed());
  for (int i = 0; i < 3; ++i) one_.Run();
  EXPECT_TRUE(one_.Data().seen(0).renewed());
  EXPECT_TRUE(one_.Run());
  EXPECT_FALSE(one_.Data().seen(0).renewed());
}

// Else it would look like an old one, of a copy of the file system.
TEST_F(BeaconsTest, AreTooNewToTellForAFewLooks) {
  two_.Run();
  one_.Run();
  EXPECT_TRUE(one_.Data().seen(0).too_new());
  for (int i = 0; i < 3; ++i) one_.Run();
  EXPECT_TRUE(one_.Data().seen(0).too_new());
  EXPECT_TRUE(one_.Run());
  EXPECT_FALSE(one_.Data().seen(0).too_new());
  EXPECT_FALSE(one_.Data().seen(0).renewed());
  two_.Run();
  one_.Run();
  EXPECT_TRUE(one_.Data().seen(0).renewed());
  EXPECT_FALSE(one_.Data().seen(0).too_new());
}

TEST_F(BeaconsTest, AreStillRenewedAfterALookThatCouldNotReadThem) {
  for (int i = 0; i < 6; ++i) {
    two_.Run();
    one_.Run();
  }
  const std::string path = server_ / "mnt/share/data/.connect-ha/beacons/node-2";
  std::filesystem::rename(path, path + ".kept");
  std::filesystem::create_directory(path);
  EXPECT_TRUE(one_.Run());
  EXPECT_TRUE(one_.Data().seen(0).has_error());
  EXPECT_FALSE(one_.Data().seen(0).too_new());
  std::filesystem::remove(path);
  std::filesystem::rename(path + ".kept", path);
  two_.Run();
  one_.Run();
  EXPECT_FALSE(one_.Data().seen(0).has_error());
  EXPECT_TRUE(one_.Data().seen(0).renewed());
  EXPECT_EQ(one_.Data().rounds(), 5u);  // for which it would be missed
}

// Its folder was removed by somebody, or the list was read while it was renamed.
TEST_F(BeaconsTest, AreSeenForAWhileWhereALookMissesThem) {
  for (int i = 0; i < 6; ++i) {
    two_.Run();
    one_.Run();
  }
  std::filesystem::remove_all(server_ / "mnt/share/data/.connect-ha");
  EXPECT_FALSE(one_.Run());
  ASSERT_EQ(one_.Data().seen_size(), 1);
  EXPECT_TRUE(one_.Data().seen(0).renewed());
  for (int i = 0; i < 3; ++i) one_.Run();
  EXPECT_EQ(one_.Data().seen_size(), 0);
}

TEST_F(BeaconsTest, ChangeNothingInTheSteadyState) {
  EXPECT_TRUE(one_.Run());
  for (int i = 2; i <= 8; ++i) {
    two_.Run();
    one_.Run();
    EXPECT_EQ(one_.Data().rounds(), static_cast<uint32_t>(std::min(i, 5)));
  }
  two_.Run();
  EXPECT_FALSE(one_.Run());
}

TEST_F(BeaconsTest, BeginAnewWithAnotherChallenge) {
  one_.Run();
  one_.Run();
  const v1::BeaconDirectory before = one_.Data();
  EXPECT_EQ(before.challenge(), "c1");
  EXPECT_EQ(before.nonce().size(), 32u);
  one_.order.challenge = "c2";
  EXPECT_TRUE(one_.Run());
  EXPECT_EQ(one_.Data().challenge(), "c2");
  EXPECT_NE(one_.Data().nonce(), before.nonce());
  EXPECT_EQ(one_.Data().rounds(), 1u);
}

// Whoever was seen before is not renewed under the new nonce until it writes that.
TEST_F(BeaconsTest, AreRenewedByAnotherNonceToo) {
  two_.Run();
  one_.Run();
  two_.order.challenge = "c2";
  two_.Run();
  one_.Run();
  EXPECT_TRUE(one_.Data().seen(0).renewed());
  EXPECT_EQ(one_.Data().seen(0).challenge(), "c2");
}

TEST_F(BeaconsTest, CountTheirRoundsAnewAfterOneThatFailed) {
  for (int i = 0; i < 5; ++i) one_.Run();
  const std::string nonce = one_.Data().nonce();
  one_.error = absl::DeadlineExceededError("the file system at /mnt/share has not answered");
  EXPECT_TRUE(one_.Run());
  EXPECT_EQ(one_.Data().error(), "the file system at /mnt/share has not answered");
  EXPECT_EQ(one_.Data().rounds(), 0u);
  EXPECT_EQ(one_.Data().nonce(), nonce);  // what is there, as far as is known
  one_.error = absl::OkStatus();
  EXPECT_TRUE(one_.Run());
  EXPECT_FALSE(one_.Data().has_error());
  EXPECT_EQ(one_.Data().rounds(), 1u);
}

TEST_F(BeaconsTest, HaveNoNonceBeforeTheFirstWasWritten) {
  one_.error = absl::UnavailableError("busy");
  one_.Run();
  EXPECT_EQ(one_.Data().nonce(), "");
  EXPECT_EQ(one_.Data().challenge(), "");
}

TEST_F(BeaconsTest, AreInEachSharedDirectoryThatIsElsewhere) {
  one_.Configure({{"Server.DataDir", "/mnt/share/data"},
                  {"Database.Dir", "/mnt/share/data/db"},
                  {"Server.LandingDir", "/mnt/other/landing"},
                  {"Metrics.DataPath", "/mnt/share/metrics"}});
  one_.Run();
  EXPECT_EQ(one_.asked, std::vector<std::string>({"/mnt/share/data", "/mnt/other/landing"}));
  EXPECT_EQ(one_.devices, std::vector<std::string>({"0:52", "0:53"}));
  const v1::Facts facts = one_.Facts();
  ASSERT_EQ(facts.beacons().directories_size(), 2);
  EXPECT_EQ(facts.beacons().directories(0).key(), "Server.DataDir");
  EXPECT_EQ(facts.beacons().directories(1).key(), "Server.LandingDir");
  EXPECT_EQ(facts.beacons().directories(1).directory(), "/mnt/other/landing");
}

// Where the link leads is seen by who opens it: to another device, and nothing is proved there.
TEST_F(BeaconsTest, AreBehindALinkOnTheSharedFileSystemToo) {
  one_.Configure({{"Server.DataDir", "/mnt/share/data"},
                  {"Database.Dir", "/mnt/share/data/var/db"},
                  {"Server.LandingDir", "/mnt/share/data/landing"}});
  one_.Link("/mnt/share/data/var", "/var");
  one_.Run();
  EXPECT_EQ(one_.asked, std::vector<std::string>({"/mnt/share/data/var/db", "/mnt/share/data"}));
}

TEST_F(BeaconsTest, AreNotPutOntoALocalDisk) {
  one_.Configure({{"Server.DataDir", "/var/lib/rstudio-connect"}});
  one_.Run();
  EXPECT_TRUE(one_.asked.empty());
  EXPECT_TRUE(one_.Facts().has_beacons());
  EXPECT_EQ(one_.Facts().beacons().directories_size(), 0);
}

TEST_F(BeaconsTest, OfRemovedNodesAreRemoved) {
  for (int i = 0; i < 2; ++i) {
    two_.Run();
    one_.Run();
  }
  one_.order.forget = {"node-2"};
  one_.Run();
  EXPECT_EQ(one_.Data().seen_size(), 0);
}

TEST_F(BeaconsTest, AreNotReportedOnceNobodyAsksForThem) {
  EXPECT_FALSE(one_.Facts().has_beacons());
  one_.Run();
  EXPECT_TRUE(one_.Facts().has_beacons());
  one_.Stop();
  EXPECT_FALSE(one_.Facts().has_beacons());
  EXPECT_TRUE(one_.Facts().unobserved().empty());
}

}  // namespace
}  // namespace connect_ha
