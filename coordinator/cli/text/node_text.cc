#include "coordinator/cli/text/node_text.h"

#include <cstdio>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/checklist/view/limits.h"

namespace connect_ha {
namespace {

std::string Ago(const v1::Snapshot& snapshot, const google::protobuf::Timestamp& then) {
  return FormatSpan(FromProto(snapshot.taken_at()) - FromProto(then)) + " ago";
}

std::string StateName(v1::NodeState state) {
  return state == v1::NODE_STATE_UNSPECIFIED ? "-" : absl::AsciiStrToLower(NodeState_Name(state));
}

}  // namespace

bool IsLive(const v1::Snapshot& snapshot, const v1::NodeSnapshot& node) {
  return node.has_last_seen() && FromProto(snapshot.taken_at()) - FromProto(node.last_seen()) <=
                                     std::chrono::microseconds(StaleAfterUs(snapshot.spec()));
}

std::string StateText(v1::NodeState assigned, v1::NodeState reported, v1::Allow allow) {
  std::string text = StateName(reported);
  if (allow == v1::ALLOW_OBSERVE) absl::StrAppend(&text, " (allows no more)");
  if (assigned == reported || assigned == v1::NODE_STATE_UNSPECIFIED) return text;
  return absl::StrCat(text, " -> ", StateName(assigned));
}

std::string StateText(const v1::NodeSnapshot& node) {
  return StateText(node.assigned_state(), node.reported_state(), node.allow());
}

std::string StateText(const v1::NodeAssignment& told, v1::NodeState reported) {
  return absl::StrCat(StateText(told.state(), reported, v1::ALLOW_UNSPECIFIED),
                      told.closed() ? " (closed)" : "");
}

Cell SeenCell(const v1::Snapshot& snapshot, const v1::NodeSnapshot& node) {
  if (!node.has_last_seen()) return {"never", Style::kDoubtful};
  return {Ago(snapshot, node.last_seen()),
          IsLive(snapshot, node) ? Style::kPlain : Style::kDoubtful};
}

std::string ClockText(const v1::NodeSnapshot& node) {
  if (!node.has_clock()) return "-";
  constexpr double kMicrosecondsPerMs = 1000;
  char text[64];
  std::snprintf(text, sizeof text, "%+.1f ms ± %.1f ms",
                static_cast<double>(node.clock().offset_us()) / kMicrosecondsPerMs,
                static_cast<double>(node.clock().error_us()) / kMicrosecondsPerMs);
  return text;
}

std::vector<std::string> ConflictLines(const v1::Snapshot& snapshot, const v1::NodeSnapshot& node) {
  std::vector<std::string> lines;
  if (node.claimants_size() < 2) return lines;
  for (const v1::Claimant& claimant : node.claimants()) {
    lines.push_back(absl::StrCat("machine ", claimant.machine_id(), " boot ", claimant.boot_id(),
                                 " at ", claimant.address(), ", heard ",
                                 Ago(snapshot, claimant.last_seen())));
  }
  return lines;
}

}  // namespace connect_ha
