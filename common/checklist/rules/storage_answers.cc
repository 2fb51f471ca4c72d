#include <algorithm>
#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/facts_view.h"
#include "common/checklist/view/place.h"
#include "common/time.h"

namespace connect_ha {
namespace {

// The value of NAME=value; "" where the mount has no such option.
std::string OptionValue(const v1::Mount& mount, absl::string_view name) {
  const std::string prefix = absl::StrCat(name, "=");
  for (const std::string& option : mount.super_options()) {
    absl::string_view value = option;
    if (absl::ConsumePrefix(&value, prefix)) return std::string(value);
  }
  return "";
}

// The kernel goes on by itself once the server answers. systemd hangs as everybody does when it is
// to mount a silent file system again.
std::string ServerFix(const v1::Mount& mount) {
  const std::string address = OptionValue(mount, "addr");
  if (address.empty()) return "";
  const std::string port = OptionValue(mount, "port");
  const std::string tcp = port.empty() ? "2049" : port;
  const std::string& point = mount.mount_point();
  const std::string look =
      mount.has_efs_file_system()
          ? "on NODE: systemctl status amazon-efs-mount-watchdog; tail "
            "/var/log/amazon/efs/mount.log"
          : absl::StrCat("on NODE: timeout 5 bash -c '</dev/tcp/", address, "/", tcp,
                         "' && echo reached (if not: allow TCP ", tcp,
                         " from NODE in the file system's security group); until it answers do "
                         "not mount it again");
  return absl::StrCat(look,
                      "\ngone for good? on NODE: systemctl stop rstudio-connect; umount -f -l ",
                      point, "; systemctl start \"$(systemd-escape -p --suffix=mount ", point,
                      ")\"; systemctl start rstudio-connect");
}

void JudgeAnswer(const v1::Snapshot& cluster, const v1::NodeSnapshot& node,
                 const v1::MountAnswer& answer, Verdict& verdict) {
  const std::string& point = answer.mount_point();
  if (answer.answered()) return verdict.Pass(node.name(), absl::StrCat(point, " answers"));
  const v1::Mount* mount = FindMount(node.facts(), point);
  const auto silent = FromProto(cluster.taken_at()) - FromProto(answer.silent_since());
  verdict.Fail(node.name(), absl::StrCat(point, " has not answered for ", FormatSpan(silent)),
               mount == nullptr ? "" : ServerFix(*mount));
}

bool WasAsked(const v1::StorageFacts& storage, const std::string& mount_point) {
  return std::any_of(storage.answers().begin(), storage.answers().end(),
                     [&mount_point](const v1::MountAnswer& answer) {
                       return answer.mount_point() == mount_point;
                     });
}

// What an older agent does not ask.
void JudgeUnasked(const v1::NodeSnapshot& node, Verdict& verdict) {
  const v1::StorageFacts& storage = node.facts().storage();
  bool any = !storage.answers().empty();
  for (const v1::DataDirectory& directory : storage.directories()) {
    const v1::Mount* mount = FindMount(node.facts(), directory.mount_point());
    if (mount == nullptr || ReachOf(mount->fs_type()) != Reach::kNetwork) continue;
    any = true;
    if (WasAsked(storage, directory.mount_point())) continue;
    return verdict.Unknown(node.name(), absl::StrCat(directory.mount_point(), " was not asked"));
  }
  if (!any) verdict.NotApplicable(node.name(), "no data directory is on a network file system");
}

}  // namespace

v1::Finding StorageIsAlive(const v1::Snapshot& cluster) {
  Verdict verdict;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    for (const v1::MountAnswer& answer : node.facts().storage().answers()) {
      JudgeAnswer(cluster, node, answer, verdict);
    }
    if (verdict.Unobserved(node, "storage.answers") || verdict.Unobserved(node, "storage.mounts") ||
        verdict.Unobserved(node, "storage.directories")) {
      continue;
    }
    JudgeUnasked(node, verdict);
  }
  return verdict.Finish();
}

}  // namespace connect_ha
