#include "coordinator/plan/look/hysteresis.h"

#include <google/protobuf/util/time_util.h>

namespace connect_ha {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

struct Row {
  const char* rule;
  seconds fail_after;
  seconds pass_after;
};

// What is asked over the network is asked every half minute (agent.yaml: poll_interval): so much
// later may the last of the nodes notice what befell all of them.
constexpr seconds kAskedAnew{45};

// What the evaluator holds back itself (coordinator/cluster/hold.h) comes before that.
constexpr Row kRows[] = {
    {"clocks-are-synchronised", seconds(30), seconds(60)},
    // Two versions that run are not for a moment; where all nodes have another one it only holds.
    {"connect-version-matches", seconds(0), seconds(30)},
    {"database-reachable", seconds(30), seconds(30)},
    {"database-is-same", kAskedAnew, seconds(30)},
    {"database-is-writable", kAskedAnew, seconds(30)},
    {"service-is-healthy", seconds(30), seconds(60)},
    {"storage-is-alive", kAskedAnew, seconds(30)},
    {"storage-works", kAskedAnew, seconds(60)},
};
// What befalls all nodes is reported by one of them first: none is taken out before the others had
// the time to report it, too. Meanwhile the node's own gate is closed by what it sees itself.
constexpr seconds kFailAfter{10};
constexpr seconds kPassAfter{30};

const Row* FindRow(const std::string& rule) {
  for (const Row& row : kRows) {
    if (rule == row.rule) return &row;
  }
  return nullptr;
}

const v1::RuleSpec* FindSpec(const v1::ClusterSpec& spec, const std::string& rule) {
  const auto found = spec.rules().find(rule);
  return found == spec.rules().end() ? nullptr : &found->second;
}

microseconds FromProto(const google::protobuf::Duration& duration) {
  return microseconds(google::protobuf::util::TimeUtil::DurationToMicroseconds(duration));
}

}  // namespace

microseconds FailAfter(const v1::ClusterSpec& spec, const std::string& rule) {
  const v1::RuleSpec* said = FindSpec(spec, rule);
  if (said != nullptr && said->has_fail_after()) return FromProto(said->fail_after());
  const Row* row = FindRow(rule);
  return row == nullptr ? kFailAfter : row->fail_after;
}

microseconds PassAfter(const v1::ClusterSpec& spec, const std::string& rule) {
  const v1::RuleSpec* said = FindSpec(spec, rule);
  if (said != nullptr && said->has_pass_after()) return FromProto(said->pass_after());
  const Row* row = FindRow(rule);
  return row == nullptr ? kPassAfter : row->pass_after;
}

}  // namespace connect_ha
