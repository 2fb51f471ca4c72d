#include "agent/host/systemd/systemd_bus.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <thread>

#include "agent/host/systemd/systemd_events.h"
#include "tests/agent/host/fake_systemd.h"

namespace connect_ha {
namespace {

TEST(SystemdBus, ReadsAService) {
  FakeSystemd systemd;
  SystemdBus bus(systemd.address());
  const auto unit = bus.ReadUnit("rstudio-connect.service");
  ASSERT_TRUE(unit.ok()) << unit.status();
  EXPECT_EQ(unit->DebugString(),
            "name: \"rstudio-connect.service\"\nload_state: \"loaded\"\nactive_state: \"active\"\n"
            "sub_state: \"running\"\nunit_file_state: \"enabled\"\nresult: \"success\"\n"
            "restarts: 3\nstarted_at {\n  seconds: 1722513600\n}\nrequires_mounts_for: \"/a\"\n"
            "requires_mounts_for: \"/mnt/connect\"\nexec_start_pre: \"/bin/sh ...\"\n"
            "drop_ins: \"/etc/systemd/system/x.d/10-a.conf\"\n"
            "requires_mounts: \"a.mount\"\nrequires_mounts: \"mnt-connect.mount\"\n"
            "requires_mounts: \"srv.mount\"\nafter_mounts: \"-.mount\"\n"
            "after_mounts: \"mnt-connect.mount\"\nneed_daemon_reload: true\n");
}

TEST(SystemdBus, ReadsAMount) {
  FakeSystemd systemd;
  SystemdBus bus(systemd.address());
  const auto unit = bus.ReadUnit("mnt-connect.mount");
  ASSERT_TRUE(unit.ok()) << unit.status();
  EXPECT_EQ(unit->mount_options(), "rw,password=***,vers=4.1,hard");
  EXPECT_EQ(unit->started_at().seconds(), 1722513600);
  EXPECT_EQ(std::vector<std::string>(unit->started_by().begin(), unit->started_by().end()),
            (std::vector<std::string>{"remote-fs.target", "a.service"}));
}

TEST(SystemdBus, AUnitThatIsNotThereIsNotFound) {
  FakeSystemd systemd;
  SystemdBus bus(systemd.address());
  EXPECT_EQ(bus.ReadUnit("other.service").status(),
            absl::NotFoundError("no such unit: other.service"));
  EXPECT_EQ(bus.ReadEnvironment("other.service").status(),
            absl::NotFoundError("no such unit: other.service"));
}

TEST(SystemdBus, ReadsTheEnvironmentAndItsFiles) {
  FakeSystemd systemd;
  SystemdBus bus(systemd.address());
  const auto environment = bus.ReadEnvironment("rstudio-connect.service");
  ASSERT_TRUE(environment.ok()) << environment.status();
  EXPECT_EQ(environment->assignments, std::vector<std::string>{"CONNECT_A=1"});
  ASSERT_EQ(environment->files.size(), 1u);
  EXPECT_EQ(environment->files[0].path, "/no/such/environment");
  EXPECT_TRUE(environment->files[0].optional);
  EXPECT_EQ(environment->unit_files,
            (std::vector<std::string>{"/lib/systemd/system/rstudio-connect.service",
                                      "/etc/systemd/system/x.d/10-a.conf"}));
  EXPECT_EQ(environment->of_systemd, std::vector<std::string>{"LANG=C.UTF-8"});
  EXPECT_EQ(bus.ReadMainProcess("rstudio-connect.service").value(), 3u);
  EXPECT_EQ(bus.ReadMainProcess("other.service").status().code(), absl::StatusCode::kNotFound);
}

TEST(SystemdBus, NoBusIsNotTheSameAsNoUnit) {
  SystemdBus bus("unix:path=/no/such/bus");
  const auto unit = bus.ReadUnit("rstudio-connect.service");
  EXPECT_EQ(unit.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(unit.status().message(),
            "cannot reach systemd over the system bus: no such file or directory");
}

TEST(SystemdBus, NoSystemdOnTheBusIsNotTheSameAsNoUnit) {
  FakeSystemd systemd;
  systemd.Stop();
  SystemdBus bus(systemd.address());
  EXPECT_EQ(bus.ReadUnit("rstudio-connect.service").status().code(),
            absl::StatusCode::kUnavailable);
}

TEST(SystemdBus, GoesOnAfterTheBusWasRestarted) {
  FakeSystemd systemd;
  SystemdBus bus(systemd.address());
  ASSERT_TRUE(bus.ReadUnit("rstudio-connect.service").ok());
  systemd.RestartBus();
  systemd.SetActiveState("failed");
  const auto unit = bus.ReadUnit("rstudio-connect.service");
  ASSERT_TRUE(unit.ok()) << unit.status();
  EXPECT_EQ(unit->active_state(), "failed");
}

class Events : public testing::Test {
 protected:
  Events() : events_({"rstudio-connect.service"}, systemd_.address()) {
    EXPECT_TRUE(events_.Open().ok());
  }
  bool HearsSomething() {
    for (int i = 0; i < 300; ++i) {
      if (events_.Process()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }
  FakeSystemd systemd_;
  SystemdEvents events_;
};

TEST_F(Events, AChangedUnitIsHeard) {
  systemd_.EmitUnitChanged();
  EXPECT_TRUE(HearsSomething());
  EXPECT_FALSE(events_.Process());
}

TEST_F(Events, AReloadIsHeard) {
  systemd_.EmitReloaded();
  EXPECT_TRUE(HearsSomething());
}

TEST_F(Events, TheEndOfTheBusIsHeardOnceAndLeavesItClosed) {
  systemd_.RestartBus();
  EXPECT_TRUE(HearsSomething());
  EXPECT_FALSE(events_.open());
  EXPECT_TRUE(events_.Open().ok());
  EXPECT_EQ(systemd_.subscriptions(), 2);
}

}  // namespace
}  // namespace connect_ha
