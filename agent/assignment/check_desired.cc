#include "agent/assignment/check_desired.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "agent/assignment/trusted_signers.h"
#include "common/spec/signed_spec.h"
#include "common/spec/spec_bundle.h"

namespace connect_ha {
namespace {

constexpr size_t kMostBytes = 3 * 1024 * 1024;
constexpr size_t kMostSpecBytes = 1024 * 1024;
constexpr size_t kLongestLineage = 256;
constexpr char kSignIt[] = "connect-ha apply --sign KEY, with the key of a signer of ";

absl::Status Refuse(const std::string& why, const std::string& fix) {
  return absl::FailedPreconditionError(absl::StrCat(why, "\nfix: ", fix));
}

absl::Status CheckSizes(const v1::Desired& desired) {
  if (desired.ByteSizeLong() <= kMostBytes && desired.spec().ByteSizeLong() <= kMostSpecBytes &&
      desired.lineage().size() <= kLongestLineage) {
    return absl::OkStatus();
  }
  return Refuse(absl::StrCat("it has ", desired.ByteSizeLong(), " bytes, more than a node takes"),
                "connect-ha apply a smaller one");
}

// The first of what is wrong, and how much more there is.
absl::Status CheckValid(const v1::Desired& desired) {
  v1::SpecBundle bundle;
  *bundle.mutable_spec() = desired.spec();
  if (desired.has_connect_config()) bundle.set_connect_config(desired.connect_config());
  if (desired.has_license()) bundle.set_license(desired.license());
  std::vector<ConfigProblem> errors = CheckSpecBundle(bundle, "");
  errors.erase(std::remove_if(errors.begin(), errors.end(),
                              [](const ConfigProblem& problem) {
                                return problem.severity != Severity::kError;
                              }),
               errors.end());
  if (errors.empty()) return absl::OkStatus();
  const std::string first = FormatProblems({errors[0]});
  return Refuse(
      absl::StrCat("it is invalid: ", first.substr(0, first.size() - 1),
                   errors.size() == 1 ? "" : absl::StrCat(" (and ", errors.size() - 1, " more)")),
      "correct cluster.yaml (connect-ha check-config), then: connect-ha apply");
}

absl::Status CheckCluster(const std::string& cluster, const Demands& demands) {
  if (cluster == demands.cluster) return absl::OkStatus();
  return Refuse(absl::StrCat("it is for cluster ", cluster, ", this node is of ", demands.cluster),
                "connect-ha apply this cluster's own");
}

// What is signed, in place of what is only said.
absl::StatusOr<v1::Desired> Signed(const v1::Desired& offered, const Demands& demands,
                                   v1::SpecToSign& spec) {
  const std::vector<std::string>& signers = *demands.signers;
  const v1::SignedSpec& signed_spec = offered.signed_spec();
  if (!offered.has_signed_spec()) {
    return Refuse("it is not signed, and this node takes only what is",
                  absl::StrCat(kSignIt, kTrustedDirectory, " on this node"));
  }
  if (std::find(signers.begin(), signers.end(), signed_spec.public_key()) == signers.end()) {
    return Refuse("it is signed with a key that this node does not trust",
                  absl::StrCat(kSignIt, kTrustedDirectory, " on this node"));
  }
  absl::StatusOr<v1::SpecToSign> opened = OpenSignedSpec(signed_spec);
  if (!opened.ok()) {
    return Refuse(std::string(opened.status().message()),
                  "find out who changed it on its way; then connect-ha apply --sign KEY");
  }
  spec = *std::move(opened);
  if (absl::Status ours = CheckCluster(spec.cluster(), demands); !ours.ok()) return ours;
  v1::Desired desired = offered;
  *desired.mutable_spec() = spec.spec();
  desired.clear_connect_config();
  desired.clear_license();
  if (spec.has_connect_config()) desired.set_connect_config(spec.connect_config());
  if (spec.has_license()) desired.set_license(spec.license());
  return desired;
}

absl::StatusOr<v1::Desired> Check(const v1::Desired& offered, const Demands& demands,
                                  bool is_draft) {
  if (!demands.signers.ok()) return demands.signers.status();
  if (absl::Status sizes = CheckSizes(offered); !sizes.ok()) return sizes;
  v1::Desired desired = offered;
  if (!demands.signers->empty()) {
    v1::SpecToSign spec;
    absl::StatusOr<v1::Desired> as_signed = Signed(offered, demands, spec);
    if (!as_signed.ok()) return as_signed;
    if (!is_draft && spec.generation() != offered.generation()) {
      return Refuse(absl::StrCat("it was signed as generation ", spec.generation(),
                                 ", and comes as ", offered.generation()),
                    "connect-ha apply --sign KEY again");
    }
    desired = *std::move(as_signed);
  }
  if (absl::Status ours = CheckCluster(desired.spec().cluster(), demands); !ours.ok()) return ours;
  if (absl::Status valid = CheckValid(desired); !valid.ok()) return valid;
  return desired;
}

}  // namespace

absl::StatusOr<v1::Desired> CheckDesired(const v1::Desired& offered, const Demands& demands) {
  return Check(offered, demands, /*is_draft=*/false);
}

absl::StatusOr<v1::Desired> CheckDraft(const v1::Desired& offered, const Demands& demands) {
  return Check(offered, demands, /*is_draft=*/true);
}

}  // namespace connect_ha
