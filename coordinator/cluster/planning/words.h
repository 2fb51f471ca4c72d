// What people say that holds until it is taken back (v1::Word): its form, and how it is told. Pure.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "common/time.h"
#include "connect_ha/v1/audit.pb.h"
#include "connect_ha/v1/plan.pb.h"
#include "connect_ha/v1/spec.pb.h"

namespace connect_ha {

// "drain"
std::string KindName(v1::Word::Kind kind);
// The least that a person must be to say it, under the specification in force: that may have a rule
// fence which by the table does less.
v1::Role NeededRole(const v1::Word& word, const v1::ClusterSpec& spec);
// The same for taking such words back.
v1::Role NeededRoleToTakeBack(v1::Word::Kind kind, const std::string& rule,
                              const v1::ClusterSpec& spec);

// InvalidArgument says what is missing, and what to type: a node (or none, of what is said of a
// change), a rule, a reason, a generation, a version, an end, an end that is yet to come, or one
// that is too far away.
absl::Status CheckWord(const v1::Word& word, Time now);
// Of a word, and of taking one back: more than blanks.
absl::Status CheckReason(const std::string& reason);

// "drain: kernel update (until 2024-08-01T12:00:00Z, without waiting for users)", "approve
// generation 8: as agreed"; at most 1 KiB.
std::string DescribeWord(const v1::Word& word);

}  // namespace connect_ha
