// What the simulated coordinator's checklist says of its nodes: one rule of each way of acting and
// each basis, by the names that they have in common/checklist/table.cc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "connect_ha/v1/checklist.pb.h"
#include "connect_ha/v1/spec.pb.h"
#include "tests/plan_simulation/report.h"
#include "tests/plan_simulation/schedule.h"

namespace connect_ha::simulation {

enum RuleIndex : size_t {
  kMounted,
  kAlive,
  kSameDatabase,
  kSameKey,
  kSameVersion,
  kClocks,
  kConfiguration,
  kService,
  kReachable,
  kLicense,
  kShared,
  kRules,
};
// That an event means by this number; from `last` on the last one.
size_t RuleBy(uint32_t number, uint32_t last);
const char* RuleName(size_t rule);
v1::RuleAction ActionByTable(size_t rule);
// By the specification, which lowers no rule that fences.
v1::RuleAction ActionIn(const v1::ClusterSpec& spec, size_t rule);

struct Line {
  v1::Outcome outcome = v1::UNKNOWN;
  v1::Basis basis = v1::SELF;
  bool undecided = false;

  bool operator==(const Line&) const = default;
};
using Lines = std::array<Line, kRules>;

// What the coordinator has of a node.
struct NodeView {
  bool member = false;
  bool has_report = false;
  bool heard = false;  // since the coordinator started
  bool lost = false;
  bool fresh = false;
  bool cloned = false;
  Report report;
};
using Views = std::array<NodeView, kMostNodes>;

// `wanted`: the version that the specification names; 0: none.
std::array<Lines, kMostNodes> Judge(const Views& views, Version wanted);

}  // namespace connect_ha::simulation
