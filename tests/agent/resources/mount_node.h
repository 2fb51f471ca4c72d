// A node on which the shared file system is to be mounted.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "tests/agent/resources/bare_node.h"

namespace connect_ha {

inline constexpr char kMountUnit[] = "mnt-connect.mount";
inline constexpr char kUnitFile[] = "/etc/systemd/system/mnt-connect.mount";
inline constexpr char kNfs[] =
    "50 28 0:52 / /mnt/connect rw,relatime shared:2 - nfs4 nfs.example.com:/connect "
    "rw,vers=4.1,hard,lookupcache=pos,addr=10.0.0.5\n";
inline constexpr char kWithoutLookupcache[] =
    "50 28 0:52 / /mnt/connect rw,relatime shared:2 - nfs4 nfs.example.com:/connect "
    "rw,vers=4.1,hard,addr=10.0.0.5\n";
inline constexpr char kLocal[] =
    "51 28 259:1 /srv/data /mnt/connect rw,relatime - ext4 /dev/root rw\n";
// As amazon-efs-utils mounts it, and what it keeps of that.
inline constexpr char kByHelper[] =
    "50 28 0:52 / /mnt/connect rw,relatime shared:2 - nfs4 127.0.0.1:/ rw,vers=4.1,rsize=1048576,"
    "wsize=1048576,hard,noresvport,timeo=600,retrans=2,lookupcache=pos,port=20049,addr=127.0.0.1\n";
inline constexpr char kHelperState[] = "/run/efs/fs-0123456789abcdef0.mnt.connect.20049";

// What /proc/self/mountinfo says beside the root.
void SetMounts(FakeHost& machine, const std::string& lines);
void SetState(FakeHost& machine, const std::string& state, const std::string& result);
FakeEffect Mounts(const std::string& line);
void Unmounts(FakeHost& machine);

// A bare node whose specification wants nfs.example.com:/connect at /mnt/connect.
struct MountNode {
  MountNode();
  // How often the mount's unit was so called.
  int Calls(const std::string& call) const;
  int Starts() const { return Calls("StartUnit"); }

  BareNode node;
  v1::Assignment assignment;
  TestWatch watch{node.host};
};

class MountTest : public testing::Test {
 protected:
  FakeHost& host() { return at_.node.host; }
  v1::StorageSpec& storage() {
    return *at_.assignment.mutable_desired()->mutable_spec()->mutable_storage();
  }
  std::string Turn();
  v1::Change last_change() const { return agent_.journal.Pending(100).back().change(); }
  std::string fix() const { return at_.watch.last().troubles(0).fix(); }
  v1::Convergence::State state() const { return at_.watch.last().state(); }
  // Mounted and enabled by an earlier turn.
  void MountFirst();
  // Nothing is written, started or stopped for the mount.
  void ExpectUntouched();
  void FailWith(const std::string& result, const std::string& journal);
  // By amazon-efs-utils.
  void WantEfs();

  MountNode at_;
  Agent agent_{at_.node};
};

}  // namespace connect_ha
