#include "coordinator/cluster/planning/words.h"

#include <chrono>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/checklist/rule.h"
#include "common/spec/config_checker.h"
#include "common/text/short_text.h"
#include "coordinator/plan/look/action.h"

namespace connect_ha {
namespace {

// However long a reason is, its word's end stands behind it.
constexpr size_t kReasonBytes = kTextBytes - 256;
// Whoever means for ever changes the specification.
constexpr std::chrono::hours kLongest{365 * 24};

bool NeedsEnd(v1::Word::Kind kind) { return kind == v1::Word::WAIVE || kind == v1::Word::UNFENCE; }

// What is said of a change, not of a node.
bool IsOfCluster(v1::Word::Kind kind) {
  return kind == v1::Word::APPROVE || kind == v1::Word::PAUSE || kind == v1::Word::ABORT ||
         kind == v1::Word::RESTORED;
}

absl::Status CheckNode(const v1::Word& word) {
  if (IsOfCluster(word.kind())) {
    return word.node().empty() ? absl::OkStatus()
                               : absl::InvalidArgumentError(absl::StrCat(
                                     KindName(word.kind()),
                                     " is of the cluster, not of a node\nfix: connect-ha "
                                     "node --help has what is said of one"));
  }
  return word.node().empty() && word.kind() != v1::Word::WAIVE
             ? absl::InvalidArgumentError("no node is named\nfix: connect-ha nodes names them")
             : absl::OkStatus();
}

absl::Status CheckChange(const v1::Word& word) {
  const bool of_one = word.kind() == v1::Word::APPROVE || word.kind() == v1::Word::ABORT;
  if (of_one && word.generation() == 0) {
    return absl::InvalidArgumentError(
        "no generation is named\nfix: connect-ha rollout status says which one is to come");
  }
  if (word.kind() == v1::Word::RESTORED && !IsConnectVersion(word.version())) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", word.version(),
                     "\" is no version of Connect\nfix: --version 2024.08.0, that which the "
                     "database was backed up with"));
  }
  return absl::OkStatus();
}

absl::Status CheckRule(const v1::Word& word) {
  if (word.kind() != v1::Word::WAIVE) {
    return word.rule().empty() ? absl::OkStatus()
                               : absl::InvalidArgumentError(
                                     absl::StrCat(KindName(word.kind()), " is not of a rule"));
  }
  if (FindRule(word.rule()) != nullptr) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(word.rule().empty() ? "no rule is named" : absl::StrCat("no rule ", word.rule()),
                   "\nfix: connect-ha rules names them"));
}

absl::Status CheckEnd(const v1::Word& word, Time now) {
  if (!word.has_until()) {
    return NeedsEnd(word.kind()) ? absl::InvalidArgumentError(absl::StrCat(
                                       KindName(word.kind()), " needs an end\nfix: --until 2h"))
                                 : absl::OkStatus();
  }
  const Time until = FromProto(word.until());
  if (until <= now) {
    return absl::InvalidArgumentError(
        absl::StrCat("its end ", FormatUtc(until), " is over\nfix: --until 2h"));
  }
  if (until - now > kLongest) {
    return absl::InvalidArgumentError(
        absl::StrCat("its end ", FormatUtc(until), " is more than a year away\nfix: --until 30d"));
  }
  return absl::OkStatus();
}

}  // namespace

std::string KindName(v1::Word::Kind kind) {
  return absl::AsciiStrToLower(v1::Word::Kind_Name(kind));
}

v1::Role NeededRole(const v1::Word& word, const v1::ClusterSpec& spec) {
  switch (word.kind()) {
    case v1::Word::FENCE:
    case v1::Word::UNFENCE:
    case v1::Word::RELEASE:
    case v1::Word::GONE:
    case v1::Word::RESTORED:
      return v1::ADMIN;
    default:
      break;
  }
  // As the plan heeds it (coordinator/plan/words/words.h).
  const bool lowers_fence =
      word.kind() == v1::Word::WAIVE && ActionBySpec(spec, word.rule()) == v1::FENCE;
  return word.downtime() || lowers_fence ? v1::ADMIN : v1::OPERATOR;
}

// Whoever may not fence a node may not let it out, either.
v1::Role NeededRoleToTakeBack(v1::Word::Kind kind, const std::string& rule,
                              const v1::ClusterSpec& spec) {
  v1::Word word;
  word.set_kind(kind);
  word.set_rule(rule);
  return NeededRole(word, spec);
}

absl::Status CheckWord(const v1::Word& word, Time now) {
  if (!v1::Word::Kind_IsValid(word.kind()) || word.kind() == v1::Word::KIND_UNSPECIFIED) {
    return absl::InvalidArgumentError("it is not said what is to be done");
  }
  if (const absl::Status node = CheckNode(word); !node.ok()) return node;
  if (const absl::Status reason = CheckReason(word.reason()); !reason.ok()) return reason;
  if (const absl::Status rule = CheckRule(word); !rule.ok()) return rule;
  if (const absl::Status change = CheckChange(word); !change.ok()) return change;
  return CheckEnd(word, now);
}

absl::Status CheckReason(const std::string& reason) {
  if (!absl::StripAsciiWhitespace(reason).empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "no reason is given\nfix: --reason \"...\", for whoever reads it at night");
}

std::string DescribeWord(const v1::Word& word) {
  const bool approves = word.kind() == v1::Word::APPROVE;
  std::vector<std::string> how;
  if (word.has_until()) how.push_back("until " + FormatUtc(FromProto(word.until())));
  if (word.now())
    how.push_back(approves ? "without waiting for the window" : "without waiting for users");
  if (word.downtime())
    how.push_back(approves ? "though too few may serve" : "though nobody else may serve");
  std::string of = word.rule();
  if (word.generation() > 0) of = absl::StrCat("generation ", word.generation());
  if (!word.version().empty()) of = absl::StrCat("Connect ", word.version());
  const std::string what = absl::StrCat(KindName(word.kind()), of.empty() ? "" : " ", of);
  const std::string ends = how.empty() ? "" : absl::StrCat(" (", absl::StrJoin(how, ", "), ")");
  const std::string reason =
      word.reason().empty() ? "" : absl::StrCat(": ", ShortText(word.reason(), kReasonBytes));
  return ShortText(absl::StrCat(what, reason, ends), kTextBytes);
}

}  // namespace connect_ha
