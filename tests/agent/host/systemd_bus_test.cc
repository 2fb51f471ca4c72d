#include "agent/host/systemd/systemd_bus.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>

#include <atomic>
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
            "after_mounts: \"mnt-connect.mount\"\nneed_daemon_reload: true\n"
            "binds_to_mounts: \"a.mount\"\nnotify_access: \"main\"\ncan_reload: true\n");
}

// At a boot Connect waits for its file system: it is not stopped then.
TEST(SystemdBus, AServiceWhoseStartWaitsIsOnItsWayUp) {
  FakeSystemd systemd;
  SystemdBus bus(systemd.address());
  for (const char* state : {"inactive", "failed"}) {
    systemd.SetActiveState(state);
    systemd.SetJob(0);
    EXPECT_EQ(bus.ReadUnit("rstudio-connect.service")->active_state(), state);
    systemd.SetJob(7);
    EXPECT_EQ(bus.ReadUnit("rstudio-connect.service")->active_state(), "activating");
  }
  systemd.SetActiveState("active");  // it is to be stopped, or started anew
  EXPECT_EQ(bus.ReadUnit("rstudio-connect.service")->active_state(), "active");
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

// At a boot it waits for the network.
TEST(SystemdBus, AMountWhoseStartWaitsIsOnItsWay) {
  FakeSystemd systemd;
  SystemdBus bus(systemd.address());
  systemd.SetActiveState("inactive");
  EXPECT_EQ(bus.ReadUnit("mnt-connect.mount")->active_state(), "inactive");
  systemd.SetJob(7);
  EXPECT_EQ(bus.ReadUnit("mnt-connect.mount")->active_state(), "activating");
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

int Acknowledge(sd_bus_message* message, void*, sd_bus_error*) {
  return sd_bus_reply_method_return(message, "");
}

const sd_bus_vtable kManager[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("Subscribe", "", "", Acknowledge, SD_BUS_VTABLE_UNPRIVILEGED), SD_BUS_VTABLE_END};

// The other end of systemd's private socket, where no bus daemon puts a sender into messages: says
// once that a unit changed, as soon as somebody has subscribed.
class PrivateSystemd {
 public:
  PrivateSystemd() {
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends_), 0);
    thread_ = std::thread([this] { Serve(); });
  }
  ~PrivateSystemd() {
    stop_ = true;
    thread_.join();
  }
  BusHandle Connect() {
    sd_bus* bus = nullptr;
    EXPECT_GE(sd_bus_new(&bus), 0);
    EXPECT_GE(sd_bus_set_fd(bus, ends_[1], ends_[1]), 0);
    EXPECT_GE(sd_bus_start(bus), 0);
    return BusHandle(bus);
  }

 private:
  void Serve() {
    sd_bus* made = nullptr;
    EXPECT_GE(sd_bus_new(&made), 0);
    const BusHandle bus(made);
    EXPECT_GE(sd_bus_set_fd(made, ends_[0], ends_[0]), 0);
    sd_id128_t id{};
    id.bytes[0] = 1;
    EXPECT_GE(sd_bus_set_server(made, 1, id), 0);
    EXPECT_GE(sd_bus_start(made), 0);
    EXPECT_GE(sd_bus_add_object_vtable(made, nullptr, "/org/freedesktop/systemd1",
                                       "org.freedesktop.systemd1.Manager", kManager, nullptr),
              0);
    bool told = false;
    while (!stop_) {
      bool subscribed = false;
      while (sd_bus_process(made, nullptr) > 0) subscribed = true;
      if (subscribed && !told && sd_bus_is_ready(made) > 0) {
        told =
            sd_bus_emit_signal(made, "/org/freedesktop/systemd1/unit/rstudio_2dconnect_2eservice",
                               "org.freedesktop.DBus.Properties", "PropertiesChanged", "sa{sv}as",
                               "org.freedesktop.systemd1.Unit", 0, 0) >= 0;
      }
      sd_bus_wait(made, 2'000);
    }
  }

  int ends_[2] = {-1, -1};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

TEST(EventsOverThePrivateSocket, AChangedUnitIsHeardThoughMessagesHaveNoSender) {
  PrivateSystemd systemd;
  SystemdEvents events({"rstudio-connect.service"});
  ASSERT_TRUE(events.Use(systemd.Connect()).ok());
  bool heard = false;
  for (int i = 0; i < 3'000 && !heard; ++i) {
    heard = events.Process();
    if (!heard) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_TRUE(heard);
  EXPECT_TRUE(events.open());
}

}  // namespace
}  // namespace connect_ha
