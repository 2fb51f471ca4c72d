#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/facts_view.h"
#include "common/checklist/view/limits.h"

namespace connect_ha {
namespace {

// A licence file needs no activation. The directory is Connect's own and each node's.
Fixes NewLicenseFix(const v1::NodeSnapshot& node) {
  return {ByHand(node.name(),
                 "put the new .lic file into /var/lib/rstudio-connect/ (root's, mode 0600), take "
                 "the old one out of it, then restart Connect, one node at a time")};
}

// A floating licence is a lease of half an hour or so that renews itself: its days say nothing.
bool IsLease(const v1::LicenseFacts& license) {
  return license.kind() == "floating" || license.kind() == "remote";
}

// True when all that is wrong is that it will end.
bool JudgeLicense(const v1::ClusterSpec& spec, const v1::NodeSnapshot& node, Verdict& verdict) {
  const v1::LicenseFacts& license = node.facts().license();
  if (!license.has_status()) {
    if (verdict.Unobserved(node, "connect.package")) return false;
    if (node.facts().connect().has_package()) {
      verdict.Pending(node.name(), "license-manager was not asked yet");
    } else {
      verdict.NotApplicable(node.name(), "rstudio-connect is not installed");
    }
    return false;
  }
  std::string text = license.status();
  if (IsLease(license)) {
    absl::StrAppend(&text, ", a lease");
  } else if (license.has_days_left()) {
    absl::StrAppend(&text, ", ", license.days_left(), " days left");
  } else {
    absl::StrAppend(&text, ", no end given");
  }
  const bool ends = !IsLease(license) && license.has_days_left();
  if (!absl::EqualsIgnoreCase(license.status(), "Activated") ||
      (ends && license.days_left() <= 0)) {
    verdict.Fail(node.name(), text, IsLease(license) ? Fixes{} : NewLicenseFix(node));
    return false;
  }
  if (ends && license.days_left() < LicenseDaysLeftLimit(spec)) {
    verdict.Fail(node.name(), absl::StrCat(text, " (limit ", LicenseDaysLeftLimit(spec), ")"),
                 NewLicenseFix(node));
    return true;
  }
  verdict.Pass(node.name(), text);
  return false;
}

}  // namespace

v1::Finding LicenseIsValid(const v1::Snapshot& cluster) {
  Verdict verdict;
  int soon = 0;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (verdict.Unobserved(node, "license.status") ||
        verdict.Unobserved(node, "license.days_left")) {
      continue;
    }
    if (JudgeLicense(cluster.spec(), node, verdict)) ++soon;
  }
  v1::Finding finding = verdict.Finish();
  int failing = 0;
  for (const v1::Evidence& evidence : finding.evidence()) {
    failing += evidence.outcome() == v1::FAIL ? 1 : 0;
  }
  // Until it has ended nobody notices.
  if (failing > 0 && failing == soon) finding.set_rule_class(v1::ADVICE);
  return finding;
}

}  // namespace connect_ha
