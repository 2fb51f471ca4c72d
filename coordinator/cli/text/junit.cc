#include "coordinator/cli/text/junit.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/command/checklist_result.h"
#include "common/command/fix_text.h"
#include "common/command/text_table.h"
#include "common/time.h"
#include "coordinator/cli/text/plan_text.h"

namespace connect_ha {
namespace {

// XML 1.0 has no way to write most control characters; Printable takes them out.
std::string Escape(const std::string& text) {
  return absl::StrReplaceAll(
      Printable(text),
      {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}, {"'", "&apos;"}});
}

enum class Kind { kPassed, kFailure, kError, kSkipped };

Kind KindOf(const v1::Finding& finding, const v1::Checklist& shown, const v1::Checklist& whole,
            bool strict) {
  if (finding.outcome() == v1::PASS) return Kind::kPassed;
  if (!Decides(finding, strict)) return Kind::kSkipped;
  switch (OutcomeThatCounts(finding, shown, whole, strict)) {
    case v1::PASS:  // n/a, or it follows a cause that counts
      return Kind::kSkipped;
    case v1::FAIL:
      return Kind::kFailure;
    default:
      return Kind::kError;
  }
}

std::string Waived(const v1::Finding& finding) {
  std::string text;
  for (const v1::Waiver& waiver : finding.waived()) {
    absl::StrAppend(&text, "waived ", Escape(WaiverText(waiver)), "\n");
  }
  return text;
}

std::string Details(const v1::Finding& finding) {
  std::string text;
  for (const v1::Evidence& evidence : finding.evidence()) {
    absl::StrAppend(&text, evidence.node().empty() ? "cluster" : Escape(evidence.node()), ": ",
                    OutcomeCell(evidence.outcome()).text, ": ", Escape(evidence.text()), "\n");
  }
  size_t left_out = 0;
  for (const FixLine& line : FixLines(finding.fixes(), 0, &left_out)) {
    absl::StrAppend(&text, "do: ", Escape(absl::StrCat(line.where, line.command, line.words)),
                    line.remark.text.empty() ? "" : "   ", Escape(line.remark.text), "\n");
  }
  return text + Waived(finding);
}

std::string TestCase(const v1::Finding& finding, Kind kind) {
  const std::string open =
      absl::StrCat("    <testcase classname=\"connect-ha.", ClassName(finding.rule_class()),
                   "\" name=\"", Escape(finding.rule()), "\"");
  const std::string message = absl::StrCat(
      " message=\"",
      finding.outcome() == v1::FOLLOWS ? "" : OutcomeCell(finding.outcome()).text + ": ",
      Escape(finding.summary().empty() ? finding.title() : finding.summary()), "\"");
  const auto with = [&](const std::string& element) {
    return absl::StrCat(open, ">\n      <", element, message, ">", Details(finding), "</", element,
                        ">\n    </testcase>\n");
  };
  const std::string waived = Waived(finding);
  const std::string beside =
      waived.empty() ? "" : absl::StrCat("      <system-out>", waived, "</system-out>\n");
  switch (kind) {
    case Kind::kPassed:
      if (beside.empty()) return open + "/>\n";
      return absl::StrCat(open, ">\n", beside, "    </testcase>\n");
    case Kind::kSkipped:
      return absl::StrCat(open, ">\n      <skipped", message, "/>\n", beside, "    </testcase>\n");
    case Kind::kFailure:
      return with("failure");
    default:
      return with("error");
  }
}

}  // namespace

std::string ToJunit(const v1::Checklist& checklist, const v1::Checklist& whole, bool strict) {
  size_t failures = 0;
  size_t errors = 0;
  size_t skipped = 0;
  std::string cases;
  for (const v1::Finding& finding : checklist.findings()) {
    const Kind kind = KindOf(finding, checklist, whole, strict);
    failures += kind == Kind::kFailure ? 1 : 0;
    errors += kind == Kind::kError ? 1 : 0;
    skipped += kind == Kind::kSkipped ? 1 : 0;
    cases += TestCase(finding, kind);
  }
  const std::string time = FormatUtc(FromProto(checklist.evaluated_at()));
  return absl::StrCat(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"connect-ha ",
      Escape(checklist.cluster()), "\" timestamp=\"", time, "\" tests=\"",
      checklist.findings_size(), "\" failures=\"", failures, "\" errors=\"", errors,
      "\" skipped=\"", skipped, "\">\n", cases, "  </testsuite>\n</testsuites>\n");
}

}  // namespace connect_ha
