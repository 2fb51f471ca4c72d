#include "common/tls/pinned_ca.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/address.h"
#include "common/tls/certificate.h"
#include "common/tls/openssl.h"
#include "common/tls/tls_look.h"

namespace connect_ha {
namespace {

using StoreHandle = std::unique_ptr<X509_STORE, Freer<X509_STORE_free>>;
using StoreContextHandle = std::unique_ptr<X509_STORE_CTX, Freer<X509_STORE_CTX_free>>;
using Chain = std::vector<X509Handle>;

// The hash of the authority that the server says it belongs to.
std::string PresentedAuthority(const Chain& chain) {
  for (const X509Handle& certificate : chain) {
    if (X509_check_ca(certificate.get()) != 0) return CertificateHash(certificate.get());
  }
  return "";
}

absl::Status WrongAuthority(const std::string& address, const Chain& chain,
                            const std::string& wanted) {
  const std::string presented = PresentedAuthority(chain);
  return absl::FailedPreconditionError(absl::StrCat(
      "the coordinator at ", address, " presents ",
      presented.empty() ? "no CA certificate" : "a CA with hash " + presented, ", not the pinned ",
      wanted,
      "; fix: take the command from connect-ha token create on the right coordinator, and if that "
      "does not help: something else answers at this address"));
}

// As gRPC will: signed by `ca`, for a TLS server, in time.
absl::Status VerifyServer(const std::string& address, X509* leaf, X509* ca) {
  const StoreHandle store(X509_STORE_new());
  const StoreContextHandle context(X509_STORE_CTX_new());
  if (store == nullptr || context == nullptr || X509_STORE_add_cert(store.get(), ca) != 1 ||
      X509_STORE_CTX_init(context.get(), store.get(), leaf, nullptr) != 1 ||
      X509_STORE_CTX_set_default(context.get(), "ssl_server") != 1) {
    return OpenSslError("cannot verify the coordinator's certificate");
  }
  if (X509_verify_cert(context.get()) == 1) return absl::OkStatus();
  const int error = X509_STORE_CTX_get_error(context.get());
  ERR_clear_error();
  const bool clock = error == X509_V_ERR_CERT_NOT_YET_VALID || error == X509_V_ERR_CERT_HAS_EXPIRED;
  return absl::FailedPreconditionError(
      absl::StrCat("the certificate of the coordinator at ", address,
                   " is not in order: ", X509_verify_cert_error_string(error), "; fix: ",
                   clock ? "check this machine's clock, then on the coordinator: connect-ha init"
                         : "on the coordinator: connect-ha init, then restart it"));
}

absl::Status VerifyHost(const Address& address, X509* leaf) {
  if (X509_check_ip_asc(leaf, address.host.c_str(), 0) == 1 ||
      X509_check_host(leaf, address.host.data(), address.host.size(), 0, nullptr) == 1) {
    return absl::OkStatus();
  }
  ERR_clear_error();
  const auto certificate = ParseCertificate(WriteCertificate(leaf));
  return absl::FailedPreconditionError(
      absl::StrCat("the certificate of the coordinator is for ",
                   certificate.ok() ? absl::StrJoin(certificate->hosts, ", ") : "no host",
                   ", not for ", address.host, "; fix: on the coordinator: connect-ha init --host ",
                   address.host, ", then restart it"));
}

absl::StatusOr<Chain> Look(const Address& address, std::chrono::milliseconds timeout) {
  auto chain = LookAtServer(address, timeout);
  if (chain.ok() && chain->empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("the server at ", FormatAddress(address),
                     " presents no certificate; fix: check the address"));
  }
  return chain;
}

absl::Status CheckHash(const std::string& hash) {
  constexpr size_t kSize = sizeof("sha256:") - 1 + 64;
  if (hash.size() == kSize && hash.rfind("sha256:", 0) == 0 &&
      hash.find_first_not_of("0123456789abcdef", 7) == std::string::npos) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      "the CA hash is not sha256: and 64 hex digits; fix: copy the whole command that "
      "connect-ha token create prints");
}

}  // namespace

absl::StatusOr<std::string> FetchPinnedCa(const std::string& address, const std::string& ca_hash,
                                          std::chrono::milliseconds timeout) {
  const auto parsed = ParseAddress(address);
  if (!parsed.ok()) return parsed.status();
  if (absl::Status status = CheckHash(ca_hash); !status.ok()) return status;
  const auto chain = Look(*parsed, timeout);
  if (!chain.ok()) return chain.status();
  const std::string shown = FormatAddress(*parsed);
  for (const X509Handle& certificate : *chain) {
    if (CertificateHash(certificate.get()) != ca_hash) continue;
    absl::Status status = VerifyServer(shown, chain->front().get(), certificate.get());
    if (status.ok()) status = VerifyHost(*parsed, chain->front().get());
    if (!status.ok()) return status;
    return WriteCertificate(certificate.get());
  }
  return WrongAuthority(shown, *chain, ca_hash);
}

absl::Status ExplainConnection(const std::string& address, const std::string& ca,
                               std::chrono::milliseconds timeout) {
  const auto parsed = ParseAddress(address);
  if (!parsed.ok()) return parsed.status();
  const auto trusted = ReadCertificate(ca);
  if (!trusted.ok()) return trusted.status();
  const auto chain = Look(*parsed, timeout);
  if (!chain.ok()) return chain.status();
  const std::string shown = FormatAddress(*parsed);
  if (!VerifySignedBy(WriteCertificate(chain->front().get()), ca).ok()) {
    return WrongAuthority(shown, *chain, CertificateHash(trusted->get()));
  }
  absl::Status status = VerifyServer(shown, chain->front().get(), trusted->get());
  return status.ok() ? VerifyHost(*parsed, chain->front().get()) : status;
}

}  // namespace connect_ha
