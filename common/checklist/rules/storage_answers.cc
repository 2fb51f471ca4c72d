#include <algorithm>
#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/checklist/mount_fix.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/facts_view.h"
#include "common/checklist/view/located.h"
#include "common/checklist/view/place.h"
#include "common/time.h"

namespace connect_ha {
namespace {

void JudgeAnswer(const v1::Snapshot& cluster, const v1::NodeSnapshot& node,
                 const v1::MountAnswer& answer, Verdict& verdict) {
  const std::string& point = answer.mount_point();
  if (answer.has_error()) {
    return verdict.Fail(node.name(),
                        absl::StrCat(point, ": ", answer.error(),
                                     ": its server does not know any more what is mounted here"),
                        StaleFix(node.name(), point));
  }
  if (answer.answered()) return verdict.Pass(node.name(), absl::StrCat(point, " answers"));
  if (!answer.has_answered()) {
    return verdict.Unknown(node.name(),
                           absl::StrCat("whether ", point, " answered was not reported"));
  }
  const v1::Mount* mount = FindMount(node.facts(), point);
  std::string since;
  if (answer.has_silent_since()) {
    since = absl::StrCat(
        " for ", FormatSpan(FromProto(cluster.taken_at()) - FromProto(answer.silent_since())));
  }
  verdict.Fail(node.name(), absl::StrCat(point, " has not answered", since),
               mount == nullptr ? Fixes{} : ServerFix(node.name(), *mount));
}

bool WasAsked(const v1::StorageFacts& storage, const std::string& mount_point) {
  return std::any_of(storage.answers().begin(), storage.answers().end(),
                     [&mount_point](const v1::MountAnswer& answer) {
                       return answer.mount_point() == mount_point;
                     });
}

// What an agent does not ask: an older one, or of a type that it does not know.
void JudgeUnasked(const v1::NodeSnapshot& node, Verdict& verdict) {
  const v1::StorageFacts& storage = node.facts().storage();
  bool any = !storage.answers().empty();
  for (const v1::DataDirectory& directory : storage.directories()) {
    const v1::Mount* mount = FindMount(node.facts(), directory.mount_point());
    if (mount == nullptr) continue;
    const Reach reach = ReachOf(mount->fs_type());
    const bool may_be_network = reach == Reach::kUnknown && IsSharedKey(directory.key());
    if (reach != Reach::kNetwork && !may_be_network) continue;
    any = true;
    if (WasAsked(storage, directory.mount_point())) continue;
    return verdict.Unknown(node.name(), absl::StrCat(directory.mount_point(), " (",
                                                     mount->fs_type(), ") was not asked"));
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
    if (verdict.Unobserved(node, "storage.answers") || StorageUnobserved(node, verdict)) continue;
    JudgeUnasked(node, verdict);
  }
  return verdict.Finish();
}

}  // namespace connect_ha
