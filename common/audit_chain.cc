#include "common/audit_chain.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

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

bool AuditHolds(const std::vector<v1::AuditEntry>& entries,
                const std::optional<v1::AuditAnchor>& anchor) {
  uint64_t id = anchor ? anchor->id() : 0;
  std::string digest = anchor ? anchor->digest() : NoAuditDigest();
  for (const v1::AuditEntry& entry : entries) {
    if (entry.id() != id + 1 || entry.previous_digest() != digest) return false;
    if (entry.digest() != AuditDigest(entry)) return false;
    id = entry.id();
    digest = entry.digest();
  }
  return true;
}

}  // namespace connect_ha
