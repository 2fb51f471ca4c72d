#include "tests/agent/host/fake_systemd.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace connect_ha {
namespace {

using std::chrono::milliseconds;

constexpr char kUnitPath[] = "/org/freedesktop/systemd1/unit/rstudio_2dconnect_2eservice";
constexpr char kMountPath[] = "/org/freedesktop/systemd1/unit/mnt_2dconnect_2emount";
constexpr char kNonePath[] = "/org/freedesktop/systemd1/unit/none";

void Must(int result, const char* what) {
  if (result >= 0) return;
  std::fprintf(stderr, "fake systemd: %s: %d\n", what, result);
  std::abort();
}

int LoadUnit(sd_bus_message* message, void*, sd_bus_error*) {
  const char* name = "";
  Must(sd_bus_message_read(message, "s", &name), "read");
  const std::string unit = name;
  const char* path = unit == "rstudio-connect.service" ? kUnitPath
                     : unit == "mnt-connect.mount"     ? kMountPath
                                                       : kNonePath;
  return sd_bus_reply_method_return(message, "o", path);
}

int Subscribe(sd_bus_message* message, void* fake, sd_bus_error*) {
  static_cast<FakeSystemd*>(fake)->CountSubscription();
  return sd_bus_reply_method_return(message, "");
}

int Text(sd_bus*, const char* path, const char*, const char* property, sd_bus_message* reply,
         void* fake, sd_bus_error*) {
  const std::string name = property;
  std::string value;
  if (name == "LoadState") value = path == std::string(kNonePath) ? "not-found" : "loaded";
  if (name == "ActiveState") value = static_cast<FakeSystemd*>(fake)->active_state();
  if (name == "SubState") value = "running";
  if (name == "UnitFileState") value = "enabled";
  if (name == "Result") value = "success";
  if (name == "NotifyAccess") value = "main";
  if (name == "FragmentPath") value = "/lib/systemd/system/rstudio-connect.service";
  if (name == "Options") value = "rw,password=hunter2,vers=4.1,hard";
  return sd_bus_message_append(reply, "s", value.c_str());
}

int Flag(sd_bus*, const char*, const char*, const char*, sd_bus_message* reply, void*,
         sd_bus_error*) {
  return sd_bus_message_append(reply, "b", 1);
}

int Texts(sd_bus*, const char*, const char* interface, const char* property, sd_bus_message* reply,
          void*, sd_bus_error*) {
  const std::string name = property;
  if (name == "RequiresMountsFor")
    return sd_bus_message_append(reply, "as", 2, "/a", "/mnt/connect");
  if (name == "WantedBy") return sd_bus_message_append(reply, "as", 1, "remote-fs.target");
  if (name == "RequiredBy") return sd_bus_message_append(reply, "as", 1, "a.service");
  if (name == "BoundBy" || name == "TriggeredBy") return sd_bus_message_append(reply, "as", 0);
  if (name == "Requires") {
    return sd_bus_message_append(reply, "as", 3, "srv.mount", "sysinit.target",
                                 "mnt-connect.mount");
  }
  if (name == "BindsTo") return sd_bus_message_append(reply, "as", 1, "a.mount");
  if (name == "After") {
    return sd_bus_message_append(reply, "as", 3, "network.target", "mnt-connect.mount", "-.mount");
  }
  if (std::string(interface) == "org.freedesktop.systemd1.Manager") {
    return sd_bus_message_append(reply, "as", 1, "LANG=C.UTF-8");
  }
  if (name == "Environment") return sd_bus_message_append(reply, "as", 1, "CONNECT_A=1");
  return sd_bus_message_append(reply, "as", 1, "/etc/systemd/system/x.d/10-a.conf");
}

int Number64(sd_bus*, const char*, const char*, const char* property, sd_bus_message* reply, void*,
             sd_bus_error*) {
  const bool ended = std::string(property) == "ExecMainExitTimestamp";
  return sd_bus_message_append(reply, "t", ended ? uint64_t{0} : uint64_t{1'722'513'600'000'000});
}

int Number32(sd_bus*, const char*, const char*, const char* property, sd_bus_message* reply,
             void* fake, sd_bus_error*) {
  if (std::string(property) == "MainPID") {
    return sd_bus_message_append(reply, "u", static_cast<FakeSystemd*>(fake)->main_process());
  }
  return sd_bus_message_append(reply, "u", 3u);
}

int Job(sd_bus*, const char*, const char*, const char*, sd_bus_message* reply, void* fake,
        sd_bus_error*) {
  return sd_bus_message_append(reply, "(uo)", static_cast<FakeSystemd*>(fake)->job(), "/");
}

int Commands(sd_bus*, const char*, const char*, const char*, sd_bus_message* reply, void*,
             sd_bus_error*) {
  // The second may fail.
  return sd_bus_message_append(reply, "a(sasbttttuii)", 2, "/bin/sh", 3, "/bin/sh", "-c", "x y", 0,
                               uint64_t{0}, uint64_t{0}, uint64_t{0}, uint64_t{0}, 0u, 0, 0,
                               "/usr/bin/connect-ha-agent", 2, "/usr/bin/connect-ha-agent",
                               "preflight", 1, uint64_t{0}, uint64_t{0}, uint64_t{0}, uint64_t{0},
                               0u, 0, 0);
}

int Files(sd_bus*, const char*, const char*, const char*, sd_bus_message* reply, void*,
          sd_bus_error*) {
  return sd_bus_message_append(reply, "a(sb)", 1, "/no/such/environment", 1);
}

const sd_bus_vtable kManager[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("LoadUnit", "s", "o", LoadUnit, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Subscribe", "", "", Subscribe, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_PROPERTY("Environment", "as", Texts, 0, 0),
    SD_BUS_SIGNAL("Reloading", "b", 0),
    SD_BUS_VTABLE_END};
const sd_bus_vtable kUnit[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("LoadState", "s", Text, 0, 0),
    SD_BUS_PROPERTY("ActiveState", "s", Text, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("SubState", "s", Text, 0, 0),
    SD_BUS_PROPERTY("UnitFileState", "s", Text, 0, 0),
    SD_BUS_PROPERTY("RequiresMountsFor", "as", Texts, 0, 0),
    SD_BUS_PROPERTY("DropInPaths", "as", Texts, 0, 0),
    SD_BUS_PROPERTY("FragmentPath", "s", Text, 0, 0),
    SD_BUS_PROPERTY("NeedDaemonReload", "b", Flag, 0, 0),
    SD_BUS_PROPERTY("CanReload", "b", Flag, 0, 0),
    SD_BUS_PROPERTY("Requires", "as", Texts, 0, 0),
    SD_BUS_PROPERTY("BindsTo", "as", Texts, 0, 0),
    SD_BUS_PROPERTY("After", "as", Texts, 0, 0),
    SD_BUS_PROPERTY("WantedBy", "as", Texts, 0, 0),
    SD_BUS_PROPERTY("RequiredBy", "as", Texts, 0, 0),
    SD_BUS_PROPERTY("BoundBy", "as", Texts, 0, 0),
    SD_BUS_PROPERTY("TriggeredBy", "as", Texts, 0, 0),
    SD_BUS_PROPERTY("ActiveEnterTimestamp", "t", Number64, 0, 0),
    SD_BUS_PROPERTY("Job", "(uo)", Job, 0, 0),
    SD_BUS_VTABLE_END};
const sd_bus_vtable kService[] = {SD_BUS_VTABLE_START(0),
                                  SD_BUS_PROPERTY("Result", "s", Text, 0, 0),
                                  SD_BUS_PROPERTY("NotifyAccess", "s", Text, 0, 0),
                                  SD_BUS_PROPERTY("NRestarts", "u", Number32, 0, 0),
                                  SD_BUS_PROPERTY("MainPID", "u", Number32, 0, 0),
                                  SD_BUS_PROPERTY("ExecMainStartTimestamp", "t", Number64, 0, 0),
                                  SD_BUS_PROPERTY("ExecMainExitTimestamp", "t", Number64, 0, 0),
                                  SD_BUS_PROPERTY("ExecStartPre", "a(sasbttttuii)", Commands, 0, 0),
                                  SD_BUS_PROPERTY("Environment", "as", Texts, 0, 0),
                                  SD_BUS_PROPERTY("EnvironmentFiles", "a(sb)", Files, 0, 0),
                                  SD_BUS_VTABLE_END};
const sd_bus_vtable kMount[] = {SD_BUS_VTABLE_START(0), SD_BUS_PROPERTY("Result", "s", Text, 0, 0),
                                SD_BUS_PROPERTY("Options", "s", Text, 0, 0), SD_BUS_VTABLE_END};

BusHandle Connect(const std::string& address, FakeSystemd* fake) {
  sd_bus* bus = nullptr;
  Must(sd_bus_new(&bus), "new");
  BusHandle handle(bus);
  Must(sd_bus_set_address(bus, address.c_str()), "address");
  Must(sd_bus_set_bus_client(bus, 1), "client");
  Must(sd_bus_start(bus), "start");
  constexpr char kName[] = "org.freedesktop.systemd1";
  Must(sd_bus_add_object_vtable(bus, nullptr, "/org/freedesktop/systemd1",
                                "org.freedesktop.systemd1.Manager", kManager, fake),
       "manager");
  for (const char* path : {kUnitPath, kMountPath, kNonePath}) {
    Must(sd_bus_add_object_vtable(bus, nullptr, path, "org.freedesktop.systemd1.Unit", kUnit, fake),
         "unit");
  }
  Must(sd_bus_add_object_vtable(bus, nullptr, kUnitPath, "org.freedesktop.systemd1.Service",
                                kService, fake),
       "service");
  Must(sd_bus_add_object_vtable(bus, nullptr, kMountPath, "org.freedesktop.systemd1.Mount", kMount,
                                fake),
       "mount");
  Must(sd_bus_request_name(bus, kName, 0), "name");
  return handle;
}

// The socket's file is there before anybody listens on it.
bool Listens(const std::string& path) {
  const Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace

FakeSystemd::FakeSystemd() {
  address_ = "unix:path=" + (directory_ / "bus");
  directory_.Write(
      "bus.conf",
      "<!DOCTYPE busconfig PUBLIC '-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN'"
      " 'http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd'><busconfig>"
      "<type>session</type><listen>" +
          address_ +
          "</listen><policy context='default'><allow send_destination='*' "
          "eavesdrop='true'/><allow eavesdrop='true'/><allow own='*'/></policy></busconfig>");
  StartBus();
  Start();
}

FakeSystemd::~FakeSystemd() {
  Stop();
  KillAndReap(std::move(daemon_));
}

void FakeSystemd::StartBus() {
  std::filesystem::remove(directory_ / "bus");
  SpawnRequest request;
  request.arguments = {"dbus-daemon", "--config-file=" + (directory_ / "bus.conf"), "--nofork",
                       "--nopidfile"};
  const Fd null(open("/dev/null", O_WRONLY | O_CLOEXEC));
  request.output = null.get();
  auto child = Spawn(request, milliseconds(10'000));
  if (!child.ok()) Must(-1, child.status().ToString().c_str());
  daemon_ = std::move(*child);
  while (!Listens(directory_ / "bus")) {
    std::this_thread::sleep_for(milliseconds(5));
  }
}

void FakeSystemd::RestartBus() {
  Stop();
  KillAndReap(std::move(daemon_));
  StartBus();
  Start();
}

void FakeSystemd::Start() {
  stop_ = false;
  serving_ = false;
  thread_ = std::thread([this] { Serve(); });
  while (!serving_) std::this_thread::sleep_for(milliseconds(1));
}

void FakeSystemd::Stop() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

void FakeSystemd::Serve() {
  const BusHandle bus = Connect(address_, this);
  serving_ = true;
  while (!stop_) {
    while (sd_bus_process(bus.get(), nullptr) > 0) {
    }
    for (int count = unit_changes_.exchange(0); count > 0; --count) {
      sd_bus_emit_properties_changed(bus.get(), kUnitPath, "org.freedesktop.systemd1.Unit",
                                     "ActiveState", nullptr);
    }
    for (int count = reloads_.exchange(0); count > 0; --count) {
      for (const int active : {1, 0}) {
        sd_bus_emit_signal(bus.get(), "/org/freedesktop/systemd1",
                           "org.freedesktop.systemd1.Manager", "Reloading", "b", active);
      }
    }
    sd_bus_wait(bus.get(), 2'000);
  }
}

void FakeSystemd::SetActiveState(const std::string& state) {
  const std::lock_guard<std::mutex> lock(mutex_);
  active_state_ = state;
}

std::string FakeSystemd::active_state() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return active_state_;
}

void FakeSystemd::EmitUnitChanged() { ++unit_changes_; }

void FakeSystemd::EmitReloaded() { ++reloads_; }

}  // namespace connect_ha
