// How certificates are renewed, and which still stand.
#include <spdlog/spdlog.h>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "coordinator/identity/enrolment.h"

namespace connect_ha {

std::string DescribeCertificate(const std::string& certificate_pem) {
  const auto certificate = ParseCertificate(certificate_pem);
  if (!certificate.ok()) return "";
  return absl::StrCat("certificate ", certificate->serial, " until ",
                      FormatUtc(certificate->not_after));
}

absl::StatusOr<v1::RenewResponse> Enrolment::Renew(const v1::RenewRequest& request,
                                                   const Certificate& caller, Time now) {
  const Identity& identity = caller.identity;
  if (identity.role == Role::kCoordinator) {
    return absl::PermissionDeniedError("the coordinator renews its certificate itself");
  }
  const bool is_node = identity.role == Role::kNode;
  // No removal comes between the look at the record and the certificate.
  const std::lock_guard<std::mutex> lock(changes_);
  if (is_node) {
    const auto record = store_.GetNode(identity.name);
    if (!record.ok() && !absl::IsNotFound(record.status())) return record.status();
    if (record.ok()) {
      if (absl::Status status = CheckNodeStands(*record, caller); !status.ok()) return status;
    }
  }
  const std::string actor = FormatActor(identity);
  if (!renewals_.Allows(actor, now)) {
    return absl::ResourceExhaustedError(absl::StrCat(
        actor, " renewed its certificate ", kRenewalsAnHour,
        " times within an hour; fix: look for ",
        "why it does (its log, its clock, whether it can write its state directory), and for a ",
        "second machine with the same key"));
  }
  const auto certificate = authority_.Issue({identity, {}}, request.csr_der(), now);
  if (!certificate.ok()) return certificate.status();
  spdlog::info("event=CERTIFICATE_RENEWED of={} text={}", actor,
               LogValue(DescribeCertificate(*certificate)));
  v1::RenewResponse response;
  response.set_certificate_pem(*certificate);
  if (is_node) {
    response.set_digest_key(digest_key_);
    response.set_digest_key_id(digest_key_id_);
    response.add_coordinators(address_);
  }
  return response;
}

absl::Status CheckNodeStands(const v1::NodeRecord& record, const Certificate& certificate) {
  const Identity& identity = certificate.identity;
  const std::string again = absl::StrCat("; fix: to join again: connect-ha token create --node ",
                                         identity.name, ", and run on the node what it prints");
  if (record.removed()) {
    return absl::PermissionDeniedError(absl::StrCat(
        "node \"", identity.name, "\" was removed from cluster \"", identity.cluster, "\"", again));
  }
  if (certificate.not_before + kClockAllowance < FromProto(record.certificates_since())) {
    return absl::PermissionDeniedError(
        absl::StrCat("this certificate of node \"", identity.name,
                     "\" is from before the node was removed and enrolled again", again));
  }
  return absl::OkStatus();
}

}  // namespace connect_ha
