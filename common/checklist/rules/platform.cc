#include <algorithm>
#include <array>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "common/checklist/compare.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/facts_view.h"
#include "common/checklist/view/limits.h"
#include "common/checklist/view/located.h"
#include "common/checklist/view/place.h"

namespace connect_ha {
namespace {

// What the vendor builds packages for. An operator who runs something else says so under
// `platform` in the specification.
struct Platform {
  const char* os_id;
  const char* os_version;
};
constexpr std::array<Platform, 6> kSupported = {{{"ubuntu", "20.04"},
                                                 {"ubuntu", "22.04"},
                                                 {"ubuntu", "24.04"},
                                                 {"rhel", "8"},
                                                 {"rhel", "9"},
                                                 {"rhel", "10"}}};

constexpr std::array<absl::string_view, 2> kArchitectures = {"x86_64", "aarch64"};

bool IsSupportedArchitecture(const v1::HostFacts& host) {
  return std::find(kArchitectures.begin(), kArchitectures.end(), host.architecture()) !=
         kArchitectures.end();
}

bool IsSupportedSystem(const v1::HostFacts& host) {
  return std::any_of(kSupported.begin(), kSupported.end(), [&host](const Platform& platform) {
    // RHEL counts by major version: 9.4 is 9.
    return host.os_id() == platform.os_id &&
           (host.os_version() == platform.os_version ||
            (host.os_id() == "rhel" &&
             absl::StartsWith(host.os_version(), absl::StrCat(platform.os_version, "."))));
  });
}

bool IsWanted(const v1::PlatformSpec& spec, const v1::HostFacts& host) {
  return (!spec.has_os_id() || spec.os_id() == host.os_id()) &&
         (!spec.has_os_version() || spec.os_version() == host.os_version()) &&
         (!spec.has_architecture() || spec.architecture() == host.architecture());
}

std::string PlatformText(const v1::HostFacts& host) {
  return absl::StrCat(host.os_id(), " ", host.os_version(), " ", host.architecture());
}

std::string WantedText(const v1::PlatformSpec& spec) {
  std::vector<std::string> parts;
  for (const std::string& part : {spec.os_id(), spec.os_version(), spec.architecture()}) {
    if (!part.empty()) parts.push_back(part);
  }
  return absl::StrJoin(parts, " ");
}

void JudgeDisk(const v1::NodeSnapshot& node, uint32_t limit, Verdict& verdict) {
  bool has_room = true;
  for (const v1::FileSystemSpace& disk : node.facts().disk().file_systems()) {
    const std::string& point = disk.mount_point();
    if (disk.read_only()) {
      has_room = false;
      verdict.Fail(node.name(), absl::StrCat(point, " is mounted read-only"),
                   {Type(node.name(), {"journalctl -k -g 'remount|error' -n 20"})});
    } else if (disk.used_percent() > limit) {
      has_room = false;
      verdict.Fail(
          node.name(),
          absl::StrFormat("%s is %u%% full, %.1f GiB left (limit %u%%)", point, disk.used_percent(),
                          static_cast<double>(disk.free_bytes()) / (1u << 30), limit),
          {Type(node.name(), {absl::StrCat("du -xh --max-depth=2 ", ShellOperand(point),
                                           " | sort -h | tail")})});
    }
  }
  if (has_room)
    verdict.Pass(node.name(), absl::StrCat("no local disk is fuller than ", limit, "%"));
}

void JudgeSpace(const v1::NodeSnapshot& node, const v1::MountSpace& space, uint32_t limit,
                Verdict& verdict) {
  const std::string& point = space.mount_point();
  if (space.size_bytes() == 0) {
    return verdict.NotApplicable(node.name(),
                                 absl::StrCat("the server of ", point, " tells no bound"));
  }
  if (space.used_percent() <= limit) {
    return verdict.Pass(node.name(), absl::StrCat(point, " is not fuller than ", limit, "%"));
  }
  verdict.Fail(
      node.name(),
      absl::StrFormat("%s is %u%% full, %.1f GiB left (limit %u%%)", point, space.used_percent(),
                      static_cast<double>(space.free_bytes()) / (1u << 30), limit),
      {Type(node.name(), {absl::StrCat("timeout 10 df -h ", ShellOperand(point))}),
       ByHand("", "make room on the file system, or enlarge it")});
}

// Of the network mounts that data is on.
void JudgeUntoldSpace(const v1::NodeSnapshot& node, Verdict& verdict) {
  const v1::StorageFacts& storage = node.facts().storage();
  bool any = !storage.spaces().empty();
  for (const v1::DataDirectory& directory : storage.directories()) {
    const std::string& point = directory.mount_point();
    const v1::Mount* mount = FindMount(node.facts(), point);
    if (!IsSharedKey(directory.key()) || mount == nullptr) continue;
    if (ReachOf(mount->fs_type()) == Reach::kLocal) continue;
    any = true;
    const bool told =
        std::any_of(storage.spaces().begin(), storage.spaces().end(),
                    [&](const v1::MountSpace& space) { return space.mount_point() == point; });
    if (told) continue;
    return verdict.Unknown(node.name(), absl::StrCat("how full ", point, " is was not reported"));
  }
  if (!any) verdict.NotApplicable(node.name(), "no data directory is on a network file system");
}

}  // namespace

v1::Finding PlatformMatches(const v1::Snapshot& cluster) {
  const v1::PlatformSpec& spec = cluster.spec().platform();
  Verdict verdict;
  std::vector<Seen> seen;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (verdict.Unobserved(node, "host.os_id") || verdict.Unobserved(node, "host.os_version") ||
        verdict.Unobserved(node, "host.architecture")) {
      continue;
    }
    const v1::HostFacts& host = node.facts().host();
    if (!host.has_os_id() || !host.has_os_version() || !host.has_architecture()) {
      verdict.Unknown(node.name(), "os-release or uname says nothing");
    } else if (!IsWanted(spec, host)) {
      verdict.Fail(node.name(), absl::StrCat(PlatformText(host), ", wanted ", WantedText(spec)),
                   {ByHand("", absl::StrCat("replace ", node.name(),
                                            " by a node with the wanted system, or correct "
                                            "platform in cluster.yaml"))},
                   {v1::SPEC, false, ""});
    } else if ((!spec.has_os_id() && !IsSupportedSystem(host)) ||
               (!spec.has_architecture() && !IsSupportedArchitecture(host))) {
      verdict.Fail(node.name(), absl::StrCat(PlatformText(host), " is not supported by Connect"),
                   {ByHand("", absl::StrCat("replace ", node.name(),
                                            " by a node with a supported system or, if Connect "
                                            "supports this one, write it under platform in "
                                            "cluster.yaml"))});
    } else {
      seen.push_back({&node, PlatformText(host)});
    }
  }
  Compare(verdict, seen,
          {"", std::nullopt, {}, "write the system that is meant under platform in cluster.yaml"});
  return verdict.Finish();
}

v1::Finding DiskHasRoom(const v1::Snapshot& cluster) {
  Verdict verdict;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (verdict.Unobserved(node, "disk.file_systems")) continue;
    if (node.facts().disk().file_systems().empty()) {
      verdict.Unknown(node.name(), "no local file system was reported");
    } else {
      JudgeDisk(node, DiskUsedLimitPercent(cluster.spec()), verdict);
    }
  }
  return verdict.Finish();
}

v1::Finding StorageHasRoom(const v1::Snapshot& cluster) {
  Verdict verdict;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    for (const v1::MountSpace& space : node.facts().storage().spaces()) {
      JudgeSpace(node, space, DiskUsedLimitPercent(cluster.spec()), verdict);
    }
    if (verdict.Unobserved(node, "storage.spaces") || StorageUnobserved(node, verdict)) continue;
    JudgeUntoldSpace(node, verdict);
  }
  return verdict.Finish();
}

}  // namespace connect_ha
