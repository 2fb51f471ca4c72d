#include "common/checklist/mount_fix.h"

#include "absl/strings/str_cat.h"
#include "common/checklist/share_fix.h"
#include "common/checklist/view/place.h"
#include "common/mount_unit.h"

namespace connect_ha {
namespace {

// Where to look at the way to the server.
v1::Fix LookFix(const std::string& node, const v1::Mount& mount) {
  if (mount.has_efs_file_system()) {
    return Type(
        node, {"systemctl status amazon-efs-mount-watchdog", "tail /var/log/amazon/efs/mount.log"});
  }
  const std::string address = SuperOption(mount, "addr");
  const std::string port = SuperOption(mount, "port");
  const std::string tcp = port.empty() ? "2049" : port;
  return Type(node, {absl::StrCat("ss -tn dst ", ShellOperand(address))},
              absl::StrCat("SYN-SENT, or no connection to port ", tcp, ": allow TCP ", tcp,
                           " from ", node, " in the file system's security group"));
}

}  // namespace

// The kernel goes on by itself once the server answers. systemd hangs as everybody does when it is
// to mount a silent file system again.
Fixes ServerFix(const std::string& node, const v1::Mount& mount) {
  if (SuperOption(mount, "addr").empty()) return {};
  const std::string& point = mount.mount_point();
  return {LookFix(node, mount),
          ByHand(node, absl::StrCat("it goes on by itself once the server answers: do not mount it "
                                    "again before. Only where the server is gone for good: stop "
                                    "rstudio-connect, umount -f -l ",
                                    ShellOperand(point), ", then start ",
                                    ShellWord(MountUnitName(point))))};
}

// What is gone cannot be looked at, and a plain umount looks. Lazily it is taken off all the same:
// there is nothing left in it that somebody could go on with.
Fixes StaleFix(const std::string& node, const std::string& mount_point) {
  const std::string point = ShellOperand(mount_point);
  return {StopConnect(node),
          Type(node, {"systemctl daemon-reload", absl::StrCat("umount -l ", point),
                      StartMountCommand(mount_point), absl::StrCat("findmnt ", point)}),
          Needing(StartConnect(node), {"boot-is-guarded"})};
}

Fixes MountAnewFix(const std::string& node, const std::string& mount_point) {
  Fixes fixes = RemountFix(node, mount_point);
  fixes.push_back(Needing(StartConnect(node), {"boot-is-guarded"}));
  return fixes;
}

}  // namespace connect_ha
