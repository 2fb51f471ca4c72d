#include "coordinator/plan/look/notices.h"

#include <google/protobuf/util/time_util.h>

#include "absl/strings/str_cat.h"

namespace connect_ha {
namespace {

using std::chrono::microseconds;

constexpr std::chrono::minutes kDrainTimeout{5};
// Before a maintenance begins, a node is out of service and its Connect stopped.
constexpr std::chrono::minutes kBefore{10};
// A Connect that is stopped takes so long at the most, as a rule.
constexpr std::chrono::seconds kStopping{30};

const char* WordsOf(v1::InstanceNotice::Kind kind) {
  switch (kind) {
    case v1::InstanceNotice::SPOT_INTERRUPTION:
      return "EC2 takes this spot instance back";
    case v1::InstanceNotice::REBALANCE:
      return "EC2 recommends to replace this spot instance (rebalance)";
    case v1::InstanceNotice::MAINTENANCE:
      return "EC2 has scheduled maintenance of this instance";
    case v1::InstanceNotice::TERMINATING:
      return "Auto Scaling terminates this instance";
    default:
      return "EC2 has said something of this instance";
  }
}

// The instance goes; it is stopped for a while; it had better go.
int RankOf(const v1::InstanceNotice& notice) {
  if (IsCertain(notice)) return 0;
  return notice.kind() == v1::InstanceNotice::REBALANCE ? 2 : 1;
}

// A recommendation says nothing of when: what comes at a known time goes before it.
bool IsGraver(const v1::InstanceNotice& a, const v1::InstanceNotice& b) {
  if (RankOf(a) != RankOf(b)) return RankOf(a) < RankOf(b);
  if (!a.has_at() || !b.has_at()) return a.has_at() && !b.has_at();
  return FromProto(a.at()) < FromProto(b.at());
}

}  // namespace

const v1::InstanceNotice* NoticeDue(Situation& situation, const Member& member) {
  if (!member.node->fresh()) return nullptr;
  const microseconds before = DrainTimeout(situation.input.spec()) + kBefore;
  const v1::InstanceNotice* due = nullptr;
  for (const v1::InstanceNotice& notice : member.node->notices()) {
    if (notice.kind() == v1::InstanceNotice::KIND_UNSPECIFIED) continue;
    const bool later = notice.kind() == v1::InstanceNotice::MAINTENANCE && notice.has_at() &&
                       !situation.moments.Reached(FromProto(notice.at()) - before);
    if (!later && (due == nullptr || IsGraver(notice, *due))) due = &notice;
  }
  return due;
}

bool IsCertain(const v1::InstanceNotice& notice) {
  return notice.kind() == v1::InstanceNotice::SPOT_INTERRUPTION ||
         notice.kind() == v1::InstanceNotice::TERMINATING;
}

std::optional<Time> StopBefore(const v1::InstanceNotice& notice) {
  if (!notice.has_at() || notice.kind() == v1::InstanceNotice::REBALANCE) return std::nullopt;
  return FromProto(notice.at()) - kStopping;
}

std::string TextOf(const v1::InstanceNotice& notice) {
  return absl::StrCat(
      WordsOf(notice.kind()),
      notice.has_at() ? absl::StrCat(" at ", FormatUtc(FromProto(notice.at()))) : "",
      notice.text().empty() ? "" : absl::StrCat(": ", notice.text()));
}

microseconds DrainTimeout(const v1::ClusterSpec& spec) {
  if (!spec.rollout().has_drain_timeout()) return kDrainTimeout;
  return microseconds(
      google::protobuf::util::TimeUtil::DurationToMicroseconds(spec.rollout().drain_timeout()));
}

}  // namespace connect_ha
