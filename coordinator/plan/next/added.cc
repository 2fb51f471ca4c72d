#include "coordinator/plan/next/added.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/version.h"
#include "coordinator/plan/look/serving.h"

namespace connect_ha {
namespace {

using RuntimeList = google::protobuf::RepeatedPtrField<v1::RuntimeSpec>;

bool Adds(const RuntimeList& before, const RuntimeList& after) {
  return std::any_of(after.begin(), after.end(), [&before](const v1::RuntimeSpec& added) {
    return std::none_of(before.begin(), before.end(), [&added](const v1::RuntimeSpec& one) {
      return SameVersion(one.version(), added.version());
    });
  });
}

}  // namespace

bool AddsRuntimes(const v1::PlanInput& input) {
  const v1::RuntimesSpec& before = input.spec().runtimes();
  const v1::RuntimesSpec& after = input.next().spec().runtimes();
  return Adds(before.r(), after.r()) || Adds(before.python(), after.python()) ||
         Adds(before.quarto(), after.quarto());
}

std::string WhyItMayLackThem(const Member& member) {
  const v1::PlanNode& node = *member.node;
  const bool serves = member.position == v1::SERVING ||
                      (member.position == v1::OBSERVED && !node.running_version().empty());
  if (!serves || node.fresh() || member.left_alone || IsGone(member)) return "";
  if (!node.brief().lost()) return absl::StrCat("its facts are late: ", node.not_fresh());
  return absl::StrCat(
      "it is lost, and may serve users without the runtimes that are added; where that machine is "
      "no more: connect-ha rollout resume --skip-lost ",
      member.name(), " --reason ...");
}

}  // namespace connect_ha
