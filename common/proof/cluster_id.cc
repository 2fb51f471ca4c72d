#include "common/proof/cluster_id.h"

#include "common/tls/crypto.h"
#include "common/tls/openssl.h"

namespace connect_ha {
namespace {

constexpr size_t kDigits = 16;

}  // namespace

absl::StatusOr<std::string> ClusterId(const std::string& ca) {
  const absl::StatusOr<X509Handle> certificate = ReadCertificate(ca);
  if (!certificate.ok()) return certificate.status();
  const KeyHandle key(X509_get_pubkey(certificate->get()));
  const std::string der = key == nullptr ? "" : PublicKeyDer(key.get());
  if (der.empty()) return OpenSslError("cannot read the public key of the cluster's authority");
  return Hex(Sha256(der)).substr(0, kDigits);
}

}  // namespace connect_ha
