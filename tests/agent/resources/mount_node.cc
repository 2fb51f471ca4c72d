#include "tests/agent/resources/mount_node.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace connect_ha {
namespace {

constexpr char kMountInfo[] = "/proc/self/mountinfo";
constexpr char kRoot[] = "28 1 259:1 / / rw,relatime shared:1 - ext4 /dev/root rw\n";
constexpr char kJournal[] =
    "/usr/bin/journalctl --quiet --no-pager --output=cat --boot --lines=50 "
    "--unit=mnt-connect.mount";

}  // namespace

void SetMounts(FakeHost& machine, const std::string& lines) {
  machine.SetFile(kMountInfo, kRoot + lines);
}

void SetState(FakeHost& machine, const std::string& state, const std::string& result) {
  absl::StatusOr<v1::Unit> unit = machine.ReadUnit(kMountUnit);
  if (!unit.ok()) return;
  unit->set_active_state(state);
  unit->set_result(result);
  machine.SetUnit(*unit);
}

FakeEffect Mounts(const std::string& line) {
  return [line](FakeHost& machine) {
    SetMounts(machine, line);
    SetState(machine, "active", "success");
  };
}

void Unmounts(FakeHost& machine) {
  SetMounts(machine, "");
  SetState(machine, "inactive", "success");
}

MountNode::MountNode() {
  assignment.set_state(v1::PREPARING);
  assignment.mutable_desired()->set_generation(1);
  v1::ClusterSpec& spec = *assignment.mutable_desired()->mutable_spec();
  spec.set_enforcement(v1::ENFORCE);
  spec.mutable_storage()->set_mount_point("/mnt/connect");
  spec.mutable_storage()->mutable_nfs()->set_server("nfs.example.com");
  spec.mutable_storage()->mutable_nfs()->set_export_("/connect");
  node.host.SetFile("/sbin/mount.nfs4", "");
  node.host.SetDirectory("/mnt/connect");
  SetMounts(node.host, "");
  node.host.SetUnitEffects(kMountUnit, Mounts(kNfs), Unmounts);
}

int MountNode::Calls(const std::string& call) const {
  const std::vector<std::string> changes = node.host.changes();
  return static_cast<int>(
      std::count(changes.begin(), changes.end(), absl::StrCat(call, " ", kMountUnit)));
}

std::string MountTest::Turn() {
  agent_.converge.TryAgain();
  agent_.converge.Turn(at_.assignment, at_.watch);
  return Describe(at_.watch.last());
}

void MountTest::MountFirst() {
  EXPECT_EQ(Turn(), "CONVERGED");
  EXPECT_EQ(at_.Starts(), 1);
}

void MountTest::ExpectUntouched() {
  EXPECT_FALSE(host().LStat(kUnitFile).ok());
  EXPECT_EQ(at_.Starts(), 0);
  EXPECT_EQ(at_.Calls("StopUnit"), 0);
}

void MountTest::FailWith(const std::string& result, const std::string& journal) {
  host().SetUnitEffects(
      kMountUnit, [result](FakeHost& machine) { SetState(machine, "failed", result); }, Unmounts);
  host().SetCommand(kJournal, {0, false, journal});
}

void MountTest::WantEfs() {
  storage().mutable_efs()->set_file_system("fs-0123456789abcdef0");
  storage().mutable_efs()->set_region("us-east-1");
  storage().set_encrypted_in_transit(true);
  host().SetUnitEffects(kMountUnit, Mounts(kByHelper), Unmounts);
  host().SetFile(kHelperState, R"({"pid": 1, "certificate": "c.pem", "accessPoint": null})");
}

}  // namespace connect_ha
