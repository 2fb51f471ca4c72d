#include "common/tls/certificate.h"

#include <arpa/inet.h>
#include <openssl/ec.h>
#include <openssl/err.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/tls/crypto.h"
#include "common/tls/openssl.h"

namespace connect_ha {
namespace {

std::string Text(const ASN1_STRING* string) {
  return std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
                     static_cast<size_t>(ASN1_STRING_length(string)));
}

std::string IpText(const std::string& bytes) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(bytes.size() == 4 ? AF_INET : AF_INET6, bytes.data(), text, sizeof text);
  return text;
}

absl::Status ReadNames(X509* x509, Certificate& certificate) {
  const NamesHandle names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(x509, NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> uris;
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_URI) uris.push_back(Text(name->d.uniformResourceIdentifier));
    if (name->type == GEN_DNS) certificate.hosts.push_back(Text(name->d.dNSName));
    if (name->type == GEN_IPADD) certificate.hosts.push_back(IpText(Text(name->d.iPAddress)));
  }
  if (uris.size() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("the certificate carries ", uris.size(), " URI names, not one"));
  }
  auto identity = ParseIdentityUri(uris[0]);
  if (!identity.ok()) return identity.status();
  certificate.identity = *std::move(identity);
  return absl::OkStatus();
}

std::string SerialHex(X509* x509) {
  const BnHandle number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(x509), nullptr));
  char* hex = BN_bn2hex(number.get());
  std::string text = hex == nullptr ? "" : absl::AsciiStrToLower(hex);
  OPENSSL_free(hex);
  return text;
}

}  // namespace

absl::StatusOr<Certificate> ParseCertificate(const std::string& pem) {
  const auto x509 = ReadCertificate(pem);
  if (!x509.ok()) return x509.status();
  Certificate certificate;
  if (absl::Status status = ReadNames(x509->get(), certificate); !status.ok()) return status;
  certificate.serial = SerialHex(x509->get());
  const auto not_before = ReadTime(X509_get0_notBefore(x509->get()));
  const auto not_after = ReadTime(X509_get0_notAfter(x509->get()));
  if (!not_before.ok()) return not_before.status();
  if (!not_after.ok()) return not_after.status();
  certificate.not_before = *not_before;
  certificate.not_after = *not_after;
  return certificate;
}

absl::StatusOr<std::string> MakeKey() {
  const KeyContextHandle context(EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nullptr));
  EVP_PKEY* made = nullptr;
  if (context == nullptr || EVP_PKEY_keygen_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context.get(), NID_X9_62_prime256v1) != 1 ||
      EVP_PKEY_CTX_set_ec_param_enc(context.get(), OPENSSL_EC_NAMED_CURVE) != 1 ||
      EVP_PKEY_keygen(context.get(), &made) != 1) {
    return OpenSslError("cannot make a key");
  }
  const KeyHandle key(made);
  return WriteKey(key.get());
}

absl::StatusOr<std::string> MakeCsr(const std::string& key) {
  const auto handle = ReadKey(key);
  if (!handle.ok()) return handle.status();
  const RequestHandle request(X509_REQ_new());
  if (request == nullptr || X509_REQ_set_version(request.get(), 0) != 1 ||
      X509_REQ_set_pubkey(request.get(), handle->get()) != 1 ||
      X509_REQ_sign(request.get(), handle->get(), EVP_sha256()) <= 0) {
    return OpenSslError("cannot make a certificate request");
  }
  unsigned char* der = nullptr;
  const int size = i2d_X509_REQ(request.get(), &der);
  if (size <= 0) return OpenSslError("cannot write the certificate request");
  std::string bytes(reinterpret_cast<char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return bytes;
}

absl::StatusOr<std::string> CsrPublicKeyDigest(const std::string& csr_der) {
  const auto key = ReadCsrKey(csr_der);
  if (!key.ok()) return key.status();
  return Sha256(PublicKeyDer(key->get()));
}

bool KeyMatches(const std::string& key, const std::string& certificate) {
  const auto key_handle = ReadKey(key);
  const auto x509 = ReadCertificate(certificate);
  if (!key_handle.ok() || !x509.ok()) return false;
  const bool matches = X509_check_private_key(x509->get(), key_handle->get()) == 1;
  ERR_clear_error();
  return matches;
}

absl::Status VerifySignedBy(const std::string& certificate, const std::string& ca) {
  const auto x509 = ReadCertificate(certificate);
  if (!x509.ok()) return x509.status();
  const auto authority = ReadCertificate(ca);
  if (!authority.ok()) return authority.status();
  if (X509_verify(x509->get(), X509_get0_pubkey(authority->get())) == 1) return absl::OkStatus();
  ERR_clear_error();
  return absl::InvalidArgumentError(absl::StrCat("the certificate is not signed by the authority ",
                                                 CertificateHash(authority->get())));
}

absl::StatusOr<std::string> CaHash(const std::string& ca) {
  const auto x509 = ReadCertificate(ca);
  if (!x509.ok()) return x509.status();
  return CertificateHash(x509->get());
}

Time RenewalTime(const Certificate& certificate) {
  const auto life = certificate.not_after - certificate.not_before;
  const std::string digest = Sha256(certificate.serial);
  const int place = static_cast<unsigned char>(digest[0]) * 256 +
                    static_cast<unsigned char>(digest[1]);  // 0 to 65535
  return certificate.not_before + life * 4 / 10 + life / 65536 * place / 5;
}

}  // namespace connect_ha
