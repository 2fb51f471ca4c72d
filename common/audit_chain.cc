#include "common/audit_chain.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "absl/strings/str_cat.h"
#include "common/tls/crypto.h"

namespace connect_ha {

std::string NoAuditDigest() { return std::string(32, '\0'); }

std::string AuditDigest(const v1::AuditEntry& entry) {
  v1::AuditEntry digested = entry;
  digested.clear_digest();
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    digested.SerializeToCodedStream(&coded);
  }
  return Sha256(bytes);
}

absl::Status AuditHolds(const std::vector<v1::AuditEntry>& entries,
                        const std::optional<v1::AuditAnchor>& anchor) {
  uint64_t id = anchor ? anchor->id() : 0;
  std::string digest = anchor ? anchor->digest() : NoAuditDigest();
  for (const v1::AuditEntry& entry : entries) {
    if (entry.id() != id + 1) {
      return absl::DataLossError(absl::StrCat("entry ", entry.id(),
                                              " of the audit log stands where ", id + 1,
                                              " should: entries were taken out, or put in"));
    }
    if (entry.digest() != AuditDigest(entry)) {
      return absl::DataLossError(
          absl::StrCat("entry ", entry.id(), " of the audit log is not what was written"));
    }
    if (entry.previous_digest() != digest) {
      return absl::DataLossError(absl::StrCat("entry ", entry.id(),
                                              " of the audit log was written after another entry ",
                                              id, " than what is there now"));
    }
    id = entry.id();
    digest = entry.digest();
  }
  return absl::OkStatus();
}

}  // namespace connect_ha
